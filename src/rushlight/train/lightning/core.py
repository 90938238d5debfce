"""Lightning's names of model and data."""

from ..datamodule import LightningDataModule
from ..module import LightningModule

__all__ = ["LightningDataModule", "LightningModule"]
