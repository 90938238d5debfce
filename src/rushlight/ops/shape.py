"""Functions that give a tensor another shape, made of views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import OperationError, RangeError, ShapeError
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite

from .arrange import Dims, ints


class Movedim(Composite):
    """Some dimensions moved to other places; the rest keep their order.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(2, 3, 4).movedim(0, -1).shape
        torch.Size([3, 4, 2])
    """

    name = "movedim"
    torch = (
        "movedim(Tensor(a) self, int[1] source, int[1] destination) -> Tensor(a)",
        "moveaxis(Tensor(a) self, int[1] source, int[1] destination) -> Tensor(a)",
    )

    def __call__(self, x: Node, source: Dims, destination: Dims) -> Node:
        source, destination = ints(source), ints(destination)
        if len(source) != len(destination):
            raise OperationError(
                "movedim",
                f"movedim: Invalid source or destination dims: source ({list(source)} dims) should"
                " contain the same number of dims as destination"
                f" ({list(destination)} dims)",
            )
        old = [shapes.axis("movedim", dim, x.ndim) for dim in source]
        new = [shapes.axis("movedim", dim, x.ndim) for dim in destination]
        for kind, dims, given in (("source", old, source), ("destination", new, destination)):
            if len(set(dims)) != len(dims):
                raise OperationError(
                    "movedim", f"movedim: repeated dim in `{kind}` ({list(given)})"
                )
        if not x.ndim:
            return ops.permute(x, ())
        rest = iter(dim for dim in range(x.ndim) if dim not in old)
        moved = dict(zip(new, old, strict=True))
        return ops.permute(x, [moved[d] if d in moved else next(rest) for d in range(x.ndim)])

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4), 0, 2
        yield make(2, 3, 4), (0, -1), (1, 0)
        yield make(), 0, 0

    def errors(self, make: Any) -> Any:
        x = make(2, 3)
        yield lambda: make.call(x, (0, 1), (0,)), RuntimeError, "same number of dims"
        yield lambda: make.call(x, (0, -2), (0, 1)), RuntimeError, "repeated dim in `source`"
        yield lambda: make.call(x, 0, 2), IndexError, "Dimension out of range"


class Flatten(Composite):
    """Neighbouring dimensions in one, all of them by default.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(2, 3, 4).flatten(1).shape
        torch.Size([2, 12])
    """

    name = "flatten"
    torch = "flatten(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)"

    def __call__(self, x: Node, start_dim: int = 0, end_dim: int = -1) -> Node:
        first = shapes.axis("flatten", start_dim, x.ndim)
        last = shapes.axis("flatten", end_dim, x.ndim)
        if first > last:
            raise OperationError(
                "flatten", "flatten() has invalid args: start_dim cannot come after end_dim"
            )
        if first == last and x.ndim:
            return x
        merged = shapes.prod(x.shape[first : last + 1])
        return ops.reshape(x, (*x.shape[:first], merged, *x.shape[last + 1 :]))

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4)
        yield make(2, 3, 4), 1
        yield make(4, 3).T, 0, 1
        yield make(2, 0, 4), 0, -2
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3), 1, 0), RuntimeError, "cannot come after end_dim"
        yield lambda: make.call(make(2, 3), 2), IndexError, "Dimension out of range"


class Ravel(Composite):
    """All dimensions in one."""

    name, torch = "ravel", "ravel(Tensor(a) self) -> Tensor(a)"

    def __call__(self, x: Node) -> Node:
        return x if x.ndim == 1 else ops.reshape(x, (-1,))

    def samples(self, make: Any) -> Any:
        yield make(2, 3)
        yield make(4, 3).T
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("x"), TypeError, "must be Tensor, not str"


class Unflatten(Composite):
    """One dimension as several.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(2, 12).unflatten(1, (3, -1)).shape
        torch.Size([2, 3, 4])
    """

    name = "unflatten"
    torch = "unflatten(Tensor(a) self, int dim, int[] sizes) -> Tensor(a)"

    def __call__(self, x: Node, dim: int, sizes: Sequence[int]) -> Node:
        dim, sizes = shapes.axis("unflatten", dim, x.ndim), list(sizes)
        if not sizes:
            raise OperationError("unflatten", "unflatten: sizes must be non-empty")
        if sizes.count(-1) > 1:
            raise OperationError("unflatten", "only one dimension can be inferred")
        size, rest = x.shape[dim], shapes.prod(tuple(n for n in sizes if n != -1))
        fits = rest and size % rest == 0 if -1 in sizes else rest == size
        if not fits:
            raise ShapeError(
                "unflatten",
                f"unflatten: Provided sizes {sizes} don't multiply up to the size of dim {dim}"
                f" ({size}) in the input tensor",
            )
        full = [size // rest if n == -1 else n for n in sizes]
        return ops.reshape(x, (*x.shape[:dim], *full, *x.shape[dim + 1 :]))

    def samples(self, make: Any) -> Any:
        yield make(2, 6), 1, (2, 3)
        yield make(6, 2), 0, (-1, 2)
        yield make(2, 6).T, -2, (3, 2, 1)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(6), 0, (4, 2)), RuntimeError, "don't multiply up to"
        yield lambda: make.call(make(6), 0, ()), RuntimeError, "must be non-empty"
        yield lambda: make.call(make(6), 1, (2, 3)), IndexError, "Dimension out of range"


class Narrow(Composite):
    """``length`` elements from ``start`` along a dimension.

    Example:
        >>> import rushlight as rl
        >>> rl.arange(5).narrow(0, 1, 3)
        tensor([1, 2, 3])
    """

    name = "narrow"
    torch = "narrow(Tensor(a) self, int dim, int start, int length) -> Tensor(a)"

    def __call__(self, x: Node, dim: int, start: int, length: int) -> Node:
        if not x.ndim:
            raise ShapeError("narrow", "narrow() cannot be applied to a 0-dim tensor.")
        if length < 0:
            raise OperationError("narrow", "narrow(): length must be non-negative.")
        dim = shapes.axis("narrow", dim, x.ndim)
        size = x.shape[dim]
        if not -size <= start <= size:
            raise RangeError(
                "narrow",
                f"start out of range (expected to be in range of [{-size}, {size}], but got"
                f" {start})",
            )
        first = start + size if start < 0 else start
        if first + length > size:
            raise OperationError(
                "narrow", f"start ({first}) + length ({length}) exceeds dimension size ({size})."
            )
        return ops.slice_.at(x, number(first), dim, length, 1)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 0, 1, 2
        yield make(3, 4), -1, -3, 1
        yield make(4, 3).T, 1, 0, 0

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 0, 2, 2), RuntimeError, "exceeds dimension size"
        yield lambda: make.call(make(3), 0, 4, 0), IndexError, "start out of range"
        yield lambda: make.call(make(3), 0, 0, -1), RuntimeError, "must be non-negative"
        yield lambda: make.call(make(), 0, 0, 1), RuntimeError, "0-dim tensor"


movedim = Movedim()
flatten = Flatten()
ravel = Ravel()
unflatten = Unflatten()
narrow = Narrow()
