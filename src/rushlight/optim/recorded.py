"""Optimizers whose step on a group of parameters is one node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import DType, float32, float64
from rushlight.base.promotion import default_dtype
from rushlight.execute import realize_step, value
from rushlight.graph.node import Node, number
from rushlight.graph.op import recording
from rushlight.ops.update import Update
from rushlight.optim.memory import begun, value_node
from rushlight.optim.optimizer import Optimizer
from rushlight.optim.options import check_implementation
from rushlight.optim.state import Group
from rushlight.tensor.place import LeafPlace
from rushlight.tensor.tensor import Tensor

Number = float | Node
Memory = dict[str, Any]
Names = tuple[str, ...]
Member = tuple[Tensor, Tensor, Memory]
"""A parameter that has a gradient, the gradient, and what is remembered of the parameter."""
Moment = Any
"""How many steps a parameter has taken, a float; or a tuple that begins with it, where the numbers
of an optimizer depend on more that is remembered of a parameter."""
Cohort = tuple[Group, list[Member], Moment]
"""Parameters of a group that are at the same moment."""


class RecordedOptimizer(Optimizer):
    """An optimizer that records a group's step as one node and then has it computed. Abstract.

    Parameters of a group that have taken another number of steps than the rest, because they were
    frozen for a while, get a node of their own: their numbers differ.
    """

    _op: ClassVar[Update]
    # Options that state dicts of older versions do not have.
    _later_options: ClassVar[dict[str, Any]] = {}

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        # The nodes of the numbers last used, by group: most numbers stay the same for long.
        self._numbers: dict[int, dict[int, Node]] = {}
        super().__init__(params, defaults)
        for group in self.param_groups:
            check_implementation(type(self).__name__, group)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._numbers = {}
        for group in self.param_groups:
            for name, default in self._later_options.items():
                group.setdefault(name, default)
        for memory in self.state.values():
            if not isinstance(memory.get("step"), (Tensor, type(None))):
                memory["step"] = count_tensor(float(memory["step"]))

    # What a subclass says --------------------------------------------------------------------

    def _state_names(self, group: Group) -> Names:
        """Kinds of state besides the count of steps, in the order of the operation's inputs."""
        raise NotImplementedError

    def _names_of(self, group: Group, param: Tensor) -> Names:
        """The kinds of state of one parameter, and of all that are at the same moment."""
        return self._state_names(group)

    def _scalars(self, group: Group, steps: Moment) -> tuple[Number, ...]:
        """The operation's numbers for parameters that have taken ``steps`` steps."""
        raise NotImplementedError

    def _form(self, group: Group, steps: Moment) -> tuple[Any, ...]:
        """The operation's attributes after the number of parameters."""
        raise NotImplementedError

    def _recall(self, group: Group, param: Tensor, names: Names) -> tuple[Memory, Moment]:
        """What is remembered of a parameter, begun if need be, and its steps so far."""
        memory = self.state[param]
        if len(memory) <= len(names):
            self._begin(group, param, memory, names)
        return memory, count_of(memory["step"])

    def _begin(self, group: Group, param: Tensor, memory: Memory, names: Names) -> None:
        if "step" not in memory:
            memory["step"] = count_tensor(0.0)
        for name in names:
            if name not in memory:
                memory[name] = begun(param.node.spec)

    def _next(self, group: Group, steps: Moment) -> Moment:
        """The moment after a step."""
        return steps + 1

    def _count(self, members: list[Member], steps: Moment) -> None:
        """Notes the moment that some parameters are at."""
        first = members[0][2]["step"]
        node = count_node(steps, first.dtype)
        for _, _, memory in members:
            give(memory["step"], node)

    # What they share -------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes every parameter that has a gradient, and has the new values computed.

        A fault in the computation leaves parameters and state as they were.

        Args:
            closure: computes the loss anew and returns it; called with gradients enabled.
        Returns:
            The closure's result, or None without one.
        """
        loss = None
        before = recording.grad
        try:
            if closure is not None:
                recording.grad = True
                loss = closure()
            recording.grad = self.defaults.get("differentiable", False)
            if recording.grad:
                self._expand()
            else:
                self._compute()
        finally:
            recording.grad = before
        return loss

    def _compute(self) -> None:
        """Records the steps, gives parameters and states their new nodes and has them computed."""
        taken: list[Cohort] = []
        written: list[tuple[Tensor, Node]] = []
        try:
            for cohort in self._cohorts():
                taken.append(cohort)
                for target, node in self._record(*cohort):
                    written.append((target, node))
                    give(target, node)
                group, members, steps = cohort
                self._count(members, self._next(group, steps))
            realize_step([node for _, node in written])
        except BaseException:
            self._undo(taken, written)
            raise

    def _undo(self, taken: list[Cohort], written: list[tuple[Tensor, Node]]) -> None:
        """Gives back the values from before a step that failed; its node still knows them."""
        for target, node in reversed(written):
            if node.buffer is None:
                give(target, self._op.before(node.inputs[0], node.attrs[0]))
        for _, members, steps in reversed(taken):
            self._count(members, steps)

    def _expand(self) -> None:
        """The steps as ordinary operations, recorded with gradients enabled."""
        for group, members, steps in self._cohorts():
            targets, nodes = self._laid_out(group, members)
            form = (len(members), *self._form(group, steps))
            attrs = dict(zip(self._op.attrs, form, strict=True))
            results = self._op.expand(*self._scalars(group, steps), *nodes, **attrs)
            for target, node in zip(targets, results, strict=True):
                target._write(node, "step")
            self._count(members, self._next(group, steps))

    def _cohorts(self) -> Iterator[Cohort]:
        """The parameters that have gradients, by what one node can step.

        A parameter that is in a group twice is stepped twice, the second time from where the first
        has left it.
        """
        for group in self.param_groups:
            params = group["params"]
            repeated = len(set(map(id, params))) != len(params)
            for some in [[param] for param in params] if repeated else (params,):
                for steps, members in self._by_steps(group, some).items():
                    yield group, members, steps

    def _by_steps(self, group: Group, params: list[Tensor]) -> dict[Moment, list[Member]]:
        names = self._state_names(group)
        cohorts: dict[Moment, list[Member]] = {}
        for param in params:
            grad = param._grad
            if grad is not None:
                memory, steps = self._recall(group, param, names)
                if steps in cohorts:
                    cohorts[steps].append((param, grad, memory))
                else:
                    cohorts[steps] = [(param, grad, memory)]
        return cohorts

    def _record(
        self, group: Group, members: list[Member], steps: Moment
    ) -> Iterable[tuple[Tensor, Node]]:
        """One node for a step of some parameters; what of it is for which tensor."""
        targets, nodes = self._laid_out(group, members)
        numbers = self._number_nodes(group, self._scalars(group, steps))
        form = self._form(group, steps)
        several = self._op.record((*numbers, *nodes), len(members), *form)
        return zip(targets, self._op.parts(several), strict=True)

    def _laid_out(self, group: Group, members: list[Member]) -> tuple[list[Tensor], list[Node]]:
        """The tensors that a step writes, and the nodes it reads, in the operation's order."""
        params = [param for param, _, _ in members]
        names = self._names_of(group, members[0][0])
        states = [memory[name] for name in names for _, _, memory in members]
        nodes = [value_node(param) for param in params]
        nodes += [grad.node for _, grad, _ in members]
        nodes += [state.node for state in states]
        return params + states, nodes

    def _number_nodes(self, group: Group, values: tuple[Number, ...]) -> list[Node]:
        """Nodes for numbers; a number that is the same as in the last step keeps its node."""
        kept = self._numbers.setdefault(id(group), {})
        nodes = []
        for index, new in enumerate(values):
            if isinstance(new, Node):
                nodes.append(new)
                continue
            node = kept.get(index)
            if node is None or node.buffer != new:
                node = kept[index] = number(float(new))
            nodes.append(node)
        return nodes


