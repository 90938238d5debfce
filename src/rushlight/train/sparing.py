"""Checkpointing as a user would add it: around the blocks of a network."""

from __future__ import annotations

import math
from functools import partial

from rushlight import nn
from rushlight.utils.checkpoint import checkpoint, checkpoint_sequential


def checkpoint_parts(model: nn.Module) -> None:
    """Has the parts of every outermost list or sequence of a model computed again for gradients.

    A sequence of single layers is cut into as many pieces as the square root of its length, which
    is what needs least memory (Chen et al. 2016, section 4.1, arXiv:1604.06174).
    """
    for part in model.children():
        _spare(part)
    if isinstance(model, nn.Sequential):
        _spare(model)


def _spare(part: nn.Module) -> None:
    children = list(part.children())
    if isinstance(part, nn.Sequential) and len(children) > 2 and _are_layers(children):
        pieces = max(2, round(math.sqrt(len(children))))
        part.forward = partial(_in_pieces, children, pieces)  # type: ignore[method-assign]
    elif isinstance(part, nn.Sequential | nn.ModuleList) and len(children) > 1:
        for child in children:
            child.forward = partial(  # type: ignore[method-assign]
                checkpoint, child.forward, use_reentrant=False
            )
    else:
        for child in children:
            _spare(child)


def _in_pieces(layers: list[nn.Module], pieces: int, x: object) -> object:
    return checkpoint_sequential(layers, pieces, x, use_reentrant=False)


def _are_layers(children: list[nn.Module]) -> bool:
    return not any(True for child in children for _ in child.children())
