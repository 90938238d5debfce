"""Saving and loading programs as script modules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO, Any

from rushlight.base.device import resolve
from rushlight.base.errors import ArgTypeError
from rushlight.export import file

from .function import ScriptFunction
from .module import LoadedModule, ScriptModule
from .programmed import FilePath


def save(m: Any, f: FilePath | IO[bytes], _extra_files: Mapping[str, Any] | None = None) -> None:
    """Writes a traced or scripted module or function to one file: a graph and weights, no pickle.

    Args:
        m: from :func:`trace` or :func:`script`.
        f: a path or an open binary file.
        _extra_files: texts or bytes by name, to be stored along.
    Raises:
        TypeError: ``m`` was neither traced nor scripted.
        RuntimeError: something cannot be kept; it names operation, layer and line.
    """
    if not isinstance(m, ScriptModule | ScriptFunction):
        raise ArgTypeError(
            "save", f"a {type(m).__name__} is neither traced nor scripted",
            hint="Give rushlight.jit.trace(model, example) or rushlight.jit.script(model).",
        )  # fmt: skip
    file.save(m.example_program(), f, extra_files=_extra_files)


def load(
    f: FilePath | IO[bytes], map_location: Any = None,
    _extra_files: dict[str, Any] | None = None, _restore_shapes: bool = False,
) -> LoadedModule:  # fmt: skip
    """A module of a saved program, which needs nothing of the model's source.

    Args:
        f: a path or an open binary file.
        map_location: the device; there is the CPU.
        _extra_files: filled with what was stored along, for the names that it has.
        _restore_shapes: as PyTorch's, without effect.
    Raises:
        ValueError: there is no such file.
        RuntimeError: it is no saved program, or it was damaged.
    Example:
        >>> import io
        >>> import rushlight as rl
        >>> file = io.BytesIO()
        >>> rl.jit.trace(rl.nn.ReLU(), rl.ones(2)).save(file)
        >>> rl.jit.load(io.BytesIO(file.getvalue()))(rl.tensor([-1.0, 1.0]))
        tensor([0., 1.])
    """
    if isinstance(f, str | os.PathLike):
        if not os.path.exists(f):
            raise ValueError(f"The provided filename {f} does not exist")
        if os.path.isdir(f):
            raise ValueError(f"The provided filename {f} is a directory")
    if map_location is not None:
        resolve(map_location)
    return LoadedModule(file.load(f, extra_files=_extra_files))
