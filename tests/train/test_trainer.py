"""The Trainer and its models: what they compute, return and refuse."""

import os
import signal
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from twins import DATA, floats, ours, sides, theirs

import rushlight as rl


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def weights(model):
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def same(found, expected, rtol=2e-5):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=rtol, atol=1e-6, err_msg=name)


def both(run):
    expected, found = map(run, sides)
    return found, expected


# Optimisation.


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"accumulate_grad_batches": 2},
        {"gradient_clip_val": 0.1},
        {"gradient_clip_val": 0.05, "gradient_clip_algorithm": "value"},
        {"limit_train_batches": 0.5},
        {"overfit_batches": 1},
        {"max_steps": 4},
        {"precision": "64-true"},
    ],
    ids=str,
)
def test_weights_are_lightnings(options, tmp_path):
    def fit(side):
        trainer = side.trainer(
            tmp_path / side.name, **{"max_epochs": 3, "enable_checkpointing": False, **options}
        )
        model = side.Line()
        trainer.fit(model)
        return (
            weights(model),
            trainer.global_step,
            trainer.current_epoch,
            str(model.layer.weight.dtype),
        )

    found, expected = both(fit)
    same(found[0], expected[0])
    assert found[1:] == expected[1:]


def test_lbfgs_gets_a_closure(tmp_path):
    def fit(side):
        class Model(side.Line):
            def configure_optimizers(self):
                return side.torch.optim.LBFGS(self.parameters(), lr=0.5, max_iter=3)

        trainer = side.trainer(tmp_path / side.name, max_epochs=1, enable_checkpointing=False)
        model = Model()
        trainer.fit(model)
        return weights(model)

    found, expected = both(fit)
    same(found, expected, rtol=1e-3)


@pytest.mark.parametrize(
    "override", ["optimizer_step", "backward", "optimizer_zero_grad", "configure_gradient_clipping"]
)
def test_ways_of_its_own(override, tmp_path):
    """A model that takes a part of the step into its hands."""

    def fit(side):
        class Model(side.Line):
            pass

        def optimizer_step(self, epoch, batch_idx, optimizer, closure):
            if batch_idx != 1:
                optimizer.step(closure=closure)
            else:
                closure()

        def backward(self, loss):
            (2 * loss).backward()

        def optimizer_zero_grad(self, epoch, batch_idx, optimizer):
            if batch_idx != 1:
                optimizer.zero_grad()

        def configure_gradient_clipping(
            self, optimizer, gradient_clip_val, gradient_clip_algorithm
        ):
            self.clip_gradients(optimizer, 0.02, "value")

        setattr(Model, override, locals()[override])
        trainer = side.trainer(tmp_path / side.name, max_epochs=2, enable_checkpointing=False)
        model = Model()
        trainer.fit(model)
        return weights(model)

    found, expected = both(fit)
    same(found, expected)


@pytest.mark.parametrize(
    "form", ["single", "list", "lists", "dict", "dict of dict", "plateau", "none"]
)
def test_forms_of_configure_optimizers(form, tmp_path):
    def fit(side):
        class Model(side.Line):
            def configure_optimizers(self):
                schedulers = side.torch.optim.lr_scheduler
                optimizer = side.torch.optim.SGD(self.parameters(), lr=0.1)
                step = lambda: schedulers.StepLR(optimizer, 1, 0.5)
                return {
                    "single": lambda: optimizer,
                    "list": lambda: [optimizer],
                    "lists": lambda: ([optimizer], [step()]),
                    "dict": lambda: {"optimizer": optimizer, "lr_scheduler": step()},
                    "dict of dict": lambda: {
                        "optimizer": optimizer,
                        "lr_scheduler": {"scheduler": step(), "interval": "step", "frequency": 2},
                    },
                    "plateau": lambda: {
                        "optimizer": optimizer,
                        "lr_scheduler": schedulers.ReduceLROnPlateau(optimizer, patience=0),
                        "monitor": "train_loss",
                    },
                    "none": lambda: None,
                }[form]()

        trainer = side.trainer(tmp_path / side.name, max_epochs=4, enable_checkpointing=False)
        model = Model()
        trainer.fit(model)
        rates = [g["lr"] for o in trainer.optimizers for g in o.param_groups if "lr" in g]
        return weights(model), rates

    found, expected = both(fit)
    same(found[0], expected[0])
    assert found[1] == pytest.approx(expected[1])


