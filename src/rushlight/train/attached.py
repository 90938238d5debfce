"""Which callbacks a Trainer has, and their order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .callbacks.callback import Callback, Checkpoint
from .callbacks.model_checkpoint import ModelCheckpoint
from .callbacks.model_summary import ModelSummary
from .callbacks.progress import ProgressBar, RichProgressBar
from .callbacks.timer import Timer
from .hooks import overridden
from .notes import MisconfigurationException, note

if TYPE_CHECKING:
    from .trainer import Trainer


def arrange(
    callbacks: list[Callback],
    *,
    checkpointing: bool,
    bar: bool,
    summary: bool,
    max_time: timedelta | None,
    quiet: bool,
    first: bool = True,
) -> list[Callback]:
    """The user's callbacks and those that every Trainer has, checkpoints last.

    Raises:
        MisconfigurationException: callbacks against what was switched off, or two bars.
        RuntimeError: two that would keep their state under one name.
    """
    found = [one for one in callbacks if not (quiet and isinstance(one, Checkpoint))]
    if not quiet:
        _add_checkpoint(found, checkpointing)
    if max_time is not None and not _any(found, Timer):
        found.append(Timer(duration=max_time, interval="step"))
    _add_bar(found, bar)
    if summary and not _any(found, ModelSummary):
        found.append(ModelSummary())
    _check_keys(found)
    if not first:  # of several processes one shows
        found = [one for one in found if not isinstance(one, ProgressBar | ModelSummary)]
    return in_order(found)


def in_order(callbacks: list[Callback]) -> list[Callback]:
    """Checkpoints go last, so that they hold what the others have done."""
    return sorted(callbacks, key=lambda one: isinstance(one, Checkpoint))


def _any(callbacks: list[Callback], kind: type) -> bool:
    return any(isinstance(one, kind) for one in callbacks)


def _add_checkpoint(callbacks: list[Callback], wanted: bool) -> None:
    if not _any(callbacks, Checkpoint):
        if wanted:
            callbacks.append(ModelCheckpoint())
    elif not wanted:
        raise MisconfigurationException(
            "Trainer was configured with `enable_checkpointing=False` but found `ModelCheckpoint`"
            " in callbacks list."
        )


def _add_bar(callbacks: list[Callback], wanted: bool) -> None:
    bars = [one for one in callbacks if isinstance(one, ProgressBar)]
    if len(bars) > 1:
        raise MisconfigurationException(
            "You added multiple progress bar callbacks to the Trainer, but currently only one"
            " progress bar is supported."
        )
    if bars and not wanted:
        raise MisconfigurationException(
            "Trainer was configured with `enable_progress_bar=False` but found"
            f" `{type(bars[0]).__name__}` in callbacks list."
        )
    if wanted and not bars:
        callbacks.append(RichProgressBar())


def _check_keys(callbacks: list[Callback]) -> None:
    keys = [one.state_key for one in callbacks if overridden("state_dict", one, Callback)]
    for one in callbacks:
        if keys.count(one.state_key) > 1:
            raise RuntimeError(
                f"Found more than one stateful callback of type `{type(one).__name__}`. In the"
                " current configuration, this callback does not support being saved alongside other"
                " instances of the same type. HINT: The `callback.state_key` must be unique among"
                " all callbacks in the Trainer."
            )


def attach_model_callbacks(trainer: Trainer) -> None:
    """Adds the callbacks that the model brings; they replace others of their type."""
    model = trainer.lightning_module
    brought = model.configure_callbacks()
    brought = list(brought) if isinstance(brought, list | tuple) else [brought]
    replaced = {
        type(one)
        for one in trainer.callbacks
        if type(one) is not Callback and any(isinstance(new, type(one)) for new in brought)
    }
    if replaced:
        names = ", ".join(sorted(kind.__name__ for kind in replaced))
        note(
            "The following callbacks returned in `LightningModule.configure_callbacks` will"
            f" override existing callbacks passed to Trainer: {names}"
        )
    kept = [one for one in trainer.callbacks if type(one) not in replaced]
    if brought:
        trainer.callbacks = in_order([*kept, *brought])
    for one in trainer.callbacks:
        one.log, one.log_dict = model.log, model.log_dict  # type: ignore[attr-defined]
    trainer.calls.forget()
