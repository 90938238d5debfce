"""What a checkpoint may ask for when it is loaded with ``weights_only=True``.

PyTorch's rules: tensors, containers and numbers by default, and what the user adds. A module that
can run programs stays closed even to the user's additions.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Global = Callable[..., Any] | tuple[Callable[..., Any], str]

BLOCKED_MODULES = ("nt", "os", "posix", "sys")  # not even for the user, as PyTorch

_added: dict[str, Global] = {}


def add_safe_globals(safe_globals: Sequence[Global]) -> None:
    """Lets ``load(weights_only=True)`` use these classes and functions, from now on.

    Args:
        safe_globals: classes and functions; ``(class, "module.name")`` allows a class under another
            name than its own.

    Example:
        >>> import fractions
        >>> import rushlight as rl
        >>> rl.serialization.add_safe_globals([fractions.Fraction])
        >>> rl.serialization.clear_safe_globals()
    """
    for item in safe_globals:
        _added[_name_of(item)] = item


def get_safe_globals() -> list[Global]:
    """What ``add_safe_globals`` has allowed."""
    return list(_added.values())


def clear_safe_globals() -> None:
    """Forgets what ``add_safe_globals`` has allowed."""
    _added.clear()


@contextmanager
def safe_globals(safe_globals: Sequence[Global]) -> Iterator[None]:
    """Allows classes and functions inside a ``with`` block only; see ``add_safe_globals``.

    Example:
        >>> import fractions, io
        >>> import rushlight as rl
        >>> file = io.BytesIO()
        >>> rl.save(fractions.Fraction(1, 3), file)
        >>> with rl.serialization.safe_globals([fractions.Fraction]):
        ...     rl.load(io.BytesIO(file.getvalue()))
        Fraction(1, 3)
    """
    before = dict(_added)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _added.clear()
        _added.update(before)


def added(name: str) -> Any:
    """The class or function that the user allowed as ``name``; None when there is none."""
    item = _added.get(name)
    return item[0] if isinstance(item, tuple) else item


def is_added(kind: object) -> bool:
    """Whether the user allowed ``kind``."""
    return any(kind is (item[0] if isinstance(item, tuple) else item) for item in _added.values())


def refusal(module: str, name: str) -> pickle.UnpicklingError:
    """The error to raise when a file asks for a global that is not allowed."""
    path = f"{module}.{name}"
    if module in BLOCKED_MODULES:
        return pickle.UnpicklingError(
            f"Weights only load failed. Trying to load unsupported GLOBAL {path} whose module"
            f" {module} is blocked. Nothing of it was run; do not trust this file."
        )
    return pickle.UnpicklingError(
        f"Weights only load failed. Unsupported global: GLOBAL {path} was not an allowed global by"
        " default. Nothing of it was run; if you trust the file, allow it with"
        f" `rushlight.serialization.add_safe_globals([{path}])` or load with `weights_only=False`,"
        " which runs whatever code the file holds."
    )


def _name_of(item: Global) -> str:
    if not isinstance(item, tuple):
        return f"{item.__module__}.{item.__qualname__}"
    if len(item) != 2:
        raise ValueError(f"expected (global, 'module.name'), but got a tuple of {len(item)}")
    if not isinstance(item[1], str):
        raise TypeError(f"expected the name of a global as a str, but got {item[1]!r}")
    return item[1]
