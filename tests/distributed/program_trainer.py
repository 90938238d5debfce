"""Trains with a Trainer on several ranks, and writes down what each rank has."""

import json
import os
import sys
from pathlib import Path

import rushlight as rl
from rushlight import nn
from rushlight.train.callbacks import EarlyStopping, ModelCheckpoint
from rushlight.train.lightning import LightningModule, Trainer, seed_everything
from rushlight.utils.data import DataLoader, TensorDataset

out = Path(os.environ["OUT"])
how = sys.argv[1]


class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
        self.drop = nn.Dropout(0.2)
        self.seen = []

    def training_step(self, batch, batch_idx):
        x, y = batch
        self.seen.append([round(v, 4) for v in y[:, 0].tolist()])
        loss = nn.functional.mse_loss(self.net(self.drop(x)), y)
        self.log("train", loss, sync_dist=True, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        _x, y = batch
        self.log("mean", y.mean(), sync_dist=True)
        self.log("most", y.max(), sync_dist=True, reduce_fx="max")
        self.log("own", float(self.global_rank))

    def configure_optimizers(self):
        return rl.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)


def loader(shuffle):
    rl.manual_seed(1)
    x = rl.randn(20, 3)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=4, shuffle=shuffle)


def trainer(epochs, folder, **more):
    checkpoint = ModelCheckpoint(folder, monitor="mean", save_last=True, every_n_epochs=1)
    return Trainer(
        max_epochs=epochs, devices=2, strategy="ddp", default_root_dir=out, logger=False,
        callbacks=[checkpoint, EarlyStopping("own", patience=100)], log_every_n_steps=1,
        enable_progress_bar=False, enable_model_summary=False, **more,
    )  # fmt: skip


seed_everything(0, verbose=False)
first, model = trainer(3, out / "whole", sync_batchnorm=how == "sync"), Model()
first.fit(model, loader(True), loader(False))
told = {
    "seen": model.seen[:3],
    "count": len(model.seen),
    "metrics": {name: round(value.item(), 6) for name, value in first.callback_metrics.items()},
    "weights": [t.numpy().tobytes().hex() for t in model.state_dict().values()],
    "place": [first.global_rank, first.world_size, first.local_rank, first.is_global_zero],
    "gathered": model.all_gather(rl.tensor([float(first.global_rank)])).tolist(),
    "best": Path(first.checkpoint_callback.best_model_path).name,
}
if how == "resume":
    seed_everything(0, verbose=False)
    half, part = trainer(1, out / "half"), Model()
    half.fit(part, loader(True), loader(False))
    rest, again = trainer(3, out / "rest"), Model()
    rest.fit(again, loader(True), loader(False), ckpt_path=out / "half" / "last.ckpt")
    told["resumed"] = [t.numpy().tobytes().hex() for t in again.state_dict().values()]
(out / f"rank{first.global_rank}").write_text(json.dumps(told))
