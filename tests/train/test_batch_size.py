"""Batch sizes that are found by trying."""

import warnings

import pytest
from twins import DATA, ours, sides, theirs

import rushlight as rl
from rushlight.train.callbacks import BatchSizeFinder, MemoryCheck
from rushlight.train.tuner import Tuner
from rushlight.train.tuner import batch_size as module
from rushlight.train.tuner.batch_size import largest


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def scaled(side, folder, model=None, **asked):
    if side is theirs:
        from pytorch_lightning.tuner.tuning import Tuner as kind
    else:
        kind = Tuner
    model = model or side.Line()
    trainer = side.trainer(folder / side.name, max_epochs=2)
    return kind(trainer).scale_batch_size(model, **asked), model.hparams.batch_size


@pytest.mark.parametrize(
    "asked",
    [{}, {"init_val": 3}, {"max_trials": 2}, {"margin": 0.5, "init_val": 6}],
    ids=str,
)
def test_sizes_are_lightnings_where_all_fit(asked, tmp_path):
    """Lightning's may be larger than the data, which makes the same batches."""
    expected, found = (scaled(side, tmp_path, **asked) for side in sides)
    assert found == tuple(min(size, len(DATA)) for size in expected)


@pytest.mark.parametrize(
    "mode, limit, first, expected",
    [
        ("power", 100, 2, 64),
        ("power", 5, 32, 4),
        ("power", 1, 8, 1),
        ("binsearch", 100, 2, 100),
        ("binsearch", 37, 64, 37),
        ("binsearch", 1000, 2, 512),
    ],
)
def test_the_largest_that_fits(mode, limit, first, expected):
    tried = []

    def fits(size):
        tried.append(size)
        return size <= limit

    assert largest(fits, mode, first, 512, 25, 0.0) == expected
    assert len(set(tried)) == len(tried)


def test_a_margin_is_taken_off():
    assert largest(lambda size: size <= 100, "binsearch", 2, 512, 25, 0.05) == 95
    assert largest(lambda size: size <= 100, "power", 2, 512, 25, 0.05) == 64
    assert largest(lambda size: size <= 1, "binsearch", 2, 512, 25, 0.9) == 1


def test_nothing_fits():
    with pytest.raises(MemoryError, match="batch of one"):
        largest(lambda size: False, "power", 8, 512, 25, 0.0)


def test_a_step_that_runs_out_of_memory_does_not_fit(tmp_path):
    class Limited(ours.Line):
        def training_step(self, batch, batch_idx):
            if len(batch[0]) > 5:
                raise MemoryError
            return super().training_step(batch, batch_idx)

    model = Limited()
    before = model.layer.weight.detach().clone()
    assert scaled(ours, tmp_path, model) == (4, 4)
    assert rl.equal(model.layer.weight, before)
    assert scaled(ours, tmp_path, Limited(), mode="binsearch", margin=0.0) == (5, 5)


def test_a_forecast_that_is_too_large_does_not_fit(tmp_path, monkeypatch):
    class Small(MemoryCheck):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if len(batch[0]) > 6:
                raise MemoryError

    monkeypatch.setattr(module, "MemoryCheck", Small)
    assert scaled(ours, tmp_path)[0] == 4


def test_as_a_callback_it_trains_with_the_size(tmp_path):
    finder = BatchSizeFinder()
    trainer = ours.trainer(tmp_path, max_epochs=2, callbacks=[finder])
    model = ours.Line()
    trainer.fit(model)
    assert finder.optimal_batch_size == model.hparams.batch_size == len(DATA)
    assert trainer.global_step == 2


def test_a_fault_leaves_the_size(tmp_path):
    class Broken(ours.Line):
        def training_step(self, batch, batch_idx):
            raise ZeroDivisionError

    model = Broken()
    with pytest.raises(ZeroDivisionError):
        scaled(ours, tmp_path, model)
    assert model.hparams.batch_size == 4


def test_what_cannot_be_scaled_is_refused(tmp_path):
    refused = ours.pl.MisconfigurationException
    with pytest.raises(refused, match="not found"):
        scaled(ours, tmp_path, batch_arg_name="size")
    with pytest.raises(refused, match="directly"):
        scaled(ours, tmp_path, train_dataloaders=ours.Line().loader())
    with pytest.raises(refused, match="method='fit'"):
        scaled(ours, tmp_path, method="test")
    with pytest.raises(ValueError, match="mode"):
        scaled(ours, tmp_path, mode="cubic")
    with pytest.raises(ValueError, match="margin"):
        scaled(ours, tmp_path, margin=1.0)
