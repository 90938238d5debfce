"""Leaving out what nothing needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .writer import onnx


def pruned(
    nodes: list[Any], constants: Mapping[str, Any], outputs: Iterable[str], opset: int
) -> tuple[list[Any], list[Any]]:
    """The nodes and constants that outputs depend on, without results that nobody reads."""
    needed = set(outputs)
    kept = []
    for node in reversed(nodes):
        if not needed.intersection(node.output):
            continue
        needed.update(node.input)
        least = onnx.defs.get_schema(node.op_type, opset, "").min_output
        while node.output[-1] not in needed and len(node.output) > least:
            del node.output[-1]
        kept.append(node)
    kept.reverse()
    return kept, [tensor for name, tensor in constants.items() if name in needed]
