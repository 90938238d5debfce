"""Intel's library for neural networks, now oneDNN."""

from __future__ import annotations


def is_available() -> bool:
    """Whether it is used."""
    return False
