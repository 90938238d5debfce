"""Writing the answer to an inference request: JSON, and tensors as bytes after it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from .body import Question
from .refused import Refused
from .signature import Port

JSON, BYTES = "application/json", "application/octet-stream"
HEADER_LENGTH = "Inference-Header-Content-Length"


def written(
    name: str, version: str, asked: Question, ports: Sequence[Port], arrays: Sequence[np.ndarray]
) -> tuple[bytes, dict[str, str]]:
    """The body of an answer and its headers.

    Raises:
        Refused: an output has a NaN or an infinity, and was asked for in JSON, which has none.
    """
    outputs, tails = [], []
    for wanted in asked.wanted:
        port, array = ports[wanted.place], arrays[wanted.place]
        told: dict[str, Any] = {
            "name": port.name,
            "datatype": port.datatype,
            "shape": list(array.shape),
        }
        if wanted.binary:
            tails.append(np.ascontiguousarray(array, port.dtype.newbyteorder("<")).tobytes())
            told["parameters"] = {"binary_data_size": len(tails[-1])}
        else:
            told["data"] = _listed(array, port)
        outputs.append(told)
    answer: dict[str, Any] = {"model_name": name, "model_version": version, "outputs": outputs}
    if asked.id is not None:
        answer["id"] = asked.id
    head = json.dumps(answer, separators=(",", ":"), allow_nan=False).encode()
    if not tails:
        return head, {"Content-Type": JSON}
    return b"".join([head, *tails]), {"Content-Type": BYTES, HEADER_LENGTH: str(len(head))}


def _listed(array: np.ndarray, port: Port) -> list[Any]:
    if port.dtype.kind == "f" and not np.isfinite(array).all():
        raise Refused(
            422,
            f"output '{port.name}' has a NaN or an infinity, which JSON cannot say; ask for it as"
            ' bytes with "parameters": {"binary_data_output": true}',
            "not-finite",
        )
    listed: list[Any] = array.ravel().tolist()
    return listed
