"""Normalization of each sample's channels, group by group."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.errors import ShapeError
from rushlight.base.shapes import Shape, prod, whole
from rushlight.graph.node import Node

from .moments import Layout
from .norm import Given, Normalization, several_values


class GroupNorm(Normalization):
    r"""Normalizes each sample's channels, group by group, to mean 0 and variance 1.

    Args:
        num_groups: how many groups the channels are split into.
        weight, bias: one number for each channel.
    Shape:
        input (N, C, *) floating; weight and bias (C); output as input. The variance is the biased
        one.
    Raises:
        RuntimeError: shapes that do not fit, or dtypes that differ.
        ValueError: a group has one element.
    Reference:
        Wu & He 2018, "Group normalization", arXiv:1803.08494.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.group_norm(rl.tensor([[1.0, 3.0, 10.0, 20.0]]), 2)
        tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    name, backward = "group_norm", "NativeGroupNorm"
    attrs = ("groups", "given")
    torch = (
        "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None,"
        " float eps=1e-05) -> Tensor"
    )

    def __call__(
        self, x: Node, num_groups: int, weight: Node | None = None, bias: Node | None = None,
        eps: float = 1e-5,
    ) -> Node:  # fmt: skip
        if x.ndim < 2:
            raise ShapeError(
                self.name, f"Expected at least 2 dimensions for input tensor but received {x.ndim}"
            )
        (groups,) = whole(self.name, num_groups, "num_groups")
        if groups <= 0 or x.shape[1] % groups:
            raise ShapeError(
                self.name,
                "Expected number of channels in input to be divisible by num_groups, but got input"
                f" of shape {list(x.shape)} and num_groups={groups}",
            )
        for name, node in (("weight", weight), ("bias", bias)):
            if node is not None and node.shape != (x.shape[1],):
                raise ShapeError(
                    self.name,
                    f"Expected {name} to be a vector of size equal to the number of channels in"
                    f" input, but got {name} of shape {list(node.shape)} and input of shape"
                    f" {list(x.shape)}",
                )
        several_values(self.name, (x.shape[0] * x.shape[1] // groups, groups, *x.shape[2:]))
        return self.apply(x, eps, groups, weight=weight, bias=bias)

    def layout(self, shape: Shape, *, groups: int) -> Layout:
        inner = shape[1] // groups
        return Layout((shape[0], groups, inner, prod(shape[2:])), (2, 3), (groups, inner, 1))

    def onnx(self, to: Any, x: Any, eps: Any, *rest: Any, groups: int, given: Given) -> Any:
        """Each group as a channel of one long dimension, and then the weights."""
        if 0 in x.shape:
            return None
        ones, zeros = to.like(np.ones(groups), x), to.like(np.zeros(groups), x)
        rows = to("Reshape", x, [0, groups, -1])
        y = to("InstanceNormalization", rows, ones, zeros, epsilon=to.number(eps))
        y = to("Reshape", y, x.shape)
        for name, node in zip(given, rest, strict=True):
            by = to("Reshape", node, [-1, *(1,) * (x.ndim - 2)])
            y = to("Mul" if name == "weight" else "Add", y, by)
        return y

    def samples(self, make: Any) -> Any:
        yield make(2, 6), 3
        yield make(2, 6, 4), 3, make(6), make(6)
        yield make(2, 4, 3, 3), 1, make(4), {"eps": 0.1}
        yield make(6, 2).T, 2, make(6), make(6)
        yield make(0, 6, 2), 3, make(6), make(6)

    def errors(self, make: Any) -> Any:
        call, x, error = make.call, make(2, 6), RuntimeError
        yield lambda: call(x, 4), error, "divisible by num_groups"
        yield lambda: call(make(6), 2), error, "at least 2 dimensions"
        yield lambda: call(x, 3, make(5)), error, "Expected weight to be a vector of size equal"
        yield lambda: call(x, 3, None, make(5)), error, "Expected bias to be a vector of size equal"
        yield lambda: call(make.int(2, 6), 3), error, "not implemented for 'Long'"
        yield lambda: call(make(1, 6), 6), ValueError, "Expected more than 1 value per channel"


group_norm = GroupNorm()
