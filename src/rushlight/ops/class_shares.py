"""How much each score counts in a loss of classes, in operations on nodes."""

from __future__ import annotations

from functools import cached_property

from rushlight import ops
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.spec import Spec

from .classes import class_count, sample_shape


class Samples:
    """The samples of a loss.

    Args:
        loss: its name, for faults.
        scores: the type of the scores.
        target: the class of each sample.
        ignored: the class that does not count.
        weight: of each class, or None.
    """

    def __init__(
        self, loss: str, scores: Spec, target: Node, ignored: Node, weight: Node | None
    ) -> None:
        self.loss, self.scores, self.ignored = loss, scores, ignored
        self.target = ops.cast(ops.reshape(target, sample_shape(scores.shape)), ignored.dtype)
        self.weight = weight

    @property
    def shape(self) -> Shape:
        """That of the scores."""
        return self.scores.shape

    @cached_property
    def kept(self) -> Node:
        """Whether each sample counts."""
        return ops.ne.record((self.target, self.ignored))

    @cached_property
    def weights(self) -> Node:
        """How much the class of each sample counts."""
        if self.weight is None:
            return ops.cast(self.kept, self.scores.dtype)
        return self.pick(ops.expand(self.class_weights, self.shape))

    @property
    def class_weights(self) -> Node:
        """How much each class counts, in a shape that broadcasts with the scores."""
        count = class_count(self.shape)
        if self.weight is None:
            return ops.full((count, *(1,) * (len(self.shape) - 2)), 1, self.scores.dtype)
        return ops.reshape(self.weight, (count, *(1,) * (len(self.shape) - 2)))

    def pick(self, scores: Node) -> Node:
        """The score of each sample's class; 0 for ignored ones."""
        return ops.class_pick.record((scores, self.target, self.ignored), self.loss)

    def place(self, numbers: Node) -> Node:
        """Scores that are ``numbers`` at each sample's class and 0 elsewhere."""
        return ops.class_place.record((numbers, self.target, self.ignored), self.shape, self.loss)

    def shared(self, g: Node, reduction: str) -> Node:
        """The gradient that arrives at each sample's loss."""
        if reduction == "mean":
            g = g / ops.sum(self.weights)
        return ops.where(self.kept, g, 0.0)  # type: ignore[no-any-return]
