"""What ``rushlight export`` exports: a program, and where it came from."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight.base.errors import Fault
from rushlight.export import Dim, ExportedProgram
from rushlight.export.training import train_step
from rushlight.train.faults import RunFault
from rushlight.train.place import shown

if TYPE_CHECKING:
    from rushlight.experiments.trained import Trained


@dataclass(frozen=True)
class Model:
    """A network on its way out.

    Attributes:
        program: its work on one sample, of any number of them where the network allows it.
        folder: of the run or of the file.
        step: a training step, if one was asked for.
        run: None for a saved program and for an ONNX file.
    """

    program: ExportedProgram
    folder: Path
    step: ExportedProgram | None
    run: Trained | None


def model_of(options: argparse.Namespace) -> Model:
    """The model that a command line names.

    Raises:
        RunFault: there is none, or not for these options.
    """
    source: Path = options.source
    if source.is_file():
        for name in ("quantize", "step"):
            if getattr(options, name) not in (None, "infer"):
                raise RunFault(f"--{name} needs the run's folder: {shown(source)} has no training")
        if source.suffix == ".onnx":
            return Model(rl.onnx.load(source).program(), source.parent, None, None)
        return Model(rl.export.load(source), source.parent, None, None)
    from rushlight.config.trained import trained
    from rushlight.train.faults import require

    require("hydra", "safetensors")
    run = trained(source, options.checkpoint)
    network = _quantized(run, options) if options.quantize else run.network
    program = exported(network, run.inputs, run.batches[0])
    step = _step(run) if options.step == "train" else None
    return Model(program, source, step, run)


def exported(network: Any, inputs: tuple[Any, ...], batch: Any) -> ExportedProgram:
    """A network's program for any number of samples, or for one where it does not run with more.

    Args:
        inputs: of one sample.
        batch: of several, which are goldens as well.
    """
    from rushlight.experiments.trained import first_of

    size = Dim("batch", min=1)
    shapes = tuple({0: size} if isinstance(x, rl.Tensor) and x.ndim else None for x in inputs)
    if not any(shapes):
        return rl.export.export(network, inputs)
    try:
        program = rl.export.export(network, inputs, dynamic_shapes=shapes)
    except Fault as fault:
        if "depends on size" not in fault.problem and "other than" not in fault.problem:
            raise
        print(f"one sample at a time: {fault.problem}")
        return rl.export.export(network, inputs)
    several = first_of(batch, 3)
    more = several[0] if isinstance(several, tuple | list) else several
    if isinstance(more, rl.Tensor):
        program.set_goldens([program.goldens[0][0], [more.numpy().copy()]])
    return program


def _quantized(run: Trained, options: argparse.Namespace) -> Any:
    """The network with arithmetic of 8 bits; tells what that does to its answers."""
    from rushlight.quantization import quantize_for_export

    if options.step == "train":
        raise RunFault("--quantize: a network of 8 bits cannot be trained")
    small, report = quantize_for_export(run.network, run.batches, options.quantize)
    print(report)
    return small


def _step(run: Trained) -> ExportedProgram:
    """A step of the run's training on a batch of its size."""
    if run.loss is None:
        raise RunFault(
            f"--step train: nothing is known of the loss of {type(run.task).__name__}; export it"
            " from Python with rushlight.export.train_step"
        )
    from rushlight.experiments.trained import first_of

    batch = first_of(run.batches[0], run.batch_size)
    training = run.network.training
    run.network.train()
    try:
        return train_step(run.network, run.loss, run.optimizer(), tuple(batch))
    finally:
        run.network.train(training)
