"""ONNX's own definitions of operators by others, some of which depend on the types around them."""

from __future__ import annotations

from typing import Any

from rushlight.base import extras
from rushlight.base.errors import MissingError


def body_for(proto: Any, node: Any, schema: Any, version: int, opsets: dict[str, int]) -> Any:
    """The function that stands for a node.

    Raises:
        NotImplementedError: it depends on types that the file does not tell.
    """
    onnx = extras.load("onnx", "onnx", "reading an ONNX file")
    default = opsets.get("", version)
    if schema.has_function:
        versions = [one for one in schema.function_opset_versions if one <= default]
        if versions:
            body = schema.get_function_with_opset_version(max(versions))
            return onnx.FunctionProto.FromString(body) if body else schema.function_body
        return schema.function_body
    types = _types(onnx, proto, node)
    versions = [one for one in schema.context_dependent_function_opset_versions if one <= default]
    chosen = max(versions) if versions else version
    data = schema.get_context_dependent_function_with_opset_version(
        chosen, node.SerializeToString(), [one.SerializeToString() for one in types]
    )
    if not data:
        raise MissingError(
            "onnx.load",
            f"operator {node.op_type!r} needs the types of its inputs, which the file does not "
            f"tell; node is {node.name or node.output[0]!r}",
            hint="Run onnx.shape_inference.infer_shapes on the model first.",
        )
    return onnx.FunctionProto.FromString(data)


def _types(onnx: Any, proto: Any, node: Any) -> list[Any]:
    """The types of a node's inputs, as far as the file and inference tell."""
    inference = extras.load("onnx.shape_inference", "onnx", "reading an ONNX file")
    graph = inference.infer_shapes(proto).graph
    known = {one.name: one.type for one in (*graph.input, *graph.value_info, *graph.output)}
    for tensor in graph.initializer:
        known[tensor.name] = onnx.helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
    return [known.get(name, onnx.TypeProto()) for name in node.input]
