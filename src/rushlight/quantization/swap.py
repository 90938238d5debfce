"""Which layer of bytes stands for which layer, and how it is made."""

from __future__ import annotations

from typing import Any

from rushlight import nn
from rushlight.base.quantum import per_channel_affine, per_tensor_affine, qint8, quint8
from rushlight.nn import intrinsic, quantized
from rushlight.nn.intrinsic import quantized as fused
from rushlight.nn.quantized import dynamic

from .fake_quantize import observer_of

STATIC: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: quantized.Linear, nn.Conv1d: quantized.Conv1d, nn.Conv2d: quantized.Conv2d,
    nn.Conv3d: quantized.Conv3d, intrinsic.LinearReLU: fused.LinearReLU,
    intrinsic.ConvReLU1d: fused.ConvReLU1d, intrinsic.ConvReLU2d: fused.ConvReLU2d,
    intrinsic.ConvReLU3d: fused.ConvReLU3d,
}  # fmt: skip
DYNAMIC: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: dynamic.Linear, nn.Conv1d: dynamic.Conv1d, nn.Conv2d: dynamic.Conv2d,
    nn.Conv3d: dynamic.Conv3d,
}  # fmt: skip


def in_bytes(layer: Any, observer: Any, form: type[nn.Module], where: str = "") -> Any:
    """A layer's weights as a layer of bytes; nothing is said of inputs and results yet.

    Args:
        layer: linear, a convolution, or one of them and a ReLU.
        observer: of weights, or what rounds them in training; it sees these.
        form: the class to make.
        where: the layer's name, for messages.
    """
    core = layer[0] if isinstance(layer, nn.Sequential) else layer
    made = _empty(core, form)
    weights = observer_of(observer)
    weights.where = f"the weight of {where}" if where else ""
    if weights.dtype is not qint8 or not weights.qscheme.symmetric:
        raise NotImplementedError(
            f"weights become torch.qint8, symmetric around 0, not {weights.dtype} by"
            f" {weights.qscheme}; choose another weight observer"
        )
    weights(core.weight.detach())
    scale, _ = weights.calculate_qparams()
    made.set_weight_bias(core.weight, core.bias, scale.expand(core.weight.shape[0]).contiguous())
    made.qscheme = per_channel_affine if weights.qscheme.per_channel else per_tensor_affine
    made.train(layer.training)
    return made


def _empty(core: Any, form: type[nn.Module]) -> Any:
    """A layer of bytes of the sizes of another layer."""
    if isinstance(core, nn.Linear):
        return form(core.in_features, core.out_features, core.bias is not None)  # type: ignore[call-arg]
    padding = core.padding
    if isinstance(padding, str):
        around = core._padding_around()
        if around[::2] != around[1::2]:
            raise NotImplementedError(
                f"padding={padding!r} of {core} is not the same on both sides, which layers of"
                " bytes can not have; pad the input by itself"
            )
        padding = tuple(reversed(around[::2]))
    return form(  # type: ignore[call-arg]
        core.in_channels, core.out_channels, core.kernel_size, core.stride, padding,
        core.dilation, core.groups, core.bias is not None, core.padding_mode,
    )  # fmt: skip


def check_activation(observer: Any, where: str) -> None:
    """Refuses what inputs can not become."""
    if observer.dtype is not quint8 or observer.qscheme.per_channel:
        raise NotImplementedError(
            f"what goes into {where or 'a layer'} becomes torch.quint8 by one scale, not"
            f" {observer.dtype} by {observer.qscheme}; choose another activation observer"
        )


def give_input(made: Any, observer: Any) -> None:
    """Tells a layer how its input becomes bytes."""
    made.input_scale, made.input_zero = observer.quantum()
    made.low, made.high = observer.quant_min, observer.quant_max


def give_output(made: Any, observer: Any) -> None:
    """Tells a layer which grid its results are rounded to."""
    made.output_scale, made.output_zero = observer.quantum()
    made.output_low, made.output_high = observer.quant_min, observer.quant_max
