"""Models as programs that need none of their source, under ``torch.export``'s names."""

from .compare import compared
from .dims import Dim, dims
from .file import load, save
from .program import Entry, ExportedProgram
from .signature import (
    ExportGraphSignature,
    InputKind,
    InputSpec,
    OutputKind,
    OutputSpec,
    TensorArgument,
)  # fmt: skip
from .trace import TracerWarning, export
from .training import train_step
from .varying import Varying

__all__ = [
    "Dim",
    "Entry",
    "ExportGraphSignature",
    "ExportedProgram",
    "InputKind",
    "InputSpec",
    "OutputKind",
    "OutputSpec",
    "TensorArgument",
    "TracerWarning",
    "Varying",
    "compared",
    "dims",
    "export",
    "load",
    "save",
    "train_step",
]
