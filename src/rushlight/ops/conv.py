"""Convolutions and their transposes, in any number of spatial dimensions.

Three operations share one sum over ``x[input] * w[filter] * g[output]``, each leaving out one
factor: :class:`Conv` leaves out the output, :class:`ConvData` the input, :class:`ConvWeight` the
filter. Each is linear in its two inputs, and its gradients are the other two, so they can be
differentiated any number of times. A transposed convolution is :class:`ConvData`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.dtypes import bool_
from rushlight.base.errors import ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .columns import Windows, convolved, correlated, spread

Pads = tuple[tuple[int, int], ...]


class Convolving(Op):
    """What the three operations share. Abstract."""

    backward, joint = "Convolution", True
    attrs: ClassVar[tuple[str, ...]] = ("stride", "padding", "dilation", "groups")
    batched = "merge"
    ulp = 256  # sums of products in another order

    def windows(self, kernel: Shape, counts: Shape, **attrs: Any) -> Windows:
        """The windows that meet the filters; their count tells what lies behind the image."""
        before = tuple(pad[0] for pad in attrs["padding"])
        return Windows(kernel, counts, attrs["stride"], before, attrs["dilation"])

    def expand(self, *nodes: Node, **attrs: Any) -> Node:
        """The sums, and then the bias."""
        y = self.record(nodes[:2], *attrs.values())
        if len(nodes) < 3:
            return y
        return ops.add(y, ops.reshape(nodes[2], (-1, *(1,) * (y.ndim - 2))))

    def window(self, kernel: Shape, *, stride: Shape, padding: Pads, dilation: Shape) -> Any:
        """ONNX's attributes for where filters lie; None where padding cuts off."""
        pads = [*(a for a, _ in padding), *(b for _, b in padding)]
        if any(n < 0 for n in pads):
            return None
        return {"kernel_shape": kernel, "strides": stride, "pads": pads, "dilations": dilation}


