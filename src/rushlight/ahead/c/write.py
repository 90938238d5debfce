"""``write``: a program becomes a C library in a folder."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rushlight.base.errors import ArgValueError, OperationError
from rushlight.export import ExportedProgram
from rushlight.tensor.look import array_of

from ..entry import Entry, entry
from ..exported import MOST, model_of
from ..inside import filled, placeholder
from ..machines import machine_of
from .archive import archive
from .beside import fingerprint, weights_file
from .header import header
from .names import type_of
from .proof import built_and_run, compiler_for, proved
from .selftest import Golden, selftest


@dataclass(frozen=True)
class Library:
    """What was written.

    Attributes:
        files: their paths.
        said: one sentence for whoever asked.
        entry: the model as plain data.
    """

    files: tuple[Path, ...]
    said: str
    entry: Entry


def library(
    program: ExportedProgram, folder: str | Path, name: str = "model", *, target: str = "host",
    weights: str = "inside", batches: Sequence[int] | None = None, most: int = MOST,
    threads: bool = True, live: bool = False,
) -> Library:  # fmt: skip
    """A program as a C library: ``libNAME.a``, ``NAME.h``, ``NAME_selftest.c``.

    Nothing is left in the folder if the library does not give the program's golden outputs.

    Args:
        name: a name of C; the library's function has it.
        target: see :func:`rushlight.ahead.machines.machine_of`.
        weights: ``"inside"`` the library, or ``"beside"`` it, in ``NAME.weights``.
        batches: the values of the dynamic size that there is code for; by default ``most``, from
            the least on.
        threads: whether callers may share the work with threads of theirs (``NAME_parallel``).
        live: the caller may change the weights between calls; they are in a block of the caller's.
    Raises:
        NotImplementedError: an operation has no kernel; it names operation, layer and line.
        RuntimeError: the library does not give the golden outputs.
        ValueError: there is no such target, or ``weights`` is neither.
    """
    if weights not in ("inside", "beside"):
        raise ArgValueError("export", f"weights are 'inside' or 'beside', not {weights!r}.")
    model = model_of(program, batches, most)
    for each in (*model.inputs, *model.outputs):
        type_of(each.dtype)
    made = entry(model, name, machine_of(target), live=live, threads=threads)
    goldens = _goldens(program, made)
    inside = weights == "inside"
    blocks = {}
    if inside:
        blocks = {f"{name}_weights": made.weights}
        if made.state:
            blocks[f"{name}_initial"] = made.initial
    room = {label: placeholder(label, len(block)) for label, block in blocks.items()}
    code = filled(made.object_file(room), blocks)
    mark = fingerprint(made)
    shown = [*made.names, *blocks]
    content = {
        f"lib{name}.a": archive(f"{name}.o", code, shown, "apple" in made.machine.triple),
        f"{name}.h": header(made, inside, mark).encode(),
        f"{name}_selftest.c": selftest(made, goldens, inside).encode(),
    }
    if not inside:
        content[f"{name}.weights"] = weights_file(made, mark)
    with tempfile.TemporaryDirectory() as place:
        _put(content, Path(place))
        how = proved(made, code, blocks, goldens, Path(place))
        target_folder = Path(folder)
        target_folder.mkdir(parents=True, exist_ok=True)
        for label in content:
            shutil.copyfile(Path(place, label), target_folder / label)
    size = len(code) - sum(map(len, blocks.values()))
    said = f"{name} for {made.machine.triple}: {size // 1024} kB of code, {how}"
    return Library(tuple(Path(folder) / label for label in content), said, made)


def pair(
    program: ExportedProgram, step: ExportedProgram, folder: str | Path, name: str = "model",
    **how: Any,
) -> tuple[Library, Library]:  # fmt: skip
    """A program as the library NAME, and a step of its training as NAME_train.

    They work on one block of state, that of the step: what is learned is there at once.

    Args:
        how: as :func:`library` takes it.
    Raises:
        RuntimeError: the two are not of the same parameters.
    """
    infer = library(program, folder, name, live=True, **how)
    train = library(step, folder, f"{name}_train", **how)
    places = {each.name: each.offset for each in train.entry.state}
    for each in infer.entry.state:
        if places.get(each.name) != each.offset:
            for file in (*infer.files, *train.files):
                file.unlink()
            raise OperationError(
                "export", f"{each.name} is not at the same place in what trains and what answers.",
                hint="Export both from one module.",
            )  # fmt: skip
    return infer, train


def check(folder: str | Path) -> str:
    """Builds and runs the self-test of a library in a folder, and returns what it says.

    Raises:
        RuntimeError: it fails.
        FileNotFoundError: there is none.
    """
    place = Path(folder)
    tests = sorted(place.glob("*_selftest.c"))
    if not tests:
        raise FileNotFoundError(f"{place} has no NAME_selftest.c, so it is no exported C library")
    said = []
    for test in tests:
        name = test.name.removesuffix("_selftest.c")
        text = (place / f"{name}.h").read_text(encoding="utf-8")
        found = re.match(r"/\* \w+, for (\S+) ", text)
        triple = found[1] if found else ""
        how = compiler_for(triple)
        if how is None:
            raise OperationError(
                "export", f"no C compiler for {triple} and way to run its programs is here.",
                hint=f"Build {test.name} where the library is used, and run it.",
            )  # fmt: skip
        said.append(built_and_run(place, name, *how))
    return "\n".join(said)


def _put(content: dict[str, bytes], folder: Path) -> None:
    for label, bytes_ in content.items():
        (folder / label).write_bytes(bytes_)


def _goldens(program: ExportedProgram, made: Entry) -> list[Golden]:
    """The program's examples, where there is code for their size."""
    now = {name: array_of(program.state[name]) for name in program.initial}
    before = {name: a for name, a in program.initial.items() if (now[name] != a).any()}
    found: list[Golden] = []
    for inputs, outputs in program.goldens:
        size = next(iter(program.sizes_of(inputs).values()), 1)
        if size in made.batches:
            found.append(Golden(size, inputs, outputs, before))
    if not found:
        raise OperationError(
            "export", f"no golden example has a size that there is code for ({made.batches}).",
            hint="Add the example's size to batches.",
        )  # fmt: skip
    return found
