"""Attention inside of windows of an image, with learned biases by relative position."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F


def relative_positions(height: int, width: int) -> Tensor:
    """For each two places of a window, the row of a table of biases: (h * w, h * w) of int64.

    The table has a row for each of the (2h - 1)(2w - 1) differences of places.
    """
    rows, columns = rl.meshgrid(rl.arange(height), rl.arange(width), indexing="ij")
    places = rl.stack([rows, columns]).flatten(1)
    down, right = places[:, :, None] - places[:, None, :]
    return (down + height - 1) * (2 * width - 1) + right + width - 1


def split(x: Tensor, size: list[int]) -> Tensor:
    """Windows of (B, H, W, C): (B * windows, h * w, C)."""
    B, H, W, C = x.shape
    h, w = size
    x = x.view(B, H // h, h, W // w, w, C).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(-1, h * w, C)


def join(x: Tensor, size: list[int], B: int, H: int, W: int) -> Tensor:
    """What :func:`split` took apart."""
    h, w = size
    x = x.view(B, H // h, W // w, h, w, -1).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(B, H, W, -1)


def _regions(x: Tensor, size: list[int], shift: list[int]) -> Tensor:
    """-100 between places that a shift brought into one window from different sides of an image.

    Shape:
        (windows, h * w, h * w).
    """
    _, H, W, _ = x.shape
    parts = []
    for length, window, moved in zip((H, W), size, shift):
        bounds = rl.arange(length)
        parts.append((bounds >= length - window).long() + (bounds >= length - moved).long())
    numbers = parts[0][:, None] * 3 + parts[1]
    numbers = split(numbers[None, :, :, None], size)[:, :, 0]
    apart = numbers[:, :, None] != numbers[:, None, :]
    return apart.to(x.dtype) * -100.0


def shifted_window_attention(
    input: Tensor,
    qkv_weight: Tensor,
    proj_weight: Tensor,
    relative_position_bias: Tensor,
    window_size: list[int],
    num_heads: int,
    shift_size: list[int],
    attention_dropout: float = 0.0,
    dropout: float = 0.0,
    qkv_bias: Tensor | None = None,
    proj_bias: Tensor | None = None,
    logit_scale: Tensor | None = None,
    training: bool = True,
) -> Tensor:
    """Self-attention inside of windows, which may be shifted cyclically.

    Args:
        relative_position_bias: (1, heads, h * w, h * w), added to the scores.
        logit_scale: (heads, 1, 1); scores are then cosines times its exponential, as in V2, and
            keys have no bias.
    Shape:
        input (N, H, W, C), padded to whole windows; output the same.
    """
    _, H, W, _ = input.shape
    right, below = -W % window_size[1], -H % window_size[0]
    x = F.pad(input, (0, 0, 0, right, 0, below))
    B, padded_H, padded_W, C = x.shape
    sizes = zip(shift_size, window_size, (padded_H, padded_W))
    shift = [0 if window >= length else moved for moved, window, length in sizes]
    if any(shift):
        x = rl.roll(x, shifts=(-shift[0], -shift[1]), dims=(1, 2))
    mask = _regions(x, window_size, shift) if any(shift) else None
    x = split(x, window_size)
    if logit_scale is not None and qkv_bias is not None:
        query, key, value = qkv_bias.chunk(3)
        qkv_bias = rl.cat([query, rl.zeros_like(key), value])
    qkv = F.linear(x, qkv_weight, qkv_bias)
    heads = qkv.reshape(*x.shape[:2], 3, num_heads, C // num_heads).permute(2, 0, 3, 1, 4)
    scores = _scores(heads[0], heads[1], logit_scale) + relative_position_bias
    if mask is not None:
        each = scores.view(B, -1, *scores.shape[1:])  # (B, windows, heads, places, places)
        scores = (each + mask[:, None]).view(scores.shape)
    weights = F.dropout(F.softmax(scores, dim=-1), p=attention_dropout, training=training)
    x = weights.matmul(heads[2]).transpose(1, 2).reshape(x.shape)
    x = F.dropout(F.linear(x, proj_weight, proj_bias), p=dropout, training=training)
    x = join(x, window_size, B, padded_H, padded_W)
    if any(shift):
        x = rl.roll(x, shifts=(shift[0], shift[1]), dims=(1, 2))
    return x[:, :H, :W, :].contiguous()


def _scores(query: Tensor, key: Tensor, logit_scale: Tensor | None) -> Tensor:
    if logit_scale is None:
        return (query * query.shape[-1] ** -0.5).matmul(key.transpose(-2, -1))
    cosine = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1)
    return cosine * rl.clamp(logit_scale, max=math.log(100.0)).exp()


class ShiftedWindowAttention(nn.Module):
    """See :func:`shifted_window_attention`; biases are parameters."""

    def __init__(
        self,
        dim: int,
        window_size: list[int],
        shift_size: list[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(window_size) != 2 or len(shift_size) != 2:
            raise ValueError("window_size and shift_size must be of length 2")
        self.window_size, self.shift_size = window_size, shift_size
        self.num_heads = num_heads
        self.attention_dropout, self.dropout = attention_dropout, dropout
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.define_relative_position_bias_table()
        self.define_relative_position_index()

    def define_relative_position_bias_table(self) -> None:
        """Makes the biases."""
        h, w = self.window_size
        table = rl.zeros((2 * h - 1) * (2 * w - 1), self.num_heads)
        self.relative_position_bias_table = nn.Parameter(table)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def define_relative_position_index(self) -> None:
        """Notes which bias is whose."""
        index = relative_positions(*self.window_size).flatten()
        self.register_buffer("relative_position_index", index)

    def get_relative_position_bias(self) -> Tensor:
        """(1, heads, h * w, h * w)."""
        return self._by_places(self.relative_position_bias_table)

    def _by_places(self, table: Tensor) -> Tensor:
        places = self.window_size[0] * self.window_size[1]
        bias = table[self.relative_position_index].view(places, places, -1)
        return bias.permute(2, 0, 1).contiguous().unsqueeze(0)

    def forward(self, x: Tensor) -> Tensor:
        return shifted_window_attention(
            x,
            self.qkv.weight,
            self.proj.weight,
            self.get_relative_position_bias(),
            self.window_size,
            self.num_heads,
            shift_size=self.shift_size,
            attention_dropout=self.attention_dropout,
            dropout=self.dropout,
            qkv_bias=self.qkv.bias,
            proj_bias=self.proj.bias,
            logit_scale=getattr(self, "logit_scale", None),
            training=self.training,
        )


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """Scores by angles, and biases from a small network of the distance; arXiv:2111.09883."""

    def __init__(
        self,
        dim: int,
        window_size: list[int],
        shift_size: list[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            dim, window_size, shift_size, num_heads, qkv_bias, proj_bias, attention_dropout,
            dropout,
        )  # fmt: skip
        self.logit_scale = nn.Parameter(rl.log(10 * rl.ones((num_heads, 1, 1))))
        self.cpb_mlp = nn.Sequential(
            nn.Linear(2, 512, bias=True),
            nn.ReLU(inplace=True),
            nn.Linear(512, num_heads, bias=False),
        )
        if qkv_bias:
            with rl.no_grad():
                self.qkv.bias[dim : 2 * dim].zero_()

    def define_relative_position_bias_table(self) -> None:
        """Notes the differences of places, from -8 to 8 on a logarithmic scale; equation 4."""
        ranges = [rl.arange(-(n - 1), n, dtype=rl.float32) / (n - 1) * 8 for n in self.window_size]
        table = rl.stack(rl.meshgrid(ranges, indexing="ij"), dim=-1).unsqueeze(0)
        table = rl.sign(table) * rl.log2(rl.abs(table) + 1.0) / 3.0
        self.register_buffer("relative_coords_table", table)

    def get_relative_position_bias(self) -> Tensor:
        """(1, heads, h * w, h * w), between 0 and 16."""
        table = self.cpb_mlp(self.relative_coords_table).view(-1, self.num_heads)
        return 16 * rl.sigmoid(self._by_places(table))
