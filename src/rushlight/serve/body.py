"""Reading the body of an inference request: JSON, and tensors as bytes after it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import chain
from typing import Any, NoReturn

import numpy as np

from .refused import Refused, malformed, shortened
from .signature import Port, Signature, elements

LARGEST_RANK = 32
_DIGITS = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True)
class Wanted:
    """An output that was asked for: its place, and whether as bytes."""

    place: int
    binary: bool


@dataclass
class Question:
    """An inference request as the model takes it: arrays in the order of the model's inputs."""

    arrays: list[np.ndarray]
    wanted: list[Wanted]
    id: str | None = None


def question(body: bytes, header_length: str | None, signature: Signature, most: int) -> Question:
    """Reads a request.

    Args:
        body: all of it.
        header_length: what ``Inference-Header-Content-Length`` says, None when it is absent.
        signature: of the model that is asked.
        most: elements that a tensor may have.

    Raises:
        Refused: it is not a request that this model can answer; 400.
    """
    length = len(body) if header_length is None else _length(header_length, len(body))
    stated = json_object(body[:length])
    given = _inputs(stated, signature)
    rest = memoryview(body)[length:]
    found: dict[str, np.ndarray] = {}
    for tensor in given:  # bytes come in the order in which the request names the tensors
        port = next(port for port in signature.inputs if port.name == tensor["name"])
        _check_datatype(tensor, port)
        shape = _shape(tensor, most)
        size = _binary_size(tensor)
        if size is None:
            found[port.name] = _numbers(tensor, port, shape)
        else:
            found[port.name] = _bytes(rest, size, port, shape)
            rest = rest[size:]
    if len(rest):
        raise malformed(f"{len(rest)} bytes follow the last tensor")
    arrays = [found[port.name] for port in signature.inputs]
    signature.check([array.shape for array in arrays])
    return Question(arrays, _wanted(stated, signature), _id(stated))


def _length(text: str, available: int) -> int:
    """The length of the JSON in front of the bytes."""
    if not _DIGITS.match(text) or int(text) > available:
        raise malformed(
            "Inference-Header-Content-Length must be the length in bytes of the JSON at the"
            f" beginning of the body, which has {available}, not {shortened(text)}"
        )
    return int(text)


def _constant(name: str) -> NoReturn:
    raise malformed(f"{name} is not JSON; send such values as bytes (binary_data_size)")


def json_object(text: bytes) -> dict[str, Any]:
    """Strict JSON in UTF-8 whose top is an object.

    Raises:
        Refused: it is anything else; 400.
    """
    try:
        found = json.loads(text.decode(), parse_constant=_constant)
    except RecursionError:
        raise malformed("the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise malformed(
            "the body is not UTF-8; is Inference-Header-Content-Length missing?"
        ) from None
    except json.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error}") from None
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise malformed("a number in the JSON has too many digits") from None
    if not isinstance(found, dict):
        raise malformed("the JSON must be an object")
    return found


def _inputs(stated: dict[str, Any], signature: Signature) -> list[dict[str, Any]]:
    given = stated.get("inputs")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise malformed("'inputs' must be a list of tensors, each an object")
    names = [one.get("name") for one in given]
    wanted = [port.name for port in signature.inputs]
    for name in names:
        if not isinstance(name, str) or name not in wanted:
            raise malformed(
                f"this model has no input {shortened(name)}; it has {', '.join(wanted)}"
            )
    if len(set(names)) < len(names):
        raise malformed("an input is given twice")
    if len(names) < len(wanted):
        raise malformed(f"inputs are missing: {', '.join(sorted(set(wanted) - set(names)))}")
    return given


def _shape(tensor: dict[str, Any], most: int) -> tuple[int, ...]:
    name, shape = tensor["name"], tensor.get("shape")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise malformed(f"input '{name}': 'shape' must be a list of sizes, none below 0")
    if len(shape) > LARGEST_RANK:
        raise malformed(f"input '{name}' has {len(shape)} dimensions; {LARGEST_RANK} is the most")
    if max(shape, default=0) > most or elements(shape) > most:
        raise malformed(f"input '{name}' is larger than this server takes: {most} elements")
    return tuple(shape)


def _parameters(stated: dict[str, Any]) -> dict[str, Any]:
    parameters = stated.get("parameters", {})
    if not isinstance(parameters, dict):
        raise malformed("'parameters' must be an object")
    return parameters