def test_two_optimizers_by_hand(tmp_path):
    def fit(side):
        class Model(side.Line):
            def __init__(self):
                super().__init__()
                self.automatic_optimization = False
                self.scale = side.torch.nn.Parameter(side.torch.ones(1))

            def training_step(self, batch, batch_idx):
                first, second = self.optimizers()
                self.toggle_optimizer(first)
                first.zero_grad()
                self.manual_backward(self.loss(batch))
                assert batch_idx or self.current_epoch or self.scale.grad is None
                self.clip_gradients(first, 0.5, "norm")
                first.step()
                self.untoggle_optimizer(first)
                with second.toggle_model():
                    second.zero_grad()
                    self.manual_backward((self.scale * 3 - 1).pow(2).sum() + self.loss(batch))
                    second.step()
                self.lr_schedulers().step()

            def configure_optimizers(self):
                first = side.torch.optim.SGD(self.layer.parameters(), lr=0.1)
                second = side.torch.optim.Adam([self.scale], lr=0.1)
                schedule = side.torch.optim.lr_scheduler.StepLR(first, 2, 0.5)
                return [first, second], [schedule]

        trainer = side.trainer(tmp_path / side.name, max_epochs=2, enable_checkpointing=False)
        model = Model()
        trainer.fit(model)
        return weights(model), trainer.global_step, trainer.optimizers[0].param_groups[0]["lr"]

    found, expected = both(fit)
    same(found[0], expected[0])
    assert found[1:] == pytest.approx(expected[1:])


def test_bf16_mixed_computes_in_bfloat16(tmp_path):
    seen = []

    class Model(ours.Line):
        def training_step(self, batch, batch_idx):
            seen.append((self(batch[0]).dtype, batch[0].dtype))
            return super().training_step(batch, batch_idx)

    model = Model()
    trainer = ours.trainer(
        tmp_path, max_epochs=1, precision="bf16-mixed", enable_checkpointing=False
    )
    trainer.fit(model)
    assert seen[0] == (rl.bfloat16, rl.float32)
    assert model.layer.weight.dtype is rl.float32


def test_bf16_true_converts_and_is_saved(tmp_path):
    model = ours.Line()
    trainer = ours.trainer(tmp_path, max_epochs=1, precision="bf16-true")
    trainer.fit(model)
    assert model.layer.weight.dtype is rl.bfloat16
    path = trainer.checkpoint_callback.best_model_path
    again = ours.trainer(tmp_path, max_epochs=2, precision="bf16-true", enable_checkpointing=False)
    again.fit(ours.Line(), ckpt_path=path)
    assert again.global_step == 6


# Results.


def test_what_functions_return(tmp_path):
    def run(side):
        trainer = side.trainer(tmp_path / side.name, max_epochs=1, enable_checkpointing=False)
        model = side.Line()
        fitted = trainer.fit(model)
        validated, tested = trainer.validate(model), trainer.test(model, verbose=False)
        predicted = trainer.predict(model, model.loader())
        several = trainer.predict(Two(side), [model.loader(), model.loader()])
        return (
            fitted,
            validated,
            tested,
            [one.tolist() for one in predicted],
            len(several),
            len(several[1]),
        )

    def Two(side):
        class Model(side.Line):
            def predict_step(self, batch, batch_idx, dataloader_idx):
                return dataloader_idx

        return Model()

    found, expected = both(run)
    assert found[0] is expected[0] is None
    assert floats(found[1][0]) == pytest.approx(floats(expected[1][0]), rel=1e-4)
    assert floats(found[2][0]) == pytest.approx(floats(expected[2][0]), rel=1e-4)
    np.testing.assert_allclose(
        np.concatenate(found[3]), np.concatenate(expected[3]), rtol=1e-4, atol=1e-6
    )
    assert found[4:] == expected[4:]


