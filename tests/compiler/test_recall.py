"""Programs that another process made: the same plan, the same bits, and never for another graph."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rushlight as rl
from rushlight.base.errors import InternalError
from rushlight.compiler import kept as keeping
from rushlight.compiler import recall as recalling
from rushlight.compiler.folder import Folder
from rushlight.compiler.kept import Kept
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.plain import Program
from rushlight.compiler.program import compiled
from rushlight.compiler.recall import Gone, keep, recall
from rushlight.execute import native, tier
from rushlight.execute.cut import Cut
from rushlight.graph.graph import Graph

# The package shows the function of this name.
realize = importlib.import_module("rushlight.execute.realize")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "code")


def graph_of(*tensors: rl.Tensor) -> Graph:
    return Cut([each._node for each in tensors]).graph()


def step(a: rl.Tensor, b: rl.Tensor) -> rl.Tensor:
    return ((a @ b).relu() * 2.5 + 1).softmax(-1).sum(0)


def some(n: int = 4) -> tuple[rl.Tensor, rl.Tensor]:
    a = np.arange(n * 6.0, dtype=np.float32).reshape(n, 6) / 7
    return rl.tensor(a), rl.tensor(np.full((6, 5), 1 / 3, np.float32))


def plain(program: Program) -> tuple[Any, ...]:
    """All of a program but for what only its making needs."""
    calls = [
        (c.code.name, c.code.level, c.code.extent, c.code.scratch, [p.name for p in c.code.needs])
        + (c.params, c.grain, c.fault, c.buffers)
        for c in program.calls
    ]
    return calls, replace(program, calls=())


def test_the_same_plan(folder: Folder) -> None:
    graph = graph_of(step(*some()))
    program = compiled(graph, host())
    assert recall(graph, host(), folder) is None
    keep(graph, host(), program, folder)
    again = graph_of(step(*some()))  # recorded anew, as by another process
    found = recall(again, host(), folder)
    assert found is not None and plain(found) == plain(program)
    assert all(a is b for a, b in zip(found.specs, program.specs, strict=True))


def test_what_a_recalled_program_does_not_know(folder: Folder) -> None:
    graph = graph_of(step(*some()))
    keep(graph, host(), compiled(graph, host()), folder)
    found = recall(graph, host(), folder)
    assert found is not None
    with pytest.raises(Gone):
        found.calls[0].code.text()
    with pytest.raises(InternalError, match="settled"):
        found.calls[0].code.params({})


@pytest.mark.parametrize(
    "other",
    [
        lambda a, b: step(a, b) + 1,
        lambda a, b: ((a @ b).relu() * 2.5 + 1).softmax(-1).sum(1),
        lambda a, b: ((a @ b).relu() * 2.5 + 1).softmax(0).sum(0),
        lambda a, b: ((a @ b).relu() * 2.5 - 1).softmax(-1).sum(0),
        lambda a, b: step(a.double(), b.double()),
        lambda a, b: step(*some(5)),
        lambda a, b: ((a @ b).relu() * 2.5 + 1).softmax(-1).sum(0, keepdim=True),
    ],
)
def test_another_graph_has_another_name(
    folder: Folder, other: Callable[[rl.Tensor, rl.Tensor], rl.Tensor]
) -> None:
    graph = graph_of(step(*some()))
    keep(graph, host(), compiled(graph, host()), folder)
    assert recall(graph_of(other(*some())), host(), folder) is None
    machine = replace(host(), cpu="another")
    assert recall(graph, machine, folder) is None


def test_numbers_are_not_part_of_a_name(folder: Folder) -> None:
    a, _ = some()
    graph = graph_of(a * 2.5)
    keep(graph, host(), compiled(graph, host()), folder)
    assert recall(graph_of(a * 3.5), host(), folder) is not None


def test_what_text_does_not_say_whole_is_not_kept(folder: Folder) -> None:
    graph = graph_of(step(*some()))
    program = compiled(graph, host())
    first, *rest = graph.steps
    strange = replace(first, attrs=(object(),))
    keep(replace(graph, steps=(strange, *rest)), host(), program, folder)

    class Own(type(first.op)):  # type: ignore[misc]
        """A user's, with a name that is taken."""

    own = object.__new__(Own)
    keep(replace(graph, steps=(replace(first, op=own), *rest)), host(), program, folder)
    assert not Path(folder.path or "").exists()


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Kept]]:
    """Begins again as another process does, with the same folder; gives what it keeps."""

    def begin() -> Kept:
        folder = Folder(tmp_path / "code")
        kept = Kept(folder)
        monkeypatch.setattr(native, "code_for", kept.code_for)
        monkeypatch.setattr(recalling, "default", lambda: folder)
        return kept

    before = tier.choose("compiled")
    yield begin
    tier.choose(before)


def result() -> np.ndarray:
    """The values of a graph, by a program that was not made in this process before."""
    realize.programs._kept.clear()
    return step(*some()).numpy()


def test_the_second_process_compiles_nothing(fresh: Callable[[], Kept]) -> None:
    first = fresh()
    values = result()
    assert first.assembled > 0
    second = fresh()
    assert (result() == values).all() and second.assembled == 0 and second.read > 0


@pytest.mark.parametrize("damage", ["drop", "cut"])
def test_each_file_that_is_missing_or_damaged_is_made_again(
    fresh: Callable[[], Kept], tmp_path: Path, damage: str
) -> None:
    fresh()
    values = result()
    for file in sorted((tmp_path / "code").iterdir()):
        if damage == "drop":
            file.unlink()
        else:
            os.truncate(file, file.stat().st_size // 2)
        fresh()
        assert (result() == values).all()
        last = fresh()
        assert (result() == values).all() and last.assembled == 0


def test_the_default_folder_is_one() -> None:
    assert keeping.default is recalling.default
