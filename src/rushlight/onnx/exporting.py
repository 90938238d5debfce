"""``export``: a model becomes a file that other runtimes read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import IO, Any

from rushlight.base.errors import Fault
from rushlight.export import ExportedProgram
from rushlight.export import export as record
from rushlight.nn.module import Module
from rushlight.tensor.tensor import Tensor

from .axes import Axes, axes_by_name, shapes_of, tied
from .build import OLDEST, Build
from .errors import OnnxExporterError, OnnxExporterWarning
from .modes import OperatorExportTypes, TrainingMode, exporting, select_model_mode_for_export
from .onnx_program import ONNXProgram, text_of
from .proof import prove
from .recordings import Recordings, of_model, of_program
from .writer import onnx

DEFAULT_OPSET = 20
"""PyTorch's."""


def export(
    model: Module | ExportedProgram,
    args: Any = (),
    f: str | os.PathLike[str] | IO[bytes] | None = None,
    *,
    kwargs: Mapping[str, Any] | None = None,
    verbose: bool | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int | None = None,
    dynamo: bool = True,
    external_data: bool = True,
    dynamic_shapes: Any = None,
    custom_translation_table: Mapping[Any, Any] | None = None,
    report: bool = False,
    optimize: bool = True,
    verify: bool = False,
    profile: bool = False,
    dump_exported_program: bool = False,
    artifacts_dir: str | os.PathLike[str] = ".",
    export_params: bool = True,
    keep_initializers_as_inputs: bool = False,
    dynamic_axes: Mapping[str, Mapping[int, str] | Sequence[int]] | None = None,
    training: TrainingMode = TrainingMode.EVAL,
    operator_export_type: OperatorExportTypes = OperatorExportTypes.ONNX,
    do_constant_folding: bool = True,
    custom_opsets: Mapping[str, int] | None = None,
    export_modules_as_functions: bool | Collection[type[Module]] = False,
    autograd_inlining: bool = True,
) -> ONNXProgram | None:
    """Writes a model as ONNX, and checks that it gives the same answers there.

    The model is recorded on the example, each operation becomes ONNX's, and the result is run on
    the example (and with other sizes, where these are dynamic) by onnxruntime, or where that is
    not installed by the reference of ``onnx``. Nothing is written when the answers differ.

    Args:
        model: a Module, or a program of ``rushlight.export``.
        args: example arguments, a tuple or one tensor; a dictionary at its end names arguments.
        f: path, or with ``dynamo=False`` also a file that is open for bytes.
        kwargs: example arguments by name.
        input_names, output_names: of the first inputs and outputs, instead of the arguments'.
        opset_version: 17 to 26; 20 by default. A model whose nodes all were the same before gets
            an older one; any other has 17 then, with a warning.
        dynamo: whether an :class:`ONNXProgram` is returned. With False the model is exported as
            ``training`` says, which is ``eval()`` by default, and nothing is returned.
        external_data: whether a file ``<f>.data`` beside ``f`` holds the weights; of PyTorch's
            newer export alone. What one file cannot hold is put there in any case.
        dynamic_shapes: dimensions that may have other sizes, as for ``rushlight.export.export``.
        dynamic_axes: the same by the names of inputs: ``{"x": {0: "batch"}}`` or ``{"x": [0]}``.
            For outputs it names dimensions.
        export_params, keep_initializers_as_inputs: whether weights are written, and whether they
            can be given as inputs.
        verbose: whether to print the nodes.
        verify, optimize, do_constant_folding, operator_export_type, autograd_inlining: as
            PyTorch's; every export is verified, and none writes a node twice.
    Raises:
        OnnxExporterError: an operation that ONNX cannot express, with the operation, the layer and
            the line; or answers that differ.
        ValueError: ``dynamic_shapes`` with ``dynamo=False``, as in PyTorch, or an option of
            PyTorch's exporter that has no meaning here.
    Example:
        >>> import rushlight as rl
        >>> made = rl.onnx.export(rl.nn.Linear(2, 1), (rl.ones(3, 2),), input_names=["x"])
        >>> [node.op_type for node in made.model_proto.graph.node]
        ['Gemm']
    """
    _refuse(custom_translation_table=custom_translation_table, report=report, profile=profile,
            dump_exported_program=dump_exported_program, custom_opsets=custom_opsets,
            export_modules_as_functions=export_modules_as_functions)  # fmt: skip
    is_program = isinstance(model, ExportedProgram)
    if not dynamo and not is_program:
        _tell_of_older_export()
        if dynamic_shapes:
            raise ValueError(
                "The exporter only supports dynamic shapes through parameter dynamic_axes when"
                " dynamo=False."
            )
    positional, named = _arguments(args, kwargs)
    with exporting(), select_model_mode_for_export(model, None if dynamo else training):
        found, axes = _recorded(model, positional, named, dynamic_shapes, dynamic_axes, input_names)
    made = convert(found, opset_version or DEFAULT_OPSET, input_names, output_names, axes)
    if verbose:
        print(text_of(made.model_proto))
    if f is not None:
        made.save(
            f, include_initializers=export_params,
            keep_initializers_as_inputs=keep_initializers_as_inputs,
            external_data=(external_data and (dynamo or is_program) and not hasattr(f, "write"))
            or None,
        )  # fmt: skip
    return made if dynamo or is_program else None


