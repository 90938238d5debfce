"""The same small task for Lightning on PyTorch and for ours, to compare what they do.

`sides` is ``(theirs, ours)``; each has ``torch``, ``pl`` and what is written with them here.
"""

from __future__ import annotations

import inspect
import types
import warnings

import peers  # noqa: F401 - makes pytorch_lightning importable

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pytorch_lightning

import numpy as np
import torch

import rushlight
import rushlight.train.lightning

HOOKS = """
    setup teardown on_fit_start on_fit_end on_sanity_check_start on_sanity_check_end
    on_train_batch_start on_train_batch_end on_train_epoch_start on_train_epoch_end
    on_validation_epoch_start on_validation_epoch_end on_test_epoch_start on_test_epoch_end
    on_predict_epoch_start on_predict_epoch_end on_validation_batch_start on_validation_batch_end
    on_test_batch_start on_test_batch_end on_predict_batch_start on_predict_batch_end
    on_train_start on_train_end on_validation_start on_validation_end on_test_start on_test_end
    on_predict_start on_predict_end on_exception state_dict on_save_checkpoint
    on_load_checkpoint on_before_backward on_after_backward on_before_optimizer_step
    on_before_zero_grad
    prepare_data configure_callbacks configure_model configure_optimizers training_step
    validation_step test_step predict_step on_before_batch_transfer transfer_batch_to_device
    on_after_batch_transfer optimizer_step optimizer_zero_grad backward lr_scheduler_step
    configure_gradient_clipping on_validation_model_zero_grad on_validation_model_eval
    on_validation_model_train on_test_model_eval on_test_model_train on_predict_model_eval
    train_dataloader val_dataloader test_dataloader predict_dataloader load_state_dict
""".split()  # noqa: SIM905

DATA = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
WEIGHT = np.linspace(-1, 1, 4, dtype=np.float32)[None]


def side(torch, pl):
    class Line(pl.LightningModule):
        """One linear layer that learns the sum of four numbers; logs in every step."""

        def __init__(self, lr=0.1, batch_size=4):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(4, 1, bias=False)
            with torch.no_grad():
                self.layer.weight.copy_(torch.from_numpy(WEIGHT.copy()))

        def forward(self, x):
            return self.layer(x)

        def loss(self, batch):
            (x,) = batch
            return ((self(x) - x.sum(1, keepdim=True)) ** 2).mean()

        def training_step(self, batch, batch_idx):
            loss = self.loss(batch)
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, batch_idx):
            self.log("val_loss", self.loss(batch))

        def test_step(self, batch, batch_idx):
            self.log("test_loss", self.loss(batch))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

        def loader(self):
            data = torch.utils.data.TensorDataset(torch.from_numpy(DATA.copy()))
            return torch.utils.data.DataLoader(data, batch_size=self.hparams.batch_size)

        train_dataloader = val_dataloader = test_dataloader = predict_dataloader = loader

        def predict_step(self, batch, batch_idx):
            return self(batch[0])

    def trainer(folder, **options):
        quiet = {
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "logger": False,
            "accelerator": "cpu",
            "default_root_dir": str(folder),
        }
        return pl.Trainer(**{**quiet, **options})

    return types.SimpleNamespace(
        torch=torch,
        pl=pl,
        nn=torch.nn,
        Line=Line,
        trainer=trainer,
        name=pl.__name__.partition(".")[0],
    )


sides = (side(torch, pytorch_lightning), side(rushlight, rushlight.train.lightning))
theirs, ours = sides


def recording(cls, said, label):
    """A subclass of ``cls`` that writes down each of its hooks as it is called."""

    def wrap(name, function):
        def wrapped(self, *args, **kwargs):
            said.append(f"{label}.{name}")
            return function(self, *args, **kwargs)

        wrapped.__signature__ = inspect.signature(function)
        return wrapped

    found = {name: getattr(cls, name) for name in HOOKS if hasattr(cls, name)}
    return type(
        cls.__name__, (cls,), {name: wrap(name, function) for name, function in found.items()}
    )


def floats(metrics):
    return {name: float(value) for name, value in metrics.items()}