def test_estimated_steps(tmp_path):
    def run(side):
        seen = []

        class Model(side.Line):
            def configure_optimizers(self):
                seen.append(self.trainer.estimated_stepping_batches)
                return super().configure_optimizers()

        for options in (
            {"max_epochs": 4},
            {"max_steps": 5},
            {"max_epochs": 2, "accumulate_grad_batches": 2},
        ):
            side.trainer(tmp_path / side.name, enable_checkpointing=False, **options).fit(Model())
        return seen

    found, expected = both(run)
    assert found == expected


def test_a_stream_of_unknown_length(tmp_path):
    def fit(side):
        class Stream(side.torch.utils.data.IterableDataset):
            def __iter__(self):
                return iter([(row,) for row in side.torch.from_numpy(DATA.copy())])

        model = side.Line()
        loader = side.torch.utils.data.DataLoader(Stream(), batch_size=5)
        model.train_dataloader = model.val_dataloader = lambda: loader
        trainer = side.trainer(tmp_path / side.name, max_epochs=2, enable_checkpointing=False)
        trainer.fit(model)
        return weights(model), trainer.global_step, floats(trainer.callback_metrics).keys()

    found, expected = both(fit)
    same(found[0], expected[0])
    assert found[1:] == expected[1:]


def test_several_loaders_side_by_side(tmp_path):
    def fit(side):
        sizes = []

        class Model(side.Line):
            def training_step(self, batch, batch_idx):
                sizes.append((len(batch["a"][0]), len(batch["b"][0])))
                return self.loss(batch["a"]) + self.loss(batch["b"])

            def train_dataloader(self):
                other = side.Line(batch_size=5).loader()
                return {"a": self.loader(), "b": other, "c": [1]}

        trainer = side.trainer(tmp_path / side.name, max_epochs=1, enable_checkpointing=False)
        trainer.fit(Model())
        return sizes

    found, expected = both(fit)
    assert found == expected


@pytest.mark.parametrize("mode", ["min_size", "max_size_cycle", "max_size", "sequential"])
def test_combined_loader(mode):
    def run(side):
        made = side.pl.utilities.combined_loader.CombinedLoader(
            {"a": range(4), "b": list("xyz")}, mode
        )
        iter(made)
        return len(made), [tuple(one) for one in made]

    expected = run(theirs)
    found = run(ours)
    assert found[1] == expected[1]
    assert found[0] == expected[0]


# Hyperparameters.


class Base(ours.pl.LightningModule):
    def __init__(self, a, b=2, *args, c=3, **kwargs):
        super().__init__()
        self.save_hyperparameters(ignore="b")


class Child(Base):
    def __init__(self, d=4, **kwargs):
        super().__init__(1, **kwargs)


class Named(ours.pl.LightningModule):
    def __init__(self, config, other=1):
        super().__init__()
        self.save_hyperparameters(config)


def test_hyperparameters_are_collected():
    def run(side):
        class Model(side.pl.LightningModule):
            def __init__(self, a, b=2, *, c=3, **rest):
                super().__init__()
                self.save_hyperparameters(ignore=["b"])

        class Some(side.pl.LightningModule):
            def __init__(self, a, b=2):
                super().__init__()
                self.save_hyperparameters("b")

        class Whole(side.pl.LightningModule):
            def __init__(self, config):
                super().__init__()
                self.save_hyperparameters(config)

        class Data(side.pl.LightningDataModule):
            def __init__(self, folder="x"):
                super().__init__()
                self.save_hyperparameters()

        made = Model(1, c=5, z=6), Some(7), Whole({"lr": 0.1}), Data()
        return [dict(one.hparams) for one in made], made[2].hparams.lr

    found, expected = both(run)
    assert found == expected
    assert dict(Child(a2=9).hparams) == {"d": 4, "a": 1, "c": 3, "a2": 9}


