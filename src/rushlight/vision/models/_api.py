"""Models by name, and the weights that were published for them.

Example:
    >>> from rushlight.vision import models
    >>> models.list_models(include="resnet*", exclude="*101*")
    ['resnet152', 'resnet18', 'resnet34', 'resnet50']
    >>> models.get_weight("ResNet50_Weights.IMAGENET1K_V2").meta["num_params"]
    25557032
"""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeVar, get_args

from rushlight import nn

__all__ = [
    "WeightsEnum", "Weights", "get_model", "get_model_builder", "get_model_weights", "get_weight",
    "list_models", "register_model",
]  # fmt: skip

M = TypeVar("M", bound=nn.Module)

BUILTIN_MODELS: dict[str, Callable[..., nn.Module]] = {}
# Packages that hold the builders' enumerations, in the order in which names are looked for.
_PACKAGES = ("", ".detection", ".segmentation")


@dataclass
class Weights:
    """Published weights: where they are, what an image has to go through first, what is known.

    Args:
        url: the file; its name holds the first digits of its SHA-256.
        transforms: makes the transforms that inputs need.
        meta: categories, number of parameters, measured accuracy, recipe and so on.
    """

    url: str
    transforms: Callable[..., Any]
    meta: dict[str, Any]

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Weights):
            return NotImplemented
        if self.url != other.url or self.meta != other.meta:
            return False
        return _call(self.transforms) == _call(other.transforms)


def _call(transforms: Callable[..., Any]) -> Any:
    """What can be compared: two partial objects of the same call are not equal themselves."""
    if isinstance(transforms, partial):
        return transforms.func, transforms.args, transforms.keywords
    return transforms


class WeightsEnum(Enum):
    """What the weights of one model derive from; the members' values are :class:`Weights`."""

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """A member, from itself or its name; None stays None.

        Raises:
            TypeError: something else.
            KeyError: there are no weights of that name.
        """
        if obj is None or isinstance(obj, cls):
            return obj
        if type(obj) is str:
            return cls[obj.removeprefix(f"{cls.__name__}.")]
        raise TypeError(
            f"Invalid Weight class provided; expected {cls.__name__} but received "
            f"{obj.__class__.__name__}."
        )

    def get_state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Downloads the file, or takes it from the cache; as ``hub.load_state_dict_from_url``."""
        from rushlight import hub  # which loads what downloads need

        return hub.load_state_dict_from_url(self.url, *args, **kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return getattr, (self.__class__, self._name_)  # by name, and copies are the member itself

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}.{self._name_}"

    @property
    def url(self) -> str:
        return self.value.url

    @property
    def transforms(self) -> Callable[..., Any]:
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        return self.value.meta


def get_weight(name: str) -> WeightsEnum:
    """Weights by their full name, such as ``"ResNet50_Weights.IMAGENET1K_V1"``."""
    enum_name, dot, member = name.partition(".")
    if not dot or "." in member:
        raise ValueError(f"Invalid weight name provided: '{name}'.")
    package = __name__.rpartition(".")[0]
    for place in _PACKAGES:
        found = getattr(importlib.import_module(package + place), enum_name, None)
        if isinstance(found, type) and issubclass(found, WeightsEnum):
            return found[member]
    raise ValueError(
        f"The weight enum '{enum_name}' for the specific method couldn't be retrieved."
    )


def get_model_weights(name: Callable[..., nn.Module] | str) -> type[WeightsEnum]:
    """The enumeration of weights that belongs to a builder, or to the model of that name."""
    return _enum_of(get_model_builder(name) if isinstance(name, str) else name)


def _enum_of(builder: Callable[..., nn.Module]) -> type[WeightsEnum]:
    parameters = inspect.signature(builder, eval_str=True).parameters
    if "weights" not in parameters:
        raise ValueError("The method is missing the 'weights' argument.")
    annotation = parameters["weights"].annotation
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, WeightsEnum):
            return kind
    raise ValueError(
        "The WeightsEnum class for the specific method couldn't be retrieved. Make sure the typing "
        "info is correct."
    )


def register_model(name: str | None = None) -> Callable[[Callable[..., M]], Callable[..., M]]:
    """Decorates a builder so that :func:`get_model` finds it, by its own name or the one given."""

    def register(builder: Callable[..., M]) -> Callable[..., M]:
        key = builder.__name__ if name is None else name
        if key in BUILTIN_MODELS:
            raise ValueError(f"An entry is already registered under the name '{key}'.")
        BUILTIN_MODELS[key] = builder
        return builder

    return register


def list_models(
    module: types.ModuleType | None = None,
    include: Iterable[str] | str | None = None,
    exclude: Iterable[str] | str | None = None,
) -> list[str]:
    """Names of registered models, sorted.

    Args:
        module: only those of this package, such as ``models`` or ``models.detection``.
        include: shell patterns; a model is listed that matches any.
        exclude: shell patterns; a model is left out that matches any.
    """
    names = {
        name
        for name, builder in BUILTIN_MODELS.items()
        if module is None or builder.__module__.rpartition(".")[0] == module.__name__
    }
    if include:
        names = _matching(names, include)
    return sorted(names - _matching(names, exclude or ()))


def _matching(names: set[str], patterns: Iterable[str] | str) -> set[str]:
    each = [patterns] if isinstance(patterns, str) else patterns
    return {name for pattern in each for name in fnmatch.filter(names, pattern)}


def get_model_builder(name: str) -> Callable[..., nn.Module]:
    """The function that builds the model of this name; upper case does not matter."""
    name = name.lower()
    if name not in BUILTIN_MODELS:
        raise ValueError(f"Unknown model {name}")
    return BUILTIN_MODELS[name]


def get_model(name: str, **config: Any) -> nn.Module:
    """Builds the model of this name with the arguments given."""
    return get_model_builder(name)(**config)
