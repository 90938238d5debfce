"""Which batch norms follow which layers, found by running the model once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import rushlight as rl
from rushlight import nn
from rushlight.graph.node import Node
from rushlight.tensor.tensor import Tensor

from .convert import place
from .fold import folded

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def fold_norms(model: nn.Module, *inputs: Any) -> list[str]:
    """Folds batch norms into the layers before them, and returns their names.

    A batch norm is folded if it alone uses what the layer computes, and both are called once.

    Args:
        model: in evaluation mode; changed in place.
        inputs: to call it with.
    """
    calls = _Calls(model)
    with rl.no_grad():
        users = _users(model(*inputs))
    calls.end()
    done = []
    for name, norm in calls.of(NORMS):
        for other, layer in calls.of(LAYERS):
            (_, made), (taken, _) = calls.seen[layer], calls.seen[norm]
            alone = made is taken and users[made] == 1
            if alone and getattr(norm, "running_mean", None) is not None:
                folded(layer, norm)
                place(model, name, nn.Identity())
                done.append(f"{other} <- {name}")
    return done


class _Calls:
    """What modules took and made, of those that are called once."""

    def __init__(self, model: nn.Module) -> None:
        self.seen: dict[nn.Module, tuple[Node, Node]] = {}
        self._often: set[nn.Module] = set()
        self._named = [(n, m) for n, m in model.named_modules() if isinstance(m, LAYERS + NORMS)]
        self._handles = [module.register_forward_hook(self._note) for _, module in self._named]

    def _note(self, module: nn.Module, inputs: Any, result: Any) -> None:
        if module in self.seen:
            self._often.add(module)
        self.seen[module] = inputs[0].node, result.node

    def end(self) -> None:
        """Stops looking."""
        for handle in self._handles:
            handle.remove()

    def of(self, kinds: tuple[type, ...]) -> list[tuple[str, Any]]:
        """Modules of some kinds that were called once."""
        known = self.seen.keys() - self._often
        return [(name, m) for name, m in self._named if isinstance(m, kinds) and m in known]


def tensors_in(found: Any) -> list[Tensor]:
    """The tensors in a result."""
    if isinstance(found, Tensor):
        return [found]
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, (list, tuple)):
        return [x for each in found for x in tensors_in(each)]
    return []


def _users(result: Any) -> Counter[Node]:
    """How many nodes use each node that a result is made of."""
    stack = [x.node for x in tensors_in(result)]
    seen, users = set(stack), Counter[Node](stack)  # what leaves is used
    while stack:
        for x in dict.fromkeys(stack.pop().inputs):
            users[x] += 1
            if x not in seen:
                seen.add(x)
                stack.append(x)
    return users
