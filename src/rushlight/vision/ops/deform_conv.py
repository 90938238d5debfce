"""Convolution whose kernel reads at places that the network chooses."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor, nn

from .regions import pair

Size = int | tuple[int, int]


def deform_conv2d(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = (1, 1),
    padding: Size = (0, 0),
    dilation: Size = (1, 1),
    mask: Tensor | None = None,
) -> Tensor:
    """Convolution that reads each element of its kernel ``offset`` away, interpolated bilinearly,
    and times ``mask``. Outside of the image are zeros.

    Args:
        offset: down and across, for each of G groups of input channels and each kernel element.
        mask: how much each counts; None is 1.
    Shape:
        input (N, C, H, W); offset (N, 2 * G * kh * kw, H', W'); weight (O, C / groups, kh, kw);
        bias (O,); mask (N, G * kh * kw, H', W'); output (N, O, H', W').
    Raises:
        RuntimeError: shapes that do not fit each other.
    Reference:
        Dai et al. 2017, "Deformable Convolutional Networks", equation 2, arXiv:1703.06211; with a
        mask Zhu et al. 2019, "Deformable ConvNets v2", equation 1, arXiv:1811.11168.
    Example:
        >>> image, weight = rl.ones(1, 2, 4, 4), rl.ones(3, 2, 3, 3)
        >>> deform_conv2d(image, rl.zeros(1, 18, 2, 2), weight)[0, 0]
        tensor([[18., 18.],
                [18., 18.]])
    """
    kernel = (weight.shape[2], weight.shape[3])
    steps = pair(stride), pair(padding), pair(dilation)
    sizes = tuple(
        (length + 2 * p - d * (k - 1) - 1) // s + 1
        for length, k, s, p, d in zip(input.shape[2:], kernel, *steps)
    )
    groups = _checked(input, offset, weight, mask, sizes)
    rows, columns = _places(offset, groups, kernel, steps, sizes)
    values = _read(input, rows, columns, groups)  # (N, C, kh * kw, H' * W')
    if mask is not None:
        N, C, K, L = values.shape
        marks = mask.reshape(N, groups, 1, K, L)
        values = (values.reshape(N, groups, C // groups, K, L) * marks).reshape(N, C, K, L)
    result = _weighed(values, weight).reshape(input.shape[0], weight.shape[0], *sizes)
    return result if bias is None else result + bias.reshape(1, -1, 1, 1)


def _checked(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    mask: Tensor | None,
    sizes: tuple[int, ...],
) -> int:
    """The number of offset groups."""
    elements = weight.shape[2] * weight.shape[3]
    groups = offset.shape[1] // (2 * elements)
    if groups == 0:
        raise RuntimeError(
            "the shape of the offset tensor at dimension 1 is not valid. It should be a multiple "
            f"of 2 * weight.size[2] * weight.size[3].\nGot offset.shape[1]={offset.shape[1]}, "
            f"while 2 * weight.size[2] * weight.size[3]={2 * elements}"
        )
    N, C = input.shape[:2]
    if C % groups or C % weight.shape[1] or weight.shape[0] % (C // weight.shape[1]):
        raise RuntimeError(
            f"{C} input channels, {weight.shape[1]} a group of the weight, {weight.shape[0]} "
            f"output channels and {groups} offset groups do not divide each other"
        )
    if tuple(offset.shape) != (N, 2 * groups * elements, *sizes):
        raise RuntimeError(
            f"offset should be {(N, 2 * groups * elements, *sizes)}, got {tuple(offset.shape)}"
        )
    if mask is not None and tuple(mask.shape) != (N, groups * elements, *sizes):
        raise RuntimeError(
            f"mask should be {(N, groups * elements, *sizes)}, got {tuple(mask.shape)}"
        )
    return groups


def _places(
    offset: Tensor,
    groups: int,
    kernel: tuple[int, int],
    steps: tuple[tuple[int, int], ...],
    sizes: tuple[int, ...],
) -> tuple[Tensor, Tensor]:
    """Where each kernel element reads for each output: rows and columns, (N, G, kh * kw, L)."""
    (kh, kw), (H, W) = kernel, sizes
    moved = offset.reshape(offset.shape[0], groups, kh * kw, 2, H * W)
    grids = []
    for i, (shape, length) in enumerate((((kh, 1, H, 1), H), ((1, kw, 1, W), W))):
        (step, pad, gap), k = (each[i] for each in steps), kernel[i]
        at = rl.arange(k)[:, None] * gap + rl.arange(length)[None] * step - pad
        grid = at.reshape(shape).expand(kh, kw, H, W).reshape(kh * kw, H * W)
        grids.append(moved[:, :, :, i] + grid.to(offset.dtype))
    return grids[0], grids[1]


def _read(input: Tensor, rows: Tensor, columns: Tensor, groups: int) -> Tensor:
    """Values (N, C, K, L) of the image at places (N, G, K, L) between its pixels."""
    N, C, H, W = input.shape
    K, L = rows.shape[2:]
    flat = input.reshape(N, groups, C // groups, H * W)
    top, left = rows.detach().floor(), columns.detach().floor()
    result: Tensor | None = None
    for y in (top, top + 1):
        for x in (left, left + 1):
            share = (1 - (rows - y).abs()) * (1 - (columns - x).abs())
            inside = (y >= 0) & (y < H) & (x >= 0) & (x < W)
            place = y.clamp(0, H - 1).long() * W + x.clamp(0, W - 1).long()
            place = place.reshape(N, groups, 1, K * L).expand(N, groups, C // groups, K * L)
            weight = rl.where(inside, share, 0.0).reshape(N, groups, 1, K * L)
            part = flat.gather(3, place) * weight
            result = part if result is None else result + part
    assert result is not None
    return result.reshape(N, C, K, L)


def _weighed(values: Tensor, weight: Tensor) -> Tensor:
    """The product with the kernel, group by group: (N, O, L)."""
    N, C, K, L = values.shape
    groups = C // weight.shape[1]
    rows = weight.reshape(groups, weight.shape[0] // groups, -1)
    return rl.matmul(rows, values.reshape(N, groups, C // groups * K, L)).reshape(N, -1, L)


class DeformConv2d(nn.Module):
    """A layer of :func:`deform_conv2d`; offset and mask are given to it.

    Raises:
        ValueError: channels that the groups do not divide.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.groups = groups
        self.weight = nn.Parameter(rl.empty(out_channels, in_channels // groups, *self.kernel_size))
        if bias:
            self.bias = nn.Parameter(rl.empty(out_channels))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values, as ``Conv2d`` does."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor, offset: Tensor, mask: Tensor | None = None) -> Tensor:
        return deform_conv2d(
            input, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask
        )

    def __repr__(self) -> str:
        parts = [f"{self.in_channels}", f"{self.out_channels}",
                 f"kernel_size={self.kernel_size}", f"stride={self.stride}"]  # fmt: skip
        parts += [f"padding={self.padding}"] if self.padding != (0, 0) else []
        parts += [f"dilation={self.dilation}"] if self.dilation != (1, 1) else []
        parts += [f"groups={self.groups}"] if self.groups != 1 else []
        parts += ["bias=False"] if self.bias is None else []
        return f"{type(self).__name__}({', '.join(parts)})"
