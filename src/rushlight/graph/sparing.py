"""An order of work in which little memory is needed at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence


def sparing_order(
    after: Sequence[Collection[int]],
    reads: Sequence[Collection[int]],
    makes: Sequence[Collection[int]],
    size: Callable[[int], int],
) -> list[int]:
    """The numbers of the calls, each behind those that it has to follow.

    Of the calls that could be next, the one comes that frees most, or else takes least: what is
    made goes on to be used at once, and what only waits to be read is read before more is made.

    Args:
        after: for each call those that have to follow it.
        reads, makes: for each call the values it reads and makes.
        size: what of a value can be freed again, in bytes.
    """
    waiting = [0] * len(after)
    for follow in after:
        for k in follow:
            waiting[k] += 1
    readers: dict[int, int] = {}
    for values in reads:
        for value in values:
            readers[value] = readers.get(value, 0) + 1

    def taken(k: int) -> int:
        made = sum(size(value) for value in makes[k] if value in readers)
        return made - sum(size(value) for value in reads[k] if readers[value] == 1)

    ready = [k for k, count in enumerate(waiting) if not count]
    found: list[int] = []
    while ready:
        k = min(ready, key=lambda each: (taken(each), each))
        ready.remove(k)
        found.append(k)
        for value in reads[k]:
            readers[value] -= 1
        for other in after[k]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return found
