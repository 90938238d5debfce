"""Attention over the parts that an image is cut into: inside of windows, or across all of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from ..ops.stochastic_depth import StochasticDepth
from ._windows import join, relative_positions, split

Layer = Callable[..., nn.Module]
Size = tuple[int, int]


class RelativePositionalMultiHeadAttention(nn.Module):
    """Attention with a learned bias by relative position.

    Args:
        max_seq_len: places of a square window.
    Shape:
        input (B, G, P, D): groups of places; output the same.
    """

    def __init__(self, feat_dim: int, head_dim: int, max_seq_len: int) -> None:
        super().__init__()
        if feat_dim % head_dim != 0:
            raise ValueError(f"feat_dim: {feat_dim} must be divisible by head_dim: {head_dim}")
        self.n_heads, self.head_dim = feat_dim // head_dim, head_dim
        self.size, self.max_seq_len = int(math.sqrt(max_seq_len)), max_seq_len
        self.to_qkv = nn.Linear(feat_dim, self.n_heads * self.head_dim * 3)
        self.scale_factor = feat_dim**-0.5
        self.merge = nn.Linear(self.head_dim * self.n_heads, feat_dim)
        rows = (2 * self.size - 1) ** 2
        self.relative_position_bias_table = nn.Parameter(rl.empty(rows, self.n_heads))
        self.register_buffer("relative_position_index", relative_positions(self.size, self.size))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def get_relative_positional_bias(self) -> Tensor:
        """(1, heads, P, P)."""
        table = self.relative_position_bias_table[self.relative_position_index.view(-1)]
        bias = table.view(self.max_seq_len, self.max_seq_len, -1)
        return bias.permute(2, 0, 1).contiguous().unsqueeze(0)

    def forward(self, x: Tensor) -> Tensor:
        B, G, P, D = x.shape
        parts = self.to_qkv(x).reshape(B, G, P, 3, self.n_heads, self.head_dim)
        query, key, value = parts.permute(3, 0, 1, 4, 2, 5)  # each (B, G, heads, P, head_dim)
        scores = query @ (key * self.scale_factor).transpose(-2, -1)
        weights = F.softmax(scores + self.get_relative_positional_bias(), dim=-1)
        return self.merge((weights @ value).permute(0, 1, 3, 2, 4).reshape(B, G, P, D))


class SwapAxes(nn.Module):
    """Two dimensions in each other's place."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.a, self.b = a, b

    def forward(self, x: Tensor) -> Tensor:
        return rl.swapaxes(x, self.a, self.b)


class WindowPartition(nn.Module):
    """Windows of p x p: (B, C, H, W) to (B, windows, p * p, C)."""

    def forward(self, x: Tensor, p: int) -> Tensor:
        B, C, _, _ = x.shape
        return split(x.permute(0, 2, 3, 1), [p, p]).reshape(B, -1, p * p, C)


class WindowDepartition(nn.Module):
    """What :class:`WindowPartition` took apart."""

    def forward(self, x: Tensor, p: int, h_partitions: int, w_partitions: int) -> Tensor:
        B, _, places, C = x.shape
        size = (h_partitions * p, w_partitions * p)
        return join(x.reshape(-1, places, C), [p, p], B, *size).permute(0, 3, 1, 2)


class PartitionAttentionLayer(nn.Module):
    """Attention inside of windows, or among the same places of all windows, then two linear layers.

    Args:
        partition_type: ``"window"`` or ``"grid"``.
        grid_size: height and width of the feature map.
    """

    def __init__(
        self,
        in_channels: int,
        head_dim: int,
        partition_size: int,
        partition_type: str,
        grid_size: Size,
        mlp_ratio: int,
        activation_layer: Layer,
        norm_layer: Layer,
        attention_dropout: float,
        mlp_dropout: float,
        p_stochastic_dropout: float,
    ) -> None:
        super().__init__()
        if partition_type not in ("grid", "window"):
            raise ValueError("partition_type must be either 'grid' or 'window'")
        grid = partition_type == "grid"
        self.n_heads, self.head_dim = in_channels // head_dim, head_dim
        self.n_partitions = grid_size[0] // partition_size
        self.partition_type, self.grid_size = partition_type, grid_size
        sizes = (partition_size, self.n_partitions)
        self.p, self.g = sizes[::-1] if grid else sizes
        self.partition_op = WindowPartition()
        self.departition_op = WindowDepartition()
        self.partition_swap = SwapAxes(-2, -3) if grid else nn.Identity()
        self.departition_swap = SwapAxes(-2, -3) if grid else nn.Identity()
        self.attn_layer = nn.Sequential(
            norm_layer(in_channels),
            RelativePositionalMultiHeadAttention(in_channels, head_dim, partition_size**2),
            nn.Dropout(attention_dropout),
        )
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(in_channels),
            nn.Linear(in_channels, in_channels * mlp_ratio),
            activation_layer(),
            nn.Linear(in_channels * mlp_ratio, in_channels),
            nn.Dropout(mlp_dropout),
        )
        self.stochastic_dropout = StochasticDepth(p_stochastic_dropout, mode="row")

    def forward(self, x: Tensor) -> Tensor:
        if self.grid_size[0] % self.p or self.grid_size[1] % self.p:
            raise AssertionError(
                "Grid size must be divisible by partition size. Got grid size of "
                f"{self.grid_size} and partition size of {self.p}"
            )
        x = self.partition_swap(self.partition_op(x, self.p))
        x = x + self.stochastic_dropout(self.attn_layer(x))
        x = x + self.stochastic_dropout(self.mlp_layer(x))
        counts = (self.grid_size[0] // self.p, self.grid_size[1] // self.p)
        return self.departition_op(self.departition_swap(x), self.p, *counts)
