"""``train_step``: forward pass, gradients and the optimizer's update as one program."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from rushlight import ops
from rushlight.autograd.mode import enable_grad, no_grad
from rushlight.autograd.walk import grad
from rushlight.base.dtypes import float64
from rushlight.base.errors import ArgTypeError, MissingError
from rushlight.graph.node import Node
from rushlight.nn.module import Module
from rushlight.optim import SGD, Adadelta, Adagrad, Adam, Adamax, Optimizer, RMSprop
from rushlight.optim.recorded import RecordedOptimizer, give
from rushlight.tensor.creation import tensor
from rushlight.tensor.tensor import Tensor

from .call import array_for, tensor_of, write
from .kept import state_of
from .program import ExportedProgram
from .trace import captured

# Whose numbers follow from the count of steps by arithmetic; others compare it with something.
_KNOWN = (SGD, Adam, RMSprop, Adagrad, Adadelta, Adamax)

# What steps are divided by, or by the root of, and about what it is when gradients are about 1.
_SQUARES = tuple(
    f"optimizer.{name}."
    for name in ("exp_avg_sq", "max_exp_avg_sq", "exp_inf", "square_avg", "sum", "acc_delta")
)
_USUAL = 1.0

LR, STEP = "optimizer.lr", "optimizer.step"
"""State of a training step: the rate, and how many steps have been taken, both in doubles."""


def train_step(
    module: Module, loss: Callable[..., Any], optimizer: Optimizer,
    example_inputs: tuple[Any, ...], *, dynamic_shapes: Any = None,
) -> ExportedProgram:  # fmt: skip
    """One step of training as a program that needs none of the model's source.

    The program takes the arguments of ``example_inputs`` and returns the loss from before the
    step. What the step changes is its state: parameters, buffers, and under ``optimizer.`` what the
    optimizer remembers, the count of steps and the rate, which may be changed between steps.

    Args:
        module: in the mode that it trains in; ``module(*example_inputs[:-1])`` is called.
        loss: is given what the module returns and the last of ``example_inputs``.
        optimizer: of the module's parameters: SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta or
            Adamax. What it remembers so far is where the program begins.
        example_inputs: the module's arguments and the target.
        dynamic_shapes: as :func:`rushlight.export.export` takes it.
    Raises:
        TypeError: arguments of other types.
        NotImplementedError: an optimizer that cannot be part of a program.
    Example:
        >>> import rushlight as rl
        >>> model = rl.nn.Linear(2, 1)
        >>> optimizer = rl.optim.SGD(model.parameters(), lr=0.1)
        >>> step = rl.export.train_step(
        ...     model, rl.nn.MSELoss(), optimizer, (rl.ones(4, 2), rl.zeros(4, 1))
        ... )
        >>> float(step(rl.ones(4, 2), rl.zeros(4, 1))) > float(step(rl.ones(4, 2), rl.zeros(4, 1)))
        True
    """
    if not isinstance(module, Module) or not isinstance(optimizer, Optimizer):
        raise ArgTypeError(
            "train_step", "a module, a loss, an optimizer and a tuple of inputs are wanted,"
            f" not {type(module).__name__} and {type(optimizer).__name__}",
        )  # fmt: skip
    if not isinstance(example_inputs, tuple) or len(example_inputs) < 2:
        raise ArgTypeError(
            "train_step", "example_inputs must be a tuple of the module's inputs and the target"
        )
    with _Steps(optimizer, dict(module.named_parameters())) as steps:

        def call(*given: Any) -> Any:
            with enable_grad():
                found = loss(module(*given[:-1]), given[-1])
                steps.take(found)
            return found.detach()

        program = captured(
            call, example_inputs, {}, dynamic_shapes=dynamic_shapes, root=module,
            signature=_named(module.forward, len(example_inputs)),
            name=f"{type(module).__name__}Step", state={**state_of(module), **steps.state},
        )  # fmt: skip
    program.outputs = tuple(replace(entry, name="loss") for entry in program.outputs)
    _set_goldens(program)
    return program


def _set_goldens(program: ExportedProgram) -> None:
    """Has the golden step begin as if many had been taken.

    In an optimizer's first steps a gradient that is nothing but rounding, as that of a bias before
    a normalization, becomes a whole step of any sign, which no two machines agree on.
    """
    inputs = [given for given, _ in program.goldens]
    squares = [name for name in program.state if name.startswith(_SQUARES)]
    first = {name: array_for(program.state[name]) for name in squares}
    for name, array in first.items():
        write(program.state[name], tensor_of(array + _USUAL, program.state[name].node.spec))
    program.set_goldens(inputs)
    for name, array in first.items():
        write(program.state[name], tensor_of(array, program.state[name].node.spec))


def _named(forward: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A signature with the names of a module's arguments, and ``target``."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    known = [p.name for p in inspect.signature(forward).parameters.values() if p.kind in kinds]
    names = known[: count - 1] + [f"input_{k}" for k in range(len(known), count - 1)]
    names.append("target" if "target" not in names else "target_")

    def call(*given: Any) -> None:
        """Never called."""

    kind = inspect.Parameter.POSITIONAL_ONLY
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in names]
    )
    return call


class Count:
    """How many steps have been taken, when that is a value of the program.

    Optimizers compute their numbers from it as from a float, but cannot decide anything by it.
    """

    def __init__(self, node: Node) -> None:
        self.node = node

    def __add__(self, other: float) -> Count:
        return Count(ops.add(self.node, other))

    __radd__ = __add__

    def __mul__(self, other: float) -> Node:
        return ops.mul(self.node, other)

    __rmul__ = __mul__

    def __rpow__(self, base: float) -> Node:
        """``base**count``, for a base that is not negative."""
        if base <= 0:
            return ops.mul(self.node, 0.0)  # counts begin at 1 where they are exponents
        return ops.exp(ops.mul(self.node, math.log(base)))


class _Steps:
    """An optimizer whose numbers are values: what it remembers is state of the program.

    Attributes:
        state: tensors by name, in a fixed order.
    """

    def __init__(self, optimizer: Optimizer, names: dict[str, Tensor]) -> None:
        kind = type(optimizer).__name__
        if not isinstance(optimizer, _KNOWN):
            raise MissingError(
                "train_step", f"a step of {kind} cannot be a program: it decides in Python.",
                hint=f"Use {', '.join(each.__name__ for each in _KNOWN)} or AdamW.",
            )  # fmt: skip
        self.optimizer: RecordedOptimizer = optimizer
        self._names = {id(tensor): name for name, tensor in names.items()}
        self.state: dict[str, Tensor] = {}
        self._rates: list[Any] = []
        self._counts: dict[tuple[int, Any], Tensor] = {}

    def __enter__(self) -> _Steps:
        groups = self.optimizer.param_groups
        self._before = {id(p): dict(self.optimizer.state.get(p, {})) for p in self._params()}
        for k, group in enumerate(groups):
            label = LR if len(groups) == 1 else f"optimizer.{k}.lr"
            self._rates.append(group["lr"])
            group["lr"] = self.state[label] = tensor(float(group["lr"]), dtype=float64)
        for group in groups:
            for param in group["params"]:
                self._remember(group, param)
        return self

    def __exit__(self, *fault: Any) -> None:
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate
        for param in self._params():
            memory = self._before[id(param)]
            self.optimizer.state[param] = memory
            if not memory:
                del self.optimizer.state[param]

    def _params(self) -> Iterator[Tensor]:
        for group in self.optimizer.param_groups:
            yield from group["params"]

    def _remember(self, group: Any, param: Tensor) -> None:
        """Begins what is remembered of a parameter, and names it."""
        optimizer = self.optimizer
        names = optimizer._state_names(group)
        memory, moment = optimizer._recall(group, param, names)
        label = self._names.get(id(param))
        if label is None:
            raise MissingError(
                "train_step", "the optimizer has a parameter that the module has not.",
                hint="Give the optimizer module.parameters().",
            )  # fmt: skip
        for name in names:
            self.state[f"optimizer.{name}.{label}"] = memory[name]
        if "step" in memory:
            first = len(self._counts)
            if (key := (id(group), moment)) not in self._counts:
                count = tensor(float(moment), dtype=float64)
                self._counts[key] = self.state[STEP if not first else f"{STEP}_{first}"] = count
        elif group.get("dampening"):
            raise MissingError(
                "train_step", "the first step of SGD with dampening is another one than the rest.",
                hint="Leave dampening out.",
            )  # fmt: skip

    # A step ----------------------------------------------------------------------------------

    def take(self, loss: Tensor) -> None:
        """Records the gradients, and gives everything its next value."""
        for group in self.optimizer.param_groups:
            trained = [p for p in group["params"] if p.requires_grad]
            found = grad(loss, trained, allow_unused=True)
            self._step(group, trained, found)
        for count in self._counts.values():
            give(count, ops.add(count.node, 1.0))

    def _step(self, group: Any, trained: list[Tensor], gradients: Any) -> None:
        optimizer = self.optimizer
        cohorts: dict[Any, list[Any]] = {}
        for param, gradient in zip(trained, gradients, strict=True):
            if gradient is not None:
                memory, moment = optimizer._recall(group, param, optimizer._state_names(group))
                cohorts.setdefault(moment, []).append((param, gradient, memory))
        with no_grad():
            for moment, members in cohorts.items():
                count = self._counts.get((id(group), moment))
                at: Any = 1.0 if count is None else Count(count.node)
                for target, node in list(optimizer._record(group, members, at)):
                    give(target, node)