class Conv(Convolving):
    """Each window of ``x`` ``(N, C, *size)`` times each filter ``(F, C / groups, *kernel)``.

    ``padding`` has a pair for each dimension: zeros before and behind (fewer than 0 cut off).
    """

    name = "conv"

    def infer(
        self, x: Spec, weight: Spec, bias: Spec | None = None, *,
        stride: Shape, padding: Pads, dilation: Shape, groups: int,
    ) -> Spec:  # fmt: skip
        kernel = weight.shape[2:]
        if x.shape[1] != weight.shape[1] * groups:
            _refuse_channels(f"groups={groups}", "conv", x, weight, weight.shape[1] * groups)
        padded = tuple(n + a + b for n, (a, b) in zip(x.shape[2:], padding, strict=True))
        reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
        if any(n < k for n, k in zip(padded, reach, strict=True)):
            raise ShapeError(
                f"conv{len(kernel)}d",
                f"Calculated padded input size per channel: ({_by(padded)}). Kernel size:"
                f" ({_by(reach)}). Kernel size can't be greater than actual input size",
                rule=f"The input is {x.shape}, the weight {weight.shape}.",
                hint="Use a larger input, a smaller kernel, more padding or fewer poolings.",
            )
        counts = ((n - k) // s + 1 for n, k, s in zip(padded, reach, stride, strict=True))
        return x.with_shape((x.shape[0], weight.shape[0], *counts))

    def vjp(
        self, g: Node, y: Node, x: Node, weight: Node, bias: Node | None = None, **attrs: Any
    ) -> tuple[Node | None, ...]:
        rest = tuple(attrs.values())
        gx = gw = gb = None
        if x.requires_grad:
            gx = conv_data.record((g, ops.conj(weight)), x.shape[2:], *rest)
        if weight.requires_grad:
            gw = conv_weight.record((ops.conj(x), g), weight.shape[2:], *rest)
        if bias is None:
            return gx, gw
        if bias.requires_grad:
            gb = _over_channels(g)
        return gx, gw, gb

    def ref(self, x: Any, weight: Any, bias: Any = None, **attrs: Any) -> Any:
        spec = self.infer(_plain(x), _plain(weight), **attrs)
        windows = self.windows(weight.shape[2:], spec.shape[2:], **attrs)
        return _biased(convolved(x, weight, windows, attrs["groups"]), bias)

    def onnx(self, to: Any, x: Any, weight: Any, *bias: Any, groups: int, **attrs: Any) -> Any:
        form = self.window(weight.shape[2:], **attrs)
        if form is None or not x.dtype.is_floating_point:
            return None
        return to("Conv", x, weight, *bias, group=groups, **form)


class ConvData(Convolving):
    """Images of ``size`` that add up filters, each weighted by ``values`` ``(N, F, *counts)``."""

    name = "conv_data"
    attrs = ("size", *Convolving.attrs)

    def infer(
        self, values: Spec, weight: Spec, bias: Spec | None = None, *,
        size: Shape, groups: int, **attrs: Any,
    ) -> Spec:  # fmt: skip
        if values.shape[1] != weight.shape[0]:
            _refuse_channels("transposed=1", "conv_transpose", values, weight, weight.shape[0])
        return values.with_shape((values.shape[0], weight.shape[1] * groups, *size))

    def vjp(
        self, g: Node, y: Node, values: Node, weight: Node, bias: Node | None = None, *,
        size: Shape, **attrs: Any,
    ) -> tuple[Node | None, ...]:  # fmt: skip
        rest = tuple(attrs.values())
        gv = gw = gb = None
        if values.requires_grad:
            gv = conv.record((g, ops.conj(weight)), *rest)
        if weight.requires_grad:
            gw = conv_weight.record((g, ops.conj(values)), weight.shape[2:], *rest)
        if bias is None:
            return gv, gw
        if bias.requires_grad:
            gb = _over_channels(g)
        return gv, gw, gb

    def ref(self, values: Any, weight: Any, bias: Any = None, *, size: Shape, **attrs: Any) -> Any:
        windows = self.windows(weight.shape[2:], values.shape[2:], **attrs)
        return _biased(spread(values, weight, windows, attrs["groups"], size), bias)

    def onnx(
        self, to: Any, values: Any, weight: Any, *bias: Any, size: Shape, groups: int, **attrs: Any
    ) -> Any:
        """What the size is more than that of the images that the windows cover is padding."""
        attrs["padding"] = tuple((a, max(b, 0)) for a, b in attrs["padding"])
        form = self.window(weight.shape[2:], **attrs)
        if form is None or not values.dtype.is_floating_point:
            return None
        sides = zip(values.shape[2:], weight.shape[2:], *attrs.values(), strict=True)
        covered = [(n - 1) * s + d * (k - 1) + 1 - a - b for n, k, s, (a, b), d in sides]
        more = [n - m for n, m in zip(size, covered, strict=True)]
        rank = len(more)
        if not all(isinstance(n, int) for n in more):
            return None
        if any(n < 0 for n in more):  # cut off behind
            form["pads"] = [p - min(n, 0) for p, n in zip(form["pads"], [0] * rank + more)]
            more = [max(n, 0) for n in more]
        if all(n < s for n, s in zip(more, form["strides"], strict=True)):
            form["output_padding"], more = more, []
        y = to("ConvTranspose", values, weight, *(() if more else bias), group=groups, **form)
        if not more:
            return y
        y = to("Pad", y, [0] * (rank + 4) + more, to.like(0, values))
        return to("Add", y, to("Reshape", bias[0], [-1, *[1] * rank])) if bias else y


class ConvWeight(Convolving):
    """Filters of a size: each window of ``x`` times its value in ``values`` ``(N, F, *counts)``."""

    name = "conv_weight"
    attrs = ("kernel", *Convolving.attrs)

    def infer(self, x: Spec, values: Spec, *, kernel: Shape, groups: int, **attrs: Any) -> Spec:
        return x.with_shape((values.shape[1], x.shape[1] // groups, *kernel))

    def vjp(
        self, g: Node, y: Node, x: Node, values: Node, *, kernel: Shape, **attrs: Any
    ) -> tuple[Node | None, ...]:
        rest = tuple(attrs.values())
        gx = gv = None
        if x.requires_grad:
            gx = conv_data.record((ops.conj(values), g), x.shape[2:], *rest)
        if values.requires_grad:
            gv = conv.record((ops.conj(x), g), *rest)
        return gx, gv

    def ref(self, x: Any, values: Any, *, kernel: Shape, **attrs: Any) -> Any:
        return correlated(
            x, values, self.windows(kernel, values.shape[2:], **attrs), attrs["groups"]
        )


def _plain(array: Any) -> Spec:
    """The type of an array as far as shapes go."""
    return Spec.of(array.shape, bool_)


def _biased(y: Any, bias: Any) -> Any:
    return y if bias is None else y + bias.reshape(-1, *(1,) * (y.ndim - 2))


def _over_channels(g: Node) -> Node:
    """The sum over all but the channels."""
    return ops.sum(g, (0, *range(2, g.ndim)))


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def _refuse_channels(how: str, stem: str, x: Spec, weight: Spec, wanted: int) -> None:
    raise ShapeError(
        f"{stem}{x.ndim - 2}d",
        f"Given {how}, weight of size {list(weight.shape)}, expected input{list(x.shape)} to have"
        f" {wanted} channels, but got {x.shape[1]} channels instead",
        rule=f"Channels are dimension 1 of the input, here {x.shape[1]}.",
        hint=_channels_hint(x, wanted),
    )


def _channels_hint(x: Spec, wanted: int) -> str:
    """A way out when the channels stand in the last dimension, as image libraries have them."""
    if x.ndim > 3 and x.shape[-1] == wanted:
        order = ", ".join(map(str, (0, x.ndim - 1, *range(1, x.ndim - 1))))
        return f"Did you mean input.permute({order})?"
    return ""


conv = Conv()
conv_data = ConvData()
conv_weight = ConvWeight()
