"""How variables vary together."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import bool_
from rushlight.base.errors import DTypeError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite


class Cov(Composite):
    """The covariances of variables, which are rows, over observations, which are columns.

    Args:
        correction: what is taken from the number of observations before dividing by it.
        fweights: how often each observation was made.
        aweights: how much each observation counts.
    Raises:
        RuntimeError: more than two dimensions, or weights that do not fit the observations.
    Example:
        >>> import rushlight as rl
        >>> rl.cov(rl.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """

    name = "cov"
    torch = (
        "cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None)"
        " -> Tensor"
    )

    def __call__(
        self, x: Node, *, correction: int = 1, fweights: Node | None = None,
        aweights: Node | None = None,
    ) -> Node:  # fmt: skip
        if x.ndim > 2:
            raise ShapeError(
                "cov",
                "cov(): expected input to have two or fewer dimensions but got an input with"
                f" {x.ndim} dimensions",
            )
        if x.dtype is bool_:
            raise DTypeError("cov", "cov(): bool dtype is not supported for input")
        x = x if x.ndim == 2 else ops.reshape(x, (1, -1))
        seen = x.shape[1]
        _check_weights("fweights", fweights, seen)
        _check_weights("aweights", aweights, seen)
        weights = fweights if aweights is None else _product(fweights, aweights)
        if weights is None:
            centred = x - ops.mean(_floats(x), (1,), True)
            divisor: Any = max(0.0, float(seen - correction))
            return _squeezed(ops.matmul(centred, _turned(centred)) / divisor)
        total = ops.sum(weights)
        centred = x - ops.sum(x * weights, (1,), True) / total
        lost: Any = correction
        if aweights is not None and correction:
            lost = correction * ops.sum(weights * aweights) / total
        divisor = ops.clamp_min(ops.sub(total, lost), 0)
        return _squeezed(ops.matmul(centred, _turned(centred * weights)) / divisor)

    def samples(self, make: Any) -> Any:
        yield make(3, 5)
        yield make(5)
        yield make(3, 5), {"correction": 0}
        yield make(3, 5), {"fweights": make.int(5, low=1, high=4)}
        yield make(3, 5), {"aweights": make(5, low=0.1)}
        whole = make.int(5, low=1, high=4)
        yield make(3, 5), {"fweights": whole, "aweights": make(5, low=0.1)}
        yield make.int(2, 4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 2, 2)), RuntimeError, "two or fewer dimensions"
        yield (
            lambda: make.call(make(5), fweights=make(5)),
            RuntimeError,
            "fweights to have integral dtype",
        )
        yield (
            lambda: make.call(make(5), aweights=make.int(5)),
            RuntimeError,
            "aweights to have floating point dtype",
        )
        yield lambda: make.call(make(5), aweights=make(2, low=0)), RuntimeError, "same numel"
        yield (
            lambda: make.call(make(5), fweights=make.int(5, low=-3, high=-1)),
            RuntimeError,
            "fweights cannot be negative",
        )


def _floats(x: Node) -> Node:
    return x if x.dtype.is_differentiable else x * 1.0


def _turned(x: Node) -> Node:
    return ops.conj(ops.t(x))


def _squeezed(x: Node) -> Node:
    return ops.squeeze(x)


def _product(a: Node | None, b: Node) -> Node:
    return b if a is None else a * b


def _check_weights(name: str, weights: Node | None, seen: int) -> None:
    """Refuses weights that are none for so many observations."""
    if weights is None:
        return
    wanted, kind = ("integral", "int") if name == "fweights" else ("floating point", "float")
    problem = ""
    if weights.ndim > 1:
        problem = "have one or fewer dimensions"
    elif weights.dtype.kind != kind:
        problem = f"have {wanted} dtype but got weights with {weights.dtype} dtype"
    elif weights.spec.numel != seen:
        problem = (
            f"have the same numel as there are observations in the input but got"
            f" {weights.spec.numel} != {seen}"
        )
    if problem:
        raise ShapeError("cov", f"cov(): expected {name} to {problem}")
    if isinstance(weights.buffer, Buffer) and (weights.buffer.values < 0).any():
        raise OperationError("cov", f"cov(): {name} cannot be negative")


class Corrcoef(Composite):
    """The correlations of variables, which are rows, over observations, which are columns.

    Raises:
        RuntimeError: more than two dimensions.
    Example:
        >>> import rushlight as rl
        >>> rl.corrcoef(rl.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """

    name, torch = "corrcoef", "corrcoef(Tensor self) -> Tensor"

    def __call__(self, x: Node) -> Node:
        if x.ndim > 2:
            raise ShapeError(
                "corrcoef",
                "corrcoef(): expected input to have two or fewer dimensions but got an input with"
                f" {x.ndim} dimensions",
            )
        together = ops.cov(x)
        if not together.ndim:
            return together / together
        spread = ops.sqrt(ops.real(ops.diagonal(together)))
        found = together / ops.unsqueeze(spread, 1) / spread
        if not found.dtype.is_complex:
            return ops.clamp(found, -1, 1)
        return ops.complex(ops.clamp(ops.real(found), -1, 1), ops.clamp(ops.imag(found), -1, 1))

    def samples(self, make: Any) -> Any:
        yield make(3, 5)
        yield make(5)
        yield make.int(2, 4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 2, 2)), RuntimeError, "two or fewer dimensions"


cov = Cov()
corrcoef = Corrcoef()