@pytest.mark.parametrize("value", [3, "text", 0.5])
def test_a_single_value_is_no_set_of_hyperparameters(value):
    class Model(ours.pl.LightningModule):
        def __init__(self, config):
            super().__init__()
            self.save_hyperparameters(config) if not isinstance(value, str) else self._set_hparams(
                config
            )

    with pytest.raises(ValueError, match="not allowed"):
        Model(value)


def test_a_model_is_made_of_its_checkpoint(tmp_path):
    trainer = ours.trainer(tmp_path, max_epochs=1)
    model = ours.Line(lr=0.05)
    trainer.fit(model)
    path = trainer.checkpoint_callback.best_model_path
    loaded = ours.Line.load_from_checkpoint(path)
    assert loaded.hparams.lr == 0.05
    assert (loaded.layer.weight == model.layer.weight).all()
    assert ours.Line.load_from_checkpoint(path, lr=1.0).hparams.lr == 1.0
    named = Named({"width": 3})
    ours_trainer = ours.trainer(tmp_path)
    ours_trainer.lightning_module = named
    named.trainer = ours_trainer
    ours_trainer.save_checkpoint(tmp_path / "named.ckpt", weights_only=True)
    assert Named.load_from_checkpoint(tmp_path / "named.ckpt").hparams.width == 3


# Lightning's files.


@pytest.mark.parametrize("when", ["epoch", "validation", "batch"])
def test_a_checkpoint_that_lightning_wrote(when, tmp_path):
    how = {
        "epoch": {},
        "validation": {"save_on_train_epoch_end": False},
        "batch": {"every_n_train_steps": 2, "save_top_k": -1},
    }[when]
    checkpoint = theirs.pl.callbacks.ModelCheckpoint(tmp_path / "ck", **how)
    trainer = theirs.trainer(tmp_path, max_epochs=2, callbacks=[checkpoint])
    trainer.fit(theirs.Line())
    path = (
        tmp_path / "ck" / "epoch=0-step=2.ckpt" if when == "batch" else checkpoint.best_model_path
    )
    loaded = ours.Line.load_from_checkpoint(path)
    assert loaded.hparams.lr == 0.1

    def go_on(side):
        start = path
        if when == "batch" and side is theirs:
            start = None  # Lightning begins the epoch's data again; here it goes on
        trainer = side.trainer(
            tmp_path / side.name, max_epochs=4, enable_checkpointing=False, num_sanity_val_steps=0
        )
        model = side.Line()
        options = {"weights_only": False} if side is theirs else {}
        trainer.fit(model, ckpt_path=start, **options)
        return weights(model), trainer.global_step, trainer.current_epoch

    found, expected = both(go_on)
    same(found[0], expected[0])
    assert found[1:] == expected[1:]


