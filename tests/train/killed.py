"""A run to be killed: trains for a few epochs in the folder given, or goes on from its checkpoint.

    python killed.py FOLDER [STEP]

With a step, the process kills itself at some point of that step. At the end it writes what the run
came to, to the bit, to ``end.json``.
"""

import json
import os
import random
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np

import rushlight as rl
import rushlight.train.lightning as pl
from rushlight import nn
from rushlight.utils.data import DataLoader, Dataset

warnings.simplefilter("ignore")
FOLDER = Path(sys.argv[1])
CASE = sys.argv[2]
KILL_AFTER = float(sys.argv[3]) if len(sys.argv) > 3 else None
SAMPLES = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)


class Noisy(Dataset):
    """Samples that are changed at random as they are read, by all three generators."""

    def __len__(self):
        return len(SAMPLES)

    def __getitem__(self, index):
        x = SAMPLES[index] + 0.1 * random.random() + 0.1 * np.random.rand()
        return rl.tensor(x, dtype=rl.float32) + 0.1 * rl.rand(1)


class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1)
        )
        self.register_buffer("mean", rl.zeros(1))
        self.epochs_ended = 0

    def loss(self, x):
        return ((self.layers(x) - x.sum(1, keepdim=True)) ** 2).mean()

    def training_step(self, batch, batch_idx):
        loss = self.loss(batch)
        self.log("loss", loss, on_step=True, on_epoch=True)
        return {"loss": loss, "mean": batch.mean()}

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(batch))

    def on_train_batch_end(self, outputs, batch, batch_idx):
        # Comes after checkpoints of steps are written, so a resumed run has to do it.
        self.mean.mul_(0.9).add_(0.1 * outputs["mean"] + 0.01 * outputs["loss"])

    def on_train_epoch_end(self):
        self.epochs_ended += 1
        self.log("mean", self.mean)

    def on_save_checkpoint(self, checkpoint):
        checkpoint["epochs_ended"] = self.epochs_ended

    def on_load_checkpoint(self, checkpoint):
        self.epochs_ended = checkpoint["epochs_ended"]

    def configure_optimizers(self):
        optimizer = rl.optim.Adam(self.parameters(), lr=0.01)
        if CASE == "plateau":
            schedule = rl.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": schedule, "monitor": "val_loss"},
            }
        schedule = rl.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=100)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Slow(pl.Callback):
    """Makes steps take long enough that a kill falls anywhere between them and inside."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        time.sleep(0.004)


def trainer():
    callbacks = [
        pl.callbacks.ModelCheckpoint(
            FOLDER / "steps", every_n_train_steps=1, save_top_k=0, save_last=True
        ),
        pl.callbacks.ModelCheckpoint(FOLDER / "best", monitor="val_loss", save_top_k=2),
        pl.callbacks.EarlyStopping("val_loss", patience=50),
    ]
    options = {
        "steps": {},
        "accumulate": {"accumulate_grad_batches": 3},
        "often": {"val_check_interval": 3},
        "plateau": {},
    }[CASE]
    if CASE == "plateau":  # only what is written after a validation
        callbacks[0] = pl.callbacks.ModelCheckpoint(
            FOLDER / "steps", save_last=True, save_on_train_epoch_end=False
        )
    if KILL_AFTER is not None:
        callbacks.append(Slow())
    return pl.Trainer(
        max_epochs=4,
        logger=False,
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


def end(run, model):
    """All that decides what would come next, as text that keeps every bit."""

    def bits(value):
        if isinstance(value, rl.Tensor):
            return value.detach().numpy().tobytes().hex()
        if isinstance(value, dict):
            return {str(key): bits(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [bits(one) for one in value]
        return value

    return {
        "model": bits(dict(model.state_dict())),
        "optimizer": bits(run.optimizers[0].state_dict()),
        "schedule": bits(run.lr_scheduler_configs[0].scheduler.state_dict()),
        "metrics": bits(dict(run.callback_metrics)),
        "logged": bits(dict(run.logged_metrics)),
        "best": [str(path) for path in run.callbacks[-1].best_k_models],
        "stopping": bits(run.early_stopping_callback.state_dict()),
        "counts": [run.current_epoch, run.global_step, model.epochs_ended],
        "random": [bits(rl.get_rng_state()), random.random(), np.random.rand()],
    }


def die():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    pl.seed_everything(3, verbose=False)
    data = DataLoader(Noisy(), batch_size=4, shuffle=True)
    checks = DataLoader(Noisy(), batch_size=10)
    model, run = Net(), trainer()
    last = FOLDER / "steps" / "last.ckpt"
    if KILL_AFTER is not None:
        timer = threading.Timer(KILL_AFTER, die)
        timer.daemon = True
        timer.start()
    run.fit(model, data, checks, ckpt_path=last if last.exists() else None)
    (FOLDER / "end.json").write_text(json.dumps(end(run, model), default=str))
    os._exit(0)
