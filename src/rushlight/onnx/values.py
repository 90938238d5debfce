"""What an operation's mapping sees of the values that it is applied to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rushlight.base.dtypes import DType

from .sizes import Integer, Type


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the model.

    Attributes:
        name: its name in the ONNX graph.
        type: shape and dtype.
        number: what it is when that is known: a Python number, or an integer that varies.
        array: the numbers of a parameter or constant, which are part of the model.
    """

    name: str
    type: Type
    number: Any = None
    array: np.ndarray | None = None

    @property
    def shape(self) -> tuple[Integer, ...]:
        return self.type.shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return self.type.ndim


Values = Value | tuple[Value, ...]
"""What a step gives: several for an operation with several results."""
