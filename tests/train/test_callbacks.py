"""Callbacks do what Lightning's do."""

import csv
import math
import os
import warnings
from datetime import timedelta

import numpy as np
import pytest
from twins import floats, ours, sides


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def weights(model):
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=2e-5, atol=1e-6, err_msg=name)


def both(run):
    expected, found = map(run, sides)
    return found, expected


# Stopping.


def losses(side, values, **how):
    """A model whose validation loss goes through ``values``."""

    class Model(side.Line):
        def validation_step(self, batch, batch_idx):
            self.log("val_loss", values[min(self.current_epoch, len(values) - 1)])

    return Model()


@pytest.mark.parametrize(
    "values, how",
    [
        ([5.0, 4, 3, 3, 3, 3, 3], {"patience": 2}),
        ([5.0, 4, 3, 3.1, 3.2, 2.9, 2.8], {"patience": 2}),
        ([5.0, 4.9, 4.8, 4.7], {"patience": 1, "min_delta": 0.5}),
        ([1.0, 2, 3, 3, 3], {"mode": "max", "patience": 1}),
        ([5.0, 4, math.nan, 3], {}),
        ([5.0, 4, math.inf, 3], {"check_finite": False, "patience": 1}),
        ([5.0, 4, 1, 0.5], {"stopping_threshold": 2.0}),
        ([5.0, 6, 100, 0.5], {"divergence_threshold": 50.0}),
        ([5.0, 6, 7], {"patience": 1, "check_on_train_epoch_end": False}),
    ],
)
def test_early_stopping(values, how, tmp_path):
    def fit(side):
        stopping = side.pl.callbacks.EarlyStopping("val_loss", **how)
        trainer = side.trainer(
            tmp_path / side.name, max_epochs=8, callbacks=[stopping], enable_checkpointing=False
        )
        trainer.fit(losses(side, values))
        state = stopping.state_dict()
        return (
            trainer.current_epoch,
            stopping.stopped_epoch,
            state["wait_count"],
            float(state["best_score"]),
            stopping.stopping_reason.value,
        )

    found, expected = both(fit)
    assert found == expected


def test_early_stopping_wants_its_metric(tmp_path):
    stopping = ours.pl.callbacks.EarlyStopping("nowhere")
    trainer = ours.trainer(tmp_path, max_epochs=1, callbacks=[stopping], enable_checkpointing=False)
    with pytest.raises(RuntimeError, match="nowhere"):
        trainer.fit(ours.Line())
    with pytest.raises(ours.pl.MisconfigurationException, match="mode"):
        ours.pl.callbacks.EarlyStopping("x", mode="middle")


def test_timer_stops_a_fit(tmp_path):
    timer = ours.pl.callbacks.Timer(timedelta(seconds=0))
    trainer = ours.trainer(tmp_path, callbacks=[timer], enable_checkpointing=False, max_epochs=5)
    trainer.fit(ours.Line())
    assert trainer.global_step <= 1
    assert timer.time_remaining() <= 0
    state = timer.state_dict()
    other = ours.pl.callbacks.Timer("00:00:01:00")
    other.load_state_dict(state)
    assert other.time_elapsed() == state["time_elapsed"]["train"]


@pytest.mark.parametrize("text", ["1", "00:00:00", "a:b:c:d", "-1:0:0:0"])
def test_a_time_has_four_parts(text):
    with pytest.raises(ours.pl.MisconfigurationException, match="DD:HH:MM:SS"):
        ours.pl.Trainer(max_time=text, logger=False)


# Checkpoints.

CHECKPOINTS = [
    {},
    {"monitor": "val_loss", "save_top_k": 2, "save_last": True},
    {"monitor": "val_loss", "save_top_k": -1, "mode": "max"},
    {"save_top_k": -1, "every_n_train_steps": 2, "filename": "{step:03d}-{train_loss:.2f}"},
    {"every_n_epochs": 2, "save_top_k": -1},
    {"monitor": "val_loss", "filename": "best", "save_top_k": 3},
    {"save_last": "link"},
    {"monitor": "val_loss", "save_on_train_epoch_end": False, "save_last": True},
    {"filename": "e{epoch}-v{val_loss:.1f}", "auto_insert_metric_name": False, "save_top_k": -1},
    {"save_top_k": 0, "save_last": True},
    {"monitor": "val_loss", "every_n_train_steps": 3, "save_top_k": 2},
    {"save_weights_only": True},
]


