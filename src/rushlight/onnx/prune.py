"""Leaving out what nothing needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def pruned(
    nodes: list[Any], constants: Mapping[str, Any], outputs: Iterable[str]
) -> tuple[list[Any], list[Any]]:
    """The nodes and constants that outputs depend on, with optional results left out."""
    needed = set(outputs)
    kept = []
    for node in reversed(nodes):
        if not needed.intersection(node.output):
            continue
        needed.update(node.input)
        while node.output[-1] not in needed:
            del node.output[-1]
        kept.append(node)
    kept.reverse()
    return kept, [tensor for name, tensor in constants.items() if name in needed]
