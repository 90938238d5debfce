"""Averages gradients over the ranks, in buckets that travel while others are computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import site as sites
from rushlight.base.dtypes import float32, float64
from rushlight.base.half import narrow, widen
from rushlight.execute import realize
from rushlight.graph.node import Node
from rushlight.graph.spec import Spec
from rushlight.tensor.tensor import Tensor

from . import pending
from .process_group import Call, Exchange, ProcessGroup
from .recorded import arrived, register, sent, total_of_ranks
from .reduce_op import ReduceOp
from .work import Work

FIRST_BUCKET_BYTES = 1 << 20
"""The first bucket is small, so that something travels soon."""


class Reducer:
    """Averages the gradients of some parameters.

    The last parameters' gradients are there first, so buckets are filled from the last one on.

    Args:
        group: among whom.
        specs: of the parameters.
        bucket_bytes: how much may travel together.
    Attributes:
        buckets: which parameters each has.
    """

    def __init__(self, group: ProcessGroup, specs: Sequence[Spec], bucket_bytes: int) -> None:
        self.group = group
        self.specs = list(specs)
        self.buckets = _buckets(self.specs, bucket_bytes)
        self._stream = register(self)
        self._works: dict[int, tuple[Work | None, Call, np.ndarray, tuple[int, ...]]] = {}
        self._tickets = 0
        self._site: sites.Site | None = None
        self._order: list[int] = []

    def average(self, gradients: dict[int, Node]) -> dict[int, Node]:
        """Records the averages of gradients, by the numbers of their parameters."""
        pending.settle()
        self._site = sites.current(2)
        tokens: list[Node] = []
        order: list[int] = []
        for k, bucket in enumerate(self.buckets):
            members = tuple(i for i in bucket if i in gradients)
            if not members:
                continue
            inputs = [gradients[i] for i in members]
            before = tokens[-1] if tokens else inputs[0]
            tokens.append(sent.record((before, *inputs, before), self._stream, k, members))
            order.extend(members)
        self._order = order
        specs = tuple(self.specs[i] for i in order)
        several = arrived.record(tuple(tokens), self._stream, specs)
        pending.note(partial(self._run, several))
        parts: tuple[Node, ...] = ops.parts(several)
        return dict(zip(order, parts, strict=True))

    def _run(self, several: Node) -> None:
        """Computes what :meth:`average` has recorded; this keeps the reducer alive until then."""
        realize((several,))

    # What the operations call.

    def send(self, bucket: int, members: tuple[int, ...], arrays: Sequence[np.ndarray]) -> int:
        """Hands a bucket to the group's thread; returns a ticket for it."""
        for ticket, (*_, there) in self._works.items():
            if there == members:  # a program that broke off is run again from its beginning
                return ticket
        dtype = self.specs[members[0]].dtype
        flat = np.concatenate([narrow(array, dtype).reshape(-1) for array in arrays])
        what = f"bucket {bucket} of gradients: {dtype} ({flat.size},)"
        call = Call("DistributedDataParallel", what, self._site, sealed=True)
        # Nothing is computed after the last bucket, so a thread would only cost time.
        last = members[-1] == self._order[-1]
        work = None if last else self.group.submit(call, self._body(call, flat, dtype), _same)
        self._tickets += 1
        self._works[self._tickets] = work, call, flat, members
        return self._tickets

    def _body(self, call: Call, flat: np.ndarray, dtype: Any) -> Callable[[Exchange], Any]:
        return lambda ranks: ranks.sealed_all_reduce(call, flat, ReduceOp.AVG, dtype)

    def receive(self, tickets: Sequence[int]) -> tuple[np.ndarray, ...]:
        """The averages behind tickets, once all are there."""
        found = []
        for ticket in tickets:
            work, call, flat, members = self._works.pop(ticket)
            if work is None:
                dtype = self.specs[members[0]].dtype
                flat = self.group.perform(call, self._body(call, flat, dtype))
            else:
                flat = work.result()
            start = 0
            for i in members:
                spec = self.specs[i]
                part = flat[start : start + spec.numel].reshape(spec.shape)
                found.append(widen(part, spec.dtype))
                start += spec.numel
        return tuple(found)

    def agree_on_used(self, reached: set[int]) -> set[int]:
        """The parameters that have gradients on any rank."""
        mine = np.zeros(len(self.specs), np.uint8)
        mine[list(reached)] = 1
        call = Call("DistributedDataParallel", "unused parameters", sites.current(2))
        rows = self.group.perform(call, lambda ranks: ranks.all_gather(mine))
        return set(np.flatnonzero(rows.any(axis=0)).tolist())


class Totals:
    """Sums over the ranks inside of a network, with an order of their own.

    Args:
        group: among whom; all of it calls this together.
    """

    def __init__(self, group: ProcessGroup, name: str) -> None:
        call = Call(name, "the first batch", sites.current(2))
        self.group = group.perform(call, lambda _: group.twin())
        self.name = name
        self._stream = register(self, lasting=True)  # its layer may go before what it recorded
        self._site: sites.Site | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """The sum of a tensor over the ranks."""
        self._site = sites.current(2)
        return Tensor(total_of_ranks.record((x.node,), self._stream))

    def total(self, array: np.ndarray) -> np.ndarray:
        """What the operation calls."""
        call = Call(self.name, f"{array.dtype} {array.shape}", self._site)
        kind = float64 if array.dtype == np.float64 else float32
        return self.group.perform(call, lambda ranks: ranks.all_reduce(array, ReduceOp.SUM, kind))


def _same(value: Any) -> Any:
    return value


def _buckets(specs: Sequence[Spec], most: int) -> list[list[int]]:
    buckets: list[list[int]] = []
    open_ones: dict[Any, tuple[list[int], int]] = {}
    for i in reversed(range(len(specs))):
        spec = specs[i]
        bucket, size = open_ones.get(spec.dtype, ([], 0))
        if not bucket:
            buckets.append(bucket)
        bucket.append(i)
        size += spec.nbytes
        limit = min(FIRST_BUCKET_BYTES, most) if bucket is buckets[0] else most
        open_ones[spec.dtype] = ([], 0) if size >= limit else (bucket, size)
    return buckets
