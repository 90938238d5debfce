"""The training loop, as one would write it, with the hooks where Lightning calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import rushlight as rl

from .evaluation import evaluate
from .notes import MisconfigurationException, note, warn, warn_once

if TYPE_CHECKING:
    from .trainer import Trainer


def fit(trainer: Trainer) -> None:
    """Trains the model from where ``trainer.progress`` stands to the end.

    A run that goes on from a checkpoint enters inside of the hook that wrote it, so everything
    before that hook is skipped and everything after it is done, and nothing happens twice.
    """
    call, at, journal, feed = trainer.calls, trainer.progress, trainer.journal, trainer.train_feed
    call("on_train_start")
    while not finished(trainer):
        feed.prepare()
        if at.batch == 0 and call.resumed is None:
            at.is_last_batch = False
            call("on_train_epoch_start")
        if not call.stands_in("on_train_epoch_end"):
            feed.begin(at.epoch)
            trainer.restore_random()
            if call.resumed is not None:
                finish_batch(trainer)
            for batch, _, _, at.is_last_batch in feed.batches(lambda: epoch_over(trainer)):
                batch_idx = at.take_batch()
                batch = trainer.transfer(batch)
                journal.start_batch(batch)
                skip = call("on_train_batch_start", batch, batch_idx) == -1
                at.is_last_batch = at.is_last_batch or skip
                outputs = {} if skip else optimize(trainer, batch, batch_idx)
                trainer.step_schedulers("step")
                if at.is_last_batch:
                    trainer.step_schedulers("epoch")
                if skip:
                    break
                finish_batch(trainer, outputs, batch, batch_idx)
            journal.leave_batches()
        trainer.restore_random()
        call("on_train_epoch_end")
        journal.end_epoch()
        if at.is_last_batch:
            trainer.step_schedulers("epoch", plateau=True)
        at.batches_that_stepped -= 1  # what is logged of the epoch is of its last step
        journal.write(journal.current()[1])
        journal.reset_results()
        at.batches_that_stepped += 1
        at.in_hand = False
        at.finish_epoch()
    call("on_train_end")


def optimize(trainer: Trainer, batch: Any, batch_idx: int) -> dict[str, Any]:
    """One batch: the step's loss, its gradients, and the optimizer's step when it is due."""
    model, call, at = trainer.lightning_module, trainer.calls, trainer.progress
    arguments = trainer.step_arguments("training_step", batch, batch_idx)
    outputs: dict[str, Any] = {}
    if batch is None:
        warn_once("train_dataloader yielded None. If this was on purpose, ignore this warning...")
        return outputs
    if not model.automatic_optimization:
        with trainer.precision_plugin.step_context():
            return by_hand(call.step("training_step", *arguments))

    def closure() -> rl.Tensor | None:
        with trainer.precision_plugin.step_context():
            returned = call.step("training_step", *arguments)
        loss, rest = loss_of(returned)
        if batch_idx % trainer.accumulate_grad_batches == 0:
            call("on_before_zero_grad", optimizer)
            call.step("optimizer_zero_grad", at.epoch, batch_idx, optimizer)
        if loss is not None:
            if trainer.accumulate_grad_batches > 1:
                loss = loss / trainer.accumulate_grad_batches
            call("on_before_backward", loss)
            call.step("backward", loss)
            call("on_after_backward")
            loss = loss.detach()
            outputs.update({**rest, "loss": loss})
        return loss

    optimizer = trainer.optimizers[0]
    if trainer.should_accumulate():
        closure()
    else:
        call.step("optimizer_step", at.epoch, batch_idx, trainer.wrapped[0], closure)
        at.global_step += 1
    return outputs


def finish_batch(
    trainer: Trainer, outputs: Any = None, batch: Any = None, batch_idx: int = 0
) -> None:
    """What follows a batch's step: its last hook, its log, and a validation if one is due."""
    call, at, journal = trainer.calls, trainer.progress, trainer.journal
    if call.resumed is None or call.stands_in("on_train_batch_end"):
        call("on_train_batch_end", outputs, batch, batch_idx)
        journal.end_batch()
        at.in_hand = False
        journal.write_train_step()
    if call.resumed is not None or validation_due(trainer):
        if call.resumed is None:
            journal.lend()
            if not trainer.should_accumulate():
                call.step("on_validation_model_zero_grad")
        trainer.validating = True
        evaluate(trainer, trainer.val_feed, "fit_validate", verbose=False)
        trainer.training = True
        journal.take_back()
    trainer.step_schedulers("step", plateau=True)
    if not trainer.should_accumulate():
        at.batches_that_stepped += 1


