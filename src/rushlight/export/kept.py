"""The tensors of a model that are more than values: before a call, after it, and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rushlight.autograd.mode import no_grad
from rushlight.base.buffer import Buffer
from rushlight.execute import realize, shown
from rushlight.graph.node import Node, known
from rushlight.nn.module import Module
from rushlight.tensor.look import buffer_of
from rushlight.tensor.place import ViewPlace
from rushlight.tensor.tensor import Tensor


def state_of(root: Any) -> dict[str, Tensor]:
    """Parameters and buffers by name, tied ones once."""
    if not isinstance(root, Module):
        return {}
    return {**dict(root.named_parameters()), **dict(root.named_buffers())}


def attributes_of(root: Any) -> dict[Node, str]:
    """Names of tensors that are plain attributes of a module, or items of its lists, by node."""
    found: dict[Node, str] = {}
    if not isinstance(root, Module):
        return found
    for path, module in root.named_modules():
        for name, value in vars(module).items():
            if name.startswith("_"):
                continue
            held = enumerate(value) if isinstance(value, list | tuple) else [("", value)]
            for key, each in held:
                if isinstance(each, Tensor):
                    parts = (path, name, str(key))
                    found.setdefault(shown(each.node), ".".join(part for part in parts if part))
    return found


def distinct(state: dict[str, Tensor]) -> dict[str, Node]:
    """The nodes of tensors, each with its value and none the same as another.

    Copies of a tensor may show one node, which says nothing of who was read.
    """
    realize([tensor.node for tensor in state.values()])
    seen: set[Node] = set()
    for tensor in state.values():
        value = shown(tensor.node)
        if value in seen and not isinstance(tensor._place, ViewPlace):
            with no_grad():
                tensor._write(known(buffer_of(value)))
            value = shown(tensor.node)
        seen.add(value)
    return {name: tensor.node for name, tensor in state.items()}


def now(root: Any, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that have the names of a state now: a module may have been given others."""
    return {**state, **{name: x for name, x in state_of(root).items() if name in state}}


@contextmanager
def unshared(state: dict[str, Tensor]) -> Iterator[None]:
    """Has memory that others share, as NumPy does after ``numpy()``, read once for the block.

    Each look at it makes another node, which would be taken for another value.
    """
    places = [tensor._place for tensor in state.values() if tensor._place is not None]
    storages = {id(place.storage): place.storage for place in places}
    held = []
    for storage in storages.values():
        if storage.outside is not None:
            held.append((storage, storage.outside))
            value = buffer_of(storage.outside.taken())
            storage.node = known(Buffer(value.stored.copy(), value.dtype))
            storage.version += 1
            storage.outside = None
    try:
        yield
    finally:
        for storage, outside in held:
            storage.outside = outside


@contextmanager
def undone(root: Any, state: dict[str, Tensor], before: dict[str, Node]) -> Iterator[None]:
    """Gives tensors back what they showed before the block, and the module its tensors."""
    held = _registers(root)
    state = dict(state)
    try:
        yield
    finally:
        for register, entries in held:
            for name in [name for name in register if name not in entries]:
                del register[name]
            for name, entry in entries.items():
                if register.get(name) is not entry:
                    register[name] = entry
        with no_grad():
            for name, node in before.items():
                if state[name].node is not node:
                    state[name]._write(known(buffer_of(shown(node))))


def _registers(root: Any) -> list[tuple[Any, dict[str, Any]]]:
    """The tables of parameters and buffers, and what is in them."""
    if not isinstance(root, Module):
        return []
    tables = [t for m in root.modules() for t in (m._parameters, m._buffers)]
    return [(table, dict(table)) for table in tables]
