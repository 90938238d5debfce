"""The hooks that a model or its data may define; each does nothing until it is overridden.

:mod:`rushlight.train.fit` and :mod:`rushlight.train.evaluation` read as the list of when they are
called. A hook that nobody overrides is not called at all.
"""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import nn, optim


class DataHooks:
    """Hooks around data, of models and of data modules."""

    prepare_data_per_node = True
    allow_zero_length_dataloader_with_multiple_devices = False

    def prepare_data(self) -> None:
        """Downloads and such, before anything else; should change nothing on the object."""

    def setup(self, stage: str) -> None:
        """Called first for ``"fit"``, ``"validate"``, ``"test"`` or ``"predict"``."""

    def teardown(self, stage: str) -> None:
        """Called last."""

    def train_dataloader(self) -> Any:
        """What to train on: a DataLoader, any iterable, or a dict or list of them."""
        raise NotImplementedError("`train_dataloader` must be implemented to be used")

    def val_dataloader(self) -> Any:
        """What to validate on: one iterable or a list of them, taken one after the other."""
        raise NotImplementedError("`val_dataloader` must be implemented to be used")

    def test_dataloader(self) -> Any:
        """What to test on."""
        raise NotImplementedError("`test_dataloader` must be implemented to be used")

    def predict_dataloader(self) -> Any:
        """What to predict on."""
        raise NotImplementedError("`predict_dataloader` must be implemented to be used")

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Returns the batch, changed if need be, before it is moved to the device."""
        return batch

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
        """Returns the batch on ``device``."""
        return batch

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Returns the batch, changed if need be, after it was moved."""
        return batch

    def on_exception(self, exception: BaseException) -> None:
        """Called when a run ends with an exception (of data modules alone)."""


class ModelHooks:
    """Hooks of models, in no particular order."""

    def on_fit_start(self) -> None: ...
    def on_fit_end(self) -> None: ...
    def on_train_start(self) -> None: ...
    def on_train_end(self) -> None: ...
    def on_train_epoch_start(self) -> None: ...
    def on_train_epoch_end(self) -> None: ...
    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        """May return -1 to leave out the rest of the epoch."""

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None: ...

    def on_validation_start(self) -> None: ...
    def on_validation_end(self) -> None: ...
    def on_validation_epoch_start(self) -> None: ...
    def on_validation_epoch_end(self) -> None: ...
    def on_validation_batch_start(
        self, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None: ...
    def on_validation_batch_end(
        self, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None: ...

    def on_test_start(self) -> None: ...
    def on_test_end(self) -> None: ...
    def on_test_epoch_start(self) -> None: ...
    def on_test_epoch_end(self) -> None: ...
    def on_test_batch_start(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None: ...
    def on_test_batch_end(
        self, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None: ...

    def on_predict_start(self) -> None: ...
    def on_predict_end(self) -> None: ...
    def on_predict_epoch_start(self) -> None: ...
    def on_predict_epoch_end(self) -> None: ...
    def on_predict_batch_start(
        self, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None: ...
    def on_predict_batch_end(
        self, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None: ...

    def on_validation_model_zero_grad(self) -> None:
        """Forgets gradients before a validation in the midst of training."""
        self.zero_grad()  # type: ignore[attr-defined]

    def on_validation_model_eval(self) -> None:
        self.eval()  # type: ignore[attr-defined]

    def on_validation_model_train(self) -> None:
        """Unless overridden, every module goes back to the mode that it had."""

    def on_test_model_eval(self) -> None:
        self.eval()  # type: ignore[attr-defined]

    def on_test_model_train(self) -> None:
        """Unless overridden, every module goes back to the mode that it had."""

    def on_predict_model_eval(self) -> None:
        self.eval()  # type: ignore[attr-defined]

    def on_before_zero_grad(self, optimizer: optim.Optimizer) -> None: ...
    def on_before_backward(self, loss: rl.Tensor) -> None: ...
    def on_after_backward(self) -> None: ...
    def on_before_optimizer_step(self, optimizer: optim.Optimizer) -> None: ...

    def configure_model(self) -> None:
        """Makes layers late; called for every run, so it should make them once."""

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """May add plain values and tensors to a checkpoint before it is written."""

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """May read them again."""


def overridden(name: str, instance: object, parent: type) -> bool:
    """Whether ``instance`` has a ``name`` of its own, and not the one of ``parent``."""
    if name in getattr(instance, "__dict__", {}):
        return True
    own = getattr(type(instance), name, None)
    return own is not None and own is not getattr(parent, name, None)


class ModuleMode:
    """The mode, training or not, of every part of a model, to be put back later."""

    def __init__(self, model: nn.Module) -> None:
        self.modes = {name: part.training for name, part in model.named_modules()}

    def restore(self, model: nn.Module) -> None:
        """Parts that were added since keep theirs."""
        for name, part in model.named_modules():
            if name in self.modes:
                part.training = self.modes[name]
