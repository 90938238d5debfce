"""Hooks on what is saved for gradients.

What a gradient rule reads is known for each operation (:func:`rushlight.autograd.core.saved`).
While hooks are on, the history of what is recorded is replaced, as soon as a tensor shows it, by
one whose rules read what the hooks keep. The values stay as they were recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from rushlight import ops
from rushlight.base.errors import GradError
from rushlight.execute import await_gradients
from rushlight.graph.node import Node
from rushlight.graph.op import DATA, NUMBER, Op, View, recording
from rushlight.tensor.history import without_history
from rushlight.tensor.tensor import Tensor

from . import core
from .region import there

Pack = Callable[[Tensor], Any]
Unpack = Callable[[Any], Tensor]


class Hooks(threading.local):
    """The hooks of this thread.

    Attributes:
        pairs: those that are on; the last one counts.
        refusal: why there may be none, or None.
        histories: for the nodes that were met what stands for them in gradients.
        busy: whether tensors are made for the hooks themselves.
        packing: the tensor that a hook is called with.
    """

    def __init__(self) -> None:
        self.pairs: list[tuple[Pack, Unpack]] = []
        self.refusal: str | None = None
        self.histories: dict[Node, Node] = {}
        self.busy = False
        self.packing: Tensor | None = None


hooks = Hooks()


class Saved:
    """What a hook made of a value, and how to get that back."""

    __slots__ = ("packed", "unpack")

    def __init__(self, value: Tensor) -> None:
        pack, self.unpack = hooks.pairs[-1]
        before = recording.grad, hooks.packing
        recording.grad, hooks.packing = False, value
        try:
            self.packed = pack(value)
        finally:
            recording.grad, hooks.packing = before
        node = value.node
        for made in _tensors(self.packed):  # computed along with the value, which may then go
            if made.node.buffer is None and node.buffer is None and made.node is not node:
                await_gradients(made.node, [node])

    def value(self) -> Node:
        """The value, without a history.

        Raises:
            TypeError: the hook gives back no tensor.
        """
        found = self.unpack(self.packed)
        if not isinstance(found, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type"
                f" {type(found).__name__}"
            )
        return without_history(found.node)


def _tensors(x: Any) -> Iterator[Tensor]:
    if isinstance(x, Tensor):
        yield x
    elif isinstance(x, (tuple, list)):
        for each in x:
            yield from _tensors(each)
    elif isinstance(x, dict):
        yield from _tensors(list(x.values()))


class Rule:
    """The gradient rule of one node, which reads what hooks kept.

    Attributes:
        inputs: for each input where its history is among those of the new node, or its type.
        kept: by place, that of the result being -1, what was saved.
    """

    def __init__(self, node: Node, reads: tuple[bool, ...]) -> None:
        self.op, self.attrs, self.spec = node.op, node.attrs, node.spec
        self.title = node.op.grad_name(node)
        self.inputs: list[Any] = []
        self.kept: dict[int, Any] = {}
        tracked = 0
        for place, x in enumerate(node.inputs):
            self.inputs.append(tracked if x.requires_grad else _given(x))
            tracked += x.requires_grad
            if reads[1 + place] and x.op is not NUMBER:
                self.kept[place] = Saved(_tensor(x))
        if reads[0]:
            several = isinstance(node.spec, tuple)
            self.kept[-1] = [Saved(Tensor(x)) for x in (ops.parts(node) if several else [node])]

    def followed(self, g: Any, y: Node, histories: tuple[Node, ...]) -> tuple[Node | None, ...]:
        """The gradients for each of the histories."""
        inputs = []
        for place, where in enumerate(self.inputs):
            history = histories[where] if isinstance(where, int) else None
            kept = self.kept.get(place)
            inputs.append(_joined(kept.value() if kept else None, history) or where)
        node = Node(self.op, tuple(inputs), self.attrs, self.spec, True, y.site)
        given = core.rule(node, g, self._result(y) or node)
        pairs = zip(given, self.inputs, strict=True)
        return tuple([gradient for gradient, where in pairs if isinstance(where, int)])

    def _result(self, y: Node) -> Node | None:
        kept = self.kept.get(-1)
        if kept is None:
            return None
        values = [each.value() for each in kept]
        if not isinstance(self.spec, tuple):
            return _joined(values[0], y)
        parts = [_joined(v, ops.part(y, k)) for k, v in enumerate(values)]
        return Node(ops.together, tuple(parts), (), self.spec, True, y.site)  # type: ignore[arg-type]


def _given(x: Node) -> Node:
    """What stands for an input without a gradient: a number itself, of all else the type."""
    return x if x.op is NUMBER else Node(DATA, (), (), x.spec, False, None)


def _joined(value: Node | None, history: Node | None) -> Node | None:
    """A value with a history, where there is one of either."""
    if value is None or history is None:
        return value or history
    return Node(ops.graft, (value, history), (), value.spec, history.requires_grad, history.site)


def _tensor(x: Node) -> Tensor:
    """The tensor that shows a node: a leaf's own, if it is still there."""
    owner = x.watch.owner() if x.op is ops.leaf and x.watch is not None else None  # type: ignore[attr-defined]
    return owner if owner is not None and owner._node is x else Tensor(x)