@pytest.mark.parametrize("how", CHECKPOINTS, ids=str)
def test_checkpoints_are_the_same_files(how, tmp_path):
    values = [3.0, 2.0, 4.0, 1.0]

    def fit(side):
        folder = tmp_path / side.name
        checkpoint = side.pl.callbacks.ModelCheckpoint(folder / "ck", **how)
        trainer = side.trainer(folder, max_epochs=4, callbacks=[checkpoint])
        trainer.fit(losses(side, values))
        score = checkpoint.best_model_score
        return (
            sorted(os.listdir(folder / "ck")),
            os.path.basename(checkpoint.best_model_path),
            os.path.basename(checkpoint.last_model_path),
            None if score is None else float(score),
            sorted(os.path.basename(path) for path in checkpoint.best_k_models),
        )

    found, expected = both(fit)
    assert found == expected


def test_where_checkpoints_go_without_a_folder(tmp_path):
    def fit(side):
        folder = tmp_path / side.name
        trainer = side.trainer(folder, max_epochs=1, logger=side.pl.loggers.CSVLogger(folder))
        trainer.fit(side.Line())
        found = sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
        return found, floats(trainer.callback_metrics).keys()

    found, expected = both(fit)
    assert found == expected


@pytest.mark.parametrize(
    "how",
    [
        {"save_top_k": -2},
        {"save_top_k": 3},
        {"every_n_epochs": -1},
        {"every_n_epochs": 1, "every_n_train_steps": 1},
        {"mode": "middle"},
    ],
)
def test_checkpoint_arguments_that_are_none(how):
    with pytest.raises(ours.pl.MisconfigurationException):
        ours.pl.callbacks.ModelCheckpoint(**how)


def test_a_checkpoint_when_a_run_breaks_off(tmp_path):
    class Model(ours.Line):
        def training_step(self, batch, batch_idx):
            if self.global_step == 2:
                raise ZeroDivisionError
            return super().training_step(batch, batch_idx)

    saved = ours.pl.callbacks.OnExceptionCheckpoint(tmp_path)
    trainer = ours.trainer(tmp_path, max_epochs=2, callbacks=[saved])
    with pytest.raises(ZeroDivisionError):
        trainer.fit(Model())
    assert os.path.exists(saved.ckpt_path)
    again = ours.trainer(tmp_path, max_epochs=2, enable_checkpointing=False)
    again.fit(ours.Line(), ckpt_path=saved.ckpt_path)
    straight = ours.trainer(tmp_path, max_epochs=2, enable_checkpointing=False)
    straight.fit(ours.Line())
    for name, value in weights(straight.model).items():
        assert (weights(again.model)[name] == value).all()


# Rates.


