"""Hooks are called in exactly Lightning's order."""

import warnings

import pytest
from twins import recording, sides


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def run(side, folder, what, options, change=None):
    """All hooks that a run calls, of the model, of a callback, and of a data module."""
    said = []
    model = recording(side.Line, said, "model")()
    if change is not None:
        change(side, model)
    callback = recording(side.pl.Callback, said, "callback")()
    callbacks = [callback, *make_callbacks(side, options.get("callbacks", ()), folder)]
    trainer = side.trainer(folder, **{**options, "callbacks": callbacks})
    for name in what:
        getattr(trainer, name)(model)
    return said


def make_callbacks(side, kinds, folder):
    made = {
        "checkpoint": lambda: side.pl.callbacks.ModelCheckpoint(folder, monitor="val_loss"),
        "steps": lambda: side.pl.callbacks.ModelCheckpoint(folder, every_n_train_steps=2),
        "stop": lambda: side.pl.callbacks.EarlyStopping("val_loss", patience=1, min_delta=100.0),
    }
    return [made[kind]() for kind in kinds]


def with_schedule(kind):
    def change(side, model):
        def configure_optimizers():
            optimizer = side.torch.optim.SGD(model.parameters(), lr=0.1)
            schedulers = side.torch.optim.lr_scheduler
            if kind == "plateau":
                made = {
                    "scheduler": schedulers.ReduceLROnPlateau(optimizer),
                    "monitor": "val_loss",
                }
            else:
                made = {"scheduler": schedulers.StepLR(optimizer, 1), "interval": kind}
            return {"optimizer": optimizer, "lr_scheduler": made}

        model.configure_optimizers = configure_optimizers

    return change


def skipping(side, model):
    model.on_train_batch_start = lambda batch, batch_idx: -1 if batch_idx == 1 else None


CASES = {
    "fit": (["fit"], {"max_epochs": 2}, None),
    "all": (["fit", "validate", "test", "predict"], {"max_epochs": 1}, None),
    "accumulate": (["fit"], {"max_epochs": 2, "accumulate_grad_batches": 2}, None),
    "clip": (["fit"], {"max_epochs": 1, "gradient_clip_val": 0.5}, None),
    "no sanity": (["fit"], {"max_epochs": 1, "num_sanity_val_steps": 0}, None),
    "often": (["fit"], {"max_epochs": 2, "val_check_interval": 1}, None),
    "half": (["fit"], {"max_epochs": 1, "val_check_interval": 0.5}, None),
    "seldom": (["fit"], {"max_epochs": 3, "check_val_every_n_epoch": 2}, None),
    "across": (
        ["fit"],
        {"max_epochs": 3, "check_val_every_n_epoch": None, "val_check_interval": 4},
        None,
    ),
    "steps": (["fit"], {"max_steps": 4}, None),
    "limits": (["fit"], {"max_epochs": 1, "limit_train_batches": 2, "limit_val_batches": 1}, None),
    "nothing": (["fit"], {"max_epochs": 1, "limit_train_batches": 0}, None),
    "no epochs": (["fit"], {"max_epochs": 0}, None),
    "no validation": (["fit"], {"max_epochs": 1, "limit_val_batches": 0}, None),
    "dev": (["fit", "test"], {"fast_dev_run": True}, None),
    "overfit": (["fit"], {"max_epochs": 2, "overfit_batches": 1}, None),
    "checkpoint": (["fit"], {"max_epochs": 2, "callbacks": ["checkpoint"]}, None),
    "checkpoint steps": (["fit"], {"max_epochs": 2, "callbacks": ["steps"]}, None),
    "stop": (["fit"], {"max_epochs": 5, "callbacks": ["stop"]}, None),
    "reload": (["fit"], {"max_epochs": 3, "reload_dataloaders_every_n_epochs": 2}, None),
    "schedule": (["fit"], {"max_epochs": 2}, with_schedule("epoch")),
    "schedule steps": (
        ["fit"],
        {"max_epochs": 1, "accumulate_grad_batches": 2},
        with_schedule("step"),
    ),
    "plateau": (["fit"], {"max_epochs": 2}, with_schedule("plateau")),
    "skip": (["fit"], {"max_epochs": 2}, skipping),
}


@pytest.mark.parametrize("case", CASES)
def test_order_is_lightnings(case, tmp_path):
    what, options, change = CASES[case]
    options = {"enable_checkpointing": False, **options}
    if options.get("callbacks"):
        options["enable_checkpointing"] = True
    expected, found = (
        run(side, tmp_path / side.name, what, dict(options), change) for side in sides
    )
    assert found == expected


def test_order_with_a_data_module(tmp_path):
    def fit(side):
        said = []
        model = recording(side.Line, said, "model")()

        class Data(side.pl.LightningDataModule):
            def train_dataloader(self):
                return model.loader()

            val_dataloader = train_dataloader

        data = recording(Data, said, "data")()
        trainer = side.trainer(tmp_path / side.name, max_epochs=1)
        trainer.fit(model, datamodule=data)
        path = trainer.checkpoint_callback.best_model_path
        said.append("again")
        trainer = side.trainer(tmp_path / side.name, max_epochs=2, num_sanity_val_steps=0)
        trainer.fit(model, datamodule=data, ckpt_path=path)
        return said

    expected, found = map(fit, sides)
    assert found == expected


def test_order_by_hand(tmp_path):
    def fit(side):
        said = []
        model = recording(side.Line, said, "model")()
        model.automatic_optimization = False

        def training_step(batch, batch_idx):
            optimizer = model.optimizers()
            optimizer.zero_grad()
            model.manual_backward(model.loss(batch))
            optimizer.step()

        model.training_step = training_step
        callback = recording(side.pl.Callback, said, "callback")()
        trainer = side.trainer(tmp_path / side.name, max_epochs=1, callbacks=[callback])
        trainer.fit(model)
        return said, trainer.global_step

    expected, found = map(fit, sides)
    assert found == expected


def test_order_when_a_step_raises(tmp_path):
    def fit(side):
        said = []
        model = recording(side.Line, said, "model")()

        def training_step(batch, batch_idx):
            raise ZeroDivisionError

        model.training_step = training_step
        callback = recording(side.pl.Callback, said, "callback")()
        trainer = side.trainer(tmp_path / side.name, max_epochs=1, callbacks=[callback])
        with pytest.raises(ZeroDivisionError):
            trainer.fit(model)
        return said, str(trainer.state.status), trainer.interrupted

    expected, found = map(fit, sides)
    assert found[0] == expected[0]
    assert found[2] == expected[2]
