"""The forms that ``configure_optimizers`` may return, brought into one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight import optim
from rushlight.optim import lr_scheduler

from .hooks import overridden
from .module import LightningModule
from .notes import MisconfigurationException, warn

if TYPE_CHECKING:
    from .trainer import Trainer


@dataclass
class LRSchedulerConfig:
    """A schedule and when it steps; the fields are the keys of an ``lr_scheduler`` dict."""

    scheduler: Any
    name: str | None = None
    interval: str = "epoch"
    frequency: int = 1
    reduce_on_plateau: bool = False
    monitor: str | None = None
    strict: bool = True


class LightningOptimizer:
    """An optimizer whose steps the Trainer counts; otherwise it is the optimizer itself."""

    def __init__(self, optimizer: optim.Optimizer, trainer: Trainer) -> None:
        self._optimizer, self._trainer = optimizer, trainer
        kind = type(optimizer)
        self.__class__ = type("Lightning" + kind.__name__, (LightningOptimizer, kind), {})

    @property
    def optimizer(self) -> optim.Optimizer:
        """The optimizer itself."""
        return self._optimizer

    @contextlib.contextmanager
    def toggle_model(self, sync_grad: bool = True) -> Iterator[None]:
        """A block in which only this optimizer's parameters take gradients."""
        with self._trainer.lightning_module.toggled_optimizer(self):
            yield

    def step(self, closure: Callable[[], Any] | None = None, **kwargs: Any) -> Any:
        """A step, which the Trainer counts in a model that optimises by hand.

        Raises:
            MisconfigurationException: ``closure`` cannot be called.
        """
        if closure is not None and not callable(closure):
            raise MisconfigurationException(
                "When `optimizer.step(closure)` is called, the closure should be callable"
            )
        return self._trainer.step_optimizer(self._optimizer, closure, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._optimizer, name)

    # What the optimizer's own class would find first, asked of the optimizer all the same.
    def zero_grad(self, set_to_none: bool = True) -> None:
        self._optimizer.zero_grad(set_to_none=set_to_none)

    def state_dict(self) -> dict[str, Any]:
        return self._optimizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state_dict)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self._optimizer.add_param_group(param_group)

    def __repr__(self) -> str:
        return repr(self._optimizer)


class NoOptimizer(optim.Optimizer):
    """What stands in when ``configure_optimizers`` returned None: it only calls closures."""

    def __init__(self) -> None:
        super().__init__([rl.zeros(1)], {})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        return closure() if closure is not None else None

    def zero_grad(self, set_to_none: bool = True) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None: ...


def configured(
    model: LightningModule, returned: Any
) -> tuple[list[optim.Optimizer], list[LRSchedulerConfig]]:
    """The optimizers and schedules of what ``configure_optimizers`` returned.

    Raises:
        MisconfigurationException: it is none of the known forms, or its parts do not fit.
        RuntimeError: several optimizers for automatic optimisation.
    """
    if returned is None:
        warn(
            "`LightningModule.configure_optimizers` returned `None`, this fit will run with no"
            " optimizer"
        )
        returned = NoOptimizer()
    optimizers, schedulers, monitor = _parts(returned)
    config = _automatic if model.automatic_optimization else _manual
    configs = [config(scheduler, monitor) for scheduler in schedulers]
    if model.automatic_optimization and len(optimizers) > 1:
        raise RuntimeError(
            "Training with multiple optimizers is only supported with manual optimization. Set"
            " `self.automatic_optimization = False`, then access your optimizers in"
            " `training_step` with `opt1, opt2, ... = self.optimizers()`."
        )
    for one in configs:
        _check_scheduler(one.scheduler, optimizers, model)
    return optimizers, configs


def _parts(returned: Any) -> tuple[list[optim.Optimizer], list[Any], str | None]:
    if isinstance(returned, optim.Optimizer):
        return [returned], [], None
    if isinstance(returned, dict):
        _check_keys(returned)
        schedulers = [returned["lr_scheduler"]] if "lr_scheduler" in returned else []
        return [returned["optimizer"]], schedulers, returned.get("monitor")
    if isinstance(returned, list | tuple):
        if len(returned) == 2 and isinstance(returned[0], list) and _all_optimizers(returned[0]):
            optimizers, schedulers = returned
            return optimizers, schedulers if isinstance(schedulers, list) else [schedulers], None
        if all(isinstance(one, dict) for one in returned):
            for one in returned:
                _check_keys(one)
            found = [one["lr_scheduler"] for one in returned if "lr_scheduler" in one]
            return [one["optimizer"] for one in returned], found, None
        if _all_optimizers(returned):
            return list(returned), [], None
    raise MisconfigurationException(
        "Unknown configuration for model optimizers. Output from `model.configure_optimizers()`"
        " should be one of:\n * `Optimizer`\n * [`Optimizer`]\n * ([`Optimizer`], [`LRScheduler`])"
        '\n * {"optimizer": `Optimizer`, (optional) "lr_scheduler": `LRScheduler`}\n'
    )


