"""Linear algebra, under the names of ``torch.linalg``.

The functions come from the operations' own signatures and are made when they are first asked for.

Example:
    >>> import rushlight as rl
    >>> rl.linalg.solve(rl.tensor([[2.0, 0.0], [0.0, 4.0]]), rl.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
"""

from __future__ import annotations

from typing import Any

from rushlight.ops.solve import LinAlgError  # noqa: F401
from rushlight.tensor.functions import public as _public
from rushlight.tensor.least_squares import lstsq  # noqa: F401

# Functions that stand in both places, with the same parameters.
_SHARED = frozenset(("matmul",))


def __getattr__(name: str) -> Any:
    if name in _public["linalg"]:
        return globals().setdefault(name, _public["linalg"][name])
    if name in _SHARED:
        return globals().setdefault(name, _public[""][name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({"LinAlgError", "lstsq", *_public["linalg"], *_SHARED})
