"""Where a tensor's value is kept when several tensors share it.

Nodes never change, so a write gives the shared place another node. All aliases share one
:class:`Storage`, which holds the node of the whole. A view is a place of its own: reading it
applies its operation to what its parent holds now, writing it puts the new part into the parent.

The value is one thing and its history (what gradients flow back through) another: ``detach`` gives
a place that shares the value and has a history of its own. A write with gradients turned off
changes values everywhere and histories nowhere.
"""

from __future__ import annotations

import functools
from typing import Any, Protocol

from rushlight import ops
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.shapes import Shape, contiguous_strides
from rushlight.graph.node import Node, Watch, number
from rushlight.graph.op import View as ViewOp
from rushlight.graph.op import recording

from .history import after, grafted, with_history, without_history

Geometry = tuple[Shape, Shape, int]
"""Shape, strides and offset in elements, as PyTorch would have them."""


class Outside(Protocol):
    """Memory that others can write to, such as a NumPy array that shares a tensor's."""

    def alive(self) -> bool: ...

    def read(self) -> Node: ...

    def taken(self) -> Node: ...

    def write(self, node: Node) -> None: ...

    def strides(self) -> Shape: ...


class Storage:
    """The one record of a value that several tensors show.

    Attributes:
        node: the whole, now.
        version: how many times it was written.
        outside: memory shared with others, read again before each use and written through.
        lent: whether it was ever shared so; such memory does not grow.
        strides: those of the whole when it does not lie in memory row by row.
    """

    __slots__ = ("__weakref__", "lent", "node", "outside", "strides", "version")

    def __init__(self, node: Node, version: int = 0) -> None:
        self.node = node
        self.version = version
        self.outside: Outside | None = None
        self.lent = False
        self.strides: Shape | None = None

    @property
    def storage(self) -> Storage:
        """Itself: the place where every chain of views ends."""
        return self

    def refresh(self) -> None:
        """Reads memory that others may have written since."""
        outside = self.outside
        if outside is not None:
            if outside.alive():
                self.node = with_history(outside.read(), self.node)
            else:
                self.node = with_history(outside.taken(), self.node)
                self.outside = None
            self.version += 1

    def read(self) -> Node:
        return self.node

    def write(self, node: Node) -> None:
        if self.outside is not None:
            self.outside.write(node)
        self.node = after(self.node, node)
        self.version += 1

    def geometry(self) -> Geometry:
        shape = self.node.spec.shape
        strides = contiguous_strides(shape) if self.strides is None else self.strides
        return shape, strides, 0


class Detached:
    """A place that shares another's value and has a history of its own: none at first."""

    __slots__ = ("_node", "_version", "history", "parent", "storage")

    def __init__(
        self, parent: Place, history: Node | None = None, node: Node | None = None
    ) -> None:
        self.parent = parent
        self.storage: Storage = parent.storage
        self.history = history
        self._node = node
        self._version = self.storage.version

    def read(self) -> Node:
        node = self._node
        if node is None or self._version != self.storage.version:
            node = without_history(self.parent.read())
            if self.history is not None:
                node = grafted(node, self.history)
            self._node, self._version = node, self.storage.version
        return node

    def forget(self) -> None:
        """Has the node made anew at the next reading."""
        self._node = None

    def write(self, node: Node) -> None:
        old = self.read()
        write_value(self.parent, node)
        if recording.grad:
            node = after(old, node)
            self.history = node if node.requires_grad else None
            self._node, self._version = node, self.storage.version

    def geometry(self) -> Geometry:
        return self.parent.geometry()


class LeafPlace:
    """A place whose value collects gradients: readers see a leaf node."""

    __slots__ = ("_node", "_version", "parent", "storage", "watch")

    def __init__(self, parent: Place, watch: Watch) -> None:
        # A leaf cuts history off by itself. One place less, since optimizers write at every step.
        if type(parent) is Detached and parent.history is None and type(parent.parent) is Storage:
            parent = parent.parent
        self.parent = parent
        self.storage: Storage = parent.storage
        self.watch = watch
        self._version = -1
        self._node: Node | None = None

    def read(self) -> Node:
        node = self._node
        if node is None or self._version != self.storage.version:
            node = self._node = ops.leaf(self.parent.read())
            node.watch = self.watch
            self._version = self.storage.version
        return node

    def write(self, node: Node) -> None:
        whole = self.parent
        if type(whole) is Storage and not (node.requires_grad or whole.node.requires_grad):
            whole.write(node)  # no history on either side: what an optimizer does at every step
        else:
            write_value(whole, node)

    def geometry(self) -> Geometry:
        return self.parent.geometry()


class ViewPlace:
    """Part of another place.

    Attributes:
        op: the view operation.
        rest: its inputs besides the base.
        attrs: its attributes.
        tracks: whether gradients were recorded when the view was made.
    """

    __slots__ = (
        "_geometry", "_node", "_version", "attrs", "op", "parent", "rest", "storage", "tracks",
    )  # fmt: skip

    def __init__(self, parent: Place, node: Node) -> None:
        storage = parent.storage
        self.parent = parent
        self.storage: Storage = storage
        self.op: Any = node.op
        self.rest = node.inputs[1:]
        self.attrs = node.attrs
        self.tracks = node.requires_grad or recording.grad
        self._node = node
        self._version = storage.version
        self._geometry: Geometry | None = None

    def read(self) -> Node:
        if self._version != self.storage.version:
            before = recording.grad
            # A view made under no_grad stays without gradients when its base has some.
            recording.grad = self.tracks
            try:
                whole = self.parent.read()
                self._node = self.op.record((whole, *self.rest), *self.attrs)
            finally:
                recording.grad = before
            self._version = self.storage.version
        return self._node

    def write(self, node: Node) -> None:
        op: ViewOp = self.op
        if (below := _below_repeats(self.parent)) is not None:
            _write_repeated(self, below, node)
            return
        whole = op.put(self.parent.read(), node, *self.rest, **self._keywords())
        self.parent.write(whole)

    def geometry(self) -> Geometry:
        """Worked out once: the layout of what a view shows never changes.

        Raises:
            ShapeError: no strides can show it; it would have to be a copy.
        """
        if self._geometry is None:
            # What views take besides their base are Python numbers: where a slice starts.
            rest = tuple([x.buffer for x in self.rest])
            steps, start = _laid(self.op, self.attrs, self.parent.geometry(), rest)
            self._geometry = self._node.spec.shape, steps, start
        return self._geometry

    def _keywords(self) -> dict[str, Any]:
        return dict(zip(self.op.attrs, self.attrs, strict=True))


