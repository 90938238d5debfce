"""What each operator of ONNX does: a table of functions, by domain, name and opset version."""

from __future__ import annotations

import bisect
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from .elements import Carried

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

Treatment = Literal["none", "move", "parts", "fit", "look", "self"]
"""What becomes of inputs whose element type tensors lack: they are refused (``none``); their
carriers are moved about (``move``; ``parts`` when all results are such), computed with and fitted
(``fit``) or looked at (``look``); or the function takes them as they are (``self``)."""


@dataclass(frozen=True)
class Entry:
    """One operator, from one opset version on."""

    function: Function
    since: int
    carried: Treatment
    frozen: frozenset[int]
    parameters: frozenset[str] = field(default_factory=frozenset)
    anything: bool = False


_TABLE: dict[tuple[str, str], list[Entry]] = {}


def node(
    *names: str,
    since: int = 1,
    domain: str = "",
    carried: Treatment = "none",
    frozen: tuple[int, ...] = (),
) -> Callable[[F], F]:
    """Registers what an operator does.

    The function takes the operator's inputs by position (None for one that is left out), its
    attributes by name, and ``here`` (see `Here`) if it asks for it. It returns the result, or a
    tuple of results.

    Args:
        since: the first opset version that it is right for; a later entry takes over.
        frozen: places of inputs that are no weights although they are floating and constant, such
            as a running mean or the bounds of a clip.
    """

    def register(function: F) -> F:
        signature = inspect.signature(function).parameters.values()
        named = frozenset(one.name for one in signature if one.kind is one.KEYWORD_ONLY)
        anything = any(one.kind is one.VAR_KEYWORD for one in signature)
        entry = Entry(function, since, carried, frozenset(frozen), named, anything)
        for name in names:
            entries = _TABLE.setdefault((domain, name), [])
            bisect.insort(entries, entry, key=lambda one: one.since)
        return function

    return register


def find(domain: str, name: str, version: int) -> Entry | None:
    """The operator as of an opset version; None when it is not there."""
    right = [one for one in _TABLE.get((domain, name), ()) if one.since <= version]
    return right[-1] if right else None


def operators() -> dict[tuple[str, str], tuple[int, ...]]:
    """All operators that are there, with the versions from which their entries hold."""
    return {key: tuple(one.since for one in entries) for key, entries in _TABLE.items()}


@dataclass(slots=True)
class Here:
    """Where a node stands while it runs: what a few operators ask besides their inputs.

    Attributes:
        version: the opset version in force.
        outputs: how many results are asked for, up to the last one with a name.
        training: whether the model is in training mode.
        scope: what the node's subgraphs see.
        remember: ``remember(place, tensor)`` makes ``tensor`` the new value of the buffer that is
            input number ``place``, such as a running mean.
    """

    version: int
    outputs: int
    training: bool
    scope: Any
    remember: Callable[[int, Any], None]


def call(entry: Entry, inputs: list[Any], attributes: dict[str, Any]) -> Any:
    """Calls an operator, with what it makes of narrow element types around it."""
    if entry.carried == "self" or not any(isinstance(one, Carried) for one in inputs):
        return entry.function(*inputs, **attributes)
    if entry.carried == "none":
        name = next(one.element.name for one in inputs if isinstance(one, Carried))
        raise TypeError(f"tensors have no elements of type {name}; cast them before")
    plain = [one.tensor if isinstance(one, Carried) else one for one in inputs]
    result = entry.function(*plain, **attributes)
    # The first input says the type of what is moved or computed, as in every such operator.
    if entry.carried == "look" or not isinstance(inputs[0], Carried):
        return result
    element = inputs[0].element
    several = result if isinstance(result, tuple) else (result,)
    fitted = tuple(
        Carried(one if entry.carried == "move" else element.fit(one), element)
        for one in several[: None if entry.carried == "parts" else 1]
    )
    whole = (*fitted, *several[len(fitted) :])
    return whole if isinstance(result, tuple) else whole[0]
