"""A running average of the weights, which is validated and kept at the end."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight.optim.swa_utils import AveragedModel, get_ema_avg_fn

from ..notes import note, warn
from .callback import Callback

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer


class WeightAveraging(Callback):
    """Averages weights as they are trained, by ``optim.swa_utils.AveragedModel``.

    Validation and checkpoints are of the average; the weights themselves are kept beside it.

    Args:
        device: accepted; there is one.
        use_buffers: whether buffers are averaged, too.
        kwargs: further arguments of ``AveragedModel``, such as ``avg_fn``.
    """

    def __init__(self, device: Any = None, use_buffers: bool = True, **kwargs: Any) -> None:
        self._use_buffers, self._kwargs = use_buffers, kwargs
        self._average_model: AveragedModel | None = None
        self._latest_update_step, self._latest_update_epoch = 0, -1

    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:
        """Whether to average now: after a step, or at an epoch's end, whichever is given."""
        return step_idx is not None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit":
            trainer_of, pl_module._trainer = pl_module._trainer, None  # is not copied
            self._average_model = AveragedModel(
                pl_module, use_buffers=self._use_buffers, **self._kwargs
            )
            pl_module._trainer = trainer_of

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step > self._latest_update_step and self.should_update(step_idx=step - 1):
            self._model.update_parameters(pl_module)
            self._latest_update_step = step

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch
        if epoch > self._latest_update_epoch and self.should_update(epoch_idx=epoch):
            self._model.update_parameters(pl_module)
            self._latest_update_epoch = epoch

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._average_model is not None:
            self._swap(pl_module)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._average_model is not None:
            self._swap(pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for average, current in self._pairs(pl_module):
            current.data.copy_(average.data)

    @property
    def _model(self) -> AveragedModel:
        assert self._average_model is not None
        return self._average_model

    def _pairs(self, pl_module: LightningModule) -> Iterator[tuple[rl.Tensor, rl.Tensor]]:
        average = self._model.module
        return zip(
            itertools.chain(average.parameters(), average.buffers()),
            itertools.chain(pl_module.parameters(), pl_module.buffers()),
        )

    def _swap(self, pl_module: LightningModule) -> None:
        for average, current in self._pairs(pl_module):
            before = average.data.clone()
            average.data.copy_(current.data)
            current.data.copy_(before)

    def state_dict(self) -> dict[str, Any]:
        return {
            "latest_update_step": self._latest_update_step,
            "latest_update_epoch": self._latest_update_epoch,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._latest_update_step = state_dict["latest_update_step"]
        self._latest_update_epoch = state_dict.get("latest_update_epoch", -1)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self._average_model is None:
            note("WeightAveraging: there is no average to save outside of a fit.")
            return
        state = self._average_model.state_dict()
        inside = "module."
        checkpoint["current_model_state"] = checkpoint["state_dict"]
        checkpoint["state_dict"] = {
            name[len(inside) :]: one for name, one in state.items() if name.startswith(inside)
        }
        checkpoint["averaging_state"] = {
            name: one for name, one in state.items() if not name.startswith(inside)
        }

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self._average_model is None:
            warn("WeightAveraging: the average is not restored outside of a fit.")
        elif "current_model_state" in checkpoint and "averaging_state" in checkpoint:
            average = {f"module.{name}": one for name, one in checkpoint["state_dict"].items()}
            self._average_model.load_state_dict({**average, **checkpoint["averaging_state"]})
            pl_module.load_state_dict(checkpoint["current_model_state"])
        else:
            warn(
                "The checkpoint was not created with WeightAveraging. Both the current and the"
                " average model will be initialized with state_dict."
            )
            state = copy.deepcopy(dict(checkpoint["state_dict"]))
            self._average_model.module.load_state_dict(state, strict=False)


class EMAWeightAveraging(WeightAveraging):
    """An exponential moving average of the weights.

    Args:
        decay: how much of the average is kept at each update.
        update_every_n_steps: how often to update.
        update_starting_at_step: from which step on.
        update_starting_at_epoch: from which epoch on to update at epochs' ends, too.
    """

    def __init__(
        self,
        device: Any = None,
        use_buffers: bool = True,
        decay: float = 0.999,
        update_every_n_steps: int = 1,
        update_starting_at_step: int | None = None,
        update_starting_at_epoch: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(device, use_buffers, **kwargs, avg_fn=get_ema_avg_fn(decay=decay))
        self.update_every_n_steps = update_every_n_steps
        self.update_starting_at_step = update_starting_at_step
        self.update_starting_at_epoch = update_starting_at_epoch

    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:
        if step_idx is not None:
            first, every = self.update_starting_at_step, self.update_every_n_steps
            if (first is None or step_idx >= first) and every > 0 and step_idx % every == 0:
                return True
        first = self.update_starting_at_epoch
        return epoch_idx is not None and first is not None and epoch_idx >= first
