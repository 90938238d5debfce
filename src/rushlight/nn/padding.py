"""Layers that put room around their input: zeros, a number, or elements of the input itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module

Widths = int | Sequence[int]


class _Pad(Module):
    """Room around the last ``rank`` dimensions. Abstract.

    Args:
        padding: one width for all sides, or (left, right, top, bottom, front, back) as far as there
            are such sides; a negative width cuts off.
    """

    rank: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: Widths) -> None:
        super().__init__()
        given = (padding,) * (2 * self.rank) if isinstance(padding, int) else tuple(padding)
        self.padding = given

    def forward(self, input: Tensor) -> Any:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """Room filled with one number. Abstract."""

    mode = "constant"

    def __init__(self, padding: Widths, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Any:
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Puts a number around the last dimension.

    Args:
        padding: one width, or (left, right); a negative one cuts off.
    Shape:
        input (*, W); output (*, left + W + right).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ConstantPad1d((1, 2), 9.0)(rl.ones(2))
        tensor([9., 1., 1., 9., 9.])
    """

    rank = 1


class ConstantPad2d(_ConstantPad):
    """Puts a number around the last two dimensions.

    Args:
        padding: one width, or (left, right, top, bottom); a negative one cuts off.
    Shape:
        input (*, H, W); output (*, top + H + bottom, left + W + right).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ConstantPad2d((1, 0, 0, 0), 9.0)(rl.ones(2, 1))
        tensor([[9., 1.],
                [9., 1.]])
    """

    rank = 2


class ConstantPad3d(_ConstantPad):
    """Puts a number around the last three dimensions.

    Args:
        padding: one width, or (left, right, top, bottom, front, back); a negative one cuts off.
    Shape:
        input (*, D, H, W); output (*, front + D + back, top + H + bottom, left + W + right).
    """

    rank = 3


class _ZeroPad(_ConstantPad):
    """Room filled with zeros. Abstract."""

    def __init__(self, padding: Widths) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Puts zeros around the last dimension; see ``ConstantPad1d``.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.ZeroPad1d(1)(rl.ones(2))
        tensor([0., 1., 1., 0.])
    """


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Puts zeros around the last two dimensions; see ``ConstantPad2d``.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.ZeroPad2d(1)(rl.ones(1, 1)).sum(0)
        tensor([0., 1., 0.])
    """


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Puts zeros around the last three dimensions; see ``ConstantPad3d``."""


class _ReflectionPad(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    """Continues the last dimension with its mirror image; the edge is not repeated.

    Shape:
        input (N, C, W) or (C, W); a width must be less than W.
    Raises:
        RuntimeError: a width is too large.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ReflectionPad1d(2)(rl.tensor([[1.0, 2.0, 3.0]]))
        tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    rank = 1


class ReflectionPad2d(_ReflectionPad):
    """Continues the last two dimensions of (N, C, H, W) or (C, H, W) with their mirror image."""

    rank = 2


class ReflectionPad3d(_ReflectionPad):
    """Continues the last three dimensions of (N, C, D, H, W) with their mirror image."""

    rank = 3


class _ReplicationPad(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    """Repeats the edges of the last dimension.

    Shape:
        input (N, C, W) or (C, W).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ReplicationPad1d((1, 2))(rl.tensor([[1.0, 2.0, 3.0]]))
        tensor([[1., 1., 2., 3., 3., 3.]])
    """

    rank = 1


class ReplicationPad2d(_ReplicationPad):
    """Repeats the edges of the last two dimensions of (N, C, H, W) or (C, H, W)."""

    rank = 2


class ReplicationPad3d(_ReplicationPad):
    """Repeats the edges of the last three dimensions of (N, C, D, H, W) or (C, D, H, W)."""

    rank = 3


class _CircularPad(_Pad):
    mode = "circular"

    def forward(self, input: Tensor) -> Any:
        if input.dim() not in (self.rank + 1, self.rank + 2):
            raise ValueError(
                f"expected {self.rank + 1}D or {self.rank + 2}D input (got {input.dim()}D input)"
            )
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """Continues the last dimension with its other end.

    Shape:
        input (N, C, W) or (C, W); a width must not be more than W.
    Raises:
        ValueError: the input has another number of dimensions.
        RuntimeError: a width is too large.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.CircularPad1d(1)(rl.tensor([[1.0, 2.0, 3.0]]))
        tensor([[3., 1., 2., 3., 1.]])
    """

    rank = 1


class CircularPad2d(_CircularPad):
    """Continues the last two dimensions of (N, C, H, W) or (C, H, W) with their other ends."""

    rank = 2


class CircularPad3d(_CircularPad):
    """Continues the last three dimensions of (N, C, D, H, W) with their other ends."""

    rank = 3
