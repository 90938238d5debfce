"""The metrics of a run: collected from ``self.log``, shown to callbacks and the bar, and written by
loggers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rushlight as rl

from .logged import Results

if TYPE_CHECKING:
    from .trainer import Trainer

Metrics = dict[str, rl.Tensor]


class Journal:
    """Metrics of the loop that runs, and what is left of those before.

    Attributes:
        results: the running loop's quantities, which :meth:`use` chooses.
        in_batch: None between epochs, True in an epoch's first batch, then False.
        outer: ``in_batch`` of the training loop, while a validation inside of it runs.
        fx: the hook that logged last; its values of the epoch before go when it logs again.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.books = {
            name: Results(training=name == "fit")
            for name in ("fit", "fit_validate", "validate", "test")
        }
        self.results: Results | None = None
        self.in_batch: bool | None = None
        self.outer: bool | None = None
        self.fx: str | None = None
        self.callback: Metrics = {}
        self.logged: Metrics = {}
        self.progress_bar: dict[str, float] = {}

    def use(self, book: str | None) -> None:
        """Makes the quantities of a loop the ones that ``self.log`` adds to."""
        self.settle()
        self.results = self.books[book] if book else None

    def reopen(self, book: str) -> None:
        """As :meth:`use`, in a resumed run, where what there was is taken over already."""
        self.results = self.books[book]

    def lend(self) -> None:
        """A validation begins between two training batches."""
        self.outer = self.in_batch

    def take_back(self) -> None:
        """It is over."""
        self.use("fit")
        self.in_batch = self.outer

    # Where a loop is.

    def start_batch(self, batch: Any, dataloader_idx: int | None = None) -> None:
        self.in_batch = self.in_batch is None
        results = self.results
        results.batch, results.batch_size = batch, None
        results.dataloader_idx = dataloader_idx

    def end_batch(self) -> None:
        """The step is over: now values are looked at, which costs nothing any more."""
        results = self.results
        if results.unsettled:
            results.settle()
            self._gather(on_step=True)
        results.batch = results.batch_size = None

    def leave_batches(self) -> None:
        """The loop over batches is over: from here on values are those of the epoch."""
        self.settle()
        self.in_batch = None
        self._gather(on_step=False)

    def _gather(self, on_step: bool) -> None:
        if self.trainer.world_size > 1 and self.results is not None:
            self.results.settle()
            self.results.gather(self.trainer.ranks, on_step)

    def end_epoch(self) -> None:
        self._gather(on_step=False)
        self.settle()
        self.fx = None

    def before_log(self, fx: str) -> None:
        """Another hook logs: in a new epoch, its values of the last one go first."""
        if self.in_batch is not False:
            self.settle()
            self._open.reset(fx, metrics=False)
        self.fx = fx

    def reset_results(self) -> None:
        if self.results is not None:
            self.settle()
            self.results.reset()
        self.in_batch = self.fx = None

    def reset_metrics(self) -> None:
        self.callback, self.logged, self.progress_bar = {}, {}, {}

    # What there is to see.

    @property
    def _open(self) -> Results:
        assert self.results is not None
        return self.results

    def current(self) -> tuple[Metrics, Metrics, dict[str, float]]:
        """For callbacks, loggers and the bar: of the step inside of a batch, else of the epoch."""
        callback: Metrics = {}
        logged: Metrics = {}
        shown: dict[str, float] = {}
        on_step = self.in_batch is not None
        results = self._open
        results.settle()
        for entry in results.valid():
            value = entry.read(on_step)
            if value is None:
                continue
            how, name = entry.how, entry.how.forked_name(on_step)
            if how.logger:
                logged[name] = value
            if results.training or (how.on_epoch and not on_step):
                callback[how.name + how.suffix] = callback[name] = value
            if how.prog_bar:
                shown[name] = float(value)
        return callback, logged, shown

    def settle(self) -> None:
        """Takes over what there is, since it is about to change."""
        if self.results is not None and self.results.entries:
            callback, logged, shown = self.current()
            self.callback.update(callback)
            self.logged.update(logged)
            self.progress_bar.update(shown)

    # What is written.

    def write(self, metrics: Metrics, step: int | None = None) -> None:
        """Hands metrics to all loggers, as floats, with the number of the step."""
        trainer = self.trainer
        if not trainer.loggers or not metrics:
            return
        self.logged.update(metrics)
        scalars: dict[str, Any] = {name: _scalar(value) for name, value in metrics.items()}
        if step is None:
            given = scalars.pop("step", None)
            if given is not None:
                step = int(given)
            else:
                scalars.setdefault("epoch", trainer.current_epoch)
                step = trainer.progress.batches_that_stepped
        for logger in trainer.loggers:
            logger.log_metrics(metrics=scalars, step=step)
            logger.save()

    def write_train_step(self) -> None:
        trainer = self.trainer
        if not trainer.loggers:
            return
        if trainer.should_accumulate() and trainer.lightning_module.automatic_optimization:
            return
        if self.due(trainer.progress.batches_that_stepped + 1):
            self.write(self.current()[1])

    def due(self, step: int) -> bool:
        """Whether loggers get the metrics of this step."""
        trainer = self.trainer
        if trainer.fast_dev_run:
            return True
        every = trainer.log_every_n_steps
        return every != 0 and (step % every == 0 or trainer.should_stop)

    # What a checkpoint keeps.

    def state(self) -> dict[str, Any]:
        self.settle()
        return {
            "fit": self.books["fit"].state(),
            "fit_validate": self.books["fit_validate"].state(),
            "in_batch": self.in_batch,
            "outer": self.outer,
            "fx": self.fx,
            "callback": dict(self.callback),
            "logged": dict(self.logged),
            "progress_bar": dict(self.progress_bar),
        }

    def restore(self, state: dict[str, Any]) -> None:
        for name in ("fit", "fit_validate"):
            self.books[name].restore(state[name])
        self.in_batch, self.outer, self.fx = state["in_batch"], state["outer"], state["fx"]
        self.callback, self.logged = state["callback"], state["logged"]
        self.progress_bar = state["progress_bar"]


def _scalar(value: Any) -> Any:
    if not isinstance(value, rl.Tensor):
        return value
    if value.numel() != 1:
        raise ValueError(
            f"The metric `{value}` does not contain a single element, thus it cannot be converted"
            " to a scalar."
        )
    return value.item()
