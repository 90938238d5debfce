"""Apple's GPUs."""

from __future__ import annotations


def is_available() -> bool:
    """Whether tensors can be on such a device."""
    return False


def is_built() -> bool:
    """Whether this build knows such devices."""
    return False
