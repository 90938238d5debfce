"""The processor."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """The vector instructions that kernels are chosen by: none, they are compiled for the machine."""
    return "DEFAULT"
