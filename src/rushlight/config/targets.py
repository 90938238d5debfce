"""Checks a configuration whose entries name classes against what those classes take."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, OmegaConf

from rushlight.train.faults import RunFault

from .fill import WORDS
from .nearest import suggestion

# What an entry says to Hydra, and not to the class.
OF_HYDRA = frozenset(("_target_", "_partial_", "_args_", "_recursive_", "_convert_"))


def check_targets(config: DictConfig, where: Callable[[str], str]) -> None:
    """Checks every entry with a ``_target_``.

    Args:
        where: for a dotted key, the place that gave it its value, ready to follow a sentence.
    Raises:
        RunFault: a value is missing, a class does not exist, or does not take a key or the type of
            its value. The sentence names the key, what is near it, and the place.
    """
    for key in sorted(OmegaConf.missing_keys(config)):
        raise RunFault(f"{key} has no value: give it one with {key}=...")
    for path, entry in _entries(OmegaConf.to_container(config, resolve=True), ""):
        _check(path, entry, where)


def _entries(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    if isinstance(node, dict) and "_target_" in node:
        yield path, node
    for key, value in items:
        if isinstance(value, (dict, list)):
            yield from _entries(value, f"{path}.{key}" if path else str(key))


def _check(path: str, entry: Mapping[str, Any], where: Callable[[str], str]) -> None:
    target = entry["_target_"]
    made = _found(path, target, where)
    parameters = inspect.signature(made).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    hints = _hints(made)
    for key, value in entry.items():
        if key in OF_HYDRA or (takes_all and key not in parameters):
            continue
        place = f"{path}.{key}"
        if key not in parameters:
            known = [f"{path}.{name}" for name in parameters]
            raise RunFault(
                f"{place} is not a setting of {target}{suggestion(place, known)}{where(place)}"
            )
        if not fits(value, hints.get(key, Any)):
            raise RunFault(f"{place}={value} is not {told(hints[key])}{where(place)}")


def _found(path: str, target: Any, where: Callable[[str], str]) -> Callable[..., Any]:
    from hydra.utils import get_object, log

    log.disabled = True  # it would print the error that becomes a sentence here
    try:
        found: Callable[..., Any] = get_object(str(target))
    except Exception as error:
        place = f"{path}._target_"
        raise RunFault(f"{place}={target} does not exist{where(place)}") from error
    finally:
        log.disabled = False
    return found


def _hints(made: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(made.__init__ if isinstance(made, type) else made)
    except (NameError, TypeError):
        return {}  # annotations for type checkers alone


def fits(value: Any, hint: Any) -> bool:
    """Whether a value of a file is of an annotated type, as far as a file can say it.

    >>> fits(1, float), fits("1", int), fits(None, int | None), fits([1, 2], Sequence[int])
    (True, False, True, True)
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, one) for one in get_args(hint))
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (bool, str, type(None)):
        return isinstance(value, hint)
    if origin in (list, Sequence) and isinstance(value, list):
        inner = get_args(hint)
        return not inner or all(fits(item, inner[0]) for item in value)
    return origin not in (list, Sequence)


def told(hint: Any) -> str:
    """What a value should be, in words."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(told(one) for one in get_args(hint))
    if origin in (list, Sequence):
        return "a list" + (f", each item {told(get_args(hint)[0])}" if get_args(hint) else "")
    if hint is type(None):
        return "null"
    return WORDS.get(hint, f"a {getattr(hint, '__name__', hint)}")