class CountingOptimizer(RecordedOptimizer):
    """One that keeps numbers of its own beside the count of steps, which change with it. Abstract.

    Its moments are tuples of the count and these numbers, which are rounded to their dtype, as
    tensors are.
    """

    # Names of the numbers, and the values that they begin with.
    _counters: ClassVar[dict[str, float]] = {}

    def _start(self, group: Group, name: str) -> float:
        """What a number begins with."""
        return self._counters[name]

    def _recall(self, group: Group, param: Tensor, names: Names) -> tuple[Memory, Moment]:
        memory = self.state[param]
        if len(memory) <= len(names) + len(self._counters):
            self._begin(group, param, memory, names)
        return memory, tuple([count_of(memory[name]) for name in ("step", *self._counters)])

    def _begin(self, group: Group, param: Tensor, memory: Memory, names: Names) -> None:
        if "step" not in memory:
            memory["step"] = count_tensor(0.0)
        for name in self._counters:
            if name not in memory:
                memory[name] = count_tensor(self._start(group, name))
        super()._begin(group, param, memory, names)

    def _count(self, members: list[Member], steps: Moment) -> None:
        for name, new in zip(("step", *self._counters), steps, strict=True):
            node = count_node(new, members[0][2][name].dtype)
            for _, _, memory in members:
                give(memory[name], node)


def give(target: Tensor, node: Node) -> None:
    """Writes a value of the target's own type, without the checks that others need."""
    place = target._place
    if place is None and not target._node.requires_grad:
        target._node = node
    elif type(place) is LeafPlace:
        place.write(node)
        target._settle_in(place)
    else:
        target._write(node)


def plain(option: float | Tensor) -> Number:
    """An option's number, or the 0-d node of a Tensor with one element."""
    if isinstance(option, Tensor):
        node = option.node
        return ops.reshape(node, ()) if node.ndim else node
    return option


def count_tensor(steps: float) -> Tensor:
    """A count of steps as PyTorch keeps it: in doubles if they are the default, else in float32.

    A half type would stop counting at 2048.
    """
    return Tensor(count_node(steps, float64 if default_dtype() is float64 else float32))


def count_node(steps: float, dtype: DType) -> Node:
    """A count of steps, or another number that is remembered, as a node."""
    return number(float(np.asarray(steps, dtype.numpy)), dtype)


def count_of(steps: Tensor) -> float:
    """What a count of steps says."""
    found = value(steps.node)
    return float(found.values if isinstance(found, Buffer) else found)  # type: ignore[arg-type]
