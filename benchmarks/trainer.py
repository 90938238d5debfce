"""What the Trainer costs beside a loop written by hand: ``python -m benchmarks.trainer``.

The MLP 784-128-10 on batches of 64, where everything but the network counts most. Epochs of both
loops alternate, and the fastest of each is told, in microseconds a step.
"""

from __future__ import annotations

import logging
import time
import warnings

import rushlight as rl
from rushlight import nn, optim
from rushlight.nn import functional as F
from rushlight.train import lightning as pl
from rushlight.utils.data import DataLoader, TensorDataset

STEPS, BATCH, EPOCHS = 100, 64, 40


class Net(pl.LightningModule):
    """The network, and its training as the Trainer wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))

    def training_step(self, batch: list[rl.Tensor], batch_idx: int) -> rl.Tensor:
        x, y = batch
        loss = F.cross_entropy(self.layers(x), y)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> optim.Optimizer:
        return optim.Adam(self.parameters())


def data() -> DataLoader[list[rl.Tensor]]:
    """Random samples."""
    count = STEPS * BATCH
    x, y = rl.randn(count, 784), rl.randint(0, 10, (count,))
    return DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)


def by_hand(model: Net, optimizer: optim.Optimizer, loader: DataLoader[list[rl.Tensor]]) -> None:
    """An epoch of a loop as one writes it; it reads the loss, as a log does."""
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model.layers(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()


class Timing(pl.Callback):
    """Notes the time of each epoch, and runs one by hand before it.

    Both train the same network, since where its memory lies is worth some microseconds.
    """

    def __init__(self, loader: DataLoader[list[rl.Tensor]]) -> None:
        self.loader, self.trainer, self.hand = loader, [], []  # type: ignore[var-annotated]

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: Net) -> None:
        started = time.perf_counter()
        by_hand(pl_module, trainer.optimizers[0], self.loader)
        self.started = time.perf_counter()
        self.hand.append(self.started - started)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Net) -> None:
        self.trainer.append(time.perf_counter() - self.started)


def measure(epochs: int = EPOCHS) -> tuple[float, float]:
    """Seconds a step by hand, and by the Trainer."""
    loader = data()
    timing = Timing(loader)
    trainer = pl.Trainer(
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[timing],
    )
    trainer.fit(Net(), loader)
    return min(timing.hand) / STEPS, min(timing.trainer) / STEPS


def main() -> None:
    """Prints both, and what the Trainer adds."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning").setLevel(logging.ERROR)
    hand, trainer = measure()
    print(f"by hand {1e6 * hand:.1f} us a step, Trainer {1e6 * trainer:.1f} us a step")
    print(f"overhead {100 * (trainer / hand - 1):.1f}%")


if __name__ == "__main__":
    main()
