"""What a model takes and gives, as the protocol says it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .refused import malformed

# The protocol's names for our number types. What is not here has no name there.
DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}


class Entry(Protocol):
    """An input or an output of a model; a ``str`` in its shape names a size that varies."""

    name: str
    spec: Any
    shape: tuple[int | str, ...]


class Model(Protocol):
    """What can be served: a saved program, a loaded ONNX file, or anything of this form."""

    @property
    def inputs(self) -> Sequence[Entry]: ...
    @property
    def outputs(self) -> Sequence[Entry]: ...
    def __call__(self, *tensors: Any) -> Any: ...


@dataclass(frozen=True)
class Port:
    """One input or output."""

    name: str
    datatype: str
    dtype: np.dtype
    shape: tuple[int | str, ...]

    @classmethod
    def of(cls, entry: Entry) -> Port:
        """A model's entry.

        Raises:
            ValueError: the protocol has no name for its type.
        """
        dtype = entry.spec.dtype
        if dtype.name not in DATATYPES:
            raise ValueError(
                f"{entry.name!r} is {dtype.name}, which the Open Inference Protocol has no numbers"
                " for; convert it inside the model, to float32 for example"
            )
        shape = tuple(size if isinstance(size, int) else str(size) for size in entry.shape)
        return cls(entry.name, DATATYPES[dtype.name], dtype.storage, shape)

    @property
    def sizes(self) -> list[int]:
        """The shape with -1 for what varies."""
        return [size if isinstance(size, int) else -1 for size in self.shape]

    def metadata(self) -> dict[str, Any]:
        """As the protocol tells of it."""
        return {"name": self.name, "datatype": self.datatype, "shape": self.sizes}


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of one model.

    ``apart`` says why requests are not computed together; it is empty when they are.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    apart: str = ""

    @classmethod
    def of(cls, model: Model) -> Signature:
        """Reads a model's entries."""
        inputs = tuple(map(Port.of, model.inputs))
        outputs = tuple(map(Port.of, model.outputs))
        return cls(inputs, outputs, _why_apart(inputs, outputs))

    def check(self, shapes: Sequence[Sequence[int]]) -> None:
        """Refuses shapes that this model does not take.

        Raises:
            Refused: a rank or size differs, or one name stands for two sizes.
        """
        known: dict[str, tuple[int, str]] = {}
        for port, shape in zip(self.inputs, shapes, strict=True):
            if len(shape) != len(port.shape) or any(
                isinstance(wanted, int) and wanted != size
                for wanted, size in zip(port.shape, shape)
            ):
                raise malformed(
                    f"input '{port.name}' has shape {list(shape)}, and this model takes"
                    f" {port.sizes}, where -1 is any size"
                )
            for wanted, size in zip(port.shape, shape):
                if isinstance(wanted, str):
                    before, where = known.setdefault(wanted, (size, port.name))
                    if before != size:
                        raise malformed(
                            f"inputs '{where}' and '{port.name}' must have the same size"
                            f" '{wanted}', and have {before} and {size}"
                        )


def _why_apart(inputs: Sequence[Port], outputs: Sequence[Port]) -> str:
    ports = [*inputs, *outputs]
    if not inputs:
        return "the model has no inputs"
    firsts = {port.shape[0] if port.shape else None for port in ports}
    if len(firsts) > 1 or not isinstance(next(iter(firsts)), str):
        return "the first dimension is not of one size that varies, in every input and output"
    return ""


def elements(shape: Sequence[int]) -> int:
    """How many numbers a shape holds, exactly, however large."""
    return math.prod(shape)
