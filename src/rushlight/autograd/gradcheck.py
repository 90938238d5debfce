"""Gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from rushlight.base.errors import ArgValueError, GradError
from rushlight.graph.op import recording
from rushlight.tensor.creation import tensor
from rushlight.tensor.look import array_of
from rushlight.tensor.random import Generator, randn
from rushlight.tensor.tensor import Tensor

from .backward import grad


class GradcheckError(RuntimeError):
    """An analytical gradient differs from the numerical one."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Whether the gradients of ``func`` are those that small steps show.

    Each column of the Jacobian is compared with a central difference. Inputs should be float64 or
    complex128: in float32 a step of 1e-6 is lost in rounding. Complex inputs are stepped along both
    axes.

    Args:
        func: takes the inputs, returns a tensor or a tuple of them.
        fast_mode: one random direction instead of every element.
    Raises:
        GradcheckError: they differ and ``raise_exception`` is True.
        ValueError: no input requires gradients.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([0.5, 1.0], dtype=rl.float64, requires_grad=True)
        >>> rl.autograd.gradcheck(rl.sin, (x,))
        True
    """
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    leaves = [x for x in given if isinstance(x, Tensor) and x.requires_grad]
    if not leaves:
        raise ArgValueError(
            "gradcheck",
            "gradcheck expects at least one input tensor to require gradient, but none of the them"
            " have requires_grad=True.",
        )
    try:
        _check_same_twice(func, given, nondet_tol)
        for k, output in enumerate(_outputs(func, given)):
            for j, leaf in enumerate(leaves):
                analytical = _analytical(output, leaf)
                numerical = _numerical(func, given, leaf, k, eps)
                _compare(analytical, numerical, k, j, rtol, atol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Whether the gradients of the gradients of ``func`` are those that small steps show."""
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    outputs = _outputs(func, given)
    weights = _weights(outputs, grad_outputs)
    count = len(weights)

    def gradients(*args: Any) -> tuple[Any, ...]:
        inner, weight = args[: len(args) - count], args[len(args) - count :]
        leaves = [x for x in inner if isinstance(x, Tensor) and x.requires_grad]
        found = grad(_outputs(func, inner), leaves, list(weight), create_graph=True,
                     allow_unused=True)  # fmt: skip
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(
        gradients, (*given, *weights), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
    )  # fmt: skip


def _weights(outputs: list[Tensor], given: Any) -> list[Tensor]:
    if given is not None:
        return [given] if isinstance(given, Tensor) else list(given)
    source = Generator().manual_seed(0)
    made = []
    for output in outputs:
        weight = randn(tuple(output.shape), generator=source, dtype=output.dtype.to_real())
        made.append(weight.to(output.dtype).detach().requires_grad_())  # type: ignore[attr-defined]
    return made


def _outputs(func: Callable[..., Any], given: Sequence[Any]) -> list[Tensor]:
    """The outputs that can be differentiated."""
    result = func(*given)
    rows = result if isinstance(result, (tuple, list)) else (result,)
    return [r for r in rows if isinstance(r, Tensor) and r.requires_grad]


def _check_same_twice(func: Callable[..., Any], given: Sequence[Any], tolerance: float) -> None:
    for a, b in zip(_outputs(func, given), _outputs(func, given), strict=True):
        if a.shape == b.shape and not np.allclose(
            array_of(a), array_of(b), rtol=0, atol=tolerance, equal_nan=True
        ):
            raise GradcheckError("The function gives another result when it is called again.")


def _analytical(output: Tensor, leaf: Tensor) -> np.ndarray:
    """The Jacobian by gradients: one walk for each element of the output (and each axis)."""
    rows = []
    for seed in _units(output):
        (found,) = grad(output, leaf, seed, retain_graph=True, allow_unused=True)
        zeros = np.zeros(tuple(leaf.shape), leaf.dtype.numpy)
        rows.append((zeros if found is None else array_of(found)).reshape(-1))
    return _real(np.array(rows).reshape(len(rows), leaf.numel()))  # type: ignore[attr-defined]


def _units(like: Tensor) -> Iterator[Tensor]:
    """Tensors with a single 1 (and a single i for a complex dtype)."""
    shape, dtype = tuple(like.shape), like.dtype
    for axis in (1, 1j) if dtype.is_complex else (1,):
        for place in np.ndindex(shape):
            unit = np.zeros(shape, dtype.numpy)
            unit[place] = axis
            yield tensor(unit, dtype=dtype)


def _real(jacobian: np.ndarray) -> np.ndarray:
    """Complex columns as two real ones: the gradient holds both partial derivatives."""
    if not np.iscomplexobj(jacobian):
        return jacobian
    return np.concatenate([jacobian.real, jacobian.imag], axis=1)


def _numerical(
    func: Callable[..., Any], given: Sequence[Any], leaf: Tensor, which: int, eps: float
) -> np.ndarray:
    """The Jacobian by central differences, laid out as :func:`_analytical` does."""
    start = array_of(leaf).copy()
    columns = []
    for axis in (1, 1j) if leaf.dtype.is_complex else (1,):
        for place in np.ndindex(start.shape):
            step = np.zeros_like(start)
            step[place] = eps * axis
            up, down = (_at(func, given, leaf, start + s, which) for s in (step, -step))
            slope = ((up - down) / (2 * eps)).reshape(-1)
            if np.iscomplexobj(slope):
                slope = np.concatenate([slope.real, slope.imag])
            columns.append(slope)
    _put(leaf, start)
    height = columns[0].size if columns else 0
    return np.array(columns).reshape(len(columns), height).T


def _at(
    func: Callable[..., Any], given: Sequence[Any], leaf: Tensor, values: np.ndarray, which: int
) -> np.ndarray:
    _put(leaf, values)
    return array_of(_outputs(func, given)[which]).copy()


def _put(leaf: Tensor, values: np.ndarray) -> None:
    before, recording.grad = recording.grad, False
    try:
        leaf.copy_(tensor(values, dtype=leaf.dtype))  # type: ignore[attr-defined]
    finally:
        recording.grad = before


def _compare(
    analytical: np.ndarray, numerical: np.ndarray, output: int, leaf: int, rtol: float, atol: float
) -> None:
    if analytical.shape != numerical.shape:
        raise GradError("gradcheck", f"shapes {analytical.shape} and {numerical.shape} differ")
    if not np.allclose(analytical, numerical, rtol=rtol, atol=atol, equal_nan=True):
        raise GradcheckError(
            f"Jacobian mismatch for output {output} with respect to input {leaf},\n"
            f"numerical:{numerical}\nanalytical:{analytical}"
        )
