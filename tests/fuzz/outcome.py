"""What comes of a call: values, or a fault; and PyTorch's, from a process that it may crash."""

from __future__ import annotations

import importlib
import multiprocessing
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PATIENCE = 20
"""Seconds that PyTorch has for one call."""
LARGE = 1_000_000
"""Elements beyond which a result is not looked at."""


@dataclass(frozen=True)
class Outcome:
    """What came of a call.

    Attributes:
        values: dtype, shape and values of each tensor, anything else as it is; None for a fault.
        fault: the classes of the exception, from its own to ``Exception``, by name.
        text: its first line.
    """

    values: Any
    fault: tuple[str, ...] = ()
    text: str = ""


def outcome(library: str, call: Any) -> Outcome:
    """Runs a call with ``"rushlight"`` or ``"torch"``."""
    lib = importlib.import_module(library)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Outcome(_flat(lib, call.run(lib)))
    except Exception as fault:
        lines = str(fault).splitlines() or [""]
        return Outcome(None, tuple(c.__name__ for c in type(fault).__mro__), lines[0])


def _flat(lib: Any, result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [each for x in result for each in _flat(lib, x)]
    if not isinstance(result, lib.Tensor):
        return [result if isinstance(result, (bool, int, float, complex, str)) else None]
    if result.numel() > LARGE:
        return [(str(result.dtype), tuple(result.shape), None)]
    plain = result.detach().resolve_conj().resolve_neg()
    wide = plain.float() if plain.dtype is lib.bfloat16 else plain
    return [(str(result.dtype), tuple(result.shape), np.array(wide.numpy()))]


class Torch:
    """PyTorch in a process of its own, which is started again when a call has ended it."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None

    def __call__(self, call: Any) -> Outcome | None:
        """What comes of a call; None if the process crashed or hung over it."""
        if self._process is None:
            self._start()
        self._ours.send(call)
        try:
            if self._ours.poll(PATIENCE):
                return self._ours.recv()  # type: ignore[no-any-return]
        except (EOFError, ConnectionResetError):
            pass
        self.end()
        return None

    def _start(self) -> None:
        self._ours, theirs = self._context.Pipe()
        folders = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "ops")]
        self._process = self._context.Process(target=_serve, args=(theirs, folders), daemon=True)
        self._process.start()
        theirs.close()
        self._ours.recv()

    def end(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def _serve(pipe: Any, folders: list[str]) -> None:
    sys.path[:0] = folders
    import torch

    torch.set_num_threads(1)
    pipe.send("ready")
    while True:
        pipe.send(outcome("torch", pipe.recv()))


def difference(ours: Outcome, theirs: Outcome) -> str:
    """How two outcomes differ, in a word or two; empty if they agree."""
    if "InternalError" in ours.fault:
        return "internal"
    if theirs.fault and _is_meaningless(theirs):
        return ""
    if ours.fault and theirs.fault:
        # Types are refused before anything else here, also where PyTorch's function is Python's.
        same = _kind(theirs) in ours.fault or "ArgTypeError" in ours.fault
        return "" if same else f"{ours.fault[0]} for {_kind(theirs)}"
    if ours.fault:
        return "refused here"
    if theirs.fault:  # a flag may be anything that is true or false here
        return "" if theirs.fault[0] == "TypeError" else "refused there"
    if len(ours.values) != len(theirs.values):
        return "count"
    return next(filter(None, map(_unlike, ours.values, theirs.values)), "")


def _is_meaningless(theirs: Outcome) -> bool:
    """Whether PyTorch fails by accident, or for the sake of the C++ that it is written in."""
    by_accident = theirs.fault[0] in ("AttributeError", "AssertionError", "OverflowError")
    return by_accident or any(text in theirs.text for text in ("Overflow when unpacking", "MKL"))


def _kind(theirs: Outcome) -> str:
    """PyTorch's exception as this library calls it."""
    return {"_LinAlgError": "LinAlgError", "OutOfMemoryError": "RuntimeError"}.get(
        theirs.fault[0], theirs.fault[0]
    )


def _unlike(a: Any, b: Any) -> str:
    if not (isinstance(a, tuple) and isinstance(b, tuple)):
        return "" if a == b or (a != a and b != b) else "another result"
    (dtype, shape, x), (their_dtype, their_shape, y) = a, b
    if dtype != their_dtype:
        return "dtype"
    if shape != their_shape:
        return "shape"
    if x is None or y is None:
        return ""
    rough = 2e-2 if "16" in dtype and "float" in dtype else 1e-3
    with np.errstate(all="ignore"):
        same = np.allclose(x, y, rtol=rough, atol=rough, equal_nan=True)
    return "" if same else "values"
