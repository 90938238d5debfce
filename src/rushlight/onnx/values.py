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
        tables: the numbers of a parameter or constant, for each of the recordings.
    """

    name: str
    type: Type
    number: Any = None
    tables: tuple[np.ndarray, ...] = ()

    @property
    def shape(self) -> tuple[Integer, ...]:
        return self.type.shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    @property
    def array(self) -> np.ndarray | None:
        """Its numbers, if they are known and the same in all recordings."""
        return self.tables[0] if self.tables and self.name else None

    @property
    def ndim(self) -> int:
        return self.type.ndim


Values = Value | tuple[Value, ...]
"""What a step gives: several for an operation with several results."""
