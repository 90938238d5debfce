"""In which hooks ``self.log`` may be called, and whether it means the step or the epoch there."""

from __future__ import annotations

from .notes import MisconfigurationException

_STEPS = """
    on_before_backward backward on_after_backward on_before_optimizer_step optimizer_step
    configure_gradient_clipping clip_gradients on_before_zero_grad optimizer_zero_grad
    on_train_batch_start on_train_batch_end training_step
""".split()  # noqa: SIM905 - a list of words
_EVALUATION_STEPS = """
    on_validation_batch_start on_validation_batch_end on_test_batch_start on_test_batch_end
    validation_step test_step
""".split()  # noqa: SIM905
_EPOCHS = """
    on_train_start on_validation_start on_test_start on_train_epoch_start on_train_epoch_end
    on_validation_epoch_start on_validation_epoch_end on_test_epoch_start on_test_epoch_end
""".split()  # noqa: SIM905

# (on_step, on_epoch) unless they are given.
DEFAULTS = {
    **dict.fromkeys(_STEPS, (True, False)),
    **dict.fromkeys(_EVALUATION_STEPS, (False, True)),
    **dict.fromkeys(_EPOCHS, (False, True)),
}


def levels(fx: str, on_step: bool | None, on_epoch: bool | None) -> tuple[bool, bool]:
    """Whether a value logged in the hook ``fx`` is of the step, and of the epoch.

    Raises:
        MisconfigurationException: there is no logging in that hook, or not of a step.
    """
    if fx not in DEFAULTS:
        raise MisconfigurationException(
            f"You can't `self.log()` inside `{fx}`. HINT: You can still log directly to the logger"
            " by using `self.logger.experiment`."
        )
    step, epoch = DEFAULTS[fx]
    step = step if on_step is None else on_step
    epoch = epoch if on_epoch is None else on_epoch
    if fx in _EPOCHS and step:
        raise MisconfigurationException(
            f"You can't `self.log(on_step={step})` inside `{fx}`, must be one of (False,)."
        )
    if fx in _EPOCHS and not epoch:
        raise MisconfigurationException(
            f"You can't `self.log(on_epoch={epoch})` inside `{fx}`, must be one of (True,)."
        )
    if not step and not epoch:
        raise MisconfigurationException("`self.log(on_step=False, on_epoch=False)` is not useful.")
    return step, epoch
