"""``self.log``: names, reductions and where values go, as in Lightning."""

import csv
import warnings

import pytest
from twins import floats, ours, sides, theirs


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def close(found, expected):
    # The losses are small differences of larger numbers.
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-5, nan_ok=True), name


class Steps:
    """Training and validation steps that log in one way, for either side."""

    def __init__(self, **how):
        self.how = how

    def model(self, side):
        how, torch = self.how, side.torch

        class Model(side.Line):
            def training_step(self, batch, batch_idx):
                loss = self.loss(batch)
                self.log("train", loss, **how)
                self.log_dict({"one": loss * 2, "two": batch_idx + 1.0}, **how)
                return loss

            def validation_step(self, batch, batch_idx):
                self.log("val", self.loss(batch), **how)
                self.log("count", torch.tensor(float(batch_idx)), **how)

            def on_train_epoch_end(self):
                self.log("epoch_end", float(self.current_epoch))

            def on_validation_epoch_end(self):
                self.log("val_end", 3)

        return Model(batch_size=5)  # 5, 5 and 2 samples


HOWS = [
    {},
    {"on_step": True, "on_epoch": True},
    {"on_step": True, "on_epoch": False},
    {"on_step": False, "on_epoch": True},
    {"on_epoch": True, "reduce_fx": "sum"},
    {"on_epoch": True, "reduce_fx": "min"},
    {"on_epoch": True, "reduce_fx": "max"},
    {"on_epoch": True, "batch_size": 3},
    {"prog_bar": True},
    {"prog_bar": True, "on_step": True, "on_epoch": True, "logger": False},
    {"logger": False},
]


