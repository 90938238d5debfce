"""Printed digits, drawn as the scans of handwritten ones were made: to learn from before those."""

from __future__ import annotations

from typing import Any

import numpy as np

import rushlight as rl
from rushlight.base import extras
from rushlight.train.lightning import LightningDataModule
from rushlight.utils.data import DataLoader, TensorDataset

from .digits import Digits

# The scans: a bitmap of 32x32, and of each block of 4x4 the number of its set pixels.
BITMAP, BLOCK = 32, 4
_PIL = ("Image", "ImageDraw", "ImageFont")


def drawn_digit(digit: int, random: np.random.Generator) -> np.ndarray:
    """One digit in Pillow's own font, turned, slanted and stretched at random: uint8 (8, 8)."""
    image, draw, fonts = (extras.load(f"PIL.{name}", "vision", "drawing a digit") for name in _PIL)
    font = fonts.load_default(size=int(random.integers(26, 40)))
    page = image.new("L", (2 * BITMAP, 2 * BITMAP))
    draw.Draw(page).text(
        (BITMAP, BITMAP),
        str(digit),
        255,
        font,
        anchor="mm",
        stroke_width=int(random.integers(0, 3)),
    )
    turn, slant = random.normal(0, 0.2), random.normal(0, 0.25)
    wide, high = np.exp(random.normal(0, 0.2, 2))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[wide * cos, slant * wide - sin], [sin, high * cos]])
    shift = BITMAP - matrix @ np.array([BITMAP / 2, BITMAP / 2]) + random.normal(0, 1.5, 2)
    placed = page.transform(
        (BITMAP, BITMAP), image.Transform.AFFINE,
        (*matrix[0], shift[0], *matrix[1], shift[1]), image.Resampling.BILINEAR,
    )  # fmt: skip
    bits = np.asarray(placed) > 127
    side = BITMAP // BLOCK
    return bits.reshape(side, BLOCK, side, BLOCK).sum(axis=(1, 3)).astype(np.uint8)


class Glyphs(LightningDataModule):
    """Printed digits like the scans of :class:`Digits`: (1, 8, 8) float32, labels 0 to 9.

    Args:
        count: how many to learn from; a tenth more of them validates and another tenth tests.
        batch_size: of training.
        seed: what decides every picture.
    """

    def __init__(self, count: int = 4000, batch_size: int = 64, seed: int = 0) -> None:
        super().__init__()
        self.count, self.batch_size, self.seed = count, batch_size, seed

    def setup(self, stage: str) -> None:
        sizes = {"train": self.count, "validation": self.count // 10, "test": self.count // 10}
        for part, (name, size) in enumerate(sizes.items()):
            random = np.random.default_rng((self.seed, part))
            labels = np.arange(size) % 10
            pixels = np.stack([drawn_digit(int(digit), random) for digit in labels])[:, None]
            images = (rl.from_numpy(pixels).float() - Digits.MEAN) / Digits.DEVIATION
            setattr(self, name, TensorDataset(images, rl.from_numpy(labels)))

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.train, self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.validation, 500)

    def test_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.test, 500)

    predict_dataloader = test_dataloader
