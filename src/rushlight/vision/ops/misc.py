"""Blocks that vision models share. Submodules and parameters have torchvision's names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn

Layer = Callable[..., nn.Module]
Size = int | tuple[int, ...]


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation by kept statistics and a kept affine map, none of which are trained.

    Args:
        num_features: C.
    Shape:
        input (N, C, H, W); output the same.
    Example:
        >>> FrozenBatchNorm2d(3)
        FrozenBatchNorm2d(3, eps=1e-05)
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", rl.ones(num_features))
        self.register_buffer("bias", rl.zeros(num_features))
        self.register_buffer("running_mean", rl.zeros(num_features))
        self.register_buffer("running_var", rl.ones(num_features))

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *rest: Any, **more: Any
    ) -> None:
        state_dict.pop(prefix + "num_batches_tracked", None)  # what BatchNorm2d keeps besides
        super()._load_from_state_dict(state_dict, prefix, *rest, **more)

    def forward(self, x: Tensor) -> Tensor:
        weight, bias, mean, var = (
            one.reshape(1, -1, 1, 1)
            for one in (self.weight, self.bias, self.running_mean, self.running_var)
        )
        scale = weight * (var + self.eps).rsqrt()
        return x * scale + (bias - mean * scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"


class ConvNormActivation(nn.Sequential):
    """A convolution, a normalisation and an activation; use the classes for 2 and 3 dimensions."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Size | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: Size = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
        conv_layer: Layer = nn.Conv2d,
    ) -> None:
        if padding is None:
            padding = _same(kernel_size, dilation)
        layers = [
            conv_layer(
                in_channels,
                out_channels,
                kernel_size,
                stride,
                padding,
                dilation=dilation,
                groups=groups,
                bias=norm_layer is None if bias is None else bias,
            )
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**_told(inplace)))
        super().__init__(*layers)
        self.out_channels = out_channels
        if type(self) is ConvNormActivation:
            warnings.warn(
                "Don't use ConvNormActivation directly, please use Conv2dNormActivation and"
                " Conv3dNormActivation instead."
            )


def _same(kernel_size: Size, dilation: Size) -> Size:
    """The padding that keeps the size of what an odd kernel slides over."""
    if isinstance(kernel_size, int) and isinstance(dilation, int):
        return (kernel_size - 1) // 2 * dilation
    rank = len(kernel_size) if isinstance(kernel_size, Sequence) else len(dilation)  # type: ignore[arg-type]
    sizes, steps = (
        one if isinstance(one, Sequence) else (one,) * rank for one in (kernel_size, dilation)
    )
    return tuple((size - 1) // 2 * step for size, step in zip(sizes, steps))


def _told(inplace: bool | None) -> dict[str, bool]:
    return {} if inplace is None else {"inplace": inplace}


class Conv2dNormActivation(ConvNormActivation):
    """Convolution, normalisation and activation of images.

    Args:
        padding: None keeps the size for odd kernels: ``(kernel_size - 1) // 2 * dilation``.
        norm_layer: called with ``out_channels``; None for none.
        activation_layer: called with ``inplace`` unless that is None; None for none.
        bias: None has one where there is no normalisation.
    Shape:
        input (N, in_channels, H, W); output (N, out_channels, H', W').
    Example:
        >>> Conv2dNormActivation(3, 8, stride=2)(rl.zeros(1, 3, 4, 4)).shape
        torch.Size([1, 8, 2, 2])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Size | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: Size = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer,
            activation_layer, dilation, inplace, bias, nn.Conv2d,
        )  # fmt: skip


class Conv3dNormActivation(ConvNormActivation):
    """Convolution, normalisation and activation of videos; see :class:`Conv2dNormActivation`.

    Shape:
        input (N, in_channels, T, H, W); output (N, out_channels, T', H', W').
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Size | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm3d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: Size = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer,
            activation_layer, dilation, inplace, bias, nn.Conv3d,
        )  # fmt: skip


class SqueezeExcitation(nn.Module):
    """Scales channels by a small network of their means.

    Args:
        activation: δ of the paper.
        scale_activation: σ of the paper.
    Shape:
        input (N, input_channels, H, W); output the same.
    Reference:
        Hu et al. 2018, "Squeeze-and-Excitation Networks", equation 3, arXiv:1709.01507.
    Example:
        >>> SqueezeExcitation(4, 2)(rl.ones(1, 4, 3, 3)).shape
        torch.Size([1, 4, 3, 3])
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Layer = nn.ReLU,
        scale_activation: Layer = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def _scale(self, input: Tensor) -> Tensor:
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input)))))

    def forward(self, input: Tensor) -> Tensor:
        return self._scale(input) * input


class MLP(nn.Sequential):
    """Linear layers with normalisation, activation and dropout between them.

    Args:
        hidden_channels: the width after each layer; the last has neither normalisation nor
            activation.
        inplace: for activations and dropout; None leaves each its default.
    Shape:
        input (*, in_channels); output (*, hidden_channels[-1]).
    Example:
        >>> MLP(4, [8, 2])(rl.zeros(3, 4)).shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: list[int],
        norm_layer: Layer | None = None,
        activation_layer: Layer | None = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        layers: list[nn.Module] = []
        width, told = in_channels, _told(inplace)
        for hidden in hidden_channels[:-1]:
            layers.append(nn.Linear(width, hidden, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(hidden))
            if activation_layer is not None:
                layers.append(activation_layer(**told))
            layers.append(nn.Dropout(dropout, **told))
            width = hidden
        layers.append(nn.Linear(width, hidden_channels[-1], bias=bias))
        layers.append(nn.Dropout(dropout, **told))
        super().__init__(*layers)


class Permute(nn.Module):
    """Shows the input with its dimensions in the order ``dims``.

    Example:
        >>> Permute([1, 0])(rl.zeros(2, 3)).shape
        torch.Size([3, 2])
    """

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return rl.permute(x, self.dims)
