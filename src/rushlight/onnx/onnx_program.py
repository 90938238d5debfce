"""ONNXProgram: what an export with ``dynamo=True`` returns."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from rushlight.export import ExportedProgram
from rushlight.export.call import array_for
from rushlight.tensor.exchange import from_numpy
from rushlight.tensor.look import buffer_of
from rushlight.tensor.tensor import Tensor

from .errors import OnnxExporterWarning
from .proof import reference, runtime
from .writer import code, onnx

LARGEST = 1_700_000_000
"""Bytes of weights that still fit into one file, which holds less than 2 GiB."""

DATA = 1024
"""Weights of fewer bytes stay in the model's own file."""


class ONNXProgram:
    """A model as ONNX, which is called like the model that it was made of.

    Attributes:
        model_proto: the model, as ``onnx`` holds it.
        exported_program: what it was made of.
    """

    def __init__(self, model_proto: Any, exported_program: ExportedProgram | None) -> None:
        self.model_proto = model_proto
        self.exported_program = exported_program
        self._run: Any = None

    @property
    def model(self) -> Any:
        """The ModelProto."""
        return self.model_proto

    def __repr__(self) -> str:
        return f"ONNXProgram(\n{text_of(self.model_proto)}\n)"

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        """The outputs for inputs given as to the model, by onnxruntime where that is there."""
        if self._run is None:
            self.initialize_inference_session()
        return tuple([from_numpy(np.array(x)) for x in self._run(self._named(args, kwargs))])

    def _named(self, args: Any, kwargs: Any) -> dict[str, np.ndarray]:
        """The inputs by name, from arguments as the model takes them."""
        if self.exported_program is not None:
            tensors = self.exported_program.flat(args, kwargs)
        else:
            tensors = [*args, *kwargs.values()]
        names = [info.name for info in self.model_proto.graph.input]
        return dict(zip(names, map(array_for, tensors), strict=True))

    def call_reference(self, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        """The same by the reference of ``onnx``, which is slow and shares no code with others."""
        found = reference(self.model_proto)(self._named(args, kwargs))
        return tuple([from_numpy(np.array(x)) for x in found])

    def apply_weights(self, state_dict: Mapping[str, Tensor]) -> None:
        """Puts other numbers in the place of weights.

        Args:
            state_dict: by the names that they have in the model; others are passed over, with a
                warning.
        Raises:
            ValueError: a shape or dtype is another.
        """
        known = {tensor.name: tensor for tensor in self.model_proto.graph.initializer}
        for name, given in state_dict.items():
            if name not in known:
                warnings.warn(
                    f"Weight '{name}' not found in the model. Skipped applying.",
                    OnnxExporterWarning,
                    stacklevel=2,
                )
                continue
            tensor, new = known[name], given.detach()
            if tuple(new.shape) != tuple(tensor.dims) or code(new.dtype) != tensor.data_type:
                raise ValueError(
                    f"{name} is {list(tensor.dims)} in the model, and {list(new.shape)} of"
                    f" {new.dtype} is given."
                )
            tensor.raw_data = np.ascontiguousarray(buffer_of(new.node).stored).tobytes()
        del self.model_proto.metadata_props[:]  # what other weights gave
        self.release()

    def rename_axes(self, rename_mapping: Mapping[str, str]) -> None:
        """Gives dynamic dimensions other names."""
        graph = self.model_proto.graph
        for info in (*graph.input, *graph.output):
            for dim in info.type.tensor_type.shape.dim:
                if dim.dim_param in rename_mapping:
                    dim.dim_param = rename_mapping[dim.dim_param]

    def initialize_inference_session(self) -> None:
        """Makes the session that calls are run by."""
        self._run = runtime(self.model_proto)

    def release(self) -> None:
        """Drops that session."""
        self._run = None

    def optimize(self) -> None:
        """Does nothing: equal nodes are one and unused ones gone already."""

    def save(
        self,
        destination: str | os.PathLike[str] | IO[bytes],
        *,
        include_initializers: bool = True,
        keep_initializers_as_inputs: bool = False,
        external_data: bool | None = None,
    ) -> None:
        """Writes the model.

        Args:
            destination: a path, or a file that is open for bytes.
            include_initializers: whether to write the weights.
            keep_initializers_as_inputs: whether weights can be given as inputs as well.
            external_data: whether weights go to a file of their own beside it, ``<name>.data``; by
                default those that one file cannot hold.
        Raises:
            TypeError: weights of their own file, for a destination that is no path.
        """
        made = self._to_write(include_initializers, keep_initializers_as_inputs)
        large = sum(len(tensor.raw_data) for tensor in made.graph.initializer) > LARGEST
        if not isinstance(destination, str | os.PathLike):
            if external_data or large:
                raise TypeError("Weights beside the model need a path, and this is a file object.")
            destination.write(made.SerializeToString())
        elif external_data or large:
            _beside(made, Path(destination))
        else:
            Path(destination).write_bytes(made.SerializeToString())

    def _to_write(self, include: bool, keep: bool) -> Any:
        made = onnx.ModelProto()
        made.CopyFrom(self.model_proto)
        if keep:
            for tensor in made.graph.initializer:
                info = onnx.helper.make_tensor_value_info(
                    tensor.name, tensor.data_type, list(tensor.dims)
                )
                made.graph.input.append(info)
        if not include:
            del made.graph.initializer[:]
        return made


def text_of(model: Any) -> str:
    """The nodes of a model as text, without the weights."""
    graph = onnx.GraphProto()
    graph.CopyFrom(model.graph)
    del graph.initializer[:]
    return str(onnx.printer.to_text(graph))


def _beside(made: Any, path: Path) -> None:
    """Writes a model with its weights in a file beside it."""
    (path.parent / f"{path.name}.data").unlink(missing_ok=True)  # it would be added to
    onnx.save_model(
        made, str(path), save_as_external_data=True, all_tensors_to_one_file=True,
        location=f"{path.name}.data", size_threshold=DATA,
    )  # fmt: skip
