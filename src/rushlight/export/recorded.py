"""Recorded: one call of a model as a graph over its inputs, its state and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.execute import shown
from rushlight.execute.derive import Derived
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Node, Number, known
from rushlight.graph.op import DATA, NUMBER, OUTSIDE
from rushlight.tensor.look import buffer_of
from rushlight.tensor.tensor import Tensor

from .kept import attributes_of, distinct, now, undone, unshared
from .tree import Flat, Form
from .watch import Watch, refusal

COUNT = "num_batches_tracked"
"""The buffer of a batch norm, which counts in Python what it has seen."""

SEED, OFFSET = "random.seed", "random.offset"
"""State of a program that draws random numbers."""

_PASSED = (ops.leaf, ops.clone, ops.graft, ops.constant_in)
"""What says something of a value's history or memory only, and has no place in a program."""


@dataclass(slots=True)
class Recorded:
    """A call.

    Attributes:
        graph: its inputs are the tensors given, then ``state``, then numbers; its outputs are the
            tensors returned, then the new values of what ``changes`` names.
        layers: the layer of each step, by its dotted path.
        given: names of the tensors given.
        state: parameters, buffers, and other tensors that were read.
        numbers: the values of the inputs that are Python numbers.
        result: the form of what was returned, over the first outputs.
        returned: names of these.
        changes: which entries of the state the call writes.
        looked: where it looked at values that depend on what was given: lines and layers.
        written: names of tensors given that it writes in place.
    """

    graph: Graph
    layers: tuple[str, ...]
    given: tuple[str, ...]
    state: dict[str, Tensor]
    numbers: tuple[Number, ...]
    result: Form
    returned: tuple[str, ...]
    changes: tuple[str, ...]
    looked: list[tuple[Any, str]]
    written: tuple[str, ...]


