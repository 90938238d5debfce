"""Keeping memory flat in a program that never looks at a number.

Every tensor is noted when it is made. Now and then, when many were made or much new memory came,
the pending nodes that tensors still hold are counted; all are computed when they are too many, or
when they alone keep too much memory alive. A loop that takes optimizer steps or prints its loss
never gets there, so where its graphs are cut does not depend on this.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Protocol
from weakref import ref

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.lock import Lock
from rushlight.graph.node import Node
from rushlight.graph.op import OUTSIDE

from .cut import shown
from .realize import realize


class Holder(Protocol):
    """Who holds a node: a Tensor."""

    _node: Node


MAX_NODES = 16_384
MAX_BYTES = 256 << 20

_live: list[ref[Holder]] = []
_due = MAX_NODES
_fresh = 0
_hurried = 0
_lock = Lock()

note: Callable[[ref[Holder]], None] = _live.append
"""Remembers a weak reference to a tensor that was made."""


def due() -> bool:
    """Whether it is time to :func:`settle`."""
    return len(_live) > _due


def arrived(nbytes: int) -> None:
    """Counts new memory."""
    global _fresh, _due
    _fresh += nbytes
    if _fresh > MAX_BYTES:
        _due = 0


Buffer.announce = staticmethod(arrived)


def hurry() -> None:
    """Asks for this thread's next result to be computed as soon as it is recorded."""
    global _due, _hurried
    _due, _hurried = -1, threading.get_ident()


def hurried() -> bool:
    """Whether this thread's next result has to be computed as soon as it is recorded."""
    return _hurried == threading.get_ident()


def settle(holder: Holder | None = None) -> None:
    """Computes all that tensors still wait for if it has grown too large.

    Args:
        holder: a tensor that was just written; it is computed if somebody asked to :func:`hurry`.
    """
    global _due, _fresh, _hurried
    with _lock:
        if hurried():
            _hurried, _due = 0, len(_live) + MAX_NODES
            if holder is not None:
                if holder._node.op is OUTSIDE:
                    holder._node = ops.clone(holder._node)
                realize((holder._node,))
            return
        _fresh = 0
        waiting = _waiting()
        if _too_large(waiting):
            realize(waiting)
        _due = -1 if _hurried else len(_live) + MAX_NODES


def compute_all() -> None:
    """Computes all that tensors still wait for."""
    with _lock:
        realize(_waiting())


def _waiting() -> list[Node]:
    """The pending nodes that tensors hold; tensors that are gone or done are forgotten."""
    nodes, alive = [], []
    for reference in _live:
        holder = reference()
        if holder is not None:
            node = shown(holder._node)
            if node.buffer is None:
                nodes.append(node)
                alive.append(reference)
    _live[:] = alive
    return nodes


def _too_large(waiting: list[Node]) -> bool:
    """Whether ``waiting`` are too many nodes, or the only users of too much memory."""
    seen: set[Node] = set()
    readers: dict[int, int] = {}
    buffers: dict[int, Buffer] = {}
    stack = list(waiting)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if type(node.buffer) is Buffer:
            buffers[id(node)] = node.buffer
            continue
        if not node.op.transparent:  # a leaf or a detached value has a tensor of its own
            for x in node.inputs:
                readers[id(x)] = readers.get(id(x), 0) + 1
        stack.extend(node.inputs)
    if len(seen) > MAX_NODES:
        return True
    alone = 0
    for node in seen:
        buffer = buffers.get(id(node))
        # Three more references: this set, the loop's variable, getrefcount's own argument.
        if buffer is not None and sys.getrefcount(node) <= readers.get(id(node), 0) + 3:
            alone += buffer.nbytes
    return alone > MAX_BYTES
