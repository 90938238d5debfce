"""Prediction: all batches through ``predict_step``, and what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .hooks import ModuleMode
from .notes import warn_once
from .trees import realize_all

if TYPE_CHECKING:
    from .trainer import Trainer


def predict(trainer: Trainer, keep: bool) -> list[Any] | None:
    """The predictions of each batch, in a list, or a list of lists for several loaders.

    Args:
        keep: whether to return them.
    """
    call, model, feed = trainer.calls, trainer.lightning_module, trainer.predict_feed
    with trainer.no_grad():
        feed.prepare()
        feed.restrict(None)
        if feed.size() == 0:
            return None
        trainer.journal.use(None)
        trainer.check_dataloader_idx(feed, "predict_step")
        trainer.check_dataloader_idx(feed, "on_predict_batch_start", "on_predict_batch_end")
        modes = ModuleMode(model)
        call.step("on_predict_model_eval")
        call("on_predict_start")
        call("on_predict_epoch_start")
        feed.begin()
        assert feed.loader is not None
        trainer.predictions = [[] for _ in feed.loader.flattened]
        for batch, batch_idx, number, _ in feed.batches():
            batch = trainer.transfer(batch, number)
            which = (number,) if feed.several else ()
            call("on_predict_batch_start", batch, batch_idx, *which)
            with trainer.precision_plugin.step_context():
                made = call.step(
                    "predict_step",
                    *trainer.step_arguments("predict_step", batch, batch_idx, *which),
                )
            if made is None:
                warn_once("predict returned None if it was on purpose, ignore this warning...")
            call("on_predict_batch_end", made, batch, batch_idx, *which)
            if keep or trainer.writes_predictions:
                trainer.predictions[number].append(realize_all(made))
        call("on_predict_epoch_end")
        results = trainer.predictions if keep else None
        call("on_predict_end")
        modes.restore(model)
    trainer.predictions = []
    return results[0] if results and len(results) == 1 else results
