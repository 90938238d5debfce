"""Conv-TasNet: one recording into the voices that are in it.

Reference:
    Luo & Mesgarani 2019, "Conv-TasNet: surpassing ideal time-frequency magnitude masking for speech
    separation", arXiv:1809.07454, figure 1.
"""

from __future__ import annotations

from rushlight import Tensor, nn
from rushlight.nn import functional as F


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(1, channels, eps=1e-8)


class ConvBlock(nn.Module):
    """A convolution over distant places: what goes on, and what is added up in the end."""

    def __init__(
        self, io_channels: int, hidden_channels: int, kernel_size: int, padding: int,
        dilation: int = 1, no_residual: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        wide = hidden_channels
        self.conv_layers = nn.Sequential(
            nn.Conv1d(io_channels, wide, 1), nn.PReLU(), _norm(wide),
            nn.Conv1d(wide, wide, kernel_size, padding=padding, dilation=dilation, groups=wide),
            nn.PReLU(), _norm(wide),
        )  # fmt: skip
        self.res_out = None if no_residual else nn.Conv1d(wide, io_channels, 1)
        self.skip_out = nn.Conv1d(wide, io_channels, 1)

    def forward(self, input: Tensor) -> tuple[Tensor | None, Tensor]:
        x = self.conv_layers(input)
        return None if self.res_out is None else self.res_out(x), self.skip_out(x)


class MaskGenerator(nn.Module):
    """How much of each feature belongs to each voice: (N, F, T) to (N, voices, F, T)."""

    def __init__(
        self, input_dim: int, num_sources: int, kernel_size: int, num_feats: int,
        num_hidden: int, num_layers: int, num_stacks: int, msk_activate: str,
    ) -> None:  # fmt: skip
        super().__init__()
        if msk_activate not in ("sigmoid", "relu"):
            raise ValueError(f"Unsupported activation {msk_activate}")
        self.input_dim, self.num_sources = input_dim, num_sources
        self.input_norm = _norm(input_dim)
        self.input_conv = nn.Conv1d(input_dim, num_feats, 1)
        reaches = [2**layer for _ in range(num_stacks) for layer in range(num_layers)]
        self.receptive_field = 1 + (kernel_size - 1) * sum(reaches)
        self.conv_layers = nn.ModuleList(
            ConvBlock(
                num_feats, num_hidden, kernel_size, padding=reach, dilation=reach,
                no_residual=k == len(reaches) - 1,
            )
            for k, reach in enumerate(reaches)
        )  # fmt: skip
        self.output_prelu = nn.PReLU()
        self.output_conv = nn.Conv1d(num_feats, input_dim * num_sources, 1)
        self.mask_activate = nn.Sigmoid() if msk_activate == "sigmoid" else nn.ReLU()

    def forward(self, input: Tensor) -> Tensor:
        x = self.input_conv(self.input_norm(input))
        total: Tensor | float = 0.0
        for layer in self.conv_layers:
            on, skip = layer(x)
            x = x if on is None else x + on
            total = total + skip
        masks = self.mask_activate(self.output_conv(self.output_prelu(total)))
        return masks.reshape(len(input), self.num_sources, self.input_dim, -1)


class ConvTasNet(nn.Module):
    """The voices of recordings.

    Args:
        num_sources: voices.
        enc_kernel_size, enc_num_feats: samples of a frame, and what is known of each.
        msk_kernel_size, msk_num_feats, msk_num_hidden_feats, msk_num_layers, msk_num_stacks,
            msk_activate: sizes of what tells them apart.
    Shape:
        (N, 1, time) to (N, num_sources, time).
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio.models import ConvTasNet
        >>> ConvTasNet(2, enc_num_feats=8, msk_num_feats=4, msk_num_hidden_feats=8,
        ...            msk_num_layers=2, msk_num_stacks=1)(rl.zeros(1, 1, 50)).shape
        torch.Size([1, 2, 50])
    """

    def __init__(
        self, num_sources: int = 2, enc_kernel_size: int = 16, enc_num_feats: int = 512,
        msk_kernel_size: int = 3, msk_num_feats: int = 128, msk_num_hidden_feats: int = 512,
        msk_num_layers: int = 8, msk_num_stacks: int = 3, msk_activate: str = "sigmoid",
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_sources, self.enc_num_feats = num_sources, enc_num_feats
        self.enc_kernel_size, self.enc_stride = enc_kernel_size, enc_kernel_size // 2
        frames = {"stride": self.enc_stride, "padding": self.enc_stride, "bias": False}
        self.encoder = nn.Conv1d(1, enc_num_feats, enc_kernel_size, **frames)
        self.mask_generator = MaskGenerator(
            enc_num_feats, num_sources, msk_kernel_size, msk_num_feats, msk_num_hidden_feats,
            msk_num_layers, msk_num_stacks, msk_activate,
        )  # fmt: skip
        self.decoder = nn.ConvTranspose1d(enc_num_feats, 1, enc_kernel_size, **frames)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim != 3 or input.shape[1] != 1:
            raise ValueError(
                f"Expected 3D tensor (batch, channel==1, frames). Found: {input.shape}"
            )
        N, _, T = input.shape
        missing = (self.enc_kernel_size % 2 - T) % self.enc_stride  # up to a whole frame
        features = self.encoder(F.pad(input, (0, missing)))
        masked = self.mask_generator(features) * features[:, None]
        voices = self.decoder(masked.reshape(N * self.num_sources, self.enc_num_feats, -1))
        return voices.reshape(N, self.num_sources, -1)[..., :T]


def conv_tasnet_base(num_sources: int = 2) -> ConvTasNet:
    """The network of the paper's table 2, with ReLU for the masks."""
    return ConvTasNet(num_sources, msk_activate="relu")
