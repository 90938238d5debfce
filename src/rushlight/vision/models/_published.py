"""Families of models: their tables of published weights, and the functions that build them.

``data/FAMILY.json`` has an object for each enumeration of weights, and in it a line for each
member: the URL, the preset of transforms with its arguments, and what is known of the weights.
``DEFAULT`` names the best of them, ``pretrained`` what ``pretrained=True`` stood for.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from collections.abc import Callable
from typing import Any

from rushlight import nn

from ._api import Weights, WeightsEnum, register_model
from ._meta import DATA, names
from ._utils import _ovewrite_named_param, _ovewrite_value_param, handle_legacy_interface

_TUPLES = ("min_size", "min_temporal_size")
_LISTS_OF_NAMES = ("categories", "keypoint_names")
_PRESETS = "rushlight.vision.transforms._presets"


class Listed(Weights):
    """A line of a table. Transforms and names of categories are fetched when somebody looks."""

    def __init__(self, url: str, transforms: list[Any], **meta: Any) -> None:
        self.url = url
        self._preset, self._meta = transforms, meta

    @functools.cached_property
    def transforms(self) -> Callable[..., Any]:  # type: ignore[override]
        name, arguments = self._preset
        presets = importlib.import_module(_PRESETS)
        if "interpolation" in arguments:
            mode = presets.InterpolationMode(arguments["interpolation"])
            arguments = {**arguments, "interpolation": mode}
        return functools.partial(getattr(presets, name), **arguments)

    @functools.cached_property
    def meta(self) -> dict[str, Any]:  # type: ignore[override]
        meta = {key: tuple(v) if key in _TUPLES else v for key, v in self._meta.items()}
        return meta | {key: names(meta[key]) for key in _LISTS_OF_NAMES if meta.get(key)}


class Published:
    """One family's weights and builders.

    Args:
        module: the family's file, ``__name__`` there; its table has the same name.
        model: makes the network.
        source: who described it, for the documentation.
        rename: from the state as it was published to the names of today.
    """

    def __init__(
        self,
        module: str,
        model: Callable[..., nn.Module],
        source: str,
        rename: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self.module, self.model, self.source, self.rename = module, model, source, rename
        self.names: list[str] = []
        self.older: dict[str, Callable[[dict[str, Any]], WeightsEnum]] = {}
        family = module.partition(".models.")[2].replace(".", "/")
        self.table = json.loads((DATA / f"{family}.json").read_text(encoding="utf-8"))
        self.pretrained: dict[str, str] = {
            name: members.pop("pretrained")
            for name, members in self.table.items()
            if "pretrained" in members
        }

    def weights(self, name: str) -> type[WeightsEnum]:
        """The enumeration of that name."""
        rows = self.table[name]
        values = {key: Listed(**row) for key, row in rows.items() if isinstance(row, dict)}
        members = {key: values[row if isinstance(row, str) else key] for key, row in rows.items()}
        self.names.append(name)
        return WeightsEnum(name, members, module=self.module, qualname=name)  # type: ignore

    def legacy(self, weights: type[WeightsEnum]) -> tuple[str, Any]:
        """What ``pretrained=True`` stands for, as :func:`handle_legacy_interface` wants it."""
        if weights.__name__ in self.older:
            return "pretrained", self.older[weights.__name__]
        name = self.pretrained.get(weights.__name__)
        return "pretrained", None if name is None else weights[name]

    def builder(
        self,
        name: str,
        weights: type[WeightsEnum],
        *args: Any,
        prepare: Callable[[WeightsEnum, dict[str, Any]], None] | None = None,
        **fixed: Any,
    ) -> Callable[..., Any]:
        """Makes and registers ``name(*, weights=None, progress=True, **kwargs)``.

        Args:
            *args: the network's first arguments.
            prepare: sets what the weights fix beside the number of classes.
            **fixed: arguments that the name stands for; another value is refused.
        """

        def build(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> nn.Module:
            weights = enum.verify(weights)
            for key, value in fixed.items():
                _ovewrite_named_param(kwargs, key, value)
            if weights is not None:
                (prepare or set_classes)(weights, kwargs)
            return loaded(self.model(*args, **kwargs), weights, progress, self.rename)

        enum = weights
        build.__name__ = build.__qualname__ = name
        build.__module__, build.__doc__ = self.module, self._doc(name, enum)
        build.__annotations__ = {
            "weights": enum | None, "progress": bool, "kwargs": Any, "return": nn.Module,
        }  # fmt: skip
        self.names.append(name)
        return register_model()(handle_legacy_interface(weights=self.legacy(enum))(build))

    def dense_builder(
        self,
        name: str,
        weights: type[WeightsEnum],
        backbone: WeightsEnum,
        classes: int,
        *args: Any,
        options: tuple[str, ...] = (),
        more: tuple[str, ...] = (),
        trained: bool = True,
    ) -> Callable[..., Any]:
        """Makes and registers the function that builds a network on top of a classifier.

        Its parameters are ``weights``, ``progress``, ``num_classes``, what ``options`` names,
        ``weights_backbone`` and what ``more`` names, and further ones of the network. The family's
        model is called with weights, backbone's weights, progress, number of classes and arguments;
        there are either weights of the whole or of the backbone.

        Args:
            backbone: weights of the backbone.
            trained: whether the backbone has them unless others are given.
            classes: how many there are unless said otherwise.
        """

        def build(
            *,
            weights: Any = None,
            progress: bool = True,
            num_classes: int | None = None,
            weights_backbone: Any = backbone if trained else None,
            **kwargs: Any,
        ) -> nn.Module:
            weights, weights_backbone = (
                enum.verify(weights),
                type(backbone).verify(weights_backbone),
            )
            if weights is not None:
                weights_backbone, known = None, len(weights.meta["categories"])
                num_classes = _ovewrite_value_param("num_classes", num_classes, known)
            num_classes = classes if num_classes is None else num_classes
            model = self.model(weights, weights_backbone, progress, num_classes, *args, **kwargs)
            return loaded(model, weights, progress, self.rename)

        enum = weights
        build.__name__ = build.__qualname__ = name
        build.__module__, build.__doc__ = self.module, self._doc(name, enum)
        known = inspect.signature(build).parameters
        named = ["weights", "progress", "num_classes", *options, "weights_backbone", *more]
        parameters = [
            known.get(one, inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY, default=None))
            for one in named
        ]
        parameters[0] = parameters[0].replace(annotation=enum | None)
        build.__signature__ = inspect.Signature([*parameters, known["kwargs"]])  # type: ignore
        self.names.append(name)
        old = handle_legacy_interface(
            weights=self.legacy(enum), weights_backbone=("pretrained_backbone", backbone)
        )
        return register_model()(old(build))

    def _doc(self, name: str, weights: type[WeightsEnum]) -> str:
        return (
            f"``{name}`` of {self.source}.\n\n"
            "Args:\n"
            f"    weights: a member of ``{weights.__name__}`` or its name; None leaves\n"
            "        the network with random weights.\n"
            "    progress: whether a download shows a bar.\n"
            f"    **kwargs: arguments of ``{getattr(self.model, '__name__', 'the network')}``.\n"
        )


def set_classes(weights: WeightsEnum, kwargs: dict[str, Any]) -> None:
    """The number of classes that the weights have; another one is refused."""
    _ovewrite_named_param(kwargs, "num_classes", len(weights.meta["categories"]))


def loaded(
    model: Any,
    weights: WeightsEnum | None,
    progress: bool,
    rename: Callable[..., Any] | None = None,
) -> Any:
    """The model, with published weights if there are any."""
    if weights is not None:
        state = weights.get_state_dict(progress=progress, check_hash=True)
        model.load_state_dict(state if rename is None else rename(state))
    return model
