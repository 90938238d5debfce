"""Watching a call: which nodes it makes, of what, in which layer, and what it looks at."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from rushlight.autograd.function import Function
from rushlight.base import site as sites
from rushlight.base.errors import OperationError
from rushlight.execute.realize import lookers
from rushlight.graph.node import Node
from rushlight.nn.global_hooks import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from rushlight.nn.module import Module
from rushlight.tensor.generator import Generator

Draw = tuple[int, Node, Node]
"""How many blocks of random numbers were taken, and the nodes of seed and offset."""


_one_at_a_time = threading.RLock()
"""What is put in the place of functions has to be taken away in the other order."""


class Watch:
    """What is known of a call that was watched.

    Attributes:
        made: for each node that was made what it was made of. A node forgets that once it is
            computed, which somebody who looks at values causes.
        layers: for each of them the path of the layer.
        draws: random numbers that were drawn.
        looked: the nodes that were looked at, and the lines.
    """

    def __init__(self, root: Any) -> None:
        self.made: dict[Node, tuple[Node, ...]] = {}
        self.layers: dict[Node, str] = {}
        self.draws: list[Draw] = []
        self.looked: list[tuple[Node, sites.Site, str]] = []
        self._names = _names(root)
        self._path: list[str] = []
        self._before: dict[Generator, Any] = {}
        self._thread = threading.get_ident()

    @property
    def layer(self) -> str:
        """The layer whose forward runs."""
        return self._path[-1] if self._path else ""

    def mine(self) -> bool:
        """Whether the thread that is running is the one that is watched."""
        return threading.get_ident() == self._thread

    def refuse(self, operation: str, why: str, rule: str, hint: str) -> OperationError:
        """A fault at the line where the call is; the layers that it passes through add theirs."""
        return refusal(operation, why, rule, hint, sites.current(3), "")

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watches this thread during the block."""
        with _one_at_a_time, ExitStack() as ends:
            ends.enter_context(register_module_forward_pre_hook(self._enter))
            ends.enter_context(register_module_forward_hook(self._leave, always_call=True))
            ends.enter_context(replaced(Node, "__init__", self._noting))
            ends.enter_context(replaced(Generator, "take", self._taking))
            ends.enter_context(replaced(Function, "_run", self._refusing))
            lookers.append(self._look)
            ends.callback(lookers.remove, self._look)
            ends.callback(self._restore)
            yield

    def _restore(self) -> None:
        """Puts generators back to where they were: a program has a stream of its own."""
        for generator, state in self._before.items():
            generator.set_state(state)

    def _enter(self, module: Any, args: Any) -> None:
        if self.mine():
            self._path.append(self._names.get(id(module), self.layer))

    def _leave(self, module: Any, args: Any, output: Any) -> None:
        if self.mine():
            self._path.pop()

    def _noting(self, original: Callable[..., None]) -> Callable[..., None]:
        made, layers = self.made, self.layers

        def noted(node: Node, op: Any, inputs: Any, *more: Any) -> None:
            original(node, op, inputs, *more)
            if self.mine():
                made[node] = inputs
                layers[node] = self.layer

        return noted

    def _taking(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def noted(generator: Generator, blocks: int) -> Any:
            if self.mine() and generator not in self._before:
                self._before[generator] = generator.get_state()
            found = original(generator, blocks)
            if self.mine():
                self.draws.append((blocks, *found))
            return found

        return noted

    def _refusing(self, original: Any) -> Any:
        def refused(function: type[Function], *given: Any) -> Any:
            if not self.mine() or function.__module__.startswith("rushlight."):
                return original.__func__(function, *given)
            raise self.refuse(
                function.__name__, "a custom autograd Function is Python code",
                "It would not be there where the program is loaded.",
                "Call the operations of its forward themselves.",
            )  # fmt: skip

        return classmethod(refused)

    def _look(self, nodes: Sequence[Node]) -> None:
        if self.mine() and not _only_checks():
            site, layer = sites.current(2), self.layer
            self.looked += [(node, site, layer) for node in nodes]

    def depends(self, node: Node, on: set[Node]) -> bool:
        """Whether a value is computed from any of some nodes."""
        seen = {node}
        stack = [node]
        while stack:
            node = stack.pop()
            if node in on:
                return True
            fresh = [x for x in self.made.get(node, node.inputs) if x not in seen]
            seen.update(fresh)
            stack += fresh
        return False


_CHECKS = os.path.join("rushlight", "distributions") + os.sep
"""Code that looks at values to refuse wrong ones, and for nothing else."""


def _only_checks() -> bool:
    """Whether a value is looked at to be checked: what follows does not depend on it."""
    frame = sys._getframe(2)
    while frame is not None and sites.is_ours(frame.f_code.co_filename):
        if _CHECKS in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


@contextmanager
def replaced(owner: type, name: str, by: Callable[[Any], Any]) -> Iterator[None]:
    """Puts what ``by`` makes of a class's attribute in its place during the block."""
    original = owner.__dict__[name]
    setattr(owner, name, by(original))
    try:
        yield
    finally:
        setattr(owner, name, original)


def refusal(
    operation: str, why: str, rule: str, hint: str, site: sites.Site | None, layer: str
) -> OperationError:
    """Why something cannot be part of a program, at the user's line and layer."""
    fault = OperationError(operation, why, rule=rule, hint=hint, site=site or sites.current(2))
    for part in reversed(layer.split(".")):
        fault.add_layer(part)
    return fault


def _names(root: Any) -> dict[int, str]:
    if not isinstance(root, Module):
        return {}
    return {id(module): name for name, module in root.named_modules()}