def _all_optimizers(found: Any) -> bool:
    return all(isinstance(one, optim.Optimizer) for one in found)


def _check_keys(returned: dict[str, Any]) -> None:
    if extra := returned.keys() - {"optimizer", "lr_scheduler", "monitor"}:
        warn(f"Found unsupported keys in the optimizer configuration: {extra}", RuntimeWarning)


def _automatic(scheduler: Any, monitor: str | None) -> LRSchedulerConfig:
    plateau = lr_scheduler.ReduceLROnPlateau
    if not isinstance(scheduler, dict):
        if isinstance(scheduler, plateau) and monitor is None:
            raise MisconfigurationException(
                "`configure_optimizers` must include a monitor when a `ReduceLROnPlateau` scheduler"
                ' is used. For example: {"optimizer": optimizer, "lr_scheduler": scheduler,'
                ' "monitor": "metric_to_track"}'
            )
        if isinstance(scheduler, plateau):
            return LRSchedulerConfig(scheduler, reduce_on_plateau=True, monitor=monitor)
        return LRSchedulerConfig(scheduler)
    known = {field.name for field in fields(LRSchedulerConfig)}
    if extra := scheduler.keys() - known:
        warn(
            f"Found unsupported keys in the lr scheduler dict: {extra}. HINT: remove them from the"
            " output of `configure_optimizers`.",
            RuntimeWarning,
        )
    given = {key: value for key, value in scheduler.items() if key in known}
    if "scheduler" not in given:
        raise MisconfigurationException(
            'The lr scheduler dict must have the key "scheduler" with its item being an lr'
            " scheduler"
        )
    if given.get("interval", "epoch") not in ("step", "epoch"):
        raise MisconfigurationException(
            'The "interval" key in lr scheduler dict must be "step" or "epoch" but is'
            f' "{given["interval"]}"'
        )
    given.setdefault("reduce_on_plateau", isinstance(given["scheduler"], plateau))
    if given["reduce_on_plateau"] and given.get("monitor") is None:
        raise MisconfigurationException(
            "The lr scheduler dict must include a monitor when a `ReduceLROnPlateau` scheduler is"
            ' used. For example: {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler,'
            ' "monitor": "your_loss"}}'
        )
    one_cycle = isinstance(given["scheduler"], lr_scheduler.OneCycleLR)
    if one_cycle and given.get("interval", "epoch") == "epoch":
        warn(
            "A `OneCycleLR` scheduler is using 'interval': 'epoch'. Are you sure you didn't mean"
            " 'interval': 'step'?",
            RuntimeWarning,
        )
    return LRSchedulerConfig(**given)


def _manual(scheduler: Any, monitor: str | None) -> LRSchedulerConfig:
    if not isinstance(scheduler, dict):
        return LRSchedulerConfig(scheduler)
    unused = [key for key in scheduler if key in ("reduce_on_plateau", "monitor", "strict")]
    if unused:
        warn(
            f"The lr scheduler dict contains the key(s) {unused}, but the keys will be ignored. You"
            " need to call `lr_scheduler.step()` manually in manual optimization.",
            RuntimeWarning,
        )
    return LRSchedulerConfig(**{key: scheduler[key] for key in scheduler if key not in unused})


def _check_scheduler(
    scheduler: Any, optimizers: list[optim.Optimizer], model: LightningModule
) -> None:
    kind = type(scheduler).__name__
    if not (hasattr(scheduler, "state_dict") and hasattr(scheduler, "load_state_dict")):
        raise TypeError(
            f"The provided lr scheduler `{kind}` is invalid. It should have `state_dict` and"
            " `load_state_dict` methods defined."
        )
    ours = isinstance(scheduler, lr_scheduler.LRScheduler | lr_scheduler.ReduceLROnPlateau)
    stepped = overridden("lr_scheduler_step", model, LightningModule)
    if not ours and not stepped and model.automatic_optimization:
        raise MisconfigurationException(
            f"The provided lr scheduler `{kind}` doesn't follow PyTorch's LRScheduler API. You"
            " should override the `LightningModule.lr_scheduler_step` hook with your own logic if"
            " you are using a custom LR scheduler."
        )
    if not any(scheduler.optimizer is one for one in optimizers):
        raise MisconfigurationException(
            "Some schedulers are attached with an optimizer that wasn't returned from"
            " `configure_optimizers`."
        )
