"""``Tuner``: settings that are found by trying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..callbacks.batch_size_finder import BatchSizeFinder
from ..callbacks.lr_finder import LearningRateFinder
from ..notes import MisconfigurationException

if TYPE_CHECKING:
    from ..module import LightningModule
    from ..trainer import Trainer
    from .lr_finder import LRFinder


class Tuner:
    """Tries settings out with a Trainer, before its ``fit``.

    Args:
        trainer: whose settings are used.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def lr_find(
        self,
        model: LightningModule,
        train_dataloaders: Any = None,
        val_dataloaders: Any = None,
        dataloaders: Any = None,
        datamodule: Any = None,
        method: str = "fit",
        min_lr: float = 1e-8,
        max_lr: float = 1,
        num_training: int = 100,
        mode: str = "exponential",
        early_stop_threshold: float | None = 4.0,
        update_attr: bool = True,
        attr_name: str = "",
    ) -> LRFinder | None:
        """Trains with a rate that grows with every step, and suggests one from what the loss does.

        Model, data, optimizer and random states are afterwards as they were before, but for the
        setting. The test goes on over epochs until it has its steps; ``max_epochs`` is no limit.

        Args:
            num_training: steps, from ``min_lr`` to ``max_lr``.
            mode: how the rate grows: ``"exponential"`` or ``"linear"``.
            early_stop_threshold: ends the test when the loss is so many times the best; None never.
            update_attr: whether to set the model's field to the suggestion.
            attr_name: the field; ``"lr"`` or ``"learning_rate"`` of model or ``hparams`` by
                default.
        Returns:
            What was found, with ``results``, ``suggestion()`` and ``plot()``; None under
            ``fast_dev_run``.
        Raises:
            MisconfigurationException: another method, several optimizers, or another
                LearningRateFinder among the callbacks.
        Reference:
            Smith 2017, section 3.3, arXiv:1506.01186.
        """
        if method != "fit":
            raise MisconfigurationException(
                "method='fit' is the only valid configuration to run lr finder."
            )
        self._check(dataloaders, LearningRateFinder)
        finder = LearningRateFinder(
            min_lr, max_lr, num_training, mode, early_stop_threshold, update_attr, attr_name
        )
        self._run(finder, model, train_dataloaders, val_dataloaders, datamodule)
        return finder.optimal_lr

    def scale_batch_size(
        self,
        model: LightningModule,
        train_dataloaders: Any = None,
        val_dataloaders: Any = None,
        dataloaders: Any = None,
        datamodule: Any = None,
        method: str = "fit",
        mode: str = "power",
        steps_per_trial: int = 3,
        init_val: int = 2,
        max_trials: int = 25,
        batch_arg_name: str = "batch_size",
        margin: float = 0.05,
        max_val: int = 8192,
    ) -> int | None:
        """Looks for the largest batch that fits into memory, and gives it to the model's field.

        The arguments are those of :class:`rushlight.train.callbacks.BatchSizeFinder`.

        Returns:
            The size; None under ``fast_dev_run``.
        Raises:
            MisconfigurationException: another method than ``"fit"``, loaders that are passed, or no
                such field.
            MemoryError: not even a batch of one fits.
        """
        if method != "fit":
            raise MisconfigurationException(
                f"batch sizes are looked for with method='fit', not {method!r}"
            )
        self._check(dataloaders, BatchSizeFinder)
        finder = BatchSizeFinder(
            mode, steps_per_trial, init_val, max_trials, batch_arg_name, margin, max_val
        )
        self._run(finder, model, train_dataloaders, val_dataloaders, datamodule)
        return finder.optimal_batch_size

    def _check(self, dataloaders: Any, kind: type) -> None:
        if dataloaders is not None:
            raise MisconfigurationException(
                "In tuner with method='fit', `dataloaders` argument should be None, please consider"
                " setting `train_dataloaders` and `val_dataloaders` instead."
            )
        if any(isinstance(one, kind) for one in self._trainer.callbacks):
            raise MisconfigurationException(
                f"Trainer is already configured with a `{kind.__name__}` callback. Please remove it"
                " if you want to use the Tuner."
            )

    def _run(self, finder: Any, *data: Any) -> None:
        """A fit that ends when the finder has found something."""
        trainer = self._trainer
        finder._early_exit = True
        trainer.callbacks = [finder, *trainer.callbacks]
        try:
            trainer.fit(*data)
        finally:
            trainer.callbacks = [one for one in trainer.callbacks if one is not finder]
