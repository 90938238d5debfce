"""Modules that are compiled side by side: the same code as one after the other."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from rushlight.base.errors import InternalError
from rushlight.compiler.folder import Folder
from rushlight.compiler.kept import Kept
from rushlight.compiler.llvm import together
from rushlight.compiler.llvm.contract.micro import micro_module
from rushlight.compiler.llvm.contract.tile import tile_of
from rushlight.compiler.llvm.machine import assemble, host
from rushlight.compiler.llvm.together import assemble_all


def times(number: int) -> str:
    return f"define i32 @f(i32 %x) {{\n  %y = mul i32 %x, {number}\n  ret i32 %y\n}}\n"


WANTED = [
    *[(lambda k=k: times(k), k % 3) for k in range(12)],
    (lambda: str(micro_module(tile_of(host()), "rows")), 1),
    (lambda: str(micro_module(tile_of(host(), "double"), "panel")), 2),
]


@pytest.fixture(scope="module")
def alone() -> list[bytes]:
    return [assemble(text(), host(), level) for text, level in WANTED]


@pytest.mark.parametrize("threads", [1, 2, 4, 40])
def test_the_same_code_for_any_number_of_threads(threads: int, alone: list[bytes]) -> None:
    for _ in range(3):
        assert assemble_all(WANTED, host(), threads) == alone


@pytest.mark.parametrize("threads", [1, 4])
def test_few_or_none(threads: int) -> None:
    assert assemble_all([], host(), threads) == []
    assert assemble_all(WANTED[:1], host(), threads) == [assemble(times(0), host(), 0)]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_text_that_llvm_refuses(threads: int) -> None:
    wrong = (lambda: "define i32 @f() { ret void }", 1)
    with pytest.raises(InternalError, match="LLVM refuses"):
        assemble_all([*WANTED[:5], wrong, *WANTED[5:8]], host(), threads)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_text_that_cannot_be_written(threads: int) -> None:
    before = threading.active_count()

    def fails() -> str:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        assemble_all([*WANTED[:3], (fails, 1), *WANTED[3:]], host(), threads)
    assert threading.active_count() == before


def test_without_llvms_own_functions(monkeypatch: pytest.MonkeyPatch, alone: list[bytes]) -> None:
    monkeypatch.setattr(together, "_functions", lambda: None)
    assert assemble_all(WANTED, host(), 4) == alone


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_waits_until_nobody_is_in_llvm(alone: list[bytes]) -> None:
    results: list[list[bytes]] = []
    working = threading.Thread(target=lambda: results.append(assemble_all(WANTED, host(), 3)))
    working.start()
    child = os.fork()
    if child == 0:
        os._exit(0 if assemble(times(5), host(), 2) == alone[5] else 1)
    _, status = os.waitpid(child, 0)
    working.join()
    assert status == 0
    assert results == [alone]


def test_kept_modules_are_made_at_once_and_asked_for_one_by_one(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "code")
    first, wrote = Kept(folder), []

    def text(number: int) -> str:
        wrote.append(number)
        return times(number)

    wanted = [(str(k), lambda k=k: text(k), 1) for k in (3, 4, 5, 3)]
    first.make(wanted, host(), 2)
    assert sorted(wrote) == [3, 4, 5]
    assert first.assembled == 3
    for key, written, level in wanted:
        assert first.code_for(key, written, host(), level).address("f")
    first.make(wanted, host(), 2)
    assert (len(wrote), first.assembled, first.read) == (3, 3, 0)

    second = Kept(folder)
    second.make([*wanted, ("6", lambda: text(6), 1)], host(), 2)
    for key, written, level in wanted:
        second.code_for(key, written, host(), level)
    assert (len(wrote), second.assembled, second.read) == (4, 1, 3)