@functools.lru_cache(maxsize=4096)
def _laid(
    op: Any, attrs: tuple[Any, ...], base: Geometry, rest: tuple[Any, ...]
) -> tuple[Shape, int]:
    """The strides and the offset of a view, which a loop asks for again and again."""
    shape, strides, offset = base
    keywords = dict(zip(op.attrs, attrs, strict=True))
    return op.strides(shape, strides, offset, *rest, **keywords)  # type: ignore[no-any-return]


Place = Storage | Detached | LeafPlace | ViewPlace


def _below_repeats(place: Place) -> Place | None:
    """What a place shows some elements of more than once, or None."""
    below = None
    while not isinstance(place, Storage):
        expanded = isinstance(place, ViewPlace) and place.op is ops.expand
        if expanded and place.read().spec.numel > place.parent.read().spec.numel:
            below = place.parent
        place = place.parent
    return below


def _write_repeated(view: ViewPlace, below: Place, node: Node) -> None:
    """Writes a part of repeated elements; a detached place on the way has a history of its own."""
    place = view.parent
    whole = view.op.put(place.read(), node, *view.rest, **view._keywords())
    while isinstance(place, ViewPlace) and place is not below:
        if place.op is ops.expand:  # nothing is detached before the elements are repeated
            _write_strided(view, below, node)
            return
        whole = place.op.put(place.parent.read(), whole, *place.rest, **place._keywords())
        place = place.parent
    before = recording.grad
    recording.grad = False
    try:
        _write_strided(view, below, without_history(node))
    finally:
        recording.grad = before
    if recording.grad and isinstance(place, Detached):
        place.history = whole if whole.requires_grad else None
        place.forget()


def _write_strided(view: ViewPlace, place: Place, node: Node) -> None:
    """Writes a part of ``place`` that a view of its repeated elements shows, by its strides.

    Raises:
        OperationError: the part itself has an element more than once.
    """
    if not node.spec.numel:
        return
    shape, strides, offset = view.geometry()
    while isinstance(place, ViewPlace) and not _row_major(place):
        place = place.parent
    if node.op is ops.full:  # one number everywhere, so it does not matter how often
        shape = tuple(n if step else min(n, 1) for n, step in zip(shape, strides, strict=True))
        node = ops.full.record(node.inputs, shape)
    repeats = any(step == 0 and n > 1 for n, step in zip(shape, strides, strict=True))
    if repeats or not _row_major(place):
        raise OperationError(
            "expand",
            "unsupported operation: more than one element of the written-to tensor refers to a"
            " single memory location. Please clone() the tensor before performing the operation.",
        )
    start = number(offset - place.geometry()[2])
    place.write(ops.strided_scatter.record((place.read(), node, start), strides))


def _row_major(place: Place) -> bool:
    shape, strides, _ = place.geometry()
    return strides == contiguous_strides(shape)


def write_value(place: Place, node: Node) -> None:
    """Writes a value and leaves every history as it is."""
    before = recording.grad
    recording.grad = False
    try:
        place.write(without_history(node))
    finally:
        recording.grad = before


# Views ------------------------------------------------------------------------------------------


def chain(base: Node, result: Node) -> list[Node] | None:
    """The views that lead from ``base`` to ``result``; None if something else lies between."""
    views: list[Node] = []
    node = result
    while node is not base:
        if not isinstance(node.op, ViewOp) or not node.inputs:
            return None
        views.append(node)
        node = node.inputs[0]
    views.reverse()
    return views


def descend(place: Place, views: list[Node]) -> Place | None:
    """The place that a chain of views shows; None if PyTorch's layout needs a copy for it.

    Raises:
        ShapeError: memory that would have to be read as another dtype does not line up.
    """
    for node in views:
        if node.op is ops.detach:
            place = Detached(place, None, node)
            continue
        view = ViewPlace(place, node)
        if node.op is ops.reshape and not _reshapes(view):
            return None
        if node.op is ops.bit_cast or node.op is ops.view_as_complex:
            view.geometry()
        place = view
    return place


def _reshapes(view: ViewPlace) -> bool:
    """Whether a reshaped place needs no copy in PyTorch's memory layout."""
    parent = view.parent
    while parent.__class__ is LeafPlace or parent.__class__ is Detached:
        parent = parent.parent
    if parent.__class__ is Storage and parent.strides is None:
        return True
    try:
        view.geometry()
    except ShapeError:
        return False
    return True


def conjugates(place: Place) -> bool:
    """Whether the memory holds the conjugates of what a place shows."""
    flipped = False
    while not isinstance(place, Storage):
        flipped ^= isinstance(place, ViewPlace) and place.op is ops.conj
        place = place.parent
    return flipped
