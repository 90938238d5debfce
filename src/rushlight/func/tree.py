"""Nested arguments: tuples, lists and dictionaries with tensors in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight.tensor.tensor import Tensor


def leaves(tree: Any) -> list[Any]:
    """What is in a tree that is no tuple, list or dictionary, from left to right."""
    if isinstance(tree, (tuple, list)):
        return [leaf for each in tree for leaf in leaves(each)]
    if isinstance(tree, dict):
        return [leaf for each in tree.values() for leaf in leaves(each)]
    return [tree]


def tensors(tree: Any) -> list[Tensor]:
    """The tensors in a tree."""
    return [leaf for leaf in leaves(tree) if isinstance(leaf, Tensor)]


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A tree of the same form, of what ``function`` makes of its leaves.

    Args:
        others: trees of the same form, whose leaves are given to the function, too.
    """
    if isinstance(tree, dict):
        return {
            key: mapped(function, each, *[other[key] for other in others])
            for key, each in tree.items()
        }
    if isinstance(tree, (tuple, list)):
        made = [
            mapped(function, each, *[other[k] for other in others]) for k, each in enumerate(tree)
        ]
        return type(tree)(*made) if hasattr(tree, "_fields") else type(tree)(made)
    return function(tree, *others)


def spread(value: Any, tree: Any, why: Callable[[], Exception]) -> Any:
    """``value`` in the form of ``tree``: a leaf of it stands for all that is in its place.

    Raises:
        Exception: what ``why`` makes, where the forms disagree.
    """
    if isinstance(value, (tuple, list, dict)):
        if isinstance(tree, dict):
            if not isinstance(value, dict) or value.keys() != tree.keys():
                raise why()
            return {key: spread(value[key], each, why) for key, each in tree.items()}
        same = isinstance(tree, (tuple, list)) and not isinstance(value, dict)
        if not same or len(value) != len(tree):
            raise why()
        made = [spread(part, each, why) for part, each in zip(value, tree, strict=True)]
        return type(tree)(*made) if hasattr(tree, "_fields") else type(tree)(made)
    return mapped(lambda _: value, tree)
