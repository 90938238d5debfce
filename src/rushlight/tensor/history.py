"""The history of a value: what gradients flow back through."""

from __future__ import annotations

from rushlight import ops
from rushlight.graph.node import Node
from rushlight.graph.op import recording


def without_history(node: Node) -> Node:
    """The same value, through which no gradient flows."""
    return ops.detach(node) if node.requires_grad else node


def after(old: Node, new: Node, by: str = "copy_slices") -> Node:
    """What is there once ``new`` is written over ``old``: what had a history keeps having one.

    Args:
        by: the operation that writes.
    """
    if not old.requires_grad or new.requires_grad:
        return new
    return ops.overwrite.record((new, old), by) if recording.grad else with_history(new, old)


def with_history(value: Node, old: Node) -> Node:
    """A value written with gradients turned off, with the history of what was there before."""
    if not old.requires_grad or value.requires_grad:
        return value
    return grafted(value, history_of(old))


def grafted(value: Node, history: Node) -> Node:
    """A value with a history, also where nothing is being tracked."""
    node = ops.graft(value, history)
    node.requires_grad = True
    return node


def history_of(node: Node) -> Node:
    """The node whose history a node has: another one after writes with gradients turned off."""
    while node.op is ops.graft and node.inputs:
        node = node.inputs[1]
    return node