class Recording:
    """Runs a call once, watched, and cuts its graph. The state is as before afterwards.

    Args:
        given: tensors of their own for the inputs, which nobody else holds.
        names: of them.
        state: tensors that the call reads and may write, by name.
        root: the module in which layers and attributes have their names, or None.
    """

    def __init__(
        self, given: Sequence[Tensor], names: Sequence[str], state: dict[str, Tensor], root: Any
    ) -> None:
        self.names, self.state, self.root = tuple(names), dict(state), root
        self._given = given
        self.inputs = [x.node for x in given]
        self.watch = Watch(root)
        self._first = len(given)
        self._place: dict[Node, int] = {}  # of inputs and state
        self._constants: dict[Node, str] = {}
        self._numbers: list[Node] = []
        self._order: list[Node] = []
        self._draw: dict[Node, Node] = {}  # what stands for seeds and offsets

    def of(self, call: Callable[[], Any]) -> Recorded:
        """The call.

        Raises:
            RuntimeError: part of it cannot be kept; the fault has operation, line and layer.
        """
        with unshared(self.state):
            return self._of(call)

    def _of(self, call: Callable[[], Any]) -> Recorded:
        before = distinct(self.state)
        with undone(self.root, self.state, before), self.watch.on():
            result = call()
            flat = Flat(result, "output", "the result")
            changed = self._changed(before, now(self.root, self.state))
            changed.update(self._drawn())
        self._number(before)
        outputs = [x.node for x in flat.tensors] + list(changed.values())
        looked = [
            (site, layer)
            for node, site, layer in self.watch.looked
            if self.watch.depends(node, set(self.inputs))
        ]
        return self._cut(outputs, flat, tuple(changed), looked)

    def _changed(self, before: dict[str, Node], after: dict[str, Tensor]) -> dict[str, Node]:
        """The new values of what the call has written, by name."""
        changed = {}
        for name, old in before.items():
            new = after[name].node
            if new is not old:
                counted = name.rpartition(".")[2] == COUNT and new.buffer is not None
                changed[name] = self._counted(name, old) if counted else new
        return changed

    def _counted(self, name: str, old: Node) -> Node:
        """A count of batches after one more."""
        layer = name.rpartition(".")[0]
        if self.root is not None and self.root.get_submodule(layer).momentum is None:
            raise refusal(
                "batch_norm", "the mean over all batches so far (momentum=None) divides by a count"
                " that Python keeps", "In a program it would stay what it was in the example.",
                "Give the layer a momentum, or export it in evaluation mode.", None, layer,
            )  # fmt: skip
        return ops.add(old, 1)

    def _drawn(self) -> dict[str, Node]:
        """Has draws take what they are functions of from the state, and move it on."""
        draws = self.watch.draws
        if not draws:
            return {}
        _, seed, offset = draws[0]
        start = {SEED: seed.buffer, OFFSET: offset.buffer}
        for name, at in start.items():
            self.state[name] = Tensor(known(Buffer.of(_whole(at), seed.dtype)))
        key, at = self.state[SEED].node, self.state[OFFSET].node
        taken = 0
        for blocks, seed, offset in draws:
            self._draw[seed] = key
            self._draw[offset] = ops.add(at, taken) if taken else at
            taken += blocks
        return {OFFSET: ops.add(at, taken)}

    def _number(self, before: dict[str, Node]) -> None:
        for k, node in enumerate(self.inputs):
            self._place[node] = k
        for name, tensor in self.state.items():
            node = before.get(name, tensor.node)
            k = self._first + list(self.state).index(name)
            self._place[node] = k
            self._place.setdefault(shown(node), k)
            if node.op is ops.leaf:  # an optimizer reads what lies below
                self._place.setdefault(node.inputs[0], k)

    # The graph -------------------------------------------------------------------------------

    def _seen(self, node: Node) -> Node:
        """What stands for a node in the graph."""
        while node not in self._place:
            inputs = self.watch.made.get(node, node.inputs)
            if node in self._draw:
                node = self._draw[node]
            elif node.op in _PASSED and inputs and node in self.watch.made:
                node = inputs[0]
            else:
                break
        return node

    def _is_constant(self, node: Node) -> bool:
        """Whether a node's value was there before the call, or is data that the call made."""
        if node not in self.watch.made or node.op in (DATA, OUTSIDE):
            return node.op is not NUMBER
        return False

    def _walk(self, outputs: Sequence[Node]) -> None:
        done: set[Node] = set(self._place)
        stack = list(reversed(outputs))
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
                continue
            if node.op is NUMBER or self._is_constant(node):
                self._take(node)
                done.add(stack.pop())
                continue
            self._check(node)
            waiting = [x for x in self._inputs(node) if x not in done]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            done.add(stack.pop())
            self._order.append(node)

    def _inputs(self, node: Node) -> list[Node]:
        return [self._seen(x) for x in self.watch.made[node]]

    def _take(self, node: Node) -> None:
        """Notes a number or a constant."""
        if node.op is NUMBER:
            self._numbers.append(node)
        else:
            if node.requires_grad:
                raise refusal(
                    "export", "Cannot insert a Tensor that requires grad as a constant.",
                    "It is no parameter of the module.",
                    "Register it with self.register_parameter, or detach it.", None,
                    self._reader(node),
                )  # fmt: skip
            self._constants[node] = ""

    def _reader(self, node: Node) -> str:
        """The layer that reads a constant."""
        readers = (made for made, inputs in self.watch.made.items() if node in inputs)
        return next((self.watch.layers[each] for each in readers), "")

    def _check(self, node: Node) -> None:
        """Refuses what cannot be part of a program."""
        if node.op.name in ("applied", "packed"):
            raise refusal(
                "export", f"{node.op.name} calls Python code",
                "It would not be there where the program is loaded.",
                "Leave hooks and custom Functions out of what is exported.", node.site,
                self.watch.layers.get(node, ""),
            )  # fmt: skip

    def _named_constants(self) -> None:
        """Makes constants part of the state, under the name of an attribute if there is one."""
        names = attributes_of(self.root)
        for node in self._constants:
            value = Tensor(known(Buffer.of(buffer_of(node).values, node.dtype)))
            name = names.get(shown(node), "") or f"constant_{len(self.state)}"
            if name in self.state:
                name = f"constant_{len(self.state)}"
            self._place[node] = self._first + len(self.state)
            self.state[name] = value

    def _cut(
        self, outputs: list[Node], flat: Flat, changes: tuple[str, ...], looked: list[Any]
    ) -> Recorded:
        outputs = [self._seen(node) for node in outputs]
        self._walk(outputs)
        self._named_constants()
        count = self._first + len(self.state)
        number_of = dict(self._place)
        for node in (*self._numbers, *self._order):
            number_of[node] = count
            count += 1
        specs = [None] * (self._first + len(self.state))
        for k, node in enumerate(self.inputs):
            specs[k] = node.spec
        for k, tensor in enumerate(self.state.values()):
            specs[self._first + k] = tensor.node.spec
        first = len(specs)
        steps = [
            Step(x.op, tuple([number_of[i] for i in self._inputs(x)]), x.attrs, x.spec, x.site)
            for x in self._order
        ]
        graph = Graph(
            (*specs, *(x.spec for x in self._numbers)),
            frozenset(range(first, first + len(self._numbers))),
            tuple(steps),
            tuple([number_of[x] for x in outputs]),
        )
        layers = [self.watch.layers.get(x, "") for x in self._order]
        return self._finished(graph, layers, flat, changes, looked)

    def _finished(
        self, graph: Graph, layers: list[str], flat: Flat, changes: tuple[str, ...],
        looked: list[Any],
    ) -> Recorded:  # fmt: skip
        """With gradients worked out."""
        numbers: list[Any] = [x.buffer for x in self._numbers]
        if any(step.op is ops.gradients for step in graph.steps):
            derived = Derived(graph, tuple([x.requires_grad for x in self._order]))
            layers = [layers[k] for k in derived.origins]
            graph = derived.graph
            first = self._first + len(self.state)
            own = len(graph.inputs) - len(derived.more)
            tables = [k for k, each in enumerate(derived.more, own) if isinstance(each, Buffer)]
            rest = [k for k in range(first, len(graph.inputs)) if k not in tables]
            graph = _arranged(graph, [*range(first), *tables, *rest])
            for k in tables:
                self.state[f"constant_{len(self.state)}"] = Tensor(known(derived.more[k - own]))
            numbers += [each for each in derived.more if not isinstance(each, Buffer)]
        written = tuple(
            [
                name
                for name, x, node in zip(self.names, self._given, self.inputs, strict=True)
                if x.node is not node
            ]
        )
        return Recorded(
            graph, tuple(layers), self.names, self.state, tuple(numbers), flat.form,
            _unique(flat.names), changes, looked, written,
        )  # fmt: skip


def _arranged(graph: Graph, order: list[int]) -> Graph:
    """The same graph with its inputs in another order."""
    place = {old: new for new, old in enumerate(order)}
    steps = tuple(
        [
            Step(s.op, tuple([place.get(k, k) for k in s.inputs]), s.attrs, s.spec, s.site)
            for s in graph.steps
        ]
    )
    return Graph(
        tuple([graph.inputs[k] for k in order]),
        frozenset([place[k] for k in graph.numbers]),
        steps,
        tuple([place.get(k, k) for k in graph.outputs]),
    )


def _whole(number: Any) -> np.ndarray:
    """A seed or an offset as the 64 bits that hold it."""
    return np.array(number & 0xFFFFFFFFFFFFFFFF, np.uint64).view(np.int64)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Names of which none is there twice."""
    found: dict[str, None] = {}
    for name in names:
        k, free = 1, name
        while free in found:
            free, k = f"{name}_{k}", k + 1
        found[free] = None
    return tuple(found)
