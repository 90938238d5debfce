"""Which datasets threads may load from side by side.

A dataset somebody wrote may keep a place in an open file, or draw from Python's and NumPy's global
generators, so threads must not meet in it: workers are processes then, each with a copy. Of our
own classes it is known that they do neither. What they are given, such as a transform, is looked
into; what a subclass changes is the user's.

A dataset says so itself by a method ``__threads__(self) -> bool``: whether several threads may ask
it for samples at once, and whether these are drawn from rushlight's generators alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import rushlight as rl

# What makes a sample: a subclass that has one of these of its own is no longer known.
_WAYS = ("__getitem__", "__getitems__", "__call__", "forward", "transform")


def threads_may_share(thing: Any) -> bool:
    """Whether threads may use a dataset, or something callable it is made with, at the same time.

    Example:
        >>> import rushlight as rl
        >>> from rushlight.utils.data.sharing import threads_may_share
        >>> threads_may_share(rl.utils.data.TensorDataset(rl.ones(3)))
        True
        >>> threads_may_share([1, 2, 3])
        False
    """
    if thing is None:
        return True
    if isinstance(thing, partial):
        return all(map(threads_may_share, filter(callable, (thing.func, *thing.args))))
    if isinstance(thing, type) or hasattr(thing, "__code__"):
        return _is_ours(thing)
    changed = False
    for kind in type(thing).__mro__:
        if changed and _is_ours(kind):
            return False
        if "__threads__" in vars(kind):
            return bool(thing.__threads__())
        if any(way in vars(kind) for way in _WAYS):
            if _is_ours(kind):
                return all(map(threads_may_share, _parts(thing)))
            changed = True
    return False


def _is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] == "rushlight"


def _parts(thing: Any) -> Iterator[Any]:
    """What an object was given that can do something."""
    for value in (*vars(thing).values(), *getattr(thing, "_modules", {}).values()):
        if isinstance(value, (list, tuple)) and value and callable(value[0]):
            yield from value
        elif callable(value) and not isinstance(value, rl.Tensor):
            yield value