def convert(
    program: ExportedProgram | Recordings,
    opset: int = DEFAULT_OPSET,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    axes: Mapping[str, Mapping[int, str]] | None = None,
) -> ONNXProgram:
    """The ONNX model of a program, checked and proved."""
    recordings = program if isinstance(program, Recordings) else of_program(program)
    build = Build(recordings, max(opset, OLDEST), input_names, output_names, axes)
    model = build.model()
    _check(model)
    prove(model, recordings, build.inputs, build.outputs)
    if opset < OLDEST:
        model = _older(model, opset, build)
    return ONNXProgram(model, recordings.program)


def _check(model: Any) -> None:
    try:
        onnx.checker.check_model(model)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise OnnxExporterError(f"The exported model is no valid ONNX: {error}") from error


def _older(model: Any, opset: int, build: Build) -> Any:
    """The model for an opset before those that are written, if its nodes mean the same there."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    made.opset_import[0].version = opset
    try:
        _check(made)
        prove(made, build.recordings, build.inputs, build.outputs)
    except OnnxExporterError as error:
        warnings.warn(
            f"opset_version is {opset}; {OLDEST} is the oldest that is written, and the model has"
            f" nodes that are another thing before: {str(error).splitlines()[0]}",
            OnnxExporterWarning,
            stacklevel=4,
        )
        return model
    return made


def _recorded(
    model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], dynamic_shapes: Any,
    dynamic_axes: Any, input_names: Sequence[str] | None,
) -> tuple[Recordings, Axes]:  # fmt: skip
    """What a model does, and the names of its dimensions by input and output."""
    if isinstance(model, ExportedProgram):
        return of_program(model), {}
    program = getattr(model, "program", None)
    if isinstance(program, ExportedProgram) and not dynamic_shapes and not dynamic_axes:
        return of_program(program), {}  # what a trace or a saved program gave
    axes = axes_by_name(dynamic_axes or {})
    shapes = dynamic_shapes
    if shapes is None and axes:
        shapes = shapes_of(model, args, kwargs, axes, input_names)
    try:
        return _by_formulas(model, args, kwargs, shapes), axes
    except Fault:
        if not shapes:
            raise
        found = _otherwise(model, args, kwargs, shapes, dynamic_shapes is None)
        if found is None:
            raise
        return found, axes


def _otherwise(
    model: Module, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: Any, may_tie: bool
) -> Recordings | None:
    """What a model does whose sizes are no sums of products, or must be equal to each other."""
    equal = tied(shapes, args, kwargs) if may_tie else None
    ways: list[tuple[Any, Any]] = [(of_model, shapes)]
    if equal is not None:
        ways = [(_by_formulas, equal), (of_model, shapes), (of_model, equal)]
    for way, given in ways:
        try:
            return way(model, args, kwargs, given)
        except Exception:  # why the first way did not do is what is told
            continue
    return None


def _by_formulas(
    model: Module, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: Any
) -> Recordings:
    return of_program(record(model, args, kwargs, dynamic_shapes=shapes))


def _arguments(
    args: Any, kwargs: Mapping[str, Any] | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(args, Tensor):
        args = (args,)
    args, named = tuple(args), dict(kwargs or {})
    if args and isinstance(args[-1], dict) and kwargs is None:
        args, named = args[:-1], dict(args[-1])
    return args, named


def _refuse(**options: Any) -> None:
    for name, value in options.items():
        if value:
            raise ValueError(f"{name} belongs to PyTorch's own exporter and means nothing here.")


def _tell_of_older_export() -> None:
    warnings.warn(
        "dynamo=False asks for PyTorch's older export, which it is to drop; the same exporter is"
        " used for both.",
        DeprecationWarning,
        stacklevel=3,
    )
