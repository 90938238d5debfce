"""Special functions, under the names of ``torch.special``.

Example:
    >>> import rushlight as rl
    >>> rl.special.expit(rl.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
"""

from __future__ import annotations

from typing import Any

import rushlight as _rl

# Names here, and what they are called in ``rushlight``.
_NAMES = {
    "expit": "sigmoid",
    **{
        name: name
        for name in (
            "erf", "erfc", "erfinv", "exp2", "expm1", "log1p", "log_softmax", "logit", "logsumexp",
            "round", "softmax", "xlogy",
        )
    },
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return globals().setdefault(name, getattr(_rl, _NAMES[name]))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
