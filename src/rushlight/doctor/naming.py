"""What a parameter is called in the model it belongs to."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

MOST = 3
"""So many are named; of the rest the number is said."""


def named(tensors: Sequence[Any]) -> str:
    """Parameters by name and shape, as far as their models live; finding these takes a while."""
    wanted = tensors[:MOST]
    names = dict.fromkeys(map(id, wanted), "")
    for module in gc.get_objects():
        if hasattr(type(module), "named_parameters") and "_parameters" in vars(module):
            for name, parameter in module.named_parameters():
                if id(parameter) in names:  # the outermost module has the longest name for it
                    names[id(parameter)] = max(names[id(parameter)], name, key=len)
    listed = ", ".join(f"{names[id(x)] or 'a parameter'} {tuple(x.shape)}" for x in wanted)
    rest = len(tensors) - len(wanted)
    return f"{listed} and {rest} more" if rest else listed
