"""Optimizers whose step on a group of parameters is one node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import DType
from rushlight.base.promotion import default_dtype
from rushlight.execute import realize_step, value
from rushlight.graph.node import Node, number
from rushlight.graph.op import recording
from rushlight.ops.update import Update
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
Cohort = tuple[Group, list[Member], float]
"""Parameters of a group that have taken equally many steps."""


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

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        """The operation's numbers for parameters that have taken ``steps`` steps."""
        raise NotImplementedError

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        """The operation's attributes after the number of parameters."""
        raise NotImplementedError

    def _recall(self, param: Tensor, names: Names) -> tuple[Memory, float]:
        """What is remembered of a parameter, begun if need be, and its steps so far."""
        memory = self.state[param]
        if len(memory) <= len(names):
            self._begin(param, memory, names)
        return memory, count_of(memory["step"])

    def _begin(self, param: Tensor, memory: Memory, names: Names) -> None:
        if "step" not in memory:
            memory["step"] = count_tensor(0.0)
        for name in names:
            if name not in memory:
                memory[name] = Tensor(ops.zeros(param.node.spec))

    def _count(self, members: list[Member], steps: float) -> None:
        """Notes how many steps some parameters have taken."""
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
            recording.grad = self.defaults["differentiable"]
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
                _, members, steps = cohort
                self._count(members, steps + 1)
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
            self._count(members, steps + 1)

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

    def _by_steps(self, group: Group, params: list[Tensor]) -> dict[float, list[Member]]:
        names = self._state_names(group)
        cohorts: dict[float, list[Member]] = {}
        for param in params:
            grad = param._grad
            if grad is not None:
                memory, steps = self._recall(param, names)
                if steps in cohorts:
                    cohorts[steps].append((param, grad, memory))
                else:
                    cohorts[steps] = [(param, grad, memory)]
        return cohorts

    def _record(
        self, group: Group, members: list[Member], steps: float
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
        names = self._state_names(group)
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


def value_node(param: Tensor) -> Node:
    """A parameter's value, without the leaf that gradients end in."""
    node = param.node
    return node.inputs[0] if node.op is ops.leaf else node


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
    """A count of steps as PyTorch keeps it, in the default floating type."""
    return Tensor(count_node(steps, default_dtype()))


def count_node(steps: float, dtype: DType) -> Node:
    """A count of steps as a node."""
    return number(steps, dtype)


def count_of(steps: Tensor) -> float:
    """What a count of steps says."""
    found = value(steps.node)
    return float(found.values if isinstance(found, Buffer) else found)  # type: ignore[arg-type]
