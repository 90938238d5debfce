"""The task: a network, its loss, and what is measured."""

import rushlight as rl
from rushlight import nn, optim
from rushlight.nn import functional as F
from rushlight.train.lightning import LightningModule


class Task(LightningModule):
    """Tells which spiral a point lies on."""

    def __init__(self, hidden: int = 64, lr: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = nn.Sequential(
            nn.Linear(2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 3),
        )

    def forward(self, points: rl.Tensor) -> rl.Tensor:
        return self.network(points)

    def training_step(self, batch, batch_idx: int) -> rl.Tensor:
        points, spiral = batch
        loss = F.cross_entropy(self(points), spiral)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx: int) -> None:
        self.evaluate("validation", batch)

    def test_step(self, batch, batch_idx: int) -> None:
        self.evaluate("test", batch)

    def evaluate(self, part: str, batch) -> None:
        points, spiral = batch
        scores = self(points)
        self.log(f"{part}_loss", F.cross_entropy(scores, spiral), prog_bar=True)
        right = (scores.argmax(dim=1) == spiral).float()
        self.log(f"{part}_accuracy", right.mean(), prog_bar=True)

    def configure_optimizers(self) -> optim.Optimizer:
        return optim.Adam(self.parameters(), lr=self.hparams.lr)
