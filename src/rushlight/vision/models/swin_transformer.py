"""Swin transformer: Liu et al. 2021, arXiv:2103.14030, and V2, arXiv:2111.09883."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from ..ops.misc import MLP, Permute
from ..ops.stochastic_depth import StochasticDepth
from ._published import Published
from ._windows import ShiftedWindowAttention, ShiftedWindowAttentionV2

Layer = Callable[..., nn.Module]


def _patch_merging_pad(x: Tensor) -> Tensor:
    """Each 2 x 2 of (..., H, W, C) side by side in channels, padded to even sizes."""
    H, W, _ = x.shape[-3:]
    x = F.pad(x, (0, 0, 0, W % 2, 0, H % 2))
    corners = ((0, 0), (1, 0), (0, 1), (1, 1))
    return rl.cat([x[..., i::2, j::2, :] for i, j in corners], -1)


class PatchMerging(nn.Module):
    """Half the size and twice the channels: norm, then linear.

    Shape:
        input (..., H, W, C); output (..., H/2, W/2, 2C), rounded up.
    """

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(4 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduction(self.norm(_patch_merging_pad(x)))


class PatchMergingV2(nn.Module):
    """As :class:`PatchMerging`, with the norm after the linear layer."""

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(2 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.reduction(_patch_merging_pad(x)))


class SwinTransformerBlock(nn.Module):
    """Attention in windows, then two linear layers; each after a norm and beside the identity."""

    def __init__(
        self,
        dim: int,
        num_heads: int,
        window_size: list[int],
        shift_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
        attn_layer: Layer = ShiftedWindowAttention,
    ) -> None:
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = attn_layer(
            dim, window_size, shift_size, num_heads, attention_dropout=attention_dropout,
            dropout=dropout,
        )  # fmt: skip
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.norm2 = norm_layer(dim)
        self.mlp = MLP(
            dim, [int(dim * mlp_ratio), dim], activation_layer=nn.GELU, inplace=None,
            dropout=dropout,
        )  # fmt: skip
        for layer in self.mlp.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.normal_(layer.bias, std=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class SwinTransformerBlockV2(SwinTransformerBlock):
    """The block of V2: norms come last, and attention is by angles."""

    def __init__(
        self,
        dim: int,
        num_heads: int,
        window_size: list[int],
        shift_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
        attn_layer: Layer = ShiftedWindowAttentionV2,
    ) -> None:
        super().__init__(
            dim, num_heads, window_size, shift_size, mlp_ratio, dropout, attention_dropout,
            stochastic_depth_prob, norm_layer, attn_layer,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.norm1(self.attn(x)))
        return x + self.stochastic_depth(self.norm2(self.mlp(x)))


class SwinTransformer(nn.Module):
    """Stages of windowed attention, every second one shifted, with patches merged in between.

    Args:
        patch_size, window_size: height and width, in pixels and in patches.
        embed_dim: channels of the first stage; they double from stage to stage.
        depths, num_heads: blocks and heads of each stage.
        stochastic_depth_prob: how often the last block is skipped while training; less before it.
        block, downsample_layer: in place of those of V1.
    Shape:
        input (N, 3, H, W); output (N, num_classes).
    """

    def __init__(
        self,
        patch_size: list[int],
        embed_dim: int,
        depths: list[int],
        num_heads: list[int],
        window_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.1,
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        block: Layer | None = None,
        downsample_layer: Layer = PatchMerging,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        norm = norm_layer or partial(nn.LayerNorm, eps=1e-5)
        make = partial(
            block or SwinTransformerBlock, window_size=window_size, mlp_ratio=mlp_ratio,
            dropout=dropout, attention_dropout=attention_dropout, norm_layer=norm,
        )  # fmt: skip
        size = tuple(patch_size[:2])
        patches = nn.Conv2d(3, embed_dim, kernel_size=size, stride=size)
        layers = [nn.Sequential(patches, Permute([0, 2, 3, 1]), norm(embed_dim))]
        total, done = sum(depths), 0
        for i, (depth, heads) in enumerate(zip(depths, num_heads)):
            width = embed_dim * 2**i
            if i > 0:
                layers.append(downsample_layer(width // 2, norm))
            blocks = []
            for j in range(depth):
                shift = [w // 2 if j % 2 else 0 for w in window_size]
                skipped = stochastic_depth_prob * float(done + j) / (total - 1)
                blocks.append(make(width, heads, shift_size=shift, stochastic_depth_prob=skipped))
            done += depth
            layers.append(nn.Sequential(*blocks))
        self.features = nn.Sequential(*layers)
        self.norm = norm(width)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(width, num_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.permute(self.norm(self.features(x)))
        return self.head(self.flatten(self.avgpool(x)))


def _swin(
    width: int, depths: list[int], heads: list[int], skipped: float, second: bool, **kwargs: Any
) -> SwinTransformer:
    window, more = [7, 7], {}
    if second:
        window = [8, 8]
        more = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}
    kwargs = {"stochastic_depth_prob": skipped, **more, **kwargs}
    return SwinTransformer([4, 4], width, depths, heads, window, **kwargs)


published = Published(__name__, _swin, "Liu et al. 2021, arXiv:2103.14030 and 2111.09883")
Swin_T_Weights = published.weights("Swin_T_Weights")
Swin_S_Weights = published.weights("Swin_S_Weights")
Swin_B_Weights = published.weights("Swin_B_Weights")
Swin_V2_T_Weights = published.weights("Swin_V2_T_Weights")
Swin_V2_S_Weights = published.weights("Swin_V2_S_Weights")
Swin_V2_B_Weights = published.weights("Swin_V2_B_Weights")
_tiny = (96, [2, 2, 6, 2], [3, 6, 12, 24], 0.2)
_small = (96, [2, 2, 18, 2], [3, 6, 12, 24], 0.3)
_base = (128, [2, 2, 18, 2], [4, 8, 16, 32], 0.5)
swin_t = published.builder("swin_t", Swin_T_Weights, *_tiny, False)
swin_s = published.builder("swin_s", Swin_S_Weights, *_small, False)
swin_b = published.builder("swin_b", Swin_B_Weights, *_base, False)
swin_v2_t = published.builder("swin_v2_t", Swin_V2_T_Weights, *_tiny, True)
swin_v2_s = published.builder("swin_v2_s", Swin_V2_S_Weights, *_small, True)
swin_v2_b = published.builder("swin_v2_b", Swin_V2_B_Weights, *_base, True)

__all__ = ["SwinTransformer", *published.names]
