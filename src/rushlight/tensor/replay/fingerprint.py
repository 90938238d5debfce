"""Fingerprint: what a function's work may depend on, so that equal ones mean the same work.

Values of tensors are no part of it: those are the inputs of what is replayed. Everything else is:
types and shapes, Python numbers and strings by value, the objects that a module is made of with all
that they hold, functions and classes by identity.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Hashable
from enum import Enum
from typing import Any

import numpy as np

from rushlight.base.device import device
from rushlight.base.dtypes import DType
from rushlight.graph.node import Node
from rushlight.graph.op import recording
from rushlight.ops.autocast import mode

from .. import defaults
from ..generator import Generator
from ..tensor import Tensor
from .refusal import Refusal

_EXACT = frozenset({type(None), bool, int, str, bytes, type(...), range})
_CONTAINERS = (dict, list, set)
_IDENTICAL = (
    types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.WrapperDescriptorType,
    types.MethodDescriptorType, types.GetSetDescriptorType, property, type, Enum, DType, device,
    Generator, np.dtype,
)  # fmt: skip
_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class written in Python


class Fingerprint:
    """Looks at values one after the other.

    Attributes:
        tensors: those found, in order, each once.
        seen: the containers found, by id.
    """

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.seen: dict[int, int] = {}
        self._alive: list[Any] = []
        self._nodes: dict[Node, int] = {}

    def __call__(self, x: Any) -> Hashable:
        """The fingerprint of a value.

        Raises:
            Refusal: of what it depends on cannot be told.
        """
        kind = type(x)
        if kind in _EXACT:
            return kind, x
        if kind is float or kind is complex:  # nan is not equal to itself, -0.0 is to 0.0
            return kind, repr(x)
        if isinstance(x, Tensor):
            return self._tensor(x)
        if isinstance(x, np.generic):
            return kind, repr(x)
        if isinstance(x, _IDENTICAL):
            return x
        if (number := self.seen.get(id(x))) is not None:
            return "again", number
        self.seen[id(x)] = len(self.seen)
        self._alive.append(x)
        return kind, self._inside(x)

    def _inside(self, x: Any) -> Hashable:
        if isinstance(x, (list, tuple)):
            return tuple(map(self, x)) + self._attributes(x)
        if isinstance(x, dict):
            items = [(k if type(k) is str else self(k), self(v)) for k, v in x.items()]
            return tuple(items) + self._attributes(x)
        if isinstance(x, (set, frozenset)):
            return frozenset(map(self, x))
        if isinstance(x, slice):
            return self(x.start), self(x.stop), self(x.step)
        if isinstance(x, types.MethodType):
            return x.__func__, self(x.__self__)
        if isinstance(x, functools.partial):
            return self(x.func), self(x.args), self(x.keywords)
        kind = type(x)
        if kind.__flags__ & _HEAP and hasattr(x, "__dict__") and _plain_layout(kind):
            if "_orig_mod" in x.__dict__:  # another compiled function
                return self(x._orig_mod)
            return self._attributes(x)
        raise Refusal(f"uses a {kind.__qualname__}, which may change without anybody seeing it")

    def _attributes(self, x: Any) -> tuple[Hashable, ...]:
        """What an object written in Python holds, and the numbers that its class holds."""
        kind = type(x)
        if not kind.__flags__ & _HEAP:
            return ()
        found: list[Hashable] = []
        for name, value in getattr(x, "__dict__", {}).items():
            type_of = value.__class__
            found += (name, type_of)
            if type_of in _EXACT:
                found.append(value)
            elif not issubclass(type_of, _CONTAINERS) or value:  # most tables of a module are empty
                found.append(self(value))
        for owner, name in _class_numbers(kind):
            found += (name, self(owner.__dict__.get(name)))
        return tuple(found)

    def _tensor(self, x: Tensor) -> Hashable:
        if (number := self.seen.get(id(x))) is not None:
            return "again", number
        self.seen[id(x)] = len(self.seen)
        self.tensors.append(x)
        place = x._place
        if place is not None and place.storage.outside is not None:
            raise Refusal("uses a tensor that shares its memory with NumPy: give it a clone()")
        node = x.node
        # What is read of a gradient is an input as well; so are the attributes that users add.
        grad = None if x._grad is None else self(x._grad)
        own = tuple([(k, self(v)) for k, v in x.__dict__.items() if not k.startswith("_")])
        return (
            type(x), node.spec, node.requires_grad, x.is_leaf, grad, x.stride(), x._inference, own,
            self._number(node), self._number(node if place is None else place.storage.node),
        )  # fmt: skip

    def _number(self, node: Node) -> int:
        """Which of the nodes found so far it is: two tensors may show the same."""
        return self._nodes.setdefault(node, len(self._nodes))


@functools.cache
def _class_numbers(kind: type) -> list[tuple[type, str]]:
    """Where the classes of users have attributes that are plain values."""
    return [
        (each, name)
        for each in kind.__mro__
        if not each.__module__.startswith("rushlight.") and each.__flags__ & _HEAP
        for name, value in vars(each).items()
        if type(value) in (*_EXACT, float, tuple, list, dict) and not name.startswith("__")
    ]


@functools.cache
def _plain_layout(kind: type) -> bool:
    """Whether an object of a class holds nothing but its attributes."""
    return all(each is object or each.__flags__ & _HEAP for each in kind.__mro__) and not any(
        slot for each in kind.__mro__ for slot in getattr(each, "__slots__", ())
        if slot not in ("__dict__", "__weakref__")
    )  # fmt: skip


def modes() -> Hashable:
    """What is set for everything that is recorded."""
    autocast = mode.dtype, mode.keeps
    return recording.grad, recording.inference, defaults.get_default_dtype(), *autocast
