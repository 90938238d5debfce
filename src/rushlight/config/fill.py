"""From a composed configuration to checked settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from types import NoneType
from typing import Any, get_args, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException, ValidationError

from rushlight.train.faults import RunFault
from rushlight.train.settings import CHOICES, Settings, limits_broken

from .nearest import suggestion

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
MANY = {int: "a list of whole numbers", float: "a list of numbers"}


def fill(config: DictConfig, where: Callable[[str], str]) -> Settings:
    """The settings that ``config`` describes.

    Args:
        where: for a dotted key, the place that gave it its value, ready to follow a sentence.
    Raises:
        RunFault: a key is unknown or has no value, or a value is of the wrong type or outside its
            limits; the sentence names the key, the value and the place.
    """
    for key in config:
        if key not in (*CHOICES, "resume"):
            raise _unknown(str(key), list(CHOICES), where)
    # The trainer first: others refer to its values, and a wrong one is to be told of there.
    order = sorted(CHOICES, key=lambda group: group != "trainer")
    groups = {group: _fill_group(group, _values(config, group), where) for group in order}
    settings = Settings(**groups)
    broken = sorted(limits_broken(settings), key=lambda one: not one[0].startswith("trainer."))
    for key, problem in broken:
        raise RunFault(f"{key} {problem}{where(key)}")
    return settings


def _values(config: DictConfig, group: str) -> Any:
    try:
        value = config.get(group)
        return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    except OmegaConfBaseException as error:
        raise RunFault(f"{error.full_key}: {str(error).splitlines()[0]}") from error


def _fill_group(group: str, values: Any, where: Callable[[str], str]) -> Any:
    kind = _kind(group, values, where)
    known = [item.name for item in fields(kind)]
    for key in values:
        if key not in known:
            raise _unknown(f"{group}.{key}", [f"{group}.{name}" for name in known], where)
    node = OmegaConf.structured(kind)
    for name in known:
        key = f"{group}.{name}"
        if name not in values:
            raise RunFault(f"{key} has no value: add {key}=... or put it in a file{where(group)}")
        try:
            node[name] = values[name]
        except ValidationError as error:
            wrong = values[name] or repr(values[name])
            raise RunFault(
                f"{key} must be {_words(kind, name)}, not {wrong}{where(key)}"
            ) from error
    return OmegaConf.to_object(node)


def _kind(group: str, values: Any, where: Callable[[str], str]) -> type:
    choices = CHOICES[group]
    if not isinstance(values, dict):
        raise RunFault(f"{group} is {values}{where(group)}{suggestion(str(values), choices)}")
    if group == "trainer":
        return choices["default"]
    name = values.get("name")
    if name not in choices:
        raise RunFault(
            f"{group}.name is {name}, which is no {group}{where(group + '.name')}"
            f"{suggestion(str(name), choices)}"
        )
    return choices[name]


def _unknown(key: str, known: list[str], where: Callable[[str], str]) -> RunFault:
    return RunFault(f"{key} is not a setting{where(key)}{suggestion(key, known)}")


def _words(kind: type, name: str) -> str:
    """What a field takes, in words."""
    hint = get_type_hints(kind)[name]
    options = get_args(hint) if NoneType in get_args(hint) else (hint,)
    words = []
    for option in options:
        inner = get_args(option)
        words.append("null" if option is NoneType else MANY[inner[0]] if inner else WORDS[option])
    return " or ".join(words)
