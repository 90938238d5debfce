"""Hooks on an operation whose gradients are computed: ``grad_fn.register_hook``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from rushlight.autograd.core import fitted
from rushlight.base.errors import ArgTypeError, GradError
from rushlight.graph.node import Node
from rushlight.graph.op import NUMBER
from rushlight.graph.spec import Spec
from rushlight.ops.autocast import resumed

Gradients = tuple[Any, ...]


class FunctionHooks:
    """Hooks on one operation.

    Attributes:
        before: called with the gradients of its results; may return others.
        after: called with the gradients of its inputs and of its results; may return others for
            the inputs.
    """

    def __init__(self) -> None:
        self.before: OrderedDict[int, Callable[[Gradients], Any]] = OrderedDict()
        self.after: OrderedDict[int, Callable[[Gradients, Gradients], Any]] = OrderedDict()

    def arrived(self, gradient: Any) -> Any:
        """The gradients of the results, as a rule takes them."""
        several = isinstance(gradient, tuple)
        nodes = gradient if several else (gradient,)
        for hook in list(self.before.values()):
            with resumed():
                returned = hook(_shown(nodes))
            nodes = _replaced(hook, nodes, returned)
        return nodes if several else nodes[0]

    def passed(self, node: Node, given: Any, gradient: Any) -> Any:
        """The gradients of the inputs, each as wide as its input."""
        outputs = gradient if isinstance(gradient, tuple) else (gradient,)
        places = [k for k, x in enumerate(inputs_of(node)) if counts(x)]
        for hook in list(self.after.values()):
            inputs = tuple([_fitted(given[k], node.inputs[k]) for k in places])
            with resumed():
                returned = hook(_shown(inputs), _shown(outputs))
            found = dict(zip(places, _replaced(hook, inputs, returned), strict=True))
            given = tuple([found.get(k, g) for k, g in enumerate(given)])
        return given


def inputs_of(node: Node) -> tuple[Node, ...]:
    """The inputs that gradients may flow to; behind a leaf there are none."""
    return () if node.op.name == "leaf" else node.inputs


def counts(x: Node) -> bool:
    """Whether an input is one that PyTorch tells of: one that could have a gradient."""
    if x.requires_grad:
        return True
    return x.spec.__class__ is Spec and x.dtype.is_differentiable and x.op is not NUMBER


def _shown(nodes: Gradients) -> Gradients:
    from .tensor import Tensor

    return tuple([None if node is None else Tensor(node) for node in nodes])


def _replaced(hook: Any, nodes: Gradients, returned: Any) -> Gradients:
    """What a hook returned in place of gradients; nothing, or one for each of them."""
    if returned is None:
        return nodes
    from .tensor import Tensor

    given = returned if isinstance(returned, tuple) else (returned,)
    if len(given) != len(nodes):
        raise GradError(
            "register_hook",
            f"hook '{getattr(hook, '__name__', type(hook).__name__)}' has returned an incorrect"
            f" number of values (got {len(given)}, but expected {len(nodes)})",
        )
    for each in given:
        if each is not None and not isinstance(each, Tensor):
            raise ArgTypeError(
                "register_hook", f"expected Variable, but hook returned '{type(each).__name__}'"
            )
    return tuple([None if each is None else each.node for each in given])


def _fitted(gradient: Node | None, x: Node) -> Node | None:
    return None if gradient is None or not x.requires_grad else fitted(gradient, x.spec)
