"""PyTorch's global names and what stands for them here: one table, read in both directions.

A checkpoint names classes and functions of PyTorch (``torch._utils._rebuild_tensor_v2``). Writing
uses those names for rushlight's objects; loading turns them back.
"""

from __future__ import annotations

import importlib
import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict
from contextlib import suppress
from typing import Any

from rushlight.base import dtypes
from rushlight.base.device import device
from rushlight.nn.parameter import Parameter
from rushlight.tensor.size import Size
from rushlight.tensor.tensor import Tensor

from . import rebuild
from .storage import STORAGE_TYPES

Name = tuple[str, str]


def _stand_ins() -> dict[Name, Any]:
    table: dict[Name, Any] = {
        ("torch", "Tensor"): Tensor,
        ("torch", "Size"): Size,
        ("torch", "device"): device,
        ("torch.nn.parameter", "Parameter"): Parameter,
        ("torch._tensor", "_rebuild_from_type_v2"): rebuild.from_type,
        ("torch._utils", "_rebuild_tensor"): rebuild.tensor_v1,
        ("torch._utils", "_rebuild_tensor_v2"): rebuild.tensor_v2,
        ("torch._utils", "_rebuild_tensor_v3"): rebuild.tensor_v3,
        ("torch._utils", "_rebuild_parameter"): rebuild.parameter,
        ("torch._utils", "_rebuild_parameter_with_state"): rebuild.parameter_with_state,
    }
    for dtype in dtypes.ALL:
        table["torch", dtype.name] = dtype
    for kind in STORAGE_TYPES.values():
        table["torch" if kind.dtype else "torch.storage", kind.name] = kind
    return table


STAND_INS = _stand_ins()
_NAMES = {id(stand_in): name for name, stand_in in STAND_INS.items()}

# Harmless things of Python's own that a pickle calls; some take less here than they do in Python.
PLAIN: dict[Name, Any] = {
    ("_codecs", "encode"): rebuild.encoded,
    ("builtins", "bytearray"): rebuild.bytes_array,
    ("builtins", "complex"): complex,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "set"): set,
    ("collections", "Counter"): Counter,
    ("collections", "OrderedDict"): OrderedDict,
}


def torch_name(thing: object) -> Name | None:
    """The name that PyTorch knows ``thing`` by; None when it is nothing of PyTorch's."""
    return _NAMES.get(id(thing))


def modern(module: str, name: str) -> Name:
    """The name of today for one in protocol 2, which has Python 2's: ``__builtin__.set``."""
    module, name = NAME_MAPPING.get((module, name), (module, name))
    return IMPORT_MAPPING.get(module, module), name


def stand_in(module: str, name: str) -> Any:
    """What stands for PyTorch's ``module.name``, however deep PyTorch keeps it.

    ``torch.nn.modules.linear.Linear`` is looked for in ``rushlight.nn.modules.linear``, then in
    ``rushlight.nn.modules``, then in ``rushlight.nn``.

    Raises:
        UnpicklingError: rushlight has nothing of that name.
    """
    found = STAND_INS.get((module, name))
    place = "rushlight" + module.removeprefix("torch")
    while found is None and place:
        with suppress(ModuleNotFoundError):  # rushlight has fewer levels than PyTorch
            found = getattr(importlib.import_module(place), name, None)
        place = place.rpartition(".")[0]
    if found is None:
        raise pickle.UnpicklingError(
            f"the file holds a {module}.{name}, which rushlight does not have"
        )
    return found
