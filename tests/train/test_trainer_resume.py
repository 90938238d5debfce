"""A run that goes on from any of its checkpoints ends with the same bits."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from twins import DATA, ours

import rushlight as rl
from rushlight import nn
from rushlight.train import callbacks
from rushlight.utils.data import DataLoader, IterableDataset, TensorDataset

pl = ours.pl


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Net(pl.LightningModule):
    """A network with a batch norm and dropout, which logs for step and epoch."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.3))
        self.head = nn.Linear(5, 1)

    def forward(self, x):
        return self.head(self.backbone(x))

    def loss(self, batch):
        x = batch[0]
        return ((self(x) - x.sum(1, keepdim=True)) ** 2).mean()

    def training_step(self, batch, batch_idx):
        loss = self.loss(batch)
        self.log("loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        trained = [one for one in self.parameters() if one.requires_grad]
        optimizer = rl.optim.AdamW(trained, lr=0.05)
        return [optimizer], [rl.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)]


class ByHand(Net):
    """Two optimizers, of which one adds up gradients of two batches."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch, batch_idx):
        first, second = self.optimizers()
        loss = self.loss(batch)
        self.log("loss", loss, on_step=True, on_epoch=True)
        self.manual_backward(loss)
        first.step()
        first.zero_grad()
        if batch_idx % 2:
            second.step()
            second.zero_grad()

    def configure_optimizers(self):
        return [
            rl.optim.SGD(self.backbone.parameters(), lr=0.05, momentum=0.9),
            rl.optim.Adam(self.head.parameters(), lr=0.05),
        ]


class Stream(IterableDataset):
    """Samples of unknown number."""

    def __iter__(self):
        for row in rl.tensor(DATA):
            yield (row + 0.1 * rl.rand(1),)


CASES = {
    "plain": {},
    "often": {"val_check_interval": 2},
    "accumulate": {"accumulate_grad_batches": 2},
    "across": {"check_val_every_n_epoch": None, "val_check_interval": 3},
    "swa": {"callbacks": lambda: [callbacks.StochasticWeightAveraging(0.02, swa_epoch_start=2)]},
    "ema": {"callbacks": lambda: [callbacks.EMAWeightAveraging(decay=0.7)]},
    "tune": {"callbacks": lambda: [callbacks.BackboneFinetuning(1, train_bn=False)]},
    "schedule": {"callbacks": lambda: [callbacks.GradientAccumulationScheduler({1: 2})]},
    "stop": {"callbacks": lambda: [callbacks.EarlyStopping("val_loss", patience=1, min_delta=9.0)]},
    "hand": {"model": ByHand},
    "stream": {"stream": True},
    "double": {"precision": "64-true"},
}


def fit(folder, case, start=None, every_step=True):
    options = dict(CASES[case])
    model = options.pop("model", Net)
    extra = options.pop("callbacks", list)()
    data = Stream() if options.pop("stream", False) else TensorDataset(rl.tensor(DATA))
    shuffle = not isinstance(data, Stream)
    pl.seed_everything(5, verbose=False)
    how = (
        {"every_n_train_steps": 1}
        if every_step
        else {"save_on_train_epoch_end": False, "monitor": "val_loss"}
    )
    saved = callbacks.ModelCheckpoint(folder, save_top_k=-1, filename="{step}", **how)
    trainer = ours.trainer(folder, max_epochs=3, callbacks=[*extra, saved], **options)
    made = model()
    trainer.fit(
        made,
        DataLoader(data, batch_size=4, shuffle=shuffle),
        DataLoader(TensorDataset(rl.tensor(DATA)), batch_size=5),
        ckpt_path=start,
    )
    bits = {name: value.detach().numpy().copy() for name, value in made.state_dict().items()}
    for name, value in trainer.callback_metrics.items():
        bits[f"metric {name}"] = value.numpy()
    for optimizer in trainer.optimizers:
        for key, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                bits[f"{type(optimizer).__name__} {key} {name}"] = np.asarray(value)
    bits["counts"] = np.array([trainer.global_step, trainer.current_epoch])
    bits["next"] = rl.rand(3).numpy()
    return bits


AFTER_VALIDATION = ("plain", "often", "stop")
RUNS = [
    *((case, True) for case in CASES),
    *((case, False) for case in AFTER_VALIDATION),
    *(
        pytest.param(case, False, marks=pytest.mark.slow)
        for case in CASES
        if case not in AFTER_VALIDATION
    ),
]


@pytest.mark.parametrize("case, every_step", RUNS)
def test_any_checkpoint_leads_to_the_same_end(case, every_step, tmp_path):
    expected = fit(tmp_path / "whole", case, every_step=every_step)
    found = sorted((tmp_path / "whole").glob("*.ckpt"))
    assert found
    for path in found if case in ("plain", "stream") else found[:: max(len(found) // 2, 1)]:
        again = fit(tmp_path / Path(path).stem, case, path, every_step=every_step)
        assert again.keys() == expected.keys()
        for name, value in expected.items():
            assert again[name].tobytes() == value.tobytes(), (path.name, name)
