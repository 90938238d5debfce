"""A setting of a model or its data, wherever it is kept: as an attribute or a hyperparameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..trainer import Trainer


def find(trainer: Trainer, name: str) -> Any:
    """The value of a setting.

    Raises:
        AttributeError: neither the model nor the data module has it.
    """
    for place in _places(trainer, name):
        return place[name] if isinstance(place, Mapping) else getattr(place, name)
    raise AttributeError(
        f"Neither the model, its `hparams` nor the data module has a field {name!r}."
    )


def known(trainer: Trainer, name: str) -> bool:
    """Whether the model or the data module has the setting."""
    return any(True for _ in _places(trainer, name))


def change(trainer: Trainer, name: str, value: Any) -> None:
    """Gives a setting another value in every place that has it."""
    for place in list(_places(trainer, name)):
        if isinstance(place, Mapping):
            place[name] = value  # type: ignore[index]
        else:
            setattr(place, name, value)


def _places(trainer: Trainer, name: str) -> Iterator[Any]:
    for owner in (trainer.lightning_module, trainer.datamodule):
        if owner is None:
            continue
        if hasattr(owner, name):
            yield owner
        if name in (owner.hparams or {}):
            yield owner.hparams
