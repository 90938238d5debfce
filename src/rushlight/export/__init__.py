"""Models as programs that need none of their source, under ``torch.export``'s names."""

from .dims import Dim, dims
from .file import load, save
from .program import Entry, ExportedProgram, compared
from .trace import TracerWarning, export
from .training import train_step
from .varying import Varying

__all__ = [
    "Dim",
    "Entry",
    "ExportedProgram",
    "TracerWarning",
    "Varying",
    "compared",
    "dims",
    "export",
    "load",
    "save",
    "train_step",
]
