"""An exported model is run, and must agree with what it was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .build import GOLDENS, unpacked
from .errors import OnnxExporterError
from .recordings import Recordings
from .writer import onnx

TOLERANCE = 1e-4
"""The difference allowed, of numbers up to 1; beyond, of a part of them."""

BYTES = 2e-2
"""The same where numbers are rounded to bytes, which the last bit of a float can decide."""

HALF = 1e-2
"""The same for half types, which have 8 or 11 binary digits."""

Arrays = Mapping[str, np.ndarray]
Run = Callable[[Arrays], list[np.ndarray]]


def runtime(model: Any) -> Run:
    """A function that runs a model (a path, or a ModelProto), by onnxruntime where that is there.

    What onnxruntime has no kernel for is run by the reference of ``onnx``.
    """
    graph = (model if is_proto(model) else onnx.load(str(model), load_external_data=False)).graph
    kinds = {info.name: info.type.tensor_type.elem_type for info in graph.input}
    run = None if onnx.TensorProto.BFLOAT16 in kinds.values() else _session(model)
    call = run or reference(model)
    return lambda inputs: call({name: _as(kinds[name], x) for name, x in inputs.items()})


def _as(kind: int, array: np.ndarray) -> np.ndarray:
    """Numbers in the type of an input: half types are computed in float32 outside."""
    wanted = onnx.helper.tensor_dtype_to_np_dtype(kind)
    return array if array.dtype == wanted else array.astype(wanted)


def _session(model: Any) -> Run | None:
    """By onnxruntime; None where it is not installed or lacks a kernel."""
    try:
        import onnxruntime
    except ModuleNotFoundError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    given = model.SerializeToString() if is_proto(model) else str(model)
    try:
        session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no class
        if not _lacks_kernel(str(error)):
            raise OnnxExporterError(f"onnxruntime refuses the exported model: {error}") from error
        return None

    def run(inputs: Arrays) -> list[np.ndarray]:
        try:
            return session.run(None, dict(inputs))
        except Exception as error:
            raise OnnxExporterError(f"onnxruntime cannot run the model: {error}") from error

    return run


def _lacks_kernel(problem: str) -> bool:
    return "NOT_IMPLEMENTED" in problem or "Type Error: Type 'tensor(" in problem


def reference(model: Any) -> Run:
    """A function that runs a model by the reference of ``onnx``."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(model if is_proto(model) else str(model))
    return lambda inputs: evaluator.run(None, dict(inputs))


def prove(
    model: Any, recordings: Recordings, inputs: Sequence[str], outputs: Sequence[str]
) -> float:
    """Runs a model on what was recorded, and with other sizes where these are dynamic.

    Returns:
        The largest difference.
    Raises:
        OnnxExporterError: they disagree; it names the output.
    """
    run = runtime(model)
    cases = [*recordings.program.goldens, *recordings.checks]
    return max(
        (agree(run(dict(zip(inputs, given, strict=True))), wanted, outputs, tolerance(model))
         for given, wanted in cases),
        default=0.0,
    )  # fmt: skip


def selftest(model: Any) -> float:
    """Runs a written model on the goldens that it carries.

    Args:
        model: the path of a file, or a ModelProto.
    Returns:
        The largest difference.
    Raises:
        OnnxExporterError: it carries none, or disagrees.
    """
    proto = onnx.load(str(model), load_external_data=False) if not is_proto(model) else model
    found = [entry.value for entry in proto.metadata_props if entry.key == GOLDENS]
    if not found:
        raise OnnxExporterError("The model carries no inputs and outputs to check it with.")
    run, worst = runtime(model), 0.0
    for inputs, outputs in unpacked(found[0]):
        wanted = list(outputs.values())
        worst = max(worst, agree(run(inputs), wanted, list(outputs), tolerance(proto)))
    return worst


def tolerance(model: Any) -> float:
    """The difference allowed: where numbers are rounded to bytes, that of a byte or two."""
    kinds = {node.op_type for node in model.graph.node}
    return BYTES if kinds & {"QuantizeLinear", "DynamicQuantizeLinear"} else TOLERANCE


def is_proto(model: Any) -> bool:
    """Whether it is a model in memory, and no path."""
    return isinstance(model, onnx.ModelProto)


def agree(
    found: Sequence[Any], wanted: Sequence[np.ndarray], names: Sequence[str],
    allowed: float = TOLERANCE,
) -> float:  # fmt: skip
    """The largest difference of outputs from what they must be.

    Raises:
        OnnxExporterError: it is more than is allowed; for half types that is never less than
            their digits allow.
    """
    worst = 0.0
    for name, a, b in zip(names, found, wanted, strict=False):
        got = np.asarray(a)
        apart = difference(got, b)
        half = got.dtype.itemsize == 2 and got.dtype.kind not in "iu"
        most = max(allowed, HALF if half else 0.0)
        if not apart <= most:
            raise OnnxExporterError(
                f"The model gives another {name!r} as ONNX: it differs by {apart:.3g}, more than"
                f" {most:g}. An export that differs is not written; please report it."
            )
        worst = max(worst, apart)
    return worst


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference, of large numbers as a part of the largest; infinite by shape."""
    if a.shape != b.shape:
        return float("inf")
    if not b.size:
        return 0.0
    x, y = a.astype(np.float64), b.astype(np.float64)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(all="ignore"):
        finite = np.abs(y[np.isfinite(y)])
        apart = np.abs(x - y) / max(1.0, finite.max(initial=0.0))
    apart = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
    return float(apart.max())
