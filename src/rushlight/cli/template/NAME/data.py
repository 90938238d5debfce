"""The data: points on three spirals. Replace them by your own."""

import math

import rushlight as rl
from rushlight.train.lightning import LightningDataModule
from rushlight.utils.data import DataLoader, TensorDataset


def spirals(count: int, seed: int) -> TensorDataset:
    """Points (count, 2), each with the spiral (count) that it lies on."""
    generator = rl.Generator().manual_seed(seed)
    spiral = rl.randint(3, (count,), generator=generator)
    along = rl.rand(count, generator=generator).sqrt()
    angle = 4.0 * along + spiral * (2 * math.pi / 3)
    points = along[:, None] * rl.stack([angle.cos(), angle.sin()], dim=1)
    return TensorDataset(points + 0.02 * rl.randn(count, 2, generator=generator), spiral)


class Data(LightningDataModule):
    """Different points to learn from, to validate and to test."""

    def __init__(self, count: int = 2000, batch_size: int = 50) -> None:
        super().__init__()
        self.count, self.batch_size = count, batch_size

    def setup(self, stage: str) -> None:
        self.train = spirals(self.count, seed=0)
        self.validation = spirals(500, seed=1)
        self.test = spirals(500, seed=2)

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.train, self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.validation, 500)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.test, 500)
