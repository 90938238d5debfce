"""A small GPT that reads a novel character by character and then writes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight.nn import functional as F
from rushlight.text.datasets import PrideAndPrejudice
from rushlight.text.models import GPT, GPTConfig
from rushlight.train.durable import write_durably
from rushlight.train.lightning import LightningDataModule, LightningModule
from rushlight.utils.data import DataLoader, RandomSampler


class Novel(LightningDataModule):
    """Stretches of Pride and Prejudice: ``length`` characters and the ones that follow each.

    Args:
        length: characters of a stretch.
        batch_size: stretches of a step.
        steps: of an epoch, drawn at random places of the first nine tenths.
    """

    def __init__(self, length: int = 64, batch_size: int = 32, steps: int = 200) -> None:
        super().__init__()
        self.length, self.batch_size, self.steps = length, batch_size, steps

    def setup(self, stage: str) -> None:
        self.train = PrideAndPrejudice("train", self.length)
        self.validation = PrideAndPrejudice("valid", self.length, step=self.length)
        self.test = PrideAndPrejudice("test", self.length, step=self.length)

    def train_dataloader(self) -> DataLoader[Any]:
        places = RandomSampler(self.train, True, self.steps * self.batch_size)
        return DataLoader(self.train, self.batch_size, sampler=places)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.validation, 128)

    def test_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.test, 128)

    predict_dataloader = test_dataloader


class Writer(LightningModule):
    """Trains a GPT to tell the next character, by cross entropy.

    Evaluation also tells the bits that a character costs. At the end it writes a text.

    Args:
        symbols: how many characters there are.
        length: of the longest text it reads at once.
        width, layers, heads, dropout: of the GPT.
        optimizer: makes the optimizer of parameters.
        scheduler: makes a schedule, stepped after every batch.
        begin: what the text at the end begins with.
        write: how many characters it has; 0 for none.
    """

    def __init__(
        self,
        optimizer: Callable[..., Any],
        scheduler: Callable[..., Any] | None = None,
        symbols: int = 75,
        length: int = 64,
        width: int = 96,
        layers: int = 3,
        heads: int = 4,
        dropout: float = 0.0,
        begin: str = "Elizabeth ",
        write: int = 400,
    ) -> None:
        super().__init__()
        sizes = GPTConfig(
            symbols, length, width, layers, heads,
            resid_pdrop=dropout, embd_pdrop=dropout, attn_pdrop=dropout,
        )  # fmt: skip
        self.network = GPT(sizes)
        self.begin, self.write = begin, write
        self._optimizer, self._scheduler = optimizer, scheduler

    def forward(self, ids: rl.Tensor) -> rl.Tensor:
        return self.network(ids)

    def _loss(self, batch: Any) -> rl.Tensor:
        ids, following = batch  # (N, T)
        return F.cross_entropy(self(ids).flatten(0, 1), following.flatten())

    def training_step(self, batch: Any, batch_idx: int) -> rl.Tensor:
        loss = self._loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, sync_dist=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate("validation", batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate("test", batch)

    def _evaluate(self, part: str, batch: Any) -> None:
        loss = self._loss(batch)
        self.log(f"{part}_loss", loss, sync_dist=True)
        self.log(f"{part}_bits", loss / math.log(2), prog_bar=True, sync_dist=True)

    def on_test_end(self) -> None:
        if self.write and self.trainer.is_global_zero:
            path = Path(self.trainer.default_root_dir) / "written.txt"
            write_durably(path, self.written(self.trainer.datamodule.test) + "\n")

    @rl.no_grad()
    def written(self, known: PrideAndPrejudice) -> str:
        """``write`` characters after ``begin``, each drawn from what the network expects."""
        ids = known.encode(self.begin)[None]
        room = self.network.config.n_positions
        while ids.shape[1] < self.write:  # a stretch at a time, each from the end of the last
            tail = ids[:, -room // 2 :]
            more = self.network.generate(tail, room - tail.shape[1], temperature=0.8)
            ids = rl.cat([ids, more[:, tail.shape[1] :]], dim=1)
        return known.decode(ids[0, : self.write])

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(self.parameters())
        if self._scheduler is None:
            return optimizer
        schedule = self._scheduler(optimizer, total_steps=self.trainer.estimated_stepping_batches)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]
