"""Conformer: a transformer for sound with convolutions in it.

Reference:
    Gulati et al. 2020, "Conformer: convolution-augmented transformer for speech recognition",
    arXiv:2005.08100, figure 1; as torchaudio's, without relative positions.
"""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor, nn


def _convolutions(size: int, window: int, dropout: float, group_norm: bool) -> nn.Sequential:
    if window % 2 == 0:
        raise ValueError("depthwise_kernel_size must be odd to achieve 'SAME' padding.")
    return nn.Sequential(
        nn.Conv1d(size, 2 * size, 1),
        nn.GLU(dim=1),
        nn.Conv1d(size, size, window, padding=window // 2, groups=size),
        nn.GroupNorm(1, size) if group_norm else nn.BatchNorm1d(size),
        nn.SiLU(),
        nn.Conv1d(size, size, 1),
        nn.Dropout(dropout),
    )


class _Convolution(nn.Module):
    """Each place with those around it: (N, T, D) to the same."""

    def __init__(self, size: int, window: int, dropout: float, group_norm: bool) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(size)
        self.sequential = _convolutions(size, window, dropout, group_norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.sequential(self.layer_norm(x).transpose(1, 2)).transpose(1, 2)


class _FeedForward(nn.Module):
    """Each place by itself."""

    def __init__(self, size: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.sequential = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, inner), nn.SiLU(), nn.Dropout(dropout),
            nn.Linear(inner, size), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.sequential(x)


class ConformerLayer(nn.Module):
    """Half a feed forward, attention, a convolution, and half a feed forward.

    Args:
        input_dim, ffn_dim, num_attention_heads, depthwise_conv_kernel_size: width, inner width,
            heads, and places that a convolution sees.
        use_group_norm: rather than batch norm.
        convolution_first: before the attention.
    Shape:
        (T, N, input_dim), and True where there is padding (N, T), to (T, N, input_dim).
    """

    def __init__(
        self, input_dim: int, ffn_dim: int, num_attention_heads: int,
        depthwise_conv_kernel_size: int, dropout: float = 0.0, use_group_norm: bool = False,
        convolution_first: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.ffn1 = _FeedForward(input_dim, ffn_dim, dropout)
        self.self_attn_layer_norm = nn.LayerNorm(input_dim)
        self.self_attn = nn.MultiheadAttention(input_dim, num_attention_heads, dropout=dropout)
        self.self_attn_dropout = nn.Dropout(dropout)
        self.conv_module = _Convolution(
            input_dim, depthwise_conv_kernel_size, dropout, use_group_norm
        )
        self.ffn2 = _FeedForward(input_dim, ffn_dim, dropout)
        self.final_layer_norm = nn.LayerNorm(input_dim)
        self.convolution_first = convolution_first

    def forward(self, input: Tensor, key_padding_mask: Tensor | None) -> Tensor:
        x = input + 0.5 * self.ffn1(input)
        if self.convolution_first:
            x = self._convolved(x)
        y = self.self_attn_layer_norm(x)
        y, _ = self.self_attn(y, y, y, key_padding_mask=key_padding_mask, need_weights=False)
        x = x + self.self_attn_dropout(y)
        if not self.convolution_first:
            x = self._convolved(x)
        return self.final_layer_norm(x + 0.5 * self.ffn2(x))

    def _convolved(self, x: Tensor) -> Tensor:
        return x + self.conv_module(x.transpose(0, 1)).transpose(0, 1)


class Conformer(nn.Module):
    """An encoder of features over time.

    Args:
        input_dim, num_heads, ffn_dim, num_layers, depthwise_conv_kernel_size, dropout,
            use_group_norm, convolution_first: as for :class:`ConformerLayer`.
    Shape:
        input (N, T, input_dim) and lengths (N,), the largest of which is T; output the same two.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio.models import Conformer
        >>> model = Conformer(16, num_heads=4, ffn_dim=32, num_layers=2,
        ...                   depthwise_conv_kernel_size=5)
        >>> model(rl.zeros(2, 9, 16), rl.tensor([9, 4]))[0].shape
        torch.Size([2, 9, 16])
    """

    def __init__(
        self, input_dim: int, num_heads: int, ffn_dim: int, num_layers: int,
        depthwise_conv_kernel_size: int, dropout: float = 0.0, use_group_norm: bool = False,
        convolution_first: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.conformer_layers = nn.ModuleList(
            ConformerLayer(
                input_dim, ffn_dim, num_heads, depthwise_conv_kernel_size, dropout,
                use_group_norm, convolution_first,
            )
            for _ in range(num_layers)
        )  # fmt: skip

    def forward(self, input: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        padding = rl.arange(input.shape[1], device=lengths.device) >= lengths[:, None]
        x = input.transpose(0, 1)
        for layer in self.conformer_layers:
            x = layer(x, padding)
        return x.transpose(0, 1), lengths
