"""The processor."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """The vector instructions that kernels are chosen by: there is one kind of kernel."""
    return "DEFAULT"
