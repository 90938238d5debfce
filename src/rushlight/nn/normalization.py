"""Layers that normalize over features, groups of channels and neighbouring channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import einsum
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.tensor.creation import arange, empty
from rushlight.tensor.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


class _Affine(Module):
    """A layer with a weight that starts at 1 and a bias that starts at 0, or without. Abstract."""

    weight: Parameter | None
    bias: Parameter | None

    def _add_parameters(
        self, shape: Any, weight: bool, bias: bool, device: Device | str | None,
        dtype: DType | None,
    ) -> None:  # fmt: skip
        for name, wanted in (("weight", weight), ("bias", bias)):
            made = Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, made)

    def reset_parameters(self) -> None:
        """Sets the weight to 1 and the bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(normalized_shape, int):
        return (normalized_shape,)
    return tuple(normalized_shape)


class LayerNorm(_Affine):
    """Normalizes the last dimensions of each sample to mean 0 and variance 1.

    Args:
        normalized_shape: the sizes of those dimensions; an int for the last one.
        eps: added to the variance.
        elementwise_affine: whether there is a weight for each element.
        bias: whether there is a bias, too.
    Shape:
        input (*, normalized_shape); output the same; weight and bias (normalized_shape).
    Raises:
        RuntimeError: the input's last sizes are others.
    Reference:
        Ba et al. 2016, "Layer normalization", arXiv:1607.06450.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.LayerNorm(3)(rl.tensor([[1.0, 2.0, 3.0]])).detach()
        tensor([[-1.2247,  0.0000,  1.2247]])
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5,
        elementwise_affine: bool = True, bias: bool = True, device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._add_parameters(
            self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype
        )
        self.reset_parameters()

    def forward(self, input: Tensor) -> Any:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps},"
            f" elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """Normalizes the last dimensions of each sample to mean square 1.

    Args:
        normalized_shape: the sizes of those dimensions; an int for the last one.
        eps: added to the mean square; the smallest step of the dtype above 1 when None.
        elementwise_affine: whether there is a weight for each element.
    Shape:
        input (*, normalized_shape); output the same; weight (normalized_shape).
    Raises:
        RuntimeError: the input's last sizes are others.
    Reference:
        Zhang & Sennrich 2019, arXiv:1910.07467.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.RMSNorm(2)(rl.tensor([[3.0, 4.0]])).detach()
        tensor([[0.8485, 1.1314]])
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None,
        elementwise_affine: bool = True, device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        made = None
        if elementwise_affine:
            made = Parameter(empty(self.normalized_shape, device=device, dtype=dtype))
        self.register_parameter("weight", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Any:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(_Affine):
    """Normalizes each sample's channels, group by group, to mean 0 and variance 1.

    Args:
        num_groups: how many groups the channels are split into.
        num_channels: how many channels there are.
        eps: added to the variance.
        affine: whether there is a weight for each channel.
        bias: whether there is a bias, too.
    Shape:
        input (N, num_channels, *); output the same; weight and bias (num_channels).
    Raises:
        ValueError: ``num_groups`` does not divide ``num_channels``.
    Reference:
        Wu & He 2018, "Group normalization", arXiv:1803.08494.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.GroupNorm(3, 6)(rl.randn(20, 6, 10, 10)).shape
        torch.Size([20, 6, 10, 10])
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        device: Device | str | None = None, dtype: DType | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._add_parameters(num_channels, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Any:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine},"
            f" bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Divides each element by a power of the mean square of its neighbours in the channels.

    Args:
        size: how many channels are neighbours, the element's own included.
        alpha, beta, k: the element is divided by ``(k + alpha * mean square) ** beta``.
    Shape:
        input (N, C, *) with at least 3 dimensions; output the same.
    Reference:
        Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.LocalResponseNorm(2)(rl.randn(4, 5, 6)).shape
        torch.Size([4, 5, 6])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Any:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """:class:`LocalResponseNorm` of images in its oldest form.

    Args:
        size: how many channels are neighbours; ``(size - 1) // 2`` to each side.
        alpha, beta, k: an element is divided by ``(k + alpha / size * sum of squares) ** beta``.
    Shape:
        input (N, C, H, W); output the same.
    Raises:
        ValueError: another number of dimensions.
    Reference:
        Krizhevsky et al. 2012, as Torch7 had it: from the first channel that has all neighbours to
        its left on, the first channel is a neighbour of all.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Any:
        if input.ndim != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.ndim}D instead.")
        places = arange(input.shape[1])
        reach = int((self.size - 1) / 2 + 1)
        apart = (places.unsqueeze(1) - places).abs()
        near = (apart < reach) | ((places == 0) & (places.unsqueeze(1) >= reach))
        sums = einsum("cd,ndhw->nchw", near.to(input.dtype), input * input)
        return input * (self.k + self.alpha / self.size * sums) ** -self.beta

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
