"""The pass ``reuse``: results that may be written over inputs, and the order of calls for it.

A parameter's update reads the old value of an element and writes the new one, and nothing else
reads the old value after that. Then the result can take the input's memory, if nobody outside of
the program sees that; whether somebody does is known when the program runs.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Any

from rushlight.base.config import config
from rushlight.graph.sparing import sparing_order

from .expr import parts
from .fuse import Joinable, loads
from .kernel import Kernel, Root
from .plain import flat


def reads_of(call: Any) -> set[int]:
    """The buffers that a call reads and has not made itself."""
    if isinstance(call, (Kernel, Joinable)):
        own = {root.buffer for root in call.roots}
        found = {b for root in call.roots for b in loads(root.body)} - own
        return found | (call.reads - own if isinstance(call, Joinable) else set())
    return {b for each in call.inputs for b in flat(each)}


def writes_of(call: Any) -> set[int]:
    """The buffers that a call makes."""
    if isinstance(call, (Kernel, Joinable)):
        return {root.buffer for root in call.roots}
    return set(call.outputs)


def reuse(
    calls: list[Any], buffers: list[Any], given: Iterable[int], leaving: Iterable[int],
    sparing: bool = False,
) -> tuple[list[Any], dict[int, int]]:  # fmt: skip
    """The calls in an order that lets results take the memory of inputs, and which may.

    Args:
        given: inputs that are memory.
        leaving: results that are outputs.
        sparing: whether to look for an order in which little memory is needed at a time.
    Returns:
        The calls, and for results the inputs whose memory they may take.
    """
    if "reuse" in config.off:
        return calls, {}
    order = _Order(calls)
    free, results = set(given), set(leaving)
    taken: dict[int, int] = {}
    for position, call in enumerate(calls):
        if not isinstance(call, (Kernel, Joinable)):
            continue
        for root in call.roots:
            if root.buffer not in results:
                continue
            for buffer in _candidates(call, root):
                same = buffers[buffer].spec is buffers[root.buffer].spec
                if buffer in free and same and order.before(position, order.readers(buffer)):
                    taken[root.buffer] = buffer
                    free.discard(buffer)
                    break
    if sparing:
        lasting = {b for b, each in enumerate(buffers) if each.origin is not None} | results
        return order.spared(lambda b: 0 if b in lasting else buffers[b].spec.nbytes), taken
    return order.settled(), taken


def _candidates(call: Any, root: Root) -> list[int]:
    """Buffers of which a call reads an element only to make the same element of a result."""
    spoilt = set(call.operands) if isinstance(call, Joinable) else set()
    found: dict[int, None] = {}
    after = False
    for each in call.roots:
        inside = {b for x in each.reductions() for b in loads(x)}
        for x in parts(each.body):
            if x.op == "load":
                buffer, index = x.attrs
                if after or x.args or buffer in inside or index != root.place:
                    spoilt.add(buffer)
                elif each is root:
                    found[buffer] = None
        after = after or each is root
    return [buffer for buffer in found if buffer not in spoilt]


class _Order:
    """Which call has to come before which."""

    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls
        self._readers: dict[int, set[int]] = {}
        self._after: list[set[int]] = [set() for _ in calls]  # by call, those that follow
        self._checks: set[int] = set()
        made: dict[int, int] = {}
        for k, call in enumerate(calls):
            for buffer in reads_of(call):
                self._readers.setdefault(buffer, set()).add(k)
                if buffer in made:
                    self._after[made[buffer]].add(k)
            for buffer in writes_of(call):
                made[buffer] = k
            # What may refuse its values comes before anything is written over.
            if getattr(call, "fault", None) is not None or hasattr(call, "step"):
                self._checks.add(k)

    def readers(self, buffer: int) -> set[int]:
        """The calls that read a buffer."""
        return self._readers.get(buffer, set())

    def before(self, position: int, readers: set[int]) -> bool:
        """Has all of ``readers``, and all checks, come before a call; False if that cannot be."""
        wanted = (readers | self._checks) - {position}
        reached = self._reached(position)
        if reached & wanted:
            return False
        for reader in wanted:
            self._after[reader].add(position)
        return True

    def _reached(self, position: int) -> set[int]:
        """The calls that have to come after one."""
        seen: set[int] = set()
        stack = [position]
        while stack:
            for k in self._after[stack.pop()]:
                if k not in seen:
                    seen.add(k)
                    stack.append(k)
        return seen

    def spared(self, size: Callable[[int], int]) -> list[Any]:
        """The calls in an order in which little of that size is there at a time."""
        reads, makes = [reads_of(call) for call in self.calls], list(map(writes_of, self.calls))
        return [self.calls[k] for k in sparing_order(self._after, reads, makes, size)]

    def settled(self) -> list[Any]:
        """The calls in order, each as early as it was where that is possible."""
        waiting = [0] * len(self.calls)
        for after in self._after:
            for k in after:
                waiting[k] += 1
        ready = [k for k, count in enumerate(waiting) if not count]
        heapq.heapify(ready)
        found = []
        while ready:
            k = heapq.heappop(ready)
            found.append(self.calls[k])
            for other in self._after[k]:
                waiting[other] -= 1
                if not waiting[other]:
                    heapq.heappush(ready, other)
        return found
