"""Batch normalization: each channel by its statistics over the batch and over space.

The statistics are an operation of their own, which gradients do not pass. It yields the running
averages, so they are computed with whatever uses the normalized values; the normalization's
gradient knows that its statistics depend on its input.
"""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgValueError, GradError, OperationError, ShapeError
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec

from .moments import Layout, OnArrays, OnNodes, Statistics
from .norm import Given, Normalization, several_values, statistics_dtype


def by_channel(shape: Shape) -> Layout:
    """An input (N, C, *) as one row for each channel of each sample."""
    return Layout((*shape[:2], prod(shape[2:])), (0, 2), (shape[1], 1))


class BatchMoments(Op):
    """Mean and biased variance of each channel.

    With running averages and a momentum after the input, also those averages moved towards mean
    and unbiased variance.
    """

    name = "batch_moments"
    differentiable = False

    def __call__(
        self, x: Node, running: tuple[Node, Node] | None, momentum: float
    ) -> tuple[Node, ...]:
        if running is None:
            return ops.parts(self.record((x,)))
        step = number(float(momentum), statistics_dtype(running[0].dtype))
        return ops.parts(self.record((x, *running, step)))

    def infer(self, x: Spec, *running: Spec) -> tuple[Spec, ...]:
        each = Spec.of(x.shape[1:2], statistics_dtype(x.dtype), x.device)
        return each, each, *running[:2]

    def ref(self, x: Any, *running: Any) -> tuple[Any, ...]:
        return self._computed(OnArrays, x, *running)

    def expand(self, x: Node, *running: Node) -> tuple[Node, ...]:
        return self._computed(OnNodes, x, *running)

    def _computed(self, xp: Any, x: Any, *running: Any) -> tuple[Any, ...]:
        layout, channels = by_channel(x.shape), x.shape[1:2]
        view = xp.reshape(x, layout.shape)
        mean = xp.mean(view, layout.axes)
        centred = view - mean
        variance = xp.reshape(xp.mean(centred * centred, layout.axes), channels)
        mean = xp.reshape(mean, channels)
        if not running:
            return mean, variance
        old_mean, old_variance, momentum = running
        count = x.shape[0] * prod(x.shape[2:])
        unbiased = variance * (count / (count - 1))
        return (
            mean,
            variance,
            old_mean + momentum * (mean - old_mean),
            old_variance + momentum * (unbiased - old_variance),
        )


class BatchNorm(Normalization):
    """Each channel less its mean, over its deviation; with ``own``, these are the input's."""

    name, backward = "batch_norm", "NativeBatchNorm"
    attrs = ("own", "given")

    def __call__(
        self, x: Node, running_mean: Node | None, running_var: Node | None,
        weight: Node | None = None, bias: Node | None = None, training: bool = False,
        momentum: float = 0.1, eps: float = 1e-5,
    ) -> tuple[Node, ...]:  # fmt: skip
        """The normalized input, followed by new running averages if there are new ones."""
        if x.ndim < 2 and not x.spec.numel:
            return (ops.clone(x),)  # nothing at all, which PyTorch takes
        running = self.check(x, training, running_mean, running_var, weight, bias)
        new: tuple[Node, ...] = ()
        own = training and x.spec.numel > 0
        if own:
            mean, variance, *rest = batch_moments(x, running, momentum)
            new = tuple(rest)
        elif running is not None:
            mean, variance = running
        else:
            mean = variance = ops.full(x.shape[1:2], 1, statistics_dtype(x.dtype))
        y = self.apply(x, eps, own, weight=weight, bias=bias, mean=mean, variance=variance)
        return y, *new

    def check(
        self, x: Node, training: bool, running_mean: Node | None, running_var: Node | None,
        weight: Node | None, bias: Node | None,
    ) -> tuple[Node, Node] | None:  # fmt: skip
        """Refuses what does not fit together; the running averages if there are any."""
        if x.ndim < 2:
            raise ShapeError(
                self.name,
                f"expected input (N, C, *) of 2 or more dimensions, but got {list(x.shape)}",
            )
        if training:
            several_values(self.name, x.shape)
        given = {"running_mean": running_mean, "running_var": running_var}
        for name, node in given.items():
            if node is not None and node.requires_grad and recording.grad:
                raise GradError(
                    self.name,
                    "The function 'native_batch_norm' is not differentiable with respect to"
                    f" argument '{name}'. This input cannot have requires_grad True.",
                )
        for name, node in {**given, "weight": weight, "bias": bias}.items():
            if node is not None and node.shape != x.shape[1:2]:
                raise ShapeError(
                    self.name,
                    f"{name} should contain {x.shape[1]} elements not {node.spec.numel}",
                    rule=f"The input is {x.shape}, with {x.shape[1]} channels in dimension 1.",
                )
        return self._running(training, running_mean, running_var)

    def _running(
        self, training: bool, mean: Node | None, variance: Node | None
    ) -> tuple[Node, Node] | None:
        if mean is not None and variance is not None:
            return mean, variance
        if not training:
            missing = "running_mean" if mean is None else "running_var"
            raise OperationError(self.name, f"{missing} must be defined in evaluation mode")
        if mean is not variance:
            raise ArgValueError(
                self.name,
                "running_mean and running_var must either both be None or neither be None",
            )
        return None

    def layout(self, shape: Shape, *, own: bool) -> Layout:
        return by_channel(shape)

    def statistics(self, *, own: bool) -> Statistics:
        return "own" if own else "given"

    def onnx(self, to: Any, x: Any, eps: Any, *rest: Any, own: bool, given: Given) -> Any:
        named = dict(zip(given, rest, strict=True))
        if x.ndim < 2 or any(each.dtype is not x.dtype for each in rest):
            return None
        scale = named.get("weight") or to("Expand", to.like(1, x), [x.shape[1]])
        bias = named.get("bias") or to("Expand", to.like(0, x), [x.shape[1]])
        known = named["mean"], named["variance"]
        return to("BatchNormalization", x, scale, bias, *known, epsilon=to.number(eps))


batch_moments = BatchMoments()
batch_norm = BatchNorm()
