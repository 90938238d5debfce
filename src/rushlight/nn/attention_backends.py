"""Which implementation of attention is to be used, for programs that choose one of PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum

WARN_FOR_UNFUSED_KERNELS = False
"""Whether PyTorch says why an implementation does not fit; there is one here, which fits."""


class SDPBackend(Enum):
    """PyTorch's implementations."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(
    backends: SDPBackend | Sequence[SDPBackend], set_priority: bool = False
) -> Iterator[None]:
    """Asks for implementations in a block. There is one here, which takes blocks of keys in turn.

    Raises:
        AssertionError: it is neither an implementation nor a list.
    """
    if not isinstance(backends, SDPBackend | list | tuple):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got"
            f" {type(backends).__name__}"
        )
    yield
