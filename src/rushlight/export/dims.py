"""Dim: a dimension whose size may differ from call to call, and which inputs have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rushlight.base.errors import ArgTypeError, ArgValueError, ShapeError

from .tree import Form


class _Hint:
    """What may stand in the place of a Dim."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Dim.{self.name}"


class Dim:
    """The name of a dynamic size, with its bounds. Equal names are equal sizes.

    ``Dim.DYNAMIC`` stands for one without a name, ``Dim.AUTO`` for one that may also turn out to
    have the example's size only, ``Dim.STATIC`` for that size. Dimensions of the same place and the
    same size that have no name are taken to be equal.

    Args:
        name: an identifier.
        min: the least size; 0 when None.
        max: the greatest, or None.
    Raises:
        ValueError: the name is no identifier, or the bounds are empty.
    Example:
        >>> import rushlight as rl
        >>> batch = rl.export.Dim("batch", max=64)
        >>> double = rl.export.export(
        ...     rl.nn.Flatten(), (rl.ones(2, 3, 4),), dynamic_shapes={"input": {0: batch}}
        ... )
        >>> double(rl.ones(5, 3, 4)).shape
        torch.Size([5, 12])
    """

    AUTO, DYNAMIC, STATIC = _Hint("AUTO"), _Hint("DYNAMIC"), _Hint("STATIC")

    def __init__(self, name: str, *, min: int | None = None, max: int | None = None) -> None:
        least = 0 if min is None else min
        if max is not None and max <= least:
            raise ArgValueError(
                "Dim", f"Cannot create Dim with inconsistent min={least}, max={max}"
            )
        if not isinstance(name, str) or not name.isidentifier():
            raise ArgValueError("Dim", f"Dim name must be a valid identifier, got {name}")
        self.name = self.__name__ = name
        self.min, self.max = least, max
        self.optional = False  # whether it may turn out to have one size

    def allows(self, size: int) -> bool:
        """Whether a size is within the bounds."""
        return self.min <= size and (self.max is None or size <= self.max)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and (self.name, self.min, self.max) == (
            other.name, other.min, other.max
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        bounds = [f"{what}={n}" for what, n in (("min", self.min), ("max", self.max)) if n]
        return f"Dim({', '.join([repr(self.name), *bounds])})"


def dims(*names: str, min: int | None = None, max: int | None = None) -> tuple[Dim, ...]:
    """Several :class:`Dim` with the same bounds."""
    return tuple(Dim(name, min=min, max=max) for name in names)


Axes = dict[int, Dim]
"""The dynamic dimensions of one input."""


def axes_of(dynamic_shapes: Any, forms: Mapping[str, Form], names: list[str], shapes: list[Any]
            ) -> list[Axes]:  # fmt: skip
    """The dynamic dimensions of each tensor, from PyTorch's ``dynamic_shapes``.

    Args:
        dynamic_shapes: by the arguments' names, or in their order; for each tensor a dictionary
            or a sequence of dimensions, or None.
        forms: of each argument.
        names, shapes: of each tensor.
    """
    found: list[Axes] = [{} for _ in names]
    if not dynamic_shapes:
        return found
    if isinstance(dynamic_shapes, Mapping):
        unknown = [name for name in dynamic_shapes if name not in forms]
        if unknown:
            raise ArgValueError(
                "export", f"dynamic_shapes names {unknown[0]!r}, which is no argument",
                rule=f"The arguments are {list(forms)}.",
            )  # fmt: skip
        pairs = [(forms[name], given) for name, given in dynamic_shapes.items()]
    else:
        if len(dynamic_shapes) != len(forms):
            raise ArgValueError(
                "export",
                f"dynamic_shapes has {len(dynamic_shapes)} entries for {len(forms)} arguments",
            )
        pairs = list(zip(forms.values(), dynamic_shapes, strict=True))
    for form, given in pairs:
        _spread(form, given, names, shapes, found)
    _check_bounds(found, shapes, names)
    return found


def _spread(form: Form, given: Any, names: list[str], shapes: list[Any], found: list[Axes]) -> None:
    """Notes what is said of one argument, tensor by tensor."""
    kind, content = form
    if given is None or kind == "constant":
        return
    if kind == "tensor":
        found[content] = _axes(given, names[content], shapes[content])
    elif kind == "dict":
        for key, each in content:
            _spread(each, given.get(key), names, shapes, found)
    else:
        for each, part in zip(content, given, strict=True):
            _spread(each, part, names, shapes, found)


def _axes(given: Any, name: str, shape: Sequence[int]) -> Axes:
    pairs = given.items() if isinstance(given, Mapping) else enumerate(given)
    axes: Axes = {}
    for axis, dim in pairs:
        if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
            raise ShapeError("export", f"dynamic_shapes: {name} has no dimension {axis!r}",
                             rule=f"Its shape is {tuple(shape)}.")  # fmt: skip
        axis %= len(shape)
        if isinstance(dim, Dim):
            axes[axis] = dim
        elif dim in (Dim.AUTO, Dim.DYNAMIC):  # equal sizes at one place are one
            axes[axis] = Dim(f"size_{axis}_{shape[axis]}")
            axes[axis].optional = dim is Dim.AUTO
        elif isinstance(dim, str):
            axes[axis] = Dim(dim)
        elif not (dim is None or dim is Dim.STATIC or dim == shape[axis]):
            raise ArgTypeError("export", f"dynamic_shapes: dimension {axis} of {name} is {dim!r}",
                               rule="It must be a Dim, Dim.AUTO, None or its size.")  # fmt: skip
    return axes


def _check_bounds(found: list[Axes], shapes: list[Any], names: list[str]) -> None:
    sizes: dict[str, tuple[int, str]] = {}
    for axes, shape, name in zip(found, shapes, names, strict=True):
        for axis, dim in axes.items():
            if not dim.allows(shape[axis]):
                raise ShapeError("export", f"{name}.shape[{axis}] is {shape[axis]}, outside of"
                                 f" {dim!r}")  # fmt: skip
            size, other = sizes.setdefault(dim.name, (shape[axis], name))
            if size != shape[axis]:
                raise ShapeError(
                    "export",
                    f"{dim.name!r} is {size} in {other} and {shape[axis]} in {name}",
                    rule="Equal names are equal sizes.",
                )
