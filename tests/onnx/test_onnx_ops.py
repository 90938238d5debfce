"""Every operation's own samples, exported and run by onnxruntime.

``convert`` compares the exported model with what rushlight computes, and refuses to finish where
they differ; so an export that succeeds is an export that agrees.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import rushlight as rl
from rushlight.export.trace import captured
from rushlight.graph.op import table
from rushlight.onnx.errors import OnnxExporterError, UnsupportedOperatorError
from rushlight.onnx.exporting import convert

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ops"))
from make import Make

pytest.importorskip("onnxruntime")

# What ONNX has nothing for, by the file of the operation.
NOT_IN_ONNX = {
    "bits", "chance", "counts", "ctc", "eig", "exponent", "factor", "histogram",
    "householder", "ldl", "lu", "lu_solve", "matrix_norm", "older", "origin",
    "polynomials", "random", "solve", "structure", "tensor_solve", "update",
    "update_elementwise", "update_matrix",
}  # fmt: skip
QUICK = {
    "activation", "piecewise", "gelu", "softmax", "matmul", "reduce", "extremum", "view", "join",
    "slicing", "convolution", "pooling", "norm", "group_norm", "embedding", "gather", "index",
}  # fmt: skip


def family(op) -> str:
    return type(op).__module__.split(".")[-1]


def operations(quick: bool):
    for name, op in table.items():
        if op.torch and family(op) not in NOT_IN_ONNX and (family(op) in QUICK) is quick:
            yield pytest.param(op, id=name)


def real_numbers(values) -> bool:
    if isinstance(values, rl.Tensor):
        return not values.is_complex() and values.numel() > 0
    if isinstance(values, (list, tuple)):
        return all(map(real_numbers, values))
    return not isinstance(values, dict) or real_numbers(list(values.values()))


def samples(op):
    make = Make(op)
    try:
        every = list(make.samples())
    except NotImplementedError:
        return
    for args, kwargs in every:
        if real_numbers(args) and real_numbers(kwargs):
            yield make.call, args, kwargs


def exported(op, opset: int) -> tuple[int, list[str]]:
    done, refused = 0, []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for call, args, kwargs in samples(op):
            try:
                program = captured(call, tuple(args), dict(kwargs))
            except (RuntimeError, TypeError):
                continue  # a function that looks at values, or returns no tensors
            if program.changes:
                continue
            try:
                convert(program, opset)
                done += 1
            except UnsupportedOperatorError as error:
                assert f"opset {opset}" in error.problem
                refused.append(error.problem)
            except OnnxExporterError as error:
                if "complex" not in str(error):
                    raise
                refused.append(str(error))
    return done, refused


@pytest.mark.parametrize("op", list(operations(quick=True)))
def test_common_operations_agree_in_onnxruntime(op) -> None:
    done, refused = exported(op, 17)
    assert not refused, refused
    assert done


@pytest.mark.slow
@pytest.mark.parametrize("opset", [17, 26])
@pytest.mark.parametrize("op", [*operations(quick=True), *operations(quick=False)])
def test_operations_agree_in_onnxruntime(op, opset: int) -> None:
    exported(op, opset)
