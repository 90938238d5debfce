"""Asserting that tensors, numbers, or containers of them are close."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import rushlight as rl

from .pairs import Different, Rules, paired, tolerances

Message = str | Callable[[str], str] | None

# What assert_allclose allows by dtype, from before assert_close was there.
_OLDER = {rl.float16: (1e-3, 1e-3), rl.float32: (1e-4, 1e-5), rl.float64: (1e-5, 1e-8)}


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
    atol: float | None = None, equal_nan: bool = False, check_device: bool = True,
    check_dtype: bool = True, check_layout: bool = True, check_stride: bool = False,
    msg: Message = None,
) -> None:  # fmt: skip
    """Raises unless ``actual`` is close to ``expected``: tensors, numbers, or containers of them.

    ``|actual - expected| <= atol + rtol * |expected|`` has to hold everywhere.

    Args:
        allow_subclasses: whether one may be of a subclass of the other's type.
        rtol, atol: given both or neither; else they depend on the dtype: 1.3e-6 and 1e-5 for
            float32, 1e-7 and 1e-7 for float64, 1e-3 and 1e-5 for float16, 1.6e-2 and 1e-5 for
            bfloat16, 0 for whole numbers.
        equal_nan: whether two NaNs are equal.
        check_device, check_dtype, check_layout, check_stride: what has to be equal as well.
        msg: the text of the error, or a function that makes it from ours.
    Raises:
        AssertionError: they differ; containers have other lengths or keys.
        TypeError: they cannot be compared.
        ValueError: only one tolerance is given.
    Example:
        >>> import rushlight as rl
        >>> rl.testing.assert_close(rl.tensor([1.0]), rl.tensor([1.0 + 1e-7]))
        >>> rl.testing.assert_close({"loss": 1.0}, {"loss": 2.0}, rtol=0, atol=0.5)
        Traceback (most recent call last):
            ...
        AssertionError: Scalars are not close!
        <BLANKLINE>
        Expected 2.0 but got 1.0.
        Absolute difference: 1.0 (up to 0.5 allowed)
        Relative difference: 0.5 (up to 0 allowed)
        <BLANKLINE>
        The failure occurred for item ['loss']
    """
    __tracebackhide__ = True  # pytest shows where this was called
    rules = Rules(
        allow_subclasses, rtol, atol, equal_nan, check_device, check_dtype, check_layout,
        check_stride,
    )  # fmt: skip
    found: Exception | None = None
    try:
        pairs = paired(actual, expected, (), rules)
    except Different as different:
        found = different.error()
    else:
        for pair in pairs:
            try:
                pair.compare()
            except Different as different:
                found = different.error(msg)
                break
    if found is not None:
        raise found


def assert_allclose(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = True, msg: str = "",
) -> None:  # fmt: skip
    """As :func:`assert_close`, with wider tolerances and without a look at dtypes; deprecated."""
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future"
        " release. Please use `torch.testing.assert_close()` instead.",
        FutureWarning,
        stacklevel=2,
    )
    if not isinstance(actual, rl.Tensor):
        actual = rl.tensor(actual)
    if not isinstance(expected, rl.Tensor):
        expected = rl.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = tolerances((actual.dtype, expected.dtype), _OLDER)
    assert_close(
        actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False,
        msg=msg or None,
    )  # fmt: skip