class Packed(Op):
    """The history of an operation whose gradient rule reads what hooks kept."""

    name, attrs = "packed", ("rule",)

    def reads(self, node: Node) -> tuple[bool, ...]:
        return (True, *(False for _ in node.inputs))

    def vjp(self, g: Any, y: Node, *inputs: Node, rule: Rule) -> tuple[Node | None, ...]:
        return rule.followed(g, y, inputs)

    def grad_name(self, node: Node) -> str:
        return node.attrs[0].title  # type: ignore[attr-defined, no-any-return]


packed = Packed()


_APART = ("part", "applied", "rematerialised")
"""Operations whose rules read nothing, or what they keep themselves: a Function packs that."""


# Which nodes have such a history ----------------------------------------------------------------


def replaced(node: Node) -> Node:
    """A node that was just recorded, with a history that the hooks know."""
    if hooks.busy or not recording.grad or not node.requires_grad or node in hooks.histories:
        return node
    hooks.busy = True
    try:
        return _met(node)
    finally:
        hooks.busy = False


def _met(node: Node) -> Node:
    new = _new(node)
    reads = [() if isinstance(x.op, View) or x.op.name in _APART else core.mask(x) for x in new]
    histories = hooks.histories
    if not any(True in each for each in reads):
        histories.update((x, histories.get(x, x)) for x in new)
        return node
    for x, read in zip(new, reads, strict=True):
        made = histories[x] = _history(x, read)
        histories[made] = made  # a write without gradients may show it
    shown = _joined(without_history(node), histories[node])
    assert shown is not None
    histories[shown] = shown
    return shown


def _history(node: Node, reads: tuple[bool, ...]) -> Node:
    histories = hooks.histories
    if True not in reads:
        inputs = tuple([histories.get(x, x) for x in node.inputs])
        return Node(node.op, inputs, node.attrs, node.spec, True, node.site)
    inputs = tuple([histories.get(x, x) for x in node.inputs if x.requires_grad])
    return Node(packed, inputs, (Rule(node, reads),), node.spec, True, node.site)


def _new(root: Node) -> list[Node]:
    """The nodes on the way of gradients that nobody has met, inputs before their users."""
    order: list[Node] = []
    stack, seen = [root], set(hooks.histories)
    while stack:
        node = stack[-1]
        waiting = [
            x
            for x in node.inputs
            if x.requires_grad and x not in seen and x.op is not ops.leaf and x.buffer is None
        ]
        if waiting and node not in seen:
            stack.extend(waiting)
            continue
        stack.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
    return order


# Meeting them as tensors show them --------------------------------------------------------------

_made, _written = Tensor.__init__, Tensor._write
_WRITTEN = (
    "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack"
    " hook cannot be modified by in-place operations as this can lead to unexpected side-effects."
    " Please open an issue if you need to perform in-place operations on the input to a pack hook."
)
_users = 0
_lock = threading.Lock()


def _meeting(self: Tensor, *args: Any) -> None:
    _made(self, *args)
    if hooks.pairs and self._place is None and self._node.op is not ops.leaf:
        self._node = replaced(self._node)


def _meeting_written(self: Tensor, node: Node, operation: str = "") -> Tensor:
    if self is hooks.packing:
        raise GradError("saved_tensors_hooks", _WRITTEN)
    return _written(self, replaced(node) if hooks.pairs else node, operation)


def push(pack: Pack, unpack: Unpack) -> None:
    """Turns hooks on for what is recorded from now on.

    Raises:
        RuntimeError: there may be none.
    """
    global _users
    if hooks.refusal is not None:
        raise GradError("saved_tensors_hooks", hooks.refusal)
    if not hooks.pairs:
        hooks.histories = {node: node for node in there()}
    hooks.pairs.append((pack, unpack))
    with _lock:
        _users += 1
        Tensor.__init__, Tensor._write = _meeting, _meeting_written  # type: ignore[assignment, method-assign]


def pop() -> None:
    """Turns the last hooks off."""
    global _users
    hooks.pairs.pop()
    if not hooks.pairs:
        hooks.histories = {}
    with _lock:
        _users -= 1
        if not _users:
            Tensor.__init__, Tensor._write = _made, _written  # type: ignore[method-assign]