def finished(trainer: Trainer) -> bool:
    """Whether the training is over, before another epoch begins; says why."""
    at = trainer.progress
    if trainer.calls.resumed is not None:
        return False
    if reached(at.global_step, trainer.max_steps):
        note(f"`Trainer.fit` stopped: `max_steps={trainer.max_steps!r}` reached.")
        return True
    if reached(at.epoch, trainer.max_epochs):
        note(f"`Trainer.fit` stopped: `max_epochs={trainer.max_epochs!r}` reached.")
        return True
    return trainer.should_stop and can_stop_early(trainer)


def epoch_over(trainer: Trainer) -> bool:
    """Whether no other batch of this epoch is to be taken."""
    at = trainer.progress
    if at.is_last_batch or reached(at.global_step, trainer.max_steps):
        return True
    if trainer.should_stop and not can_stop_early(trainer):
        warn_once(
            "Trainer was signaled to stop but the required"
            f" `min_epochs={trainer.min_epochs!r}` or `min_steps={trainer.min_steps!r}` has not"
            " been met. Training will continue..."
        )
        return False
    return trainer.should_stop


def reached(count: int, most: int | None) -> bool:
    """Whether a limit is reached; -1 and None are no limit."""
    return most not in (None, -1) and count >= most  # type: ignore[operator]


def can_stop_early(trainer: Trainer) -> bool:
    at = trainer.progress
    enough_epochs = at.epoch >= trainer.min_epochs if trainer.min_epochs else True
    enough_steps = at.global_step >= trainer.min_steps if trainer.min_steps else True
    return enough_epochs and enough_steps


def validation_epoch(trainer: Trainer) -> bool:
    """Whether there is validation in this epoch."""
    every = trainer.check_val_every_n_epoch
    return trainer.enable_validation and (every is None or (trainer.current_epoch + 1) % every == 0)


def validation_due(trainer: Trainer) -> bool:
    """Whether to validate after this batch."""
    at, every = trainer.progress, trainer.val_check_batch
    if not validation_epoch(trainer):
        return False
    if at.is_last_batch and every == float("inf"):
        return True
    if trainer.should_stop and can_stop_early(trainer):
        return True
    if trainer.val_check_time is not None:
        return trainer.val_check_time.is_due()
    if every == float("inf"):
        limit = trainer.limit_train_batches
        return isinstance(limit, int) and at.batch % limit == 0
    count = at.total_batches if trainer.check_val_every_n_epoch is None else at.batch
    return count % every == 0


def loss_of(returned: Any) -> tuple[rl.Tensor | None, dict[str, Any]]:
    """The loss in what ``training_step`` returned, and what else there is.

    Raises:
        MisconfigurationException: there is none.
    """
    if returned is None:
        warn(
            "`training_step` returned `None`. If this was on purpose, ignore this warning...",
            stacklevel=2,
        )
        return None, {}
    if isinstance(returned, rl.Tensor):
        return returned, {}
    if isinstance(returned, Mapping):
        rest = {key: value for key, value in returned.items() if key != "loss"}
        if "loss" not in returned:
            raise MisconfigurationException(
                "In automatic_optimization, when `training_step` returns a dict, the 'loss' key"
                " needs to be present"
            )
        return returned["loss"], rest
    raise MisconfigurationException(
        "In automatic optimization, `training_step` must return a Tensor, a dict, or None (where"
        " the step will be skipped)."
    )


def by_hand(returned: Any) -> dict[str, Any]:
    """What ``training_step`` returned in a model that optimises by hand, as outputs.

    Raises:
        MisconfigurationException: it is neither a tensor nor a dict.
    """
    if returned is None:
        return {}
    if isinstance(returned, rl.Tensor):
        return {"loss": returned.detach()}
    if isinstance(returned, Mapping):
        outputs = dict(returned)
        if "loss" in outputs:
            outputs["loss"] = outputs["loss"].detach()
        return outputs
    raise MisconfigurationException(
        "In manual optimization, `training_step` must either return a Tensor or have no return."
    )