@pytest.mark.parametrize(
    "how, options",
    [
        *((how, {}) for how in HOWS),
        (HOWS[1], {"val_check_interval": 1}),
        (HOWS[1], {"accumulate_grad_batches": 2}),
        (HOWS[4], {"val_check_interval": 1}),
    ],
    ids=str,
)
def test_metrics_are_lightnings(how, options, tmp_path):
    def fit(side):
        trainer = side.trainer(
            tmp_path / side.name,
            max_epochs=2,
            log_every_n_steps=1,
            enable_checkpointing=False,
            logger=side.pl.loggers.CSVLogger(tmp_path / side.name),
            **options,
        )
        model = Steps(**how).model(side)
        trainer.fit(model)
        results = trainer.validate(model, verbose=False)
        folder = tmp_path / side.name / "lightning_logs" / "version_0"
        with open(folder / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        return (
            floats(trainer.callback_metrics),
            floats(trainer.logged_metrics),
            floats(trainer.progress_bar_metrics),
            [floats(one) for one in results],
            [{k: float(v) for k, v in row.items() if v != ""} for row in rows],
        )

    expected, found = map(fit, sides)
    for theirs_part, our_part in zip(expected[:3], found[:3]):
        close(our_part, theirs_part)
    close(found[3][0], expected[3][0])
    assert len(found[4]) == len(expected[4])
    for theirs_row, our_row in zip(expected[4], found[4]):
        close(our_row, theirs_row)


def test_metrics_of_several_loaders(tmp_path):
    def fit(side):
        class Model(side.Line):
            def val_dataloader(self):
                return [self.loader(), self.loader()]

            def validation_step(self, batch, batch_idx, dataloader_idx):
                self.log("val", self.loss(batch) + dataloader_idx, prog_bar=True)
                self.log(f"own{dataloader_idx}", self.loss(batch), add_dataloader_idx=False)

            def on_validation_epoch_end(self):
                self.log("end", 1.5)

        trainer = side.trainer(tmp_path / side.name, max_epochs=1, enable_checkpointing=False)
        model = Model()
        trainer.fit(model)
        results = trainer.validate(model, verbose=False)
        return floats(trainer.callback_metrics), [floats(one) for one in results]

    expected, found = map(fit, sides)
    close(found[0], expected[0])
    assert len(found[1]) == 2
    for theirs_one, our_one in zip(expected[1], found[1]):
        close(our_one, theirs_one)


def test_values_seen_at_each_moment(tmp_path):
    """What callbacks read in the middle of things."""

    def fit(side):
        seen = []

        class Look(side.pl.Callback):
            def look(self, trainer, name):
                seen.append((name, floats(trainer.callback_metrics)))

            def on_train_batch_end(self, trainer, model, outputs, batch, batch_idx):
                self.look(trainer, "batch")

            def on_validation_end(self, trainer, model):
                self.look(trainer, "validation")

            def on_train_epoch_end(self, trainer, model):
                self.look(trainer, "epoch")

        trainer = side.trainer(
            tmp_path / side.name, max_epochs=2, callbacks=[Look()], enable_checkpointing=False
        )
        trainer.fit(Steps(on_step=True, on_epoch=True).model(side))
        return seen

    expected, found = map(fit, sides)
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (_, theirs_one), (_, our_one) in zip(expected, found):
        close(our_one, theirs_one)


@pytest.mark.parametrize(
    "hook, options",
    [
        ("on_fit_start", {}),
        ("on_train_end", {}),
        ("on_validation_end", {}),
        ("configure_optimizers", {}),
        ("on_train_start", {"on_step": True}),
        ("training_step", {"on_step": False, "on_epoch": False}),
        ("training_step", {"reduce_fx": "median"}),
        ("predict_step", {}),
    ],
)
def test_where_and_how_one_cannot_log(hook, options, tmp_path):
    def fit(side):
        class Model(side.Line):
            pass

        def logs(self, *args, **kwargs):
            self.log("x", 1.0, **options)
            return getattr(side.Line, hook)(self, *args, **kwargs)

        setattr(Model, hook, logs)
        trainer = side.trainer(tmp_path / side.name, max_epochs=1, enable_checkpointing=False)
        error = side.pl.utilities.exceptions.MisconfigurationException
        with pytest.raises(error):
            (trainer.predict if hook == "predict_step" else trainer.fit)(Model())

    for side in sides:
        fit(side)


def test_logging_one_name_in_two_ways_is_refused(tmp_path):
    class Model(ours.Line):
        def training_step(self, batch, batch_idx):
            self.log("x", 1.0)
            self.log("x", 1.0, prog_bar=True)
            return self.loss(batch)

    trainer = ours.trainer(tmp_path, max_epochs=1, enable_checkpointing=False)
    with pytest.raises(ours.pl.MisconfigurationException, match="twice"):
        trainer.fit(Model())


@pytest.mark.parametrize("value", [[1.0], "text", None], ids=str)
def test_values_that_cannot_be_logged(value, tmp_path):
    class Model(ours.Line):
        def training_step(self, batch, batch_idx):
            self.log("x", value)

    trainer = ours.trainer(tmp_path, max_epochs=1, enable_checkpointing=False)
    with pytest.raises(ValueError, match="cannot be logged"):
        trainer.fit(Model())


def test_a_tensor_with_several_elements_is_refused(tmp_path):
    class Model(ours.Line):
        def training_step(self, batch, batch_idx):
            self.log("x", batch[0])

    trainer = ours.trainer(tmp_path, max_epochs=1, enable_checkpointing=False)
    with pytest.raises(ValueError, match="single"):
        trainer.fit(Model())


def test_a_value_changed_in_place_afterwards_was_logged_as_it_was(tmp_path):
    def fit(side):
        class Model(side.Line):
            def training_step(self, batch, batch_idx):
                extra = side.torch.tensor(2.0)
                self.log("extra", extra, on_step=True, on_epoch=True)
                extra += 5
                return self.loss(batch) + extra

        trainer = side.trainer(tmp_path / side.name, max_epochs=1, enable_checkpointing=False)
        trainer.fit(Model())
        return floats(trainer.callback_metrics)

    assert fit(ours)["extra_epoch"] == fit(theirs)["extra_epoch"] == 2


def test_without_a_trainer_logging_only_warns():
    with pytest.warns(UserWarning, match="not registered"):
        ours.Line().log("x", 1.0)


def test_a_metric_object_is_reset_between_epochs(tmp_path):
    class Count:
        def __init__(self):
            self.total, self.resets, self._forward_cache = 0.0, 0, None

        def update(self, n):
            self.total += n
            self._forward_cache = ours.torch.tensor(float(n))

        def compute(self):
            return ours.torch.tensor(self.total)

        def reset(self):
            self.total, self.resets = 0.0, self.resets + 1

    class Model(ours.Line):
        def training_step(self, batch, batch_idx):
            self.count.update(len(batch[0]))
            self.log("seen", self.count, on_step=True, on_epoch=True)
            return self.loss(batch)

    model = Model(batch_size=5)
    model.count = Count()
    trainer = ours.trainer(tmp_path, max_epochs=2, enable_checkpointing=False)
    trainer.fit(model)
    assert float(trainer.callback_metrics["seen_epoch"]) == 12
    assert float(trainer.callback_metrics["seen_step"]) == 2
    assert model.count.resets == 2
