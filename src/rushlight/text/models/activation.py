"""Activations by the names that configurations have for them."""

from __future__ import annotations

from collections.abc import Callable

from rushlight import Tensor
from rushlight.nn import functional as F


def _tanh_gelu(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu, "gelu_new": _tanh_gelu, "gelu_pytorch_tanh": _tanh_gelu, "relu": F.relu,
    "silu": F.silu, "swish": F.silu, "tanh": Tensor.tanh,
}  # fmt: skip


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """The activation of a name.

    Raises:
        ValueError: there is none.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {list(ACTIVATIONS)}, got {name!r}")
    return ACTIVATIONS[name]
