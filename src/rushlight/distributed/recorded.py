"""Collectives as operations of a graph.

A training step is one program, from the batch to the new parameters, and the average of gradients
over the ranks is part of it: ``sent`` hands a bucket of gradients to the group's thread as soon as
the program has computed them, and goes on with the backward pass; ``arrived`` waits for all
buckets. So what travels overlaps with what is computed, and nothing has to be looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from rushlight.base.device import CPU
from rushlight.base.dtypes import int64
from rushlight.graph.node import Node
from rushlight.graph.op import Op, Variadic
from rushlight.graph.spec import Spec

_numbers = count()
_streams: WeakValueDictionary[int, Any] = WeakValueDictionary()


_lasting: list[Any] = []


def register(stream: Any, lasting: bool = False) -> int:
    """A number by which operations name who sends for them.

    Args:
        lasting: whether it is kept as long as the process lives.
    """
    number = next(_numbers)
    _streams[number] = stream
    if lasting:
        _lasting.append(stream)
    return number


class Sent(Variadic):
    """Begins to average a bucket of gradients; the result stands for it.

    The first and the last input are what stands for the bucket before, or the first gradient again:
    whichever end a walk through the graph begins with, buckets are sent in their order.
    """

    name, attrs = "sent", ("stream", "bucket", "members")
    differentiable = False

    def infer(self, specs: Any, **attrs: Any) -> Spec:
        return Spec.of((), int64, CPU)

    def ref(self, arrays: Any, stream: int, bucket: int, members: tuple[int, ...]) -> Any:
        return np.int64(_streams[stream].send(bucket, members, arrays[1:-1]))


class Arrived(Variadic):
    """The averages of all buckets, when they are there."""

    name, attrs = "arrived", ("stream", "specs")
    differentiable = False

    def infer(self, inputs: Any, stream: int, specs: tuple[Spec, ...]) -> tuple[Spec, ...]:
        return specs

    def ref(self, arrays: Any, stream: int, specs: tuple[Spec, ...]) -> Any:
        return _streams[stream].receive([int(ticket) for ticket in arrays])


class TotalOfRanks(Op):
    """The sum of a value over the ranks; its gradient is the sum of theirs."""

    name, attrs = "total_of_ranks", ("stream",)

    def infer(self, x: Spec, stream: int) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node, stream: int) -> tuple[Node | None, ...]:
        return (self.record((g,), stream),)

    def ref(self, x: Any, stream: int) -> Any:
        total: Callable[[Any], Any] = _streams[stream].total
        return total(np.ascontiguousarray(x))


sent, arrived, total_of_ranks = Sent(), Arrived(), TotalOfRanks()
