"""What ``register_..._hook`` returns: the handle that takes a hook away again."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, MutableMapping
from typing import Any

Hooks = MutableMapping[int, Any]


class RemovableHandle:
    """Removes a hook when told to, or at the end of a ``with`` block.

    Args:
        hooks_dict: where the hook is to be found under ``handle.id``. Held weakly, so it has to be
            a dictionary that can be (``OrderedDict`` or another subclass of ``dict``).
        extra_dict: one more dictionary, or several, that know something about the hook.

    Example:
        >>> from collections import OrderedDict
        >>> hooks = OrderedDict()
        >>> handle = RemovableHandle(hooks)
        >>> hooks[handle.id] = print
        >>> handle.remove()
        >>> len(hooks)
        0
    """

    next_id: int = 0

    def __init__(self, hooks_dict: Hooks, *, extra_dict: Hooks | Iterable[Hooks] = ()) -> None:
        extras = (extra_dict,) if isinstance(extra_dict, MutableMapping) else tuple(extra_dict)
        self._tables = tuple(weakref.ref(table) for table in (hooks_dict, *extras))
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1

    def remove(self) -> None:
        """Takes the hook away; a second time does nothing."""
        for reference in self._tables:
            table = reference()
            if table is not None:
                table.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.id, *(reference() for reference in self._tables))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.id, *tables = state
        # The table of a dead module has nobody to look at it: any empty one stands in for it.
        self._tables = tuple(weakref.ref(_EMPTY if table is None else table) for table in tables)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class _Nothing(dict[int, Any]):
    """An empty table that can be held weakly."""


_EMPTY = _Nothing()
