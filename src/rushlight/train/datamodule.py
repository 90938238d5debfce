"""LightningDataModule: the data of a task, and how it is fetched and split."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from rushlight.utils.data import DataLoader, IterableDataset

from .hooks import DataHooks
from .hparams import HyperparametersMixin

if TYPE_CHECKING:
    from .trainer import Trainer


class LightningDataModule(DataHooks, HyperparametersMixin):
    """Everything about data in one object: ``prepare_data``, ``setup`` and the dataloaders."""

    name: str | None = None
    CHECKPOINT_HYPER_PARAMS_KEY = "datamodule_hyper_parameters"
    CHECKPOINT_HYPER_PARAMS_NAME = "datamodule_hparams_name"
    CHECKPOINT_HYPER_PARAMS_TYPE = "datamodule_hparams_type"

    def __init__(self) -> None:
        super().__init__()
        self.trainer: Trainer | None = None

    @classmethod
    def from_datasets(
        cls,
        train_dataset: Any = None,
        val_dataset: Any = None,
        test_dataset: Any = None,
        predict_dataset: Any = None,
        batch_size: int = 1,
        num_workers: int = 0,
        **datamodule_kwargs: Any,
    ) -> LightningDataModule:
        """A data module of datasets, or of lists of them; training data is shuffled."""

        def loader(dataset: Any, shuffle: bool = False) -> DataLoader[Any]:
            mixed = shuffle and not isinstance(dataset, IterableDataset)
            return DataLoader(
                dataset, batch_size=batch_size, shuffle=mixed, num_workers=num_workers
            )

        def loaders(datasets: Any, shuffle: bool = False) -> Any:
            if isinstance(datasets, dict):
                return {name: loader(one, shuffle) for name, one in datasets.items()}
            if isinstance(datasets, Sequence):
                return [loader(one, shuffle) for one in datasets]
            return loader(datasets, shuffle)

        parameters = inspect.signature(cls.__init__).parameters
        known = {name: value for name, value in datamodule_kwargs.items() if name in parameters}
        made = cls(**known)
        if train_dataset is not None:
            made.train_dataloader = lambda: loaders(train_dataset, True)  # type: ignore[method-assign]
        if val_dataset is not None:
            made.val_dataloader = lambda: loaders(val_dataset)  # type: ignore[method-assign]
        if test_dataset is not None:
            made.test_dataloader = lambda: loaders(test_dataset)  # type: ignore[method-assign]
        if predict_dataset is not None:
            made.predict_dataloader = lambda: loaders(predict_dataset)  # type: ignore[method-assign]
        return made

    def state_dict(self) -> dict[str, Any]:
        """What to keep of the data in a checkpoint."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes back what :meth:`state_dict` gave."""

    @classmethod
    def load_from_checkpoint(
        cls,
        checkpoint_path: str | Path | IO[bytes],
        map_location: Any = None,
        hparams_file: str | Path | None = None,
        weights_only: bool | None = None,
        **kwargs: Any,
    ) -> Self:
        """Makes it with the hyperparameters in a checkpoint; see
        :meth:`LightningModule.load_from_checkpoint`."""
        from .checkpoint import load_data

        return load_data(cls, checkpoint_path, hparams_file, kwargs)
