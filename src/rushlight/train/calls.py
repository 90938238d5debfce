"""Who is called for each hook, in which order, and where a resumed run goes on among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .callbacks.callback import Callback, Checkpoint
from .callbacks.early_stopping import EarlyStopping
from .datamodule import LightningDataModule
from .hooks import overridden
from .module import LightningModule

if TYPE_CHECKING:
    from .trainer import Trainer


@dataclass(frozen=True)
class Call:
    """One object's part in a hook: ``label`` names it for the profiler."""

    label: str
    run: Callable[..., Any]
    takes_trainer: bool


@dataclass(frozen=True)
class Moment:
    """Where a run stands inside of a hook: the calls up to ``index`` are done.

    ``args`` are the arguments of the calls that are left; None where they could not be kept.
    """

    hook: str
    index: int
    args: tuple[Any, ...] | None = ()


# Where a checkpoint can be written and the run goes on behind it, to the bit.
EXACT = ("on_train_batch_end", "on_validation_end", "on_train_epoch_end")


class Calls:
    """Calls hooks: those of callbacks in their order, then the model's.

    Only what somebody overrides is called; for any other hook nothing happens, which takes a
    tenth of a microsecond.

    Attributes:
        fx: the hook or step that is running, which ``self.log`` asks for.
        now: the hook that is running and the number of its call.
        resumed: where a resumed run stood. Hooks before it are not called again.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.plans: dict[str, list[Call]] = {}
        self.steps: dict[str, Callable[..., Any]] = {}
        self.fx: str | None = None
        self.now: Moment | None = None
        self.resumed: Moment | None = None

    def forget(self) -> None:
        """Callbacks or the model have changed: hooks are looked up anew."""
        self.plans.clear()
        self.steps.clear()

    def __call__(self, hook: str, *args: Any) -> Any:
        """Calls ``hook`` and returns what the model's returns."""
        plan = self.plans.get(hook)
        if plan is None:
            plan = self.plans[hook] = self._plan(hook)
        if not plan and self.resumed is None:
            return None
        first = 0
        if self.resumed is not None and self.resumed.hook == hook:
            first, kept, self.resumed = self.resumed.index + 1, self.resumed.args, None
            if kept is None:
                return None
            args = kept or args
        return self._run(hook, plan, first, args)

    def anybody(self, hook: str) -> bool:
        """Whether there is anybody to be called for ``hook``."""
        if hook not in self.plans:
            self.plans[hook] = self._plan(hook)
        return bool(self.plans[hook])

    def stands_in(self, hook: str) -> bool:
        """Whether the run was resumed from a checkpoint written inside of ``hook``."""
        return self.resumed is not None and self.resumed.hook == hook

    def left(self) -> bool:
        """Whether somebody is still to be called in the hook that is running."""
        return self.now is not None and self.now.index + 1 < len(self.plans[self.now.hook])

    def step(self, name: str, *args: Any) -> Any:
        """Calls the model's ``name``, overridden or not, as ``training_step``."""
        function = self.steps.get(name)
        if function is None:
            function = self.steps[name] = getattr(self.trainer.lightning_module, name)
        outer, self.fx = self.fx, name
        try:
            return function(*args)
        finally:
            self.fx = outer

    def _run(self, hook: str, plan: list[Call], first: int, args: tuple[Any, ...]) -> Any:
        trainer, model, result = self.trainer, self.trainer.lightning_module, None
        outer, outer_fx, self.fx = self.now, self.fx, hook
        profiler = trainer.profiler
        for index in range(first, len(plan)):
            call = plan[index]
            self.now = Moment(hook, index, args)
            with profiler.profile(call.label):
                if call.takes_trainer:
                    call.run(trainer, model, *args)
                else:
                    result = call.run(*args)
        self.now, self.fx = outer, outer_fx
        return result

    def _plan(self, hook: str) -> list[Call]:
        trainer = self.trainer
        callbacks = [
            Call(f"[Callback]{one.state_key}.{hook}", getattr(one, hook), True)
            for one in trainer.callbacks
            if overridden(hook, one, Callback) and callable(getattr(one, hook))
        ]
        model = self._own(trainer.lightning_module, hook, LightningModule, "LightningModule")
        data = self._own(trainer.datamodule, hook, LightningDataModule, "LightningDataModule")
        if hook in ("setup", "teardown"):
            return data + callbacks + model
        if hook == "on_exception":
            return callbacks + data
        if hook == "on_train_epoch_end":  # what the model logs here can be monitored
            last = {one.state_key for one in trainer.callbacks if _monitors(one)}
            late = [call for call in callbacks if call.label[10 : -len(hook) - 1] in last]
            return [call for call in callbacks if call not in late] + model + late
        return callbacks + model

    @staticmethod
    def _own(owner: object, hook: str, base: type, kind: str) -> list[Call]:
        if owner is None or not overridden(hook, owner, base) or not callable(getattr(owner, hook)):
            return []
        return [Call(f"[{kind}]{type(owner).__name__}.{hook}", getattr(owner, hook), False)]


def _monitors(callback: Callback) -> bool:
    return isinstance(callback, EarlyStopping | Checkpoint)