def test_a_damaged_checkpoint_is_named(tmp_path):
    trainer = ours.trainer(tmp_path, max_epochs=1)
    trainer.fit(ours.Line())
    path = trainer.checkpoint_callback.best_model_path
    data = open(path, "rb").read()
    for cut in (0, 5, 40, len(data) // 2, len(data) - 1):
        broken = tmp_path / f"cut{cut}.ckpt"
        broken.write_bytes(data[:cut])
        with pytest.raises(Exception, match=f"cut{cut}"):
            ours.trainer(tmp_path, max_epochs=2).fit(ours.Line(), ckpt_path=broken)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ours.trainer(tmp_path, max_epochs=2).fit(ours.Line(), ckpt_path=tmp_path / "nowhere.ckpt")


def test_checkpoints_hold_no_pickle(tmp_path):
    class Model(ours.Line):
        def on_save_checkpoint(self, checkpoint):
            checkpoint["mine"] = {"a": [1, (2, 3)], 5: rl.ones(2)}
            checkpoint["function"] = print

    trainer = ours.trainer(tmp_path, max_epochs=1)
    trainer.fit(Model())
    from rushlight.train.checkpoint import read_checkpoint

    tree = read_checkpoint(trainer.checkpoint_callback.best_model_path)
    assert tree["mine"]["a"] == [1, (2, 3)] and tree["mine"][5].tolist() == [1, 1]
    assert "function" not in tree


# Refusals.


@pytest.mark.parametrize(
    "options, text",
    [
        ({"accelerator": "gpu"}, "CPU"),
        ({"devices": 0}, "how many processes"),
        ({"devices": 2, "strategy": "single_device"}, "single device is one process"),
        ({"strategy": "fsdp"}, "use 'ddp'"),
        ({"num_nodes": 2}, "every machine"),
        ({"limit_train_batches": -1}, "limit_train_batches"),
        ({"limit_val_batches": 1.5}, "limit_val_batches"),
        ({"max_epochs": -2}, "max_epochs"),
        ({"gradient_clip_algorithm": "both"}, "gradient_clip_algorithm"),
        ({"check_val_every_n_epoch": None, "val_check_interval": 0.5}, "val_check_interval"),
        ({"enable_checkpointing": False, "callbacks": "checkpoint"}, "enable_checkpointing"),
        ({"profiler": "none such"}, "profiler"),
        ({"accumulate_grad_batches": 0}, "accumulate_grad_batches"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be(options, text, tmp_path):
    if options.get("callbacks"):
        options = {**options, "callbacks": [ours.pl.callbacks.ModelCheckpoint()]}
    if "accelerator" in options:
        options = {**options}
    with pytest.raises(ours.pl.MisconfigurationException, match=text):
        ours.pl.Trainer(**{"logger": False, **options})


def test_precision_that_is_none():
    with pytest.raises(ValueError, match="invalid"):
        ours.pl.Trainer(precision="8-bit", logger=False)


@pytest.mark.parametrize(
    "missing", ["training_step", "configure_optimizers", "validation_step", "test_step"]
)
def test_models_that_lack_something(missing, tmp_path):
    class Model(ours.Line):
        pass

    setattr(Model, missing, getattr(ours.pl.LightningModule, missing))
    run = {"validation_step": "validate", "test_step": "test"}.get(missing, "fit")
    with pytest.raises(ours.pl.MisconfigurationException, match=missing):
        getattr(ours.trainer(tmp_path, max_epochs=1), run)(Model())


def test_functions_without_a_model():
    with pytest.raises(TypeError, match="requires a `LightningModule`"):
        ours.pl.Trainer(logger=False).test()
    with pytest.raises(TypeError, match="must be a `LightningModule`"):
        ours.pl.Trainer(logger=False).fit(rl.nn.Linear(1, 1))
    with pytest.raises(NotImplementedError, match="Fabric"):
        ours.pl.Fabric()


@pytest.mark.parametrize("value", [[1], "text"])
def test_a_step_that_returns_no_loss(value, tmp_path):
    class Model(ours.Line):
        def training_step(self, batch, batch_idx):
            return value

    with pytest.raises(ours.pl.MisconfigurationException, match="must return a Tensor"):
        ours.trainer(tmp_path, max_epochs=1, enable_checkpointing=False).fit(Model())


# Loggers, profilers, data modules, names.


def test_tensorboard_files_are_lightnings(tmp_path):
    def fit(side):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        folder = tmp_path / side.name
        trainer = side.trainer(
            folder,
            max_epochs=2,
            log_every_n_steps=1,
            logger=side.pl.loggers.TensorBoardLogger(folder),
        )
        trainer.fit(side.Line())
        events = EventAccumulator(trainer.logger.log_dir).Reload()
        scalars = {
            tag: [(one.step, round(one.value, 4)) for one in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        }
        kinds = sorted(
            os.path.relpath(os.path.join(at, name), folder).partition(".out")[0]
            for at, _, names in os.walk(folder)
            for name in names
        )
        return scalars, [name for name in kinds if "tfevents" not in name], trainer.log_dir

    found, expected = both(fit)
    assert found[0] == expected[0]
    assert found[1] == expected[1]
    assert found[2].replace("rushlight", "pytorch_lightning") == expected[2]


@pytest.mark.parametrize("kind", ["simple", "advanced"])
def test_profilers(kind, tmp_path, caplog):
    from rushlight.train.profilers import AdvancedProfiler, SimpleProfiler

    profiler = {"simple": SimpleProfiler, "advanced": AdvancedProfiler}[kind](tmp_path, "times")
    trainer = ours.trainer(tmp_path, max_epochs=1, profiler=profiler)
    trainer.fit(ours.Line())
    text = (tmp_path / "fit-times.txt").read_text()
    assert "ModelCheckpoint" in text and "save_checkpoint" in text


def test_a_data_module_of_datasets(tmp_path):
    data = rl.utils.data.TensorDataset(rl.tensor(DATA))
    made = ours.pl.LightningDataModule.from_datasets(data, data, data, data, batch_size=6)
    trainer = ours.trainer(tmp_path, max_epochs=1, enable_checkpointing=False)
    model = ours.Line()
    trainer.fit(model, made)
    assert trainer.global_step == 2
    assert len(trainer.predict(model, made)) == 2


def test_summary_is_a_table_of_layers():
    model = ours.Line()
    model.example_input_array = rl.zeros(2, 4)
    text = str(ours.pl.utilities.model_summary.ModelSummary(model))
    assert "layer" in text and "Linear" in text and "[2, 4]" in text and "[2, 1]" in text
    assert "16        Total FLOPs" in text


def test_lightnings_names_under_run(tmp_path):
    script = tmp_path / "names.py"
    script.write_text(
        "import lightning as L\n"
        "import lightning.pytorch as lp, pytorch_lightning as pl\n"
        "from lightning.pytorch.callbacks.early_stopping import EarlyStopping\n"
        "from pytorch_lightning.callbacks import EarlyStopping as Same\n"
        "from pytorch_lightning.loggers.csv_logs import CSVLogger\n"
        "from pytorch_lightning.utilities.types import STEP_OUTPUT\n"
        "from pytorch_lightning.utilities.rank_zero import rank_zero_only\n"
        "assert EarlyStopping is Same and L.Trainer is pl.Trainer is lp.Trainer\n"
        "assert L.pytorch.Trainer is L.Trainer and pl.callbacks.EarlyStopping is Same\n"
        "print(L.Trainer.__module__)\n"
    )
    found = subprocess.run(
        [sys.executable, "-m", "rushlight", "run", str(script)], capture_output=True, text=True
    )
    assert found.stdout.strip() == "rushlight.train.trainer", found.stderr


@pytest.mark.parametrize("thread", [False, True], ids=["main thread", "another thread"])
def test_ctrl_c_is_as_it_was_after_it_ended_a_run(thread, tmp_path):
    class Stops(ours.Line):
        def on_train_batch_start(self, batch, batch_idx):
            raise KeyboardInterrupt

    def run():
        trainer = ours.trainer(tmp_path, max_epochs=1)
        with pytest.raises(SystemExit):
            trainer.fit(Stops())
        return trainer.interrupted

    before = signal.getsignal(signal.SIGINT)
    if thread:
        with ThreadPoolExecutor(1) as other:
            assert other.submit(run).result()
    else:
        assert run()
    assert signal.getsignal(signal.SIGINT) is before
