"""Gradients against finite differences."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from rushlight.base.dtypes import complex128, float64
from rushlight.base.errors import ArgValueError, MissingError
from rushlight.graph.op import recording
from rushlight.tensor.creation import tensor
from rushlight.tensor.look import array_of
from rushlight.tensor.random import Generator, randn
from rushlight.tensor.tensor import Tensor

from .walk import grad

Function = Callable[..., Any]


class GradcheckError(RuntimeError):
    """An analytical gradient differs from the numerical one."""


def gradcheck(
    func: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of ``func`` are those that small steps show.

    Each column of the Jacobian is compared with a central difference. Inputs should be float64 or
    complex128: in float32 a step of 1e-6 is lost in rounding. Complex inputs are stepped along both
    axes, and of complex outputs both parts are checked.

    Args:
        func: takes the inputs, returns a tensor or a tuple of them.
        inputs: a tensor or a tuple; those that require gradients are stepped, in place.
        check_undefined_grad: outputs are differentiated one by one, so that functions with several
            always meet gradients that do not arrive.
        check_grad_dtypes: whether a gradient has to have its input's dtype.
        fast_mode: one random direction instead of every element.
    Raises:
        GradcheckError: they differ and ``raise_exception`` is True.
        ValueError: no input requires gradients.
    Reference:
        Complex gradients are those of PyTorch: the conjugate Wirtinger derivative, twice.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([0.5, 1.0], dtype=rl.float64, requires_grad=True)
        >>> rl.autograd.gradcheck(rl.sin, (x,))
        True
    """
    if check_forward_ad or check_batched_forward_grad:
        raise MissingError("gradcheck", "there are no forward gradients to check yet")
    given = _given(inputs)
    leaves = _leaves(given)
    try:
        for prefix, part in _parts(func, given):
            check = _Check(part, given, eps, atol, rtol, prefix)
            for output in range(check.count):
                for number, leaf in leaves.items():
                    check.compare(output, number, leaf, fast_mode, nondet_tol)
                    if check_grad_dtypes:
                        check.dtypes(output, number, leaf)
            if not check.count:
                check.zero(leaves)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Function,
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
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether the gradients of the gradients of ``func`` are those that small steps show.

    Args:
        grad_outputs: weights of the outputs; random ones when None.
    Raises:
        GradcheckError: they differ and ``raise_exception`` is True.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([0.5, 1.0], dtype=rl.float64, requires_grad=True)
        >>> rl.autograd.gradgradcheck(rl.sin, (x,))
        True
    """
    if check_fwd_over_rev:
        raise MissingError("gradgradcheck", "there are no forward gradients to check yet")
    given = _given(inputs)
    weights = _weights(_outputs(func, given), grad_outputs)
    count = len(weights)

    def gradients(*args: Any) -> tuple[Any, ...]:
        inner, weight = args[: len(args) - count], args[len(args) - count :]
        leaves = [x for x in inner if isinstance(x, Tensor) and x.requires_grad]
        found = grad(
            _outputs(func, inner), leaves, list(weight), create_graph=True, allow_unused=True
        )
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradients, (*given, *weights), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol, fast_mode=fast_mode,
        check_grad_dtypes=check_grad_dtypes,
    )  # fmt: skip


def _given(inputs: Any) -> tuple[Any, ...]:
    return tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)


def _leaves(given: Sequence[Any]) -> dict[int, Tensor]:
    """The inputs to step, by number."""
    leaves = {k: x for k, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad}
    if not leaves:
        raise ArgValueError(
            "gradcheck",
            "gradcheck expects at least one input tensor to require gradient, but none of the them"
            " have requires_grad=True.",
        )
    for k, leaf in leaves.items():
        if leaf.dtype not in (float64, complex128):
            warnings.warn(
                f"Input #{k} requires gradient and is not a double precision floating point or"
                " complex. This check will likely fail if all the inputs are not of double"
                " precision floating point or complex. ",
                stacklevel=3,
            )
        strides = leaf.stride()
        if any(step == 0 and n > 1 for n, step in zip(leaf.shape, strides, strict=True)):
            raise ArgValueError(
                "gradcheck",
                f"The {k}th input has a dimension with stride 0. gradcheck only supports inputs"
                " that are non-overlapping to be able to compute the numerical gradients correctly."
                " You should call .contiguous on the input before passing it to gradcheck.",
            )
    return leaves


def _weights(outputs: list[Tensor], given: Any) -> list[Tensor]:
    if given is not None:
        return list(_given(given))
    source = Generator().manual_seed(0)
    made = []
    for output in outputs:
        weight = randn(tuple(output.shape), generator=source, dtype=output.dtype.to_real())
        made.append(weight.to(output.dtype).detach().requires_grad_())
    return made


def _outputs(func: Function, given: Sequence[Any]) -> list[Tensor]:
    """The outputs that can be differentiated."""
    return [r for r in _given(func(*given)) if isinstance(r, Tensor) and r.requires_grad]


def _parts(func: Function, given: Sequence[Any]) -> Iterator[tuple[str, Function]]:
    """The function; the imaginary and the real parts of what it returns when that is complex."""
    if not any(output.dtype.is_complex for output in _outputs(func, given)):
        yield "", func
        return
    for name in ("imag", "real"):
        long = {"imag": "imaginary", "real": "real"}[name]
        yield f"While considering the {long} part of complex outputs only, ", _part(func, name)


def _part(func: Function, name: str) -> Function:
    def part(*args: Any) -> tuple[Any, ...]:
        return tuple(
            getattr(output, name) if output.dtype.is_complex else output
            for output in _outputs(func, args)
            if output.dtype.is_complex or name == "real"
        )

    return part


class _Check:
    """One function with real outputs, and how closely it is checked."""

    def __init__(
        self, func: Function, given: tuple[Any, ...], eps: float, atol: float, rtol: float,
        prefix: str,
    ) -> None:  # fmt: skip
        self.func = func
        self.given = given
        self.eps = eps
        self.atol = atol
        self.rtol = rtol
        self.prefix = prefix
        self.random = np.random.default_rng(0)
        self.count = len(_outputs(func, given))

    def compare(self, output: int, number: int, leaf: Tensor, fast: bool, nondet: float) -> None:
        """Compares the Jacobian of one output for one input, or its product with directions."""
        analytical = self.analytical(output, leaf)
        again = self.analytical(output, leaf)
        if not np.allclose(analytical, again, rtol=0, atol=nondet, equal_nan=True):
            raise GradcheckError(
                f"{self.prefix}Backward is not reentrant, i.e., running backward with same input"
                " and grad_output multiple times gives different values, although analytical"
                f" gradient matches numerical gradient. The tolerance for nondeterminism was"
                f" {nondet}.\n"
            )
        atol = self.atol
        if fast:
            left, right = self._directions(analytical.shape)
            analytical = np.atleast_1d(left @ analytical @ right)
            numerical = np.atleast_1d(left @ self.along(output, leaf, right))
            atol *= float(np.abs(left).sum() * np.abs(right).sum())
        else:
            numerical = self.numerical(output, leaf)
        if not np.allclose(analytical, numerical, self.rtol, atol, equal_nan=True):
            raise GradcheckError(
                f"{self.prefix}Jacobian mismatch for output {output} with respect to input"
                f" {number},\nnumerical:{tensor(numerical.T)}\nanalytical:{tensor(analytical.T)}\n"
            )

    def _directions(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        made = [self.random.normal(size=n) for n in shape]
        return tuple(each / max(float(np.linalg.norm(each)), 1e-12) for each in made)

    def dtypes(self, output: int, number: int, leaf: Tensor) -> None:
        """Whether a gradient has its input's dtype."""
        result = _outputs(self.func, self.given)[output]
        (found,) = grad(result, leaf, result.detach(), allow_unused=True)
        if found is not None and found.dtype is not leaf.dtype:
            raise GradcheckError("dtype mismatch: gradient has another dtype than its input")

    def zero(self, leaves: dict[int, Tensor]) -> None:
        """Whether small steps show that there is nothing to differentiate."""
        for leaf in leaves.values():
            for k, result in enumerate(_given(self.func(*self.given))):
                if isinstance(result, Tensor) and self.numerical(k, leaf).any():
                    raise GradcheckError(
                        f"{self.prefix}Numerical gradient for function expected to be zero"
                    )

    def analytical(self, output: int, leaf: Tensor) -> np.ndarray:
        """The Jacobian by gradients: a row, one walk, for each element of the output."""
        result = _outputs(self.func, self.given)[output]
        rows = []
        for seed in _units(result):
            (found,) = grad(result, leaf, seed, retain_graph=True, allow_unused=True)
            zeros = np.zeros(tuple(leaf.shape), leaf.dtype.numpy)
            rows.append((zeros if found is None else array_of(found)).reshape(-1))
        return _axes(np.array(rows, leaf.dtype.numpy).reshape(len(rows), leaf.numel()))

    def numerical(self, output: int, leaf: Tensor) -> np.ndarray:
        """The Jacobian by central differences: a column for each element (and axis) of an input."""
        width = leaf.numel() * (2 if leaf.dtype.is_complex else 1)
        columns = [self.along(output, leaf, unit) for unit in np.eye(width)]
        height = _given(self.func(*self.given))[output].numel()
        return np.array(columns).reshape(width, height).T

    def along(self, output: int, leaf: Tensor, direction: np.ndarray) -> np.ndarray:
        """The difference quotient for steps of an input in one direction."""
        start = array_of(leaf).copy()
        if leaf.dtype.is_complex:
            real, imag = np.split(direction, 2)
            direction = real + 1j * imag
        step = (self.eps * direction).reshape(start.shape)
        up, down = (self._at(output, leaf, start + s) for s in (step, -step))
        _put(leaf, start)
        slope: np.ndarray = ((up - down) / (2 * self.eps)).reshape(-1)
        return slope

    def _at(self, output: int, leaf: Tensor, values: np.ndarray) -> np.ndarray:
        _put(leaf, values)
        found = _outputs(self.func, self.given) or _given(self.func(*self.given))
        return array_of(found[output]).copy()


def _units(like: Tensor) -> Iterator[Tensor]:
    """Tensors with a single 1."""
    for place in np.ndindex(tuple(like.shape)):
        unit = np.zeros(tuple(like.shape), like.dtype.numpy)
        unit[place] = 1
        yield tensor(unit, dtype=like.dtype)


def _axes(jacobian: np.ndarray) -> np.ndarray:
    """Complex columns as two real ones: the gradient holds both partial derivatives."""
    if not np.iscomplexobj(jacobian):
        return jacobian
    return np.concatenate([jacobian.real, jacobian.imag], axis=1)


def _put(leaf: Tensor, values: np.ndarray) -> None:
    before, recording.grad = recording.grad, False
    try:
        leaf.copy_(tensor(values, dtype=leaf.dtype))
    finally:
        recording.grad = before
