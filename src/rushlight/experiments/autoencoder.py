"""A variational autoencoder of digits, and the pictures it draws.

Kingma & Welling 2014, "Auto-Encoding Variational Bayes", arXiv:1312.6114.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight.distributions import Normal, kl_divergence
from rushlight.nn import functional as F
from rushlight.train.lightning import LightningModule
from rushlight.vision.utils import save_image

from .digits import Digits
from .networks import mlp


class VAE(LightningModule):
    """Encodes an image as a normal distribution over ``latent`` numbers, and draws it again.

    The loss is the negative lower bound of the paper's equation 10, in nats for an image: squared
    error of standardised pixels as a Gaussian's log-density with deviation ``noise``, plus the
    divergence of the code from a standard normal.

    Args:
        side: pixels of an image's side, which has one channel.
        latent: numbers of a code.
        hidden: widths of the encoder's hidden layers; the decoder has them the other way round.
        noise: what the pixels are expected to differ by.
        optimizer: makes the optimizer of parameters.
        picture: where the pictures are drawn at the end: rows of images, of what was made of
            them, and of draws from nothing.
    """

    def __init__(
        self,
        optimizer: Callable[..., Any],
        side: int = 8,
        latent: int = 8,
        hidden: Sequence[int] = (128, 64),
        noise: float = 0.5,
        picture: str | Path | None = None,
    ) -> None:
        super().__init__()
        pixels = side * side
        self.encoder = mlp(pixels, hidden, 2 * latent)
        self.decoder = mlp(latent, list(hidden)[::-1], pixels)
        self.side, self.latent, self.noise = side, latent, noise
        self.picture = picture
        self._optimizer = optimizer

    def encode(self, images: rl.Tensor) -> Normal:
        """The distribution of the codes of images (N, 1, side, side): its batch is (N, latent)."""
        mean, log_deviation = self.encoder(images).chunk(2, dim=1)
        return Normal(mean, log_deviation.exp())

    def decode(self, codes: rl.Tensor) -> rl.Tensor:
        """Images (N, 1, side, side) of codes (N, latent)."""
        return self.decoder(codes).view(-1, 1, self.side, self.side)

    def forward(self, images: rl.Tensor) -> rl.Tensor:
        """What becomes of images, by the means of their codes."""
        return self.decode(self.encode(images).mean)

    def bound(self, images: rl.Tensor) -> tuple[rl.Tensor, rl.Tensor]:
        """Mean error of drawing again, and mean divergence of the codes, in nats an image."""
        codes = self.encode(images)
        drawn = self.decode(codes.rsample())
        squares = F.mse_loss(drawn, images, reduction="none").sum(dim=(1, 2, 3))
        scale = math.log(self.noise * math.sqrt(2 * math.pi)) * self.side**2
        rest = kl_divergence(codes, Normal(0.0, 1.0)).sum(dim=1)
        return (0.5 * squares / self.noise**2 + scale).mean(), rest.mean()

    def training_step(self, batch: Any, batch_idx: int) -> rl.Tensor:
        error, divergence = self.bound(batch[0])
        loss = error + divergence
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, sync_dist=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate("validation", batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate("test", batch)

    def _evaluate(self, part: str, batch: Any) -> None:
        images = batch[0]
        error, divergence = self.bound(images)
        again = self(images)
        self.log(f"{part}_loss", error + divergence, prog_bar=True, sync_dist=True)
        self.log(f"{part}_divergence", divergence, sync_dist=True)
        # The share of the pixels' variance that a code keeps.
        explained = 1 - F.mse_loss(again, images) / images.var()
        self.log(f"{part}_explained", explained, prog_bar=True, sync_dist=True)

    def on_test_end(self) -> None:
        if self.picture is not None and self.trainer.is_global_zero:
            images = next(iter(self.trainer.test_dataloaders))[0]
            images = images[:: max(1, len(images) // 10)][:10]  # of all classes
            self.draw(images, Path(self.trainer.default_root_dir) / self.picture)

    @rl.no_grad()
    def draw(self, images: rl.Tensor, path: Path) -> None:
        """Writes a PNG: a row of ``images``, one of what becomes of them, three of draws."""
        again = self(images)
        made = self.decode(rl.randn(3 * len(images), self.latent))
        pixels = (rl.cat([images, again, made]) * Digits.DEVIATION + Digits.MEAN) / 16
        large = F.interpolate(pixels.clamp(0, 1), scale_factor=6, mode="nearest")
        save_image(large, path, nrow=len(images))

    def configure_optimizers(self) -> Any:
        return self._optimizer(self.parameters())
