"""ONNXProgram: what an export with ``dynamo=True`` returns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import numpy as np

from rushlight.export import ExportedProgram
from rushlight.export.call import array_for
from rushlight.tensor.exchange import from_numpy
from rushlight.tensor.tensor import Tensor

from .proof import runtime
from .writer import onnx

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
        if self.exported_program is not None:
            tensors = self.exported_program.flat(args, kwargs)
        else:
            tensors = [*args, *kwargs.values()]
        if self._run is None:
            self.initialize_inference_session()
        names = [info.name for info in self.model_proto.graph.input]
        found = self._run(dict(zip(names, map(array_for, tensors), strict=True)))
        return tuple([from_numpy(np.array(x)) for x in found])

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
