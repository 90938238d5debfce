"""The Python array API standard, version 2024.12, on tensors.

https://data-apis.org/array-api/2024.12. Code that is written for the standard finds this namespace
by ``x.__array_namespace__()``. Functions follow the standard where PyTorch's of the same name do
not; operators and methods of tensors stay PyTorch's. docs/array-api.md lists what differs.

Example:
    >>> import rushlight as rl
    >>> def standardised(x):
    ...     xp = x.__array_namespace__()
    ...     return (x - xp.mean(x, axis=0)) / xp.std(x, axis=0)
    >>> standardised(rl.tensor([[1.0, 4.0], [3.0, 8.0]]))
    tensor([[-1., -1.],
            [ 1.,  1.]])
"""

from __future__ import annotations

from types import ModuleType

import rushlight as _rl
from rushlight import (
    bool,
    complex64,
    complex128,
    e,
    float32,
    float64,
    inf,
    int8,
    int16,
    int32,
    int64,
    nan,
    newaxis,
    pi,
    uint8,
)  # fmt: skip

from . import creation as _creation
from . import elementwise as _elementwise
from . import fft, linalg
from . import order as _order
from . import reductions as _reductions
from . import shaping as _shaping
from .creation import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .info import __array_namespace_info__
from .linalg import matmul, tensordot, vecdot
from .order import *  # noqa: F403
from .promotion import astype, can_cast, finfo, iinfo, isdtype, result_type
from .reductions import *  # noqa: F403
from .shaping import *  # noqa: F403

__array_api_version__ = "2024.12"
_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")

__all__ = [
    *_creation.__all__, *_elementwise.__all__, *_order.__all__, *_reductions.__all__,
    *_shaping.__all__, "__array_api_version__", "__array_namespace_info__", "astype", "bool",
    "can_cast", "complex128", "complex64", "e", "fft", "finfo", "float32", "float64", "iinfo",
    "inf", "int16", "int32", "int64", "int8", "isdtype", "linalg", "matmul", "nan", "newaxis",
    "pi", "result_type", "tensordot", "uint8", "vecdot",
]  # fmt: skip


def of_version(version: str | None) -> ModuleType:
    """This namespace, if it is of a version of the standard that is asked for.

    Raises:
        ValueError: it is of none that there is here.
    """
    if version is not None and version not in _VERSIONS:
        raise ValueError(f"there is no array API of version {version}: {', '.join(_VERSIONS)}")
    return _rl.array_api