@pytest.mark.parametrize(
    "interval, kind",
    [
        (None, "none"),
        (None, "epoch"),
        (None, "step"),
        ("step", "groups"),
        ("epoch", "step"),
        ("epoch", "named"),
    ],
)
def test_learning_rates_are_logged(interval, kind, tmp_path):
    def fit(side):
        class Model(side.Line):
            def configure_optimizers(self):
                torch = side.torch
                extra = torch.nn.Parameter(torch.zeros(1))
                groups = [{"params": [self.layer.weight]}, {"params": [extra], "lr": 0.3}]
                params = groups if kind in ("groups", "named") else self.parameters()
                optimizer = torch.optim.Adam(params, lr=0.1)
                if kind == "none":
                    return optimizer
                schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
                config = {"scheduler": schedule, "interval": "step" if kind == "step" else "epoch"}
                if kind == "named":
                    config["name"] = "mine"
                return [optimizer], [config]

        folder = tmp_path / side.name
        monitor = side.pl.callbacks.LearningRateMonitor(interval, log_momentum=True)
        trainer = side.trainer(
            folder,
            max_epochs=3,
            log_every_n_steps=1,
            callbacks=[monitor],
            enable_checkpointing=False,
            logger=side.pl.loggers.CSVLogger(folder),
        )
        trainer.fit(Model())
        with open(folder / "lightning_logs" / "version_0" / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        keep = [
            {k: round(float(v), 6) for k, v in row.items() if v and k.split("-")[0] != "train_loss"}
            for row in rows
        ]
        seen = {
            name: value for name, value in floats(trainer.callback_metrics).items() if "l" in name
        }
        return (
            [{k: v for k, v in row.items() if "loss" not in k} for row in keep],
            monitor.lrs,
            seen,
        )

    found, expected = both(fit)
    assert found[0] == expected[0]
    assert found[1] == expected[1]
    assert found[2].keys() == expected[2].keys()


def test_accumulation_changes_between_epochs(tmp_path):
    def fit(side):
        steps = []

        class Look(side.pl.Callback):
            def on_train_epoch_end(self, trainer, model):
                steps.append((trainer.accumulate_grad_batches, trainer.global_step))

        schedule = side.pl.callbacks.GradientAccumulationScheduler({1: 2, 3: 3})
        trainer = side.trainer(
            tmp_path / side.name,
            max_epochs=4,
            callbacks=[schedule, Look()],
            enable_checkpointing=False,
        )
        model = side.Line()
        trainer.fit(model)
        return steps, weights(model)

    found, expected = both(fit)
    assert found[0] == expected[0]
    same(found[1], expected[1])


@pytest.mark.parametrize(
    "scheduling, error", [({}, TypeError), ({-1: 2}, Exception), ({1: 0}, Exception)]
)
def test_accumulation_arguments_that_are_none(scheduling, error):
    with pytest.raises(error):
        ours.pl.callbacks.GradientAccumulationScheduler(scheduling)


# Averages.


def deep(side, norm):
    torch = side.torch

    class Deep(side.Line):
        def __init__(self):
            super().__init__()
            parts = [self.layer]
            if norm:
                parts.append(torch.nn.BatchNorm1d(1))
            self.both = torch.nn.Sequential(*parts)

        def forward(self, x):
            return self.both(x)

    return Deep()


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_stochastic_weight_averaging(norm, strategy, tmp_path):
    def fit(side):
        swa = side.pl.callbacks.StochasticWeightAveraging(
            0.05, swa_epoch_start=2, annealing_epochs=2, annealing_strategy=strategy
        )
        trainer = side.trainer(
            tmp_path / side.name, max_epochs=4, callbacks=[swa], enable_checkpointing=False
        )
        model = deep(side, norm)
        trainer.fit(model)
        return weights(model), trainer.current_epoch, trainer.optimizers[0].param_groups[0]["lr"]

    found, expected = both(fit)
    same(found[0], expected[0])
    assert found[1] == expected[1]
    assert found[2] == pytest.approx(expected[2])


@pytest.mark.parametrize(
    "how", [{"swa_epoch_start": 0}, {"swa_epoch_start": 1.5}, {"swa_lrs": -1.0}]
)
def test_averaging_arguments_that_are_none(how):
    with pytest.raises(ours.pl.MisconfigurationException):
        ours.pl.callbacks.StochasticWeightAveraging(**{"swa_lrs": 0.1, **how})


def test_exponential_averaging(tmp_path):
    def fit(side):
        average = side.pl.callbacks.EMAWeightAveraging(decay=0.8, update_every_n_steps=2)
        checkpoint = side.pl.callbacks.ModelCheckpoint(tmp_path / side.name / "ck")
        trainer = side.trainer(tmp_path / side.name, max_epochs=3, callbacks=[average, checkpoint])
        model = deep(side, True)
        trainer.fit(model)
        return weights(model), floats(trainer.callback_metrics)

    found, expected = both(fit)
    same(found[0], expected[0])
    same(found[1], expected[1])


# Fine-tuning.


def test_backbone_is_unfrozen_later(tmp_path):
    def fit(side):
        class Model(side.Line):
            def __init__(self):
                super().__init__()
                torch = side.torch
                self.backbone = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
                with torch.no_grad():
                    self.backbone[0].weight.copy_(torch.eye(4))
                    self.backbone[0].bias.zero_()

            def forward(self, x):
                return self.layer(self.backbone(x))

            def configure_optimizers(self):
                return side.torch.optim.SGD(
                    filter(lambda p: p.requires_grad, self.parameters()), lr=0.01
                )

        tuning = side.pl.callbacks.BackboneFinetuning(
            2, backbone_initial_ratio_lr=0.1, train_bn=True
        )
        trainer = side.trainer(
            tmp_path / side.name, max_epochs=5, callbacks=[tuning], enable_checkpointing=False
        )
        model = Model()
        trainer.fit(model)
        return weights(model), [g["lr"] for g in trainer.optimizers[0].param_groups]

    found, expected = both(fit)
    same(found[0], expected[0])
    assert found[1] == pytest.approx(expected[1])


# Others.


def test_lambda_callback(tmp_path):
    said = []
    callback = ours.pl.callbacks.LambdaCallback(on_train_start=lambda t, m: said.append("begins"))
    trainer = ours.trainer(tmp_path, max_epochs=1, callbacks=[callback], enable_checkpointing=False)
    trainer.fit(ours.Line())
    assert said == ["begins"]
    with pytest.raises(TypeError, match="on_nothing"):
        ours.pl.callbacks.LambdaCallback(on_nothing=print)


def test_device_stats(tmp_path):
    folder = tmp_path / "logs"
    trainer = ours.trainer(
        tmp_path,
        max_epochs=1,
        log_every_n_steps=1,
        callbacks=[ours.pl.callbacks.DeviceStatsMonitor()],
        logger=ours.pl.loggers.CSVLogger(folder),
        enable_checkpointing=False,
    )
    trainer.fit(ours.Line())
    text = (folder / "lightning_logs" / "version_0" / "metrics.csv").read_text()
    assert "DeviceStatsMonitor.on_train_batch_start/cpu_percent" in text
    with pytest.raises(ours.pl.MisconfigurationException, match="logger=False"):
        ours.trainer(tmp_path, callbacks=[ours.pl.callbacks.DeviceStatsMonitor()]).fit(ours.Line())


def test_predictions_are_written(tmp_path):
    written = []

    class Writer(ours.pl.callbacks.BasePredictionWriter):
        def write_on_batch_end(self, trainer, model, prediction, indices, batch, batch_idx, loader):
            written.append((batch_idx, prediction.shape))

        def write_on_epoch_end(self, trainer, model, predictions, indices):
            written.append(len(predictions))

    trainer = ours.trainer(tmp_path, callbacks=[Writer("batch_and_epoch")])
    assert trainer.predict(ours.Line(), return_predictions=False) is None
    assert written == [(0, (4, 1)), (1, (4, 1)), (2, (4, 1)), 3]


def test_a_bar_without_a_terminal_says_a_line_each_epoch(tmp_path, capsys):
    trainer = ours.trainer(
        tmp_path, max_epochs=2, enable_progress_bar=True, enable_checkpointing=False
    )

    class Model(ours.Line):
        def validation_step(self, batch, batch_idx):
            self.log("val_loss", self.loss(batch), prog_bar=True)

    trainer.fit(Model())
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Epoch")]
    assert [line.split("  ")[0] for line in lines] == ["Epoch 0/1", "Epoch 1/1"]
    assert "val_loss: " in lines[0]


def test_a_bar_on_a_terminal_is_drawn(tmp_path, capsys):
    from rushlight.train.callbacks import RichProgressBar

    bar = RichProgressBar(console_kwargs={"force_terminal": True, "width": 100})
    trainer = ours.trainer(
        tmp_path,
        max_epochs=2,
        callbacks=[bar],
        enable_checkpointing=False,
        enable_progress_bar=True,
    )
    model = ours.Line()
    trainer.fit(model)
    trainer.test(model, verbose=False)
    shown = capsys.readouterr().out
    assert "Epoch 1/1" in shown and "Testing" in shown
