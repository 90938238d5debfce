"""For tests: comparisons, and how many kernels work took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

import rushlight as rl

Message = str | Callable[[str], str] | None

# Relative and absolute tolerance by dtype; whole numbers have to be equal.
TOLERANCES = {
    rl.float16: (1e-3, 1e-5), rl.bfloat16: (1.6e-2, 1e-5), rl.float32: (1.3e-6, 1e-5),
    rl.float64: (1e-7, 1e-7), rl.complex64: (1.3e-6, 1e-5), rl.complex128: (1e-7, 1e-7),
}  # fmt: skip


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
    atol: float | None = None, equal_nan: bool = False, check_device: bool = True,
    check_dtype: bool = True, check_layout: bool = True, check_stride: bool = False,
    msg: Message = None,
) -> None:  # fmt: skip
    """Raises unless ``actual`` is close to ``expected``: tensors, numbers, or containers of them.

    ``|actual - expected| <= atol + rtol * |expected|`` has to hold everywhere.

    Args:
        rtol, atol: given both or neither; else they depend on the dtype (0 for whole numbers).
        equal_nan: whether two NaNs are equal.
        check_dtype, check_stride: whether these have to be equal as well.
        msg: the text of the error, or a function that makes it from ours.
    Raises:
        AssertionError: they differ.
        TypeError: they cannot be compared.
        ValueError: only one tolerance is given.
    Example:
        >>> import rushlight as rl
        >>> rl.testing.assert_close(rl.tensor([1.0]), rl.tensor([1.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        named = "rtol" if rtol is None else "atol"
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, but got no {named} here."
        )
    _Comparison(allow_subclasses, rtol, atol, equal_nan, check_dtype, check_stride, msg).compare(
        actual, expected, ()
    )


class _Comparison:
    """One call's options."""

    def __init__(
        self, allow_subclasses: bool, rtol: float | None, atol: float | None, equal_nan: bool,
        check_dtype: bool, check_stride: bool, msg: Message,
    ) -> None:  # fmt: skip
        self.allow_subclasses = allow_subclasses
        self.given = None if rtol is None or atol is None else (rtol, atol)
        self.equal_nan = equal_nan
        self.check_dtype = check_dtype
        self.check_stride = check_stride
        self.msg = msg

    def compare(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        """Compares two things found at ``path`` in their containers."""
        if _both(actual, expected, Mapping):
            self._mappings(actual, expected, path)
        elif _both(actual, expected, Sequence) and not isinstance(actual, (str, bytes)):
            self._sequences(actual, expected, path)
        elif actual is None and expected is None:
            return
        elif _both(actual, expected, (bool, int, float, complex, np.number, np.bool_)):
            self._numbers(actual, expected, path)
        elif self._related(actual, expected):
            self._tensors(_as_tensor(actual), _as_tensor(expected), path)
        else:
            raise TypeError(
                "No comparison pair was able to handle inputs of type"
                f" {type(actual)} and {type(expected)}."
            )

    def _related(self, actual: Any, expected: Any) -> bool:
        kinds = (rl.Tensor, np.ndarray)
        if self.allow_subclasses:
            return (
                isinstance(actual, kinds)
                and isinstance(expected, kinds)
                and (isinstance(actual, type(expected)) or isinstance(expected, type(actual)))
            )
        return type(actual) is type(expected) and isinstance(actual, kinds)

    def _mappings(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        if set(actual) != set(expected):
            missing, extra = set(expected) - set(actual), set(actual) - set(expected)
            self._fail(
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing, key=str)}\n"
                f"Additional keys in the actual mapping: {sorted(extra, key=str)}",
                path,
            )
        for key in expected:
            self.compare(actual[key], expected[key], (*path, key))

    def _sequences(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        if len(actual) != len(expected):
            self._fail(
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path
            )
        for k, pair in enumerate(zip(actual, expected, strict=True)):
            self.compare(*pair, (*path, k))

    def _numbers(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        rtol, atol = self._tolerances(_number_dtype(actual), _number_dtype(expected))
        a, b = np.asarray(actual), np.asarray(expected)
        if np.isclose(a, b, rtol, atol, self.equal_nan):
            return
        far, near = _distances(a, b)
        lines = [f"Scalars are not {'close' if rtol or atol else 'equal'}!", ""]
        lines.append(f"Expected {expected} but got {actual}.")
        lines.append(f"Absolute difference: {far.item()}" + _allowed(atol, rtol, atol))
        lines.append(f"Relative difference: {near.item()}" + _allowed(rtol, rtol, atol))
        self._fail("\n".join(lines), path)

    def _tensors(self, actual: rl.Tensor, expected: rl.Tensor, path: tuple[Any, ...]) -> None:
        self._attributes(actual, expected, path)
        rtol, atol = self._tolerances(actual.dtype, expected.dtype)
        a, b = _values(actual), _values(expected)
        with np.errstate(all="ignore"):
            wrong = ~np.isclose(a, b, rtol, atol, self.equal_nan)
        if not wrong.any():
            return
        count, total = int(wrong.sum()), wrong.size
        lines = [f"Tensor-likes are not {'close' if rtol or atol else 'equal'}!", ""]
        lines.append(f"Mismatched elements: {count} / {total} ({count / total:.1%})")
        for name, distance, most in zip(
            ("absolute", "relative"), _distances(a, b), (atol, rtol), strict=True
        ):
            distance = np.where(wrong, distance, 0)
            place = np.unravel_index(int(np.argmax(distance)), distance.shape)
            where = tuple(int(k) for k in place)
            value = distance[place].item()
            lines.append(
                f"Greatest {name} difference: {value} at index {where}" + _allowed(most, rtol, atol)
            )
        self._fail("\n".join(lines), path)

    def _attributes(self, actual: rl.Tensor, expected: rl.Tensor, path: tuple[Any, ...]) -> None:
        pairs = [("shape", actual.shape, expected.shape)]
        if self.check_dtype:
            pairs.append(("dtype", actual.dtype, expected.dtype))
        if self.check_stride:
            pairs.append(("stride()", actual.stride(), expected.stride()))
        for name, one, other in pairs:
            if one != other:
                self._fail(
                    f"The values for attribute '{name}' do not match: {one} != {other}.", path
                )

    def _tolerances(self, *dtypes: Any) -> tuple[float, float]:
        if self.given is not None:
            return self.given
        found = [TOLERANCES.get(dtype, (0.0, 0.0)) for dtype in dtypes]
        return max(rtol for rtol, _ in found), max(atol for _, atol in found)

    def _fail(self, text: str, path: tuple[Any, ...]) -> NoReturn:
        if path:
            text += "\n\nThe failure occurred for item " + "".join(f"[{key!r}]" for key in path)
        if callable(self.msg):
            text = self.msg(text)
        raise AssertionError(text if self.msg is None or callable(self.msg) else self.msg)


def _both(a: Any, b: Any, kind: Any) -> bool:
    return isinstance(a, kind) and isinstance(b, kind)


def _as_tensor(value: Any) -> rl.Tensor:
    return value if isinstance(value, rl.Tensor) else rl.as_tensor(value)


def _values(tensor: rl.Tensor) -> np.ndarray:
    plain = tensor.detach().resolve_conj()
    return plain.float().numpy() if plain.dtype is rl.bfloat16 else plain.numpy()


def _number_dtype(value: Any) -> rl.dtype:
    if isinstance(value, (bool, np.bool_)):
        return rl.bool
    if isinstance(value, (int, np.integer)):
        return rl.int64
    return rl.complex128 if isinstance(value, (complex, np.complexfloating)) else rl.float64


def _distances(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Absolute and relative differences."""
    if a.dtype.kind in "biu":
        a, b = a.astype(np.int64), b.astype(np.int64)
    with np.errstate(all="ignore"):
        far = np.abs(a - b)
        wide = np.abs(b) if b.dtype.kind == "f" else np.abs(b).astype(np.float32)
        return far, far / wide


def _allowed(most: float, rtol: float, atol: float) -> str:
    return f" (up to {most} allowed)" if rtol or atol else ""


# Kernels ----------------------------------------------------------------------------------------


@contextmanager
def assert_kernels(count: int) -> Iterator[None]:
    """Fails unless what is computed in the block takes ``count`` kernels, over all programs run.

    Work recorded before the block and computed in it counts. Programs are compiled for it, whatever
    ``RUSHLIGHT_TIER`` says; a step that is run by its reference counts as a kernel.

    Raises:
        AssertionError: there were more or fewer; it lists them.
    Example:
        >>> import rushlight as rl
        >>> x, bias = rl.ones(4, 3), rl.ones(3)
        >>> rl.realize(x, bias)
        >>> with rl.testing.assert_kernels(1):
        ...     rl.realize((x + bias).relu())
    """
    from rushlight.compiler.inside import table
    from rushlight.execute.watching import watching

    with watching() as watch:
        yield
    programs = [(ran, ran.explained()) for ran in watch.found.values()]
    found = sum(ran.runs * len(told.calls) for ran, told in programs)
    if found != count:
        lists = [
            f"run {ran.runs} times:\n{table(told.calls)}\nof\n{told.graph}"
            for ran, told in programs
        ]
        rows = "\n".join(lists) or "nothing was computed"
        raise AssertionError(f"{found} kernels instead of {count}\n{rows}")


@contextmanager
def assert_no_recompile() -> Iterator[None]:
    """Fails if a graph is computed in the block that was never computed before.

    Raises:
        AssertionError: there was one; it shows the graph.
    Example:
        >>> import rushlight as rl
        >>> def double(x):
        ...     return rl.realize(x * 2)
        >>> x = rl.ones(3)
        >>> rl.realize(x)
        >>> double(x)
        >>> with rl.testing.assert_no_recompile():
        ...     double(x)
    """
    from rushlight.execute.watching import watching

    with watching() as watch:
        yield
    fresh = [ran.explained().graph for ran in watch.found.values() if not ran.known]
    if fresh:
        graphs = "\n".join(fresh)
        raise AssertionError(f"{len(fresh)} graphs were new, and had to be compiled:\n{graphs}")
