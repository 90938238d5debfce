"""Hyperparameters: what a model was made with, kept so that it can be made again."""

from __future__ import annotations

import copy
import inspect
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from types import FrameType
from typing import Any

from rushlight import nn

from .notes import warn


class AttributeDict(dict[Any, Any]):
    """A dict whose entries can be written as attributes, too.

    Example:
        >>> hparams = AttributeDict({"lr": 0.1})
        >>> hparams.lr
        0.1
    """

    def __getattr__(self, key: str) -> Any:
        try:
            return self[key]
        except KeyError as error:
            raise AttributeError(f"Missing attribute '{key}'") from error

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value

    def __repr__(self) -> str:
        if not self:
            return ""
        width = max(len(str(key)) for key in self) + 3
        return "\n".join(f"{f'{chr(34)}{key}{chr(34)}:':<{width}} {self[key]}" for key in self)


class HyperparametersMixin:
    """``save_hyperparameters`` and ``hparams``."""

    _log_hyperparams = False

    def save_hyperparameters(
        self,
        *args: Any,
        ignore: Iterable[str] | str | None = None,
        frame: FrameType | None = None,
        logger: bool = True,
    ) -> None:
        """Keeps the arguments of ``__init__`` in :attr:`hparams`, and in every checkpoint.

        Args:
            args: names of single arguments; or one dict, Namespace or mapping to keep instead.
            ignore: names to leave out.
            frame: the frame of ``__init__``; the caller's, unless it is given.
            logger: whether loggers are told, too.
        Raises:
            ValueError: a single value that is no collection of named ones.
        Example:
            >>> class Net(HyperparametersMixin):
            ...     def __init__(self, width=8, rate=0.1):
            ...         super().__init__()
            ...         self.save_hyperparameters(ignore="rate")
            >>> dict(Net(16).hparams)
            {'width': 16}
        """
        self._log_hyperparams = logger
        if len(args) == 1 and not isinstance(args[0], str) and not args[0]:
            return
        if frame is None:
            here = inspect.currentframe()
            frame = here.f_back if here else None
        given = _without(_arguments(self, frame), ignore)
        objects = [arg for arg in args if not isinstance(arg, str)]
        self._hparams_name: str | None = "kwargs" if given or args else None
        if objects:
            kept = objects[0]
            names = [name for name, value in given.items() if value is kept or value == kept]
            self._hparams_name = names[0] if names else None
        else:
            kept = {name: given[name] for name in args} if args else given
        self._set_hparams(_without(kept, ignore) if isinstance(kept, dict) else kept)
        for name, value in self._hparams.items():
            if isinstance(value, nn.Module):
                warn(
                    f"Attribute {name!r} is an instance of `nn.Module` and is already saved during"
                    " checkpointing. It is recommended to ignore them using"
                    f" `self.save_hyperparameters(ignore=[{name!r}])`."
                )
        self._hparams_initial = copy.deepcopy(self._hparams)

    def _set_hparams(self, kept: Any) -> None:
        named = _named(kept)
        if isinstance(named, AttributeDict):
            self.hparams.update(named)
        else:
            self._hparams = named

    @property
    def hparams(self) -> Any:
        """What ``save_hyperparameters`` kept; changes to it are saved, too."""
        if "_hparams" not in self.__dict__:
            self._hparams = AttributeDict()
        return self._hparams

    @property
    def hparams_initial(self) -> Any:
        """The same as it was first kept."""
        if "_hparams_initial" not in self.__dict__:
            return AttributeDict()
        return copy.deepcopy(self._hparams_initial)


def _named(kept: Any) -> Any:
    if isinstance(kept, Namespace):
        kept = vars(kept)
    if isinstance(kept, dict):
        return AttributeDict(kept)
    if is_dataclass(kept) and not isinstance(kept, type):
        return AttributeDict({field.name: getattr(kept, field.name) for field in fields(kept)})
    if isinstance(kept, Mapping):  # as OmegaConf's, which keep their own kind
        return kept
    if isinstance(kept, bool | int | float | str):
        raise ValueError(f"Primitives {(bool, int, float, str)} are not allowed.")
    raise ValueError(f"Unsupported config type of {type(kept)}.")


def _without(values: Mapping[str, Any], ignore: Iterable[str] | str | None) -> dict[str, Any]:
    dropped = {ignore} if isinstance(ignore, str) else set(ignore or ())
    return {name: value for name, value in values.items() if name not in dropped}


def _arguments(self: object, frame: FrameType | None) -> dict[str, Any]:
    """The arguments of all ``__init__`` of ``self`` that are running, outermost last."""
    if is_dataclass(self):
        return {field.name: getattr(self, field.name) for field in fields(self)}
    found: dict[str, Any] = {}
    inside = False
    while frame is not None:
        mine, values = _own_arguments(frame, self)
        if mine:
            found.update(values)
            inside = True
        elif inside:
            break
        frame = frame.f_back
    return found


def _own_arguments(frame: FrameType, self: object) -> tuple[bool, dict[str, Any]]:
    variables = frame.f_locals
    cls = variables.get("__class__")  # there in methods that call super()
    if not isinstance(cls, type) or not isinstance(self, cls):
        return False, {}
    parameters = list(inspect.signature(cls.__init__).parameters.values())
    if not parameters or variables.get(parameters[0].name) is not self:
        return False, {}
    values: dict[str, Any] = {}
    for parameter in parameters[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            values.update(variables.get(parameter.name, {}))
        elif parameter.kind is not parameter.VAR_POSITIONAL and parameter.name in variables:
            values[parameter.name] = variables[parameter.name]
    return True, values
