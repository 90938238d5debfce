"""The learning rate finder: its rates, its rule, and that it leaves everything as it was."""

import math
import random
import warnings

import numpy as np
import pytest
import twins  # noqa: F401 - makes pytorch_lightning importable, so before it

from pytorch_lightning.tuner.lr_finder import _LRFinder  # isort: skip
from pytorch_lightning.tuner.tuning import Tuner as TheirTuner  # isort: skip
from twins import DATA, ours, sides, theirs

import rushlight as rl
from rushlight.train.callbacks import Callback, LearningRateFinder
from rushlight.train.tuner import LRFinder, Tuner

TUNERS = {id(theirs): TheirTuner, id(ours): Tuner}


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def find(side, folder, options=None, **asked):
    model = side.Line()
    trainer = side.trainer(folder / side.name, max_epochs=1000, **(options or {}))
    finder = TUNERS[id(side)](trainer).lr_find(model, **asked)
    return finder, model, trainer


@pytest.mark.parametrize(
    "asked, options",
    [
        ({"num_training": 12}, {}),
        ({"num_training": 12, "mode": "linear", "max_lr": 0.3}, {}),
        ({"num_training": 30, "min_lr": 1e-3, "max_lr": 100.0}, {}),  # the loss runs away
        ({"num_training": 9, "min_lr": 1e-3, "early_stop_threshold": None, "max_lr": 5.0}, {}),
        ({"num_training": 7}, {"accumulate_grad_batches": 2}),
    ],
    ids=str,
)
def test_rates_and_losses_are_lightnings(asked, options, tmp_path):
    expected, found = (find(side, tmp_path, options, **asked)[0].results for side in sides)
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(found["lr"], expected["lr"], rtol=1e-12)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-4)


@pytest.mark.parametrize("skips", [(), (0, 1), (3, 5), (18, 1), (19, 1)], ids=str)
def test_the_suggestion_is_lightnings(skips):
    rng = np.random.default_rng(1)
    rates = np.logspace(-4, 0, 20).tolist()
    losses = (3 - 2 / (1 + np.exp(-4 * (np.arange(20) - 11.0))) + 0.05 * rng.random(20)).tolist()
    losses[6] = math.nan
    losses[15] = math.inf
    finders = [_LRFinder("exponential", 1e-4, 1, 20), LRFinder("exponential", 1e-4, 1, 20)]
    for one in finders:
        one.results = {"lr": rates, "loss": losses}
    expected, found = (one.suggestion(*skips) for one in finders)
    assert found == expected
    assert found is None or found in rates


def test_the_suggestion_becomes_the_models(tmp_path):
    finder, model, _ = find(ours, tmp_path, num_training=30, min_lr=1e-4)
    assert model.hparams.lr == finder.suggestion()
    assert model.configure_optimizers().param_groups[0]["lr"] == finder.suggestion()
    finder, model, _ = find(ours, tmp_path, num_training=12, update_attr=False)
    assert model.hparams.lr == 0.1


def test_it_finds_a_rate_that_learns(tmp_path):
    finder, model, _ = find(ours, tmp_path, num_training=40, min_lr=1e-3, mode="linear")
    assert 0.01 < finder.suggestion() < 1.0
    trainer = ours.trainer(tmp_path, max_epochs=30)
    before = model.loss((rl.tensor(DATA),)).item()
    trainer.fit(model)
    assert model.loss((rl.tensor(DATA),)).item() < 0.1 * before


