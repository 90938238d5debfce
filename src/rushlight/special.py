"""Special functions, under the names of ``torch.special``.

Example:
    >>> import rushlight as rl
    >>> rl.special.expit(rl.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
"""

from __future__ import annotations

from typing import Any

import rushlight as _rl

from .tensor.functions import public

# Names here, and what they are called in ``rushlight``.
_NAMES = {
    "expit": "sigmoid",
    **{
        name: name
        for name in (
            "digamma", "erf", "erfc", "erfinv", "exp2", "expm1", "i0", "log1p", "log_softmax",
            "logit", "logsumexp", "polygamma", "round", "sinc", "softmax", "xlogy",
        )
    },
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "gammaln": "lgamma",
    "modified_bessel_i0": "i0",
    "multigammaln": "mvlgamma",
    "psi": "digamma",
}  # fmt: skip
_HERE = public["special"]  # those that PyTorch has nowhere else


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return globals().setdefault(name, getattr(_rl, _NAMES[name]))
    if name == "modified_bessel_i1":  # the other name of the same
        name = "i1"
    if name in _HERE:
        return globals().setdefault(name, _HERE[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES, *_HERE})
