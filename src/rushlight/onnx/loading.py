"""Reading an ONNX file: everything is checked before anything of it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rushlight.base import extras
from rushlight.base.errors import Fault

from .imported import Imported
from .loading_data import refuse, take_in, tensors
from .loading_graph import Builder
from .loading_steps import Model

MOST_BYTES = (1 << 31) - (1 << 20)
"""A larger message cannot be written, and so only be checked where it lies."""


def load(
    model: str | os.PathLike[str] | bytes | Any, *, folder: str | os.PathLike[str] | None = None
) -> Imported:
    """Makes a module of an ONNX model, which runs and trains like any other.

    Floating initializers become parameters, under their names in the file; what is a running mean,
    a bound or another setting becomes a buffer. The module is in evaluation mode; in training mode
    batch normalisation uses the batch and dropout drops.

    Args:
        model: a path, the bytes of a file, or an ``onnx.ModelProto``.
        folder: where data lie that are not inside of the model; by default beside the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, is no ONNX model, or has data outside of its folder.
        NotImplementedError: an operator is not there, or a value is of strings; the message names
            operator, node and domain.

    Example:
        >>> import onnx.parser
        >>> import rushlight as rl
        >>> model = onnx.parser.parse_model('''
        ...     <ir_version: 8, opset_import: ["" : 17]>
        ...     double (float[2] x) => (float[2] y) { y = Add(x, x) }''')
        >>> rl.onnx.load(model)(rl.tensor([1.0, 2.0]))
        tensor([2., 4.])
    """
    proto, beside = _read(model)
    where = Path(folder) if folder is not None else beside
    try:
        return Imported(_checked(proto, where, model))
    except (Fault, OSError):
        raise
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        # Such as a name that is no text: whatever cannot be read is refused in the same way.
        raise refuse(f"the model cannot be read: {error}") from error


def _checked(proto: Any, where: Path | None, source: Any) -> Model:
    """The steps of a model that nothing speaks against."""
    _check_whole(proto)
    builder = Builder(proto)
    builder.check_operators()
    take_in(proto, where)
    _check(proto, source if isinstance(source, (str, os.PathLike)) else None)
    return builder.build()


def _read(model: Any) -> tuple[Any, Path | None]:
    """The model as ONNX's own message, and the folder it lies in."""
    onnx = extras.load("onnx", "onnx", "reading an ONNX file")
    if isinstance(model, onnx.ModelProto):
        copy = onnx.ModelProto()
        copy.CopyFrom(model)  # what is read into it does not change the caller's
        return copy, None
    if isinstance(model, (str, os.PathLike)):
        path = Path(model)
        return _decoded(onnx, path.read_bytes(), str(path)), path.resolve().parent
    if isinstance(model, (bytes, bytearray, memoryview)):
        return _decoded(onnx, bytes(model), "the bytes given"), None
    raise refuse(
        f"a model is a path, bytes or an onnx.ModelProto, not {type(model).__name__}",
        "Pass one of these.",
    )


def _decoded(onnx: Any, data: bytes, what: str) -> Any:
    from google.protobuf.message import DecodeError

    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except (DecodeError, RecursionError) as error:
        raise refuse(f"{what} cannot be read as an ONNX model: {error}") from error
    return proto


def _check_whole(proto: Any) -> None:
    if not proto.HasField("graph") or not proto.opset_import or not proto.graph.output:
        raise refuse("this is no ONNX model: it has no graph, no outputs or no opset")
    newest = extras.load("onnx.defs", "onnx", "reading an ONNX file").onnx_opset_version()
    for one in proto.opset_import:
        if one.domain in ("", "ai.onnx") and not 1 <= one.version <= newest:
            raise refuse(
                f"the model is of opset version {one.version}, and the newest known is {newest}",
                "Install a newer onnx, or convert the model with onnx.version_converter.",
            )
    if len(proto.training_info):
        raise refuse(
            "the model has ONNX training information",
            "Load its inference graph and train with an optimizer of rushlight.",
        )


def _check(proto: Any, path: Any) -> None:
    """ONNX's own check of every node, attribute and name."""
    checker = extras.load("onnx.checker", "onnx", "reading an ONNX file")
    large = sum(len(tensor.raw_data) for tensor in tensors(proto)) > MOST_BYTES
    try:
        checker.check_model(os.fspath(path) if large and path is not None else proto)
    except (checker.ValidationError, UnicodeDecodeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()
        raise refuse(f"the model is not valid: {reason[0] if reason else error}") from error
