"""Recorded work as text."""

from __future__ import annotations

from rushlight.execute.cut import Cut, shown
from rushlight.graph import show as text

from .tensor import Tensor


def show(*tensors: Tensor) -> str:
    """The graph that computing ``tensors`` would run, one operation a line with the user's line.

    Nothing is computed. Tensors whose values are known already have no graph left to show.

    Example:
        >>> import rushlight as rl
        >>> x = rl.ones(2, 3)
        >>> rl.realize(x)
        >>> print(rl.show((x * 2).sum()).splitlines()[0])
        graph (x0: f32[2, 3], n0: f32[]) {
    """
    pending = [node for tensor in tensors if (node := shown(tensor.node)).buffer is None]
    return text.show(Cut(pending).graph())
