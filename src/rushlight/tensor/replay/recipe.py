"""Recipe: the nodes that a call recorded, to be made again on other tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rushlight.graph.node import Node
from rushlight.graph.op import NUMBER, View

from ..generator import Generator
from ..place import Storage, ViewPlace
from ..tensor import Tensor
from .refusal import Refusal

Draw = tuple[Generator, int, Node, Node]
"""A generator, how many blocks it gave, and the nodes of seed and offset."""

_CONSTANTS = (type(None), bool, int, float, complex, str, bytes, type(...))


class Recipe:
    """How a result is made.

    Args:
        result: what the function returned: tensors and constants in lists, tuples, dictionaries.
        inputs: the tensors that existed before.
        draws: random numbers that were drawn meanwhile.
        others: what all tensors showed before.
    Raises:
        Refusal: something in the result was not made from the inputs by recorded work alone.
    """

    def __init__(
        self, result: Any, inputs: Sequence[Tensor], draws: Sequence[Draw], others: set[Node]
    ) -> None:
        self._inputs = inputs
        self._place: dict[Node, int] = {}
        self._count = 0
        self._draws = [(generator, blocks) for generator, blocks, _, _ in draws]
        self._storages: list[int] = []
        self._fixed: list[Node] = []
        self._steps: list[tuple[Any, ...]] = []
        for x in inputs:
            self._new(x.node)
        for k, x in enumerate(inputs):  # a detached reader sees what lies below the history
            place = x._place
            if place is not None:
                self._storages.append(k)
                self._new(place.storage.node)
        for _, _, seed, offset in draws:
            self._new(seed)
            self._new(offset)
        self._shared = {id(x._place.storage) for x in inputs if x._place is not None}
        self._bases: dict[Node, int] = {}
        self._made: dict[int, Callable[..., Any]] = {}
        wanted: list[Tensor] = []
        self._result = self._maker(result, wanted)
        self._walk([x.node for x in wanted], others)
        del self._inputs

    def _new(self, node: Node) -> None:
        self._place.setdefault(node, self._count)
        self._count += 1

    # What is returned ------------------------------------------------------------------------

    def _maker(self, x: Any, wanted: list[Tensor]) -> Callable[[Any], Any]:
        """A function from the new nodes to what is returned."""
        if isinstance(x, Tensor):
            if id(x) not in self._made:
                self._made[id(x)] = self._tensor(x)
                wanted.append(x)
            return self._made[id(x)]
        kind = type(x)
        if kind in (list, tuple):
            makers = [self._maker(each, wanted) for each in x]
            return lambda call: kind([make(call) for make in makers])
        if kind is dict:
            named = {name: self._maker(each, wanted) for name, each in x.items()}
            return lambda call: {name: make(call) for name, make in named.items()}
        if kind in _CONSTANTS:
            return lambda call: x
        raise Refusal(f"returns a {kind.__qualname__}")

    def _tensor(self, x: Tensor) -> Callable[[_Call], Tensor]:
        for k, given in enumerate(self._inputs):
            if x is given:
                return lambda call: call.inputs[k]
        node, place = x.node, x._place
        if type(x) is not Tensor or node.watch is not None:
            raise Refusal(f"returns a {type(x).__name__} with hooks or of a class of its own")
        if place is not None and id(place.storage) in self._shared:
            raise Refusal("returns a view of a tensor that existed before")
        base = node
        if isinstance(place, ViewPlace):
            while isinstance(base.op, View):
                base = base.inputs[0]
        elif place is not None and type(place) is not Storage:
            raise Refusal("returns a tensor that was detached or became a leaf")
        return lambda call: call.tensor(node, base)

    # Nodes -----------------------------------------------------------------------------------

    def _walk(self, wanted: list[Node], others: set[Node]) -> None:
        order: list[Node] = []
        seen = set(self._place)
        stack = list(reversed(wanted))
        while stack:
            node = stack[-1]
            if node in seen:
                stack.pop()
                continue
            self._check(node, others)
            waiting = [x for x in node.inputs if x not in seen]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            seen.add(node)
            order.append(node)
        for node in order:
            if node.op is NUMBER:
                self._new(node)
                self._fixed.append(node)
        for node in order:
            if node.op is not NUMBER:
                places = tuple([self._place[x] for x in node.inputs])
                self._new(node)
                self._steps.append(
                    (node.op, places, node.attrs, node.spec, node.requires_grad, node.site)
                )

    def _check(self, node: Node, others: set[Node]) -> None:
        if node.watch is not None:
            raise Refusal("puts a hook on a gradient", node.site)
        if node.op.name == "packed":  # by hooks on what is saved, which keep this call's values
            raise Refusal("is recorded under saved_tensors_hooks", node.site)
        if node in others or (node.buffer is not None and node.op is not NUMBER):
            raise Refusal("reads a tensor that is no argument and that it does not hold, or makes"
                          " one of Python's data", node.site)  # fmt: skip

    def __call__(self, inputs: list[Tensor]) -> Any:
        """The result, recorded anew on other tensors."""
        values = [x.node for x in inputs]
        values += [inputs[k].place.storage.node for k in self._storages]
        for generator, blocks in self._draws:
            values += generator.take(blocks)
        values += self._fixed
        for op, places, attrs, spec, requires_grad, site in self._steps:
            given = tuple([values[k] for k in places])
            values.append(Node(op, given, attrs, spec, requires_grad, site))
        return self._result(_Call(self._place, values, inputs))


class _Call:
    """One call: the nodes that were made, and the tensors of what is returned."""

    def __init__(self, place: dict[Node, int], values: list[Node], inputs: list[Tensor]) -> None:
        self.place, self.values, self.inputs = place, values, inputs
        self._tensors: dict[Node, Tensor] = {}

    def tensor(self, node: Node, base: Node) -> Tensor:
        """The tensor for a recorded one; views of one base share its memory, as they did."""
        if base not in self._tensors:
            self._tensors[base] = Tensor(self.values[self.place[base]])
        if node is base:
            return self._tensors[base]
        if node not in self._tensors:
            whole = self._tensors[base]
            whole.node  # noqa: B018 - an alias is made of what was read last
            self._tensors[node] = whole._alias(self.values[self.place[node]])
        return self._tensors[node]
