"""The tensors of an ONNX file: read with their sizes checked, inside of it or beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import rushlight as rl
from rushlight.base import extras
from rushlight.base.errors import ArgValueError

from .nodes.elements import NARROW, Carried, Element, from_array, kind_of

MOST_ELEMENTS = 1 << 34
"""Elements of one tensor of a file; a file that asks for more is not meant to be loaded."""


def refuse(problem: str, hint: str = "Get the file again from where it came.") -> ArgValueError:
    """The fault for a file that is damaged, of another kind, or made to do harm."""
    return ArgValueError("onnx.load", problem, hint=hint)


def tensors(model: Any) -> Iterator[Any]:
    """Every tensor of a model: of its graphs, attributes, sparse tensors and functions."""
    yield from _of_graph(model.graph)
    for function in model.functions:
        for node in function.node:
            yield from _of_node(node)
        for attribute in function.attribute_proto:
            yield from _of_attribute(attribute)


def _of_graph(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        yield from _of_node(node)


def _of_node(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        yield from _of_attribute(attribute)


def _of_attribute(attribute: Any) -> Iterator[Any]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    for graph in [attribute.g] if attribute.HasField("g") else []:
        yield from _of_graph(graph)
    for graph in attribute.graphs:
        yield from _of_graph(graph)
    for sparse in [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []:
        yield from (sparse.values, sparse.indices)


def is_outside(tensor: Any) -> bool:
    """Whether a tensor's data are in another file."""
    return tensor.data_location == tensor.EXTERNAL


def take_in(model: Any, folder: Path | None) -> None:
    """Reads the data that lie beside the file into the model.

    Raises:
        ValueError: a path leads out of ``folder``, over a link or to no plain file, or the file is
            too short, or data lie outside of a model that has no folder.
    """
    for tensor in tensors(model):
        if is_outside(tensor):
            tensor.raw_data = _outside(tensor, folder)
            del tensor.external_data[:]
            tensor.data_location = tensor.DEFAULT


def _outside(tensor: Any, folder: Path | None) -> bytes:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    if folder is None:
        raise refuse(
            f"the data of tensor {tensor.name!r} lie in another file",
            "Load the model by its path, or say folder=.",
        )
    path = _inside(folder, entries.get("location", ""), tensor.name)
    size, there = _bytes(tensor), path.stat().st_size
    offset = _number(entries, "offset", 0, tensor.name)
    length = _number(entries, "length", size, tensor.name)
    if length != size or offset + length > there:
        raise refuse(
            f"tensor {tensor.name!r} needs {size} bytes at {offset} of {path.name}, "
            f"which has {there}; the model says {length}"
        )
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _inside(folder: Path, location: str, name: str) -> Path:
    """The file of that name within a folder, through no link and no way up."""
    parts = Path(location).parts
    bad = not location or Path(location).is_absolute() or ".." in parts or "\\" in location
    path = folder
    for part in parts if not bad else ():
        path = path / part
        bad = bad or path.is_symlink()
    if bad or not path.resolve().is_relative_to(folder.resolve()):
        raise refuse(
            f"the data of tensor {name!r} lie at {location!r}, outside of the model's folder"
        )
    if not path.is_file():
        raise refuse(f"the data of tensor {name!r} are missing: there is no {path}")
    return path


def _number(entries: dict[str, str], key: str, default: int, name: str) -> int:
    text = entries.get(key, str(default))
    if not text.isascii() or not text.isdigit():
        raise refuse(f"the {key} of tensor {name!r} is {text!r}, which is no size")
    return int(text)


def count(tensor: Any) -> int:
    """How many elements a tensor says it has, refused if that cannot be."""
    sizes = list(tensor.dims)
    number = math.prod(sizes)
    if any(size < 0 for size in sizes) or number > MOST_ELEMENTS:
        raise refuse(f"tensor {tensor.name!r} has the sizes {tuple(sizes)}")
    return number


def _bytes(tensor: Any) -> int:
    kind = kind_of(tensor.data_type, f"tensor {tensor.name!r}")
    bits = kind.bits if isinstance(kind, Element) else kind.itemsize * 8
    return -(-count(tensor) * bits // 8)


def value_of(tensor: Any) -> rl.Tensor | Carried:
    """The value of a tensor of the file."""
    helper = extras.load("onnx.numpy_helper", "onnx", "reading an ONNX file")
    kind = kind_of(tensor.data_type, f"tensor {tensor.name!r}")
    number = count(tensor)
    if tensor.HasField("raw_data") and len(tensor.raw_data) != _bytes(tensor):
        raise refuse(
            f"tensor {tensor.name!r} has {len(tensor.raw_data)} bytes for {number} elements"
        )
    try:
        array = helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:
        raise refuse(f"tensor {tensor.name!r} cannot be read: {error}") from error
    return from_array(array, kind)


def dense(sparse: Any) -> rl.Tensor | Carried:
    """The value of a sparse tensor, with its zeros."""
    sizes = tuple(sparse.dims)
    number = math.prod(sizes)
    if any(size < 0 for size in sizes) or number > MOST_ELEMENTS:
        raise refuse(f"tensor {sparse.values.name!r} has the sizes {sizes}")
    values, places = value_of(sparse.values), value_of(sparse.indices)
    if isinstance(values, Carried) or isinstance(places, Carried):
        raise refuse(f"sparse tensor {sparse.values.name!r} has an element type without zeros")
    where = places.numpy()
    if where.ndim == 2:
        where = np.ravel_multi_index(tuple(where.T), sizes)
    if where.size and (where.min() < 0 or where.max() >= number):
        raise refuse(f"sparse tensor {sparse.values.name!r} has an element outside of its sizes")
    flat = rl.zeros(number, dtype=values.dtype)
    return flat.scatter(0, rl.tensor(where), values).reshape(sizes)


__all__ = ["NARROW", "count", "dense", "is_outside", "refuse", "take_in", "tensors", "value_of"]
