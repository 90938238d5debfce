"""The writer that operations' mappings call: ONNX nodes, constants and sizes, as they are needed.

A mapping is written ``to("Conv", x, weight, strides=[1, 1])``. Operations know nothing of the
``onnx`` library; here it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rushlight.base import extras
from rushlight.base.dtypes import DType, int64

from .sizes import Found, Integer, Size, find
from .values import Value

onnx = extras.load("onnx", "onnx", "the ONNX format")

CODES = {
    "bool": "BOOL", "uint8": "UINT8", "int8": "INT8", "int16": "INT16", "int32": "INT32",
    "int64": "INT64", "float16": "FLOAT16", "bfloat16": "BFLOAT16", "float32": "FLOAT",
    "float64": "DOUBLE", "complex64": "COMPLEX64", "complex128": "COMPLEX128",
}  # fmt: skip
"""The names of dtypes in ONNX."""


def code(dtype: DType) -> int:
    """ONNX's number for a dtype."""
    number: int = getattr(onnx.TensorProto, CODES[dtype.name])
    return number


class Declined(Exception):
    """A mapping cannot say this, for a reason."""


class Writer:
    """Collects the nodes and constants of an ONNX graph.

    Attributes:
        opset: the version of ONNX's operators that is written.
        recordings: how many recordings the sizes come from.
        layer: the layer whose operations are written, for the names of nodes.
        result: the type of what the mapping that is called makes; None for several.
    """

    def __init__(self, opset: int, recordings: int = 1) -> None:
        self.opset = opset
        self.recordings = recordings
        self.layer = ""
        self.result: Any = None
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self._known: dict[tuple[int, ...], tuple[str, int]] = {}
        self._taken: dict[str, int] = {}
        self._made: dict[Any, str] = {}

    # What mappings call ----------------------------------------------------------------------

    def __call__(self, kind: str, *inputs: Any, results: int = 1, **attrs: Any) -> Any:
        """Writes a node and returns its result's name, or a tuple of names for several.

        Args:
            kind: ONNX's operator.
            inputs: values, names, arrays, lists of sizes; None where one is left out.
            attrs: those that are None are left out; a dtype becomes ONNX's number of it.
        """
        names = [self._input(x) for x in inputs]
        while names and not names[-1]:
            names.pop()
        attrs = {key: self._attribute(key, x) for key, x in attrs.items() if x is not None}
        key = (kind, tuple(names), results, repr(sorted(attrs.items())))
        if key in self._made:
            return self._made[key]
        place = self._place(kind)
        made = [f"{place}_output_{k}" for k in range(results)]
        self.nodes.append(onnx.helper.make_node(kind, names, made, place, **attrs))
        found = made[0] if results == 1 else tuple(made)
        self._made[key] = found
        return found

    def like(self, number: Any, x: Value) -> np.ndarray:
        """A number of the dtype of ``x``."""
        return np.asarray(number).astype(x.dtype.numpy)

    def cast(self, x: Any, dtype: DType) -> str:
        """``x`` as another dtype."""
        made: str = self("Cast", x, to=dtype)
        return made

    def number(self, x: Value) -> Any:
        """What a Python scalar was; a mapping that needs it cannot do without."""
        if x.number is None and x.array is not None and not x.ndim:
            return x.array.item()
        if x.number is None or isinstance(x.number, Size):
            raise Declined("a number that ONNX wants as an attribute is computed by the model")
        return x.number

    def sizes(self, sizes: Iterable[Integer]) -> str:
        """A list of integers as a tensor; those that vary are read from shapes."""
        listed = list(sizes)
        if not any(isinstance(n, Size) for n in listed):
            return self.constant(np.array(listed, np.int64).reshape(-1))
        parts: list[str] = []
        plain: list[int] = []
        for n in listed:
            if isinstance(n, Size):
                parts += [self.constant(np.array(plain, np.int64))] if plain else []
                parts.append(self._size(n))
                plain = []
            else:
                plain.append(n)
        parts += [self.constant(np.array(plain, np.int64))] if plain else []
        made: str = parts[0] if len(parts) == 1 else self("Concat", *parts, axis=0)
        return made

    def scalar(self, x: Integer, dtype: DType = int64) -> Any:
        """An integer as a tensor without dimensions."""
        if not isinstance(x, Size):
            return np.asarray(x).astype(dtype.numpy)
        made = self("Squeeze", self.sizes([x]), [0])
        return made if dtype is int64 else self.cast(made, dtype)

    def needs(self, opset: int, what: str) -> None:
        """Refuses what older versions of ONNX cannot say."""
        if self.opset < opset:
            raise Declined(f"{what} needs opset {opset}, and this is {self.opset}")

    def constant(self, array: np.ndarray) -> str:
        """The name of an initializer with these numbers; equal ones are one."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._made:
            self._made[key] = self.keep(self._unused("constant"), array)
        return self._made[key]

    def axes(self, kind: str, x: Any, axes: Sequence[int], **attrs: Any) -> Any:
        """A reduction, whose axes are an input in newer versions and an attribute in older."""
        if self.opset < 18 and kind != "ReduceSum":
            return self(kind, x, axes=list(axes), **attrs)
        return self(kind, x, list(axes), **attrs)

    # What the walk calls ---------------------------------------------------------------------

    def keep(self, name: str, array: np.ndarray, dtype: DType | None = None) -> str:
        """Adds an initializer. ``dtype`` says what the bits of a bfloat16's array are."""
        kind = onnx.TensorProto.BFLOAT16 if dtype and dtype.name == "bfloat16" else None
        tensor = onnx.TensorProto(name=name, dims=array.shape)
        tensor.data_type = kind or onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor.raw_data = np.ascontiguousarray(array).tobytes()
        self.constants[name] = tensor
        self._taken.setdefault(name, 1)
        return name

    def note(self, value: Value) -> None:
        """Remembers a value's dimensions: sizes may be read from them later."""
        for k, n in enumerate(value.shape):
            if isinstance(n, Size):
                self._known.setdefault(n.values, (value.name, k))

    def claim(self, name: str) -> None:
        """Keeps a name for an input or a parameter."""
        self._taken.setdefault(name, 1)

    def mark(self) -> tuple[int, int, int]:
        """Where the writer is, to go back to when a mapping declines halfway."""
        return len(self.nodes), len(self.constants), len(self._made)

    def back(self, mark: tuple[int, int, int]) -> None:
        """Forgets what was written since ``mark``."""
        count, *others = mark
        del self.nodes[count:]
        for kept, size in zip((self.constants, self._made), others, strict=True):
            while len(kept) > size:
                kept.popitem()  # what was added last

    # Inside ----------------------------------------------------------------------------------

    def _input(self, x: Any) -> str:
        if x is None:
            return ""
        if isinstance(x, str):
            return x
        if isinstance(x, Value):
            if not x.name:
                raise Declined("a table of numbers is another at another size")
            return x.name
        if isinstance(x, np.ndarray | np.generic):
            return self.constant(np.asarray(x))
        return self.sizes(x)

    def _attribute(self, name: str, x: Any) -> Any:
        if isinstance(x, DType):
            return code(x)
        plain = x if isinstance(x, list | tuple) else (x,)
        if any(isinstance(n, Size) for n in plain):
            raise Declined(f"{name} depends on a dynamic size, and ONNX wants it fixed")
        if isinstance(x, bool):
            return int(x)
        if isinstance(x, np.ndarray):
            return onnx.numpy_helper.from_array(x)
        return list(x) if isinstance(x, tuple) else x

    def _size(self, size: Size) -> str:
        """A size as a tensor of one integer."""
        found = find(size, self._known)
        if found is None:
            raise Declined(
                f"a size that is {', '.join(map(str, size.values))} in recordings at several sizes"
                " follows from no dimension that the model knows"
            )
        return self._read(found)

    def _read(self, found: Found) -> str:
        made = self._dim(*found.dims[0])
        for dim in found.dims[1:]:
            made = self("Mul", made, self._dim(*dim))
        if found.scale != 1:
            made = self("Mul", made, [found.scale])
        if found.shift:
            made = self("Add", made, [found.shift])
        return made

    def _dim(self, name: str, axis: int) -> str:
        made: str = self("Shape", name, start=axis, end=axis + 1)
        return made

    def _place(self, kind: str) -> str:
        """A name for a node: the layers that it stands in, as a path, and its operator."""
        path = [part for part in self.layer.split(".") if part]
        return self._unused("/" + "/".join([*path, kind]))

    def _unused(self, name: str) -> str:
        """The name, or with a number behind it when it is taken."""
        made, count = name, self._taken.get(name, 0)
        while made in self._taken:
            made = f"{name}_{count}"
            count += 1
        self._taken[name], self._taken[made] = count, 1
        return made


_WORD = re.compile(r"\W")


def identifier(text: str) -> str:
    """A text as the name of a value or a dimension."""
    return _WORD.sub("_", text)