class WithState(ours.Line):
    """With all that a search could change: buffers, dropout, momentum, a loader of its own."""

    def __init__(self):
        super().__init__()
        self.norm = ours.nn.BatchNorm1d(4)
        self.norm.register_buffer("hidden", rl.zeros(1), persistent=False)
        self.generator = rl.Generator().manual_seed(5)

    def forward(self, x):
        self.norm.hidden.add_(1)
        return self.layer(ours.nn.functional.dropout(self.norm(x), 0.1))

    def configure_optimizers(self):
        optimizer = rl.optim.Adam(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [rl.optim.lr_scheduler.StepLR(optimizer, 2)]

    def train_dataloader(self):
        data = rl.utils.data.TensorDataset(rl.tensor(DATA))
        return rl.utils.data.DataLoader(data, batch_size=4, shuffle=True, generator=self.generator)


def all_of(model):
    values = [*model.parameters(), *model.buffers()]
    return [value.detach().numpy().copy() for value in values]


def test_model_and_random_states_are_left_alone(tmp_path):
    model = WithState().eval()
    before, generator = all_of(model), model.generator.get_state()
    draws = rl.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    trainer = ours.trainer(tmp_path, max_epochs=2)
    finder = Tuner(trainer).lr_find(model, num_training=7, update_attr=False)
    assert len(finder.results["loss"]) == 7
    for value, expected in zip(all_of(model), before, strict=True):
        np.testing.assert_array_equal(value, expected)
    assert all(one.grad is None for one in model.parameters())
    assert not model.training and not model.norm.training
    assert rl.equal(model.generator.get_state(), generator)
    assert rl.equal(rl.get_rng_state(), draws[0])
    assert random.getstate() == draws[1]
    np.testing.assert_array_equal(np.random.get_state()[1], draws[2])
    assert not any(isinstance(one, LearningRateFinder) for one in trainer.callbacks)
    assert trainer.global_step == 0 and trainer.max_epochs == 2 and not trainer.should_stop


@pytest.mark.parametrize(
    "callback", [None, LearningRateFinder(num_training_steps=5)], ids=["without", "with"]
)
def test_a_fit_with_a_search_is_a_fit_without(callback, tmp_path):
    """Also the optimizer's state and the order of the data, when the search is part of the fit."""

    def fitted(*callbacks):
        rl.manual_seed(3)
        model = WithState()
        seen = []

        class Watching(Callback):
            def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
                seen.append((batch[0].numpy().copy(), outputs["loss"].item()))

        trainer = ours.trainer(tmp_path, max_epochs=2, callbacks=[*callbacks, Watching()])
        if callback is None and callbacks == ():
            Tuner(trainer).lr_find(model, num_training=5, update_attr=False)
        trainer.fit(model)
        return seen, trainer.optimizers[0].param_groups[0]["lr"]

    if callback is not None:
        callback._update_attr = False
    plain, rate = fitted(Callback())
    found, found_rate = fitted(*([callback] if callback else []))
    assert len(found) == len(plain) == 6 and rate == found_rate
    for (batch, loss), (expected_batch, expected) in zip(found, plain, strict=True):
        np.testing.assert_array_equal(batch, expected_batch)
        assert loss == expected


def test_as_a_callback_it_sets_rate_and_schedule(tmp_path):
    finder = LearningRateFinder(num_training_steps=30, min_lr=1e-4)
    model = WithState()
    trainer = ours.trainer(tmp_path, max_epochs=1, callbacks=[finder])
    trainer.fit(model)
    rate = finder.optimal_lr.suggestion()
    assert model.hparams.lr == rate
    assert trainer.lr_scheduler_configs[0].scheduler.base_lrs == [rate]
    assert trainer.optimizers[0].param_groups[0]["lr"] == rate
    assert trainer.global_step == 3


def test_a_search_in_the_midst_of_a_fit(tmp_path):
    class Later(LearningRateFinder):
        def on_fit_start(self, *args):
            return

        def on_train_epoch_start(self, trainer, pl_module):
            if trainer.current_epoch == 1:
                self.lr_find(trainer, pl_module)

    def fitted(*callbacks):
        rl.manual_seed(3)
        trainer = ours.trainer(tmp_path, max_epochs=3, callbacks=list(callbacks))
        model = WithState()
        trainer.fit(model)
        return trainer.global_step, all_of(model)

    later = Later(num_training_steps=4, update_attr=False)
    plain, found = fitted(), fitted(later)
    assert len(later.optimal_lr.results["lr"]) == 4
    assert plain[0] == found[0] == 9
    for value, expected in zip(found[1], plain[1], strict=True):
        np.testing.assert_array_equal(value, expected)


def test_what_cannot_be_searched_is_refused(tmp_path):
    class NoField(ours.Line):
        def __init__(self):
            super().__init__()
            del self.hparams["lr"]

        def configure_optimizers(self):
            return rl.optim.SGD(self.parameters(), lr=0.1)

    class Two(ours.Line):
        automatic_optimization = False

        def configure_optimizers(self):
            return [rl.optim.SGD(self.parameters(), lr=0.1) for _ in range(2)]

    trainer = ours.trainer(tmp_path, max_epochs=1)
    refused = ours.pl.MisconfigurationException
    with pytest.raises(AttributeError, match="no field lr or learning_rate"):
        Tuner(trainer).lr_find(NoField())
    with pytest.raises(AttributeError, match="no field speed"):
        Tuner(trainer).lr_find(ours.Line(), attr_name="speed")
    with pytest.raises(refused, match="single optimizer"):
        Tuner(trainer).lr_find(Two())
    with pytest.raises(refused, match="method='fit'"):
        Tuner(trainer).lr_find(ours.Line(), method="validate")
    with pytest.raises(ValueError, match="mode"):
        Tuner(trainer).lr_find(ours.Line(), mode="cubic")
    assert len(trainer.callbacks) == 1  # its own ModelCheckpoint
    with pytest.raises(refused, match="already"):
        Tuner(ours.trainer(tmp_path, callbacks=[LearningRateFinder()])).lr_find(ours.Line())
    quick = ours.trainer(tmp_path, fast_dev_run=True)
    assert Tuner(quick).lr_find(ours.Line()) is None


def test_a_fault_in_the_search_leaves_the_trainer_alone(tmp_path):
    class Broken(ours.Line):
        def training_step(self, batch, batch_idx):
            raise ZeroDivisionError

    trainer = ours.trainer(tmp_path, max_epochs=4)
    with pytest.raises(ZeroDivisionError):
        Tuner(trainer).lr_find(Broken())
    assert len(trainer.callbacks) == 1 and trainer.max_epochs == 4 and trainer.global_step == 0


def test_the_figure(tmp_path):
    from matplotlib.figure import Figure

    finder, _, _ = find(ours, tmp_path, num_training=30, min_lr=1e-4)
    figure = finder.plot(suggest=True)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log" and len(axes.lines) == 2
    assert axes.lines[1].get_xdata()[0] == finder.suggestion()
    own = Figure().subplots()
    assert finder.plot(ax=own) is own.figure and len(own.lines) == 1