def _binary_size(tensor: dict[str, Any]) -> int | None:
    size = _parameters(tensor).get("binary_data_size")
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise malformed(f"input '{tensor['name']}': binary_data_size must be a number of bytes")
    if "data" in tensor:
        raise malformed(f"input '{tensor['name']}' has both 'data' and binary_data_size")
    return size


def _check_datatype(tensor: dict[str, Any], port: Port) -> None:
    if tensor.get("datatype") != port.datatype:
        raise malformed(
            f"input '{port.name}' is {port.datatype}, not {shortened(tensor.get('datatype'))}"
        )


def _bytes(rest: memoryview, size: int, port: Port, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor of the binary extension: little-endian, row after row."""
    needed = elements(shape) * port.dtype.itemsize
    if size != needed:
        raise malformed(
            f"input '{port.name}' of shape {list(shape)} takes {needed} bytes, and"
            f" binary_data_size is {size}"
        )
    if size > len(rest):
        raise malformed(f"the body ends before the {size} bytes of input '{port.name}'")
    if port.datatype == "BOOL":
        flags = np.frombuffer(rest[:size], np.uint8)
        if flags.max(initial=0) > 1:
            raise malformed(f"input '{port.name}': a byte of a BOOL is 0 or 1")
    return np.frombuffer(rest[:size], port.dtype.newbyteorder("<")).reshape(shape)


def _numbers(tensor: dict[str, Any], port: Port, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor written as JSON, flat or nested."""
    if "data" not in tensor:
        raise malformed(f"input '{port.name}' has neither 'data' nor binary_data_size")
    data, sizes = _flat(tensor["data"], port.name)
    if len(data) != elements(shape) or (len(sizes) > 1 and sizes != list(shape)):
        raise malformed(
            f"input '{port.name}': 'data' of sizes {sizes} does not fit the shape {list(shape)}"
        )
    return _array(data, port).reshape(shape)


def _flat(data: Any, name: str) -> tuple[list[Any], list[int]]:
    """The elements of nested lists of equal lengths, and the lengths."""
    if not isinstance(data, list):
        return [data], []  # one number stands for a tensor without dimensions
    sizes = [len(data)]
    while data and list in (kinds := set(map(type, data))):
        lengths = set(map(len, data)) if kinds == {list} else set()
        if len(lengths) != 1 or len(sizes) == LARGEST_RANK:
            raise malformed(f"input '{name}': the lists in 'data' are of different lengths")
        sizes.append(lengths.pop())
        data = list(chain.from_iterable(data))
    return data, sizes


def _array(data: list[Any], port: Port) -> np.ndarray:
    """Numbers as an array; types are looked at first, since NumPy would convert strings."""
    kind = port.dtype.kind
    allowed = {"b": {bool}, "f": {int, float}}.get(kind, {int})
    if not set(map(type, data)) <= allowed:
        wanted = {"b": "true and false", "f": "numbers"}.get(kind, "whole numbers")
        raise malformed(f"input '{port.name}' is {port.datatype}: 'data' must be {wanted}")
    try:
        with np.errstate(over="ignore"):
            array = np.array(data, port.dtype)
    except OverflowError:
        array = None
    if array is None or (kind == "f" and not np.isfinite(array).all()):
        raise malformed(f"input '{port.name}': a number is too large for {port.datatype}")
    return array


def _id(stated: dict[str, Any]) -> str | None:
    given = stated.get("id")
    if given is not None and not isinstance(given, str):
        raise malformed("'id' must be a string")
    return given


def _flag(parameters: dict[str, Any], name: str, otherwise: bool) -> bool:
    flag = parameters.get(name, otherwise)
    if not isinstance(flag, bool):
        raise malformed(f"'{name}' must be true or false")
    return flag


def _wanted(stated: dict[str, Any], signature: Signature) -> list[Wanted]:
    """The outputs that are asked for; all of them when none is named."""
    binary = _flag(_parameters(stated), "binary_data_output", False)
    asked = stated.get("outputs")
    if asked is None or asked == []:
        return [Wanted(place, binary) for place in range(len(signature.outputs))]
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise malformed("'outputs' must be a list of objects with a name")
    names = [port.name for port in signature.outputs]
    wanted = []
    for one in asked:
        if one.get("name") not in names:
            raise malformed(
                f"this model has no output {shortened(one.get('name'))}; it has {', '.join(names)}"
            )
        parameters = _parameters(one)
        if "classification" in parameters:
            raise Refused(400, "the classification extension is not offered here")
        place = names.index(one["name"])
        wanted.append(Wanted(place, _flag(parameters, "binary_data", binary)))
    if len({one.place for one in wanted}) < len(wanted):
        raise malformed("an output is asked for twice")
    return wanted
