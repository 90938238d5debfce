"""The training loop, as one would write it, with the hooks where Lightning calls them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import rushlight as rl

from .evaluation import evaluate
from .notes import MisconfigurationException, note, warn, warn_once
from .steps import Steps

if TYPE_CHECKING:
    from .trainer import Trainer


def fit(trainer: Trainer) -> None:
    """Trains the model from where ``trainer.progress`` stands to the end.

    A run that goes on from a checkpoint enters inside of the hook that wrote it, so everything
    before that hook is skipped and everything after it is done, and nothing happens twice.
    """
    call, at, journal, feed = trainer.calls, trainer.progress, trainer.journal, trainer.train_feed
    call("on_train_start")
    steps = Steps(trainer)
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
            over = epoch_over(trainer)
            for batch, _, _, at.is_last_batch in () if over else feed.batches():
                batch_idx = at.take_batch()
                if steps.changes_batches:
                    batch = trainer.transfer(batch)
                journal.start_batch(batch)
                skip = call("on_train_batch_start", batch, batch_idx) == -1
                at.is_last_batch = at.is_last_batch or skip
                outputs = {} if skip else optimize(trainer, steps, batch, batch_idx)
                if trainer.lr_scheduler_configs:
                    trainer.step_schedulers("step")
                    if at.is_last_batch:
                        trainer.step_schedulers("epoch")
                if skip:
                    break
                finish_batch(trainer, outputs, batch, batch_idx)
                asked = trainer.should_stop or at.global_step == trainer.max_steps
                if asked and epoch_over(trainer):
                    break
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


def optimize(trainer: Trainer, steps: Steps, batch: Any, batch_idx: int) -> dict[str, Any]:
    """One batch: the step's loss, its gradients, and the optimizer's step when it is due."""
    call, at = trainer.calls, trainer.progress
    outputs: dict[str, Any] = {}
    if batch is None:
        warn_once("train_dataloader yielded None. If this was on purpose, ignore this warning...")
        return outputs
    if trainer.forward_only:
        training_step(trainer, steps, batch, batch_idx)
        return outputs
    if steps.by_hand:
        return by_hand(training_step(trainer, steps, batch, batch_idx))
    accumulate = trainer.accumulate_grad_batches != 1 and trainer.should_accumulate()
    if accumulate or steps.straight:
        gradients(trainer, steps, batch, batch_idx, outputs)
    if accumulate:
        return outputs
    if steps.straight:
        optimizer = trainer.optimizers[0]
        if steps.hooked:
            call("on_before_optimizer_step", optimizer)
        if steps.clips:
            trainer.clip(optimizer)
        optimizer.step()
    else:
        closure = partial(gradients, trainer, steps, batch, batch_idx, outputs)
        call.step("optimizer_step", at.epoch, batch_idx, trainer.wrapped[0], closure)
    at.global_step += 1
    return outputs


def gradients(
    trainer: Trainer, steps: Steps, batch: Any, batch_idx: int, outputs: dict[str, Any]
) -> rl.Tensor | None:
    """The loss of a batch and the gradients of it."""
    call, at, optimizer = trainer.calls, trainer.progress, trainer.optimizers[0]
    loss = training_step(trainer, steps, batch, batch_idx)
    rest: dict[str, Any] = {}
    if not isinstance(loss, rl.Tensor):
        loss, rest = loss_of(loss)
    count = trainer.accumulate_grad_batches
    if batch_idx % count == 0:
        if steps.hooked:
            call("on_before_zero_grad", optimizer)
        if steps.zeroes:
            call.step("optimizer_zero_grad", at.epoch, batch_idx, optimizer)
        else:
            optimizer.zero_grad()
    if loss is None:
        return None
    if count != 1:
        loss = loss / count
    if steps.hooked:
        call("on_before_backward", loss)
    if steps.differentiates:
        call.step("backward", loss)
    else:
        loss.backward()
    if steps.hooked:
        call("on_after_backward")
    if steps.watched:
        loss = loss.detach()
        outputs.update(rest, loss=loss)
    return loss


def training_step(trainer: Trainer, steps: Steps, batch: Any, batch_idx: int) -> Any:
    """What the model makes of a batch."""
    if steps.parallel:
        trainer.ranks.begin(averages=steps.by_hand or not trainer.should_accumulate())
    arguments = (batch, batch_idx) if steps.takes_index else (batch,)
    if not steps.plain:
        with trainer.precision_plugin.step_context():
            return trainer.calls.step("training_step", *arguments)
    trainer.calls.fx = "training_step"
    returned = steps.training(*arguments)
    trainer.calls.fx = None
    return returned


def finish_batch(
    trainer: Trainer, outputs: Any = None, batch: Any = None, batch_idx: int = 0
) -> None:
    """What follows a batch's step: its last hook, its log, and a validation if one is due."""
    call, at, journal = trainer.calls, trainer.progress, trainer.journal
    if call.resumed is None or call.stands_in("on_train_batch_end"):
        call("on_train_batch_end", outputs, batch, batch_idx)
        journal.end_batch()
        at.in_hand = False
        if trainer.loggers:
            journal.write_train_step()
    if call.resumed is not None or (trainer.validates and validation_due(trainer)):
        validate(trainer)
    if trainer.lr_scheduler_configs:
        trainer.step_schedulers("step", plateau=True)
    if at.is_last_batch or at.batch % trainer.accumulate_grad_batches == 0:
        at.batches_that_stepped += 1


def validate(trainer: Trainer) -> None:
    """A validation between two training batches, or what is left of one."""
    call, journal = trainer.calls, trainer.journal
    if call.resumed is None:
        journal.lend()
        if not trainer.should_accumulate():
            call.step("on_validation_model_zero_grad")
    trainer.validating = True
    trainer.ranks.share_buffers()
    evaluate(trainer, trainer.val_feed, "fit_validate", verbose=False)
    trainer.training = True
    journal.take_back()


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
    return trainer.validates and (every is None or (trainer.current_epoch + 1) % every == 0)


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
