"""Kept code: made once, found again in memory and on disk, never believed when damaged."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rushlight.compiler import folder as folders
from rushlight.compiler import stamp as stamps
from rushlight.compiler.folder import MAGIC, Folder, default_path, digest
from rushlight.compiler.kept import Kept
from rushlight.compiler.llvm import machine as machines
from rushlight.compiler.llvm.machine import Loaded, Machine, host


def text(number: int) -> str:
    return f"define i64 @f(i64 %x) nounwind {{\n  %y = mul i64 %x, {number}\n  ret i64 %y\n}}"


def result(loaded: Loaded, x: int = 1) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(loaded.address("f"))(x))


def of(kept: Kept, number: int) -> int:
    """What the code that multiplies by ``number`` gives for 1; by way of ``kept``."""
    return result(kept.code_for(f"times {number}", lambda: text(number), host()))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "some" / "where"


@pytest.fixture
def kept(place: Path) -> Kept:
    return Kept(Folder(place))


def again(place: Path) -> Kept:
    """As another process would begin."""
    return Kept(Folder(place))


def only_file(place: Path) -> Path:
    (file,) = place.iterdir()
    return file


# Memory ------------------------------------------------------------------------------------------


def test_made_once(kept: Kept) -> None:
    first = kept.code_for("three", lambda: text(3), host())
    assert kept.code_for("three", lambda: text(99), host()) is first
    assert result(first) == 3 and (kept.assembled, kept.read) == (1, 0)


def test_key_machine_and_level_tell_code_apart(kept: Kept, place: Path) -> None:
    here = host()
    other = Machine(here.triple, here.cpu, here.features, here.vector, here.registers + 1)
    for key, machine, level in (("a", here, 2), ("b", here, 2), ("a", other, 2), ("a", here, 1)):
        kept.code_for(key, lambda: text(3), machine, level)
    assert kept.assembled == 4 and len(list(place.iterdir())) == 4


def test_what_was_used_least_recently_goes_first(place: Path) -> None:
    kept = Kept(Folder(None), most=3)
    held = kept.code_for("times 1", lambda: text(1), host())
    for number in (2, 3, 2, 4):
        of(kept, number)
    assert kept.assembled == 4
    assert [of(kept, number) for number in (3, 2, 4)] == [3, 2, 4] and kept.assembled == 4
    assert of(kept, 1) == 1 and kept.assembled == 5
    assert result(held) == 1  # who holds it keeps it


def test_a_bound_on_bytes() -> None:
    kept = Kept(Folder(None), limit=1)
    assert [of(kept, number) for number in (1, 2, 1)] == [1, 2, 1]
    assert kept.assembled == 3
    kept.forget()
    assert of(kept, 1) == 1 and kept.assembled == 4


def test_a_text_that_cannot_be_written_is_not_kept(kept: Kept) -> None:
    def fails() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept.code_for("times 3", fails, host())
    assert of(kept, 3) == 3


def test_many_threads_want_the_same(kept: Kept) -> None:
    calls: list[int] = []

    def slow() -> str:
        calls.append(1)
        time.sleep(0.02)
        return text(3)

    def want() -> None:
        assert result(kept.code_for("three", slow, host())) == 3

    team = [threading.Thread(target=want) for _ in range(4)]
    for each in team:
        each.start()
    for each in team:
        each.join()
    assert len(calls) == kept.assembled == 1


# Disk --------------------------------------------------------------------------------------------


def test_found_again(kept: Kept, place: Path) -> None:
    assert of(kept, 3) == 3
    other = again(place)
    assert of(other, 3) == 3 and (other.assembled, other.read) == (0, 1)


def test_the_folder_and_its_files_are_the_users_alone(kept: Kept, place: Path) -> None:
    of(kept, 3)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(place).stat().st_mode) == 0o600
    assert only_file(place).suffix == ".code"


def cut(file: Path, keep: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * keep)])


def flip(file: Path, at: float) -> None:
    data = bytearray(file.read_bytes())
    data[int((len(data) - 1) * at)] ^= 1
    file.write_bytes(data)


def swap(file: Path) -> None:
    """Another whole file under this name."""
    other = Folder(file.parent)
    other.write("other", b"content")
    os.replace(file.parent / "other.code", file)


def forge(file: Path) -> None:
    """The right name's checksum, in the way of another version."""
    content = file.read_bytes()[len(MAGIC) + 32 :]
    file.write_bytes(b"rushlight code 0" + digest(file.stem.encode(), content) + content)


@pytest.mark.parametrize(
    "damage",
    [
        *(lambda file, keep=keep: cut(file, keep) for keep in (0, 0.01, 0.04, 0.5, 0.99)),
        *(lambda file, at=at: flip(file, at) for at in (0, 0.02, 0.06, 0.5, 1)),
        lambda file: file.write_bytes(file.read_bytes() + b"\0"),
        lambda file: file.write_bytes(b"\x7fELF" + bytes(5000)),
        swap,
        forge,
        lambda file: file.chmod(0o622),
        lambda file: file.unlink(),
    ],
)
def test_a_damaged_file_is_replaced(
    kept: Kept, place: Path, damage: Callable[[Path], object]
) -> None:
    assert of(kept, 3) == 3
    damage(only_file(place))
    other = again(place)
    assert of(other, 3) == 3 and (other.assembled, other.read) == (1, 0)
    third = again(place)
    assert of(third, 3) == 3 and (third.assembled, third.read) == (0, 1)


def test_links_and_folders_in_place_of_a_file(kept: Kept, place: Path, tmp_path: Path) -> None:
    of(kept, 3)
    file = only_file(place)
    elsewhere = tmp_path / "elsewhere"
    os.replace(file, elsewhere)
    file.symlink_to(elsewhere)
    other = again(place)
    assert of(other, 3) == 3 and other.read == 0
    file.unlink()
    file.mkdir()
    other = again(place)
    assert of(other, 3) == 3 and other.read == 0
    assert [each.name for each in place.iterdir()] == [file.name]  # nothing is left lying about


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_folder_that_others_can_write_to(place: Path, mode: int) -> None:
    of(again(place), 3)
    place.chmod(mode)
    kept = again(place)
    with pytest.warns(UserWarning, match="can be written to by others") as said:
        assert [of(kept, number) for number in (3, 4, 5)] == [3, 4, 5]
    assert len(said) == 1 and kept.read == 0
    place.chmod(0o755)
    assert of(again(place), 3) == 3


def test_a_folder_of_somebody_else(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of(again(place), 3)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    kept = again(place)
    with pytest.warns(UserWarning, match="belongs to another user"):
        assert of(kept, 3) == 3
    assert kept.read == 0


def test_a_file_in_place_of_the_folder(place: Path) -> None:
    place.parent.mkdir(parents=True)
    place.write_bytes(b"")
    with pytest.warns(UserWarning, match="is not a folder"):
        assert of(again(place), 3) == 3
    with pytest.warns(UserWarning, match="cannot be looked at"):
        assert of(again(place / "more"), 3) == 3


@pytest.mark.parametrize("call", ["write", "open", "replace", "mkdir"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_disk_that_takes_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    opened = os.open

    def refuse(*args: object, **more: object) -> object:
        if call == "open" and not (isinstance(args[1], int) and args[1] & os.O_WRONLY):
            return opened(*args, **more)  # type: ignore[arg-type]
        raise OSError(number, os.strerror(number))

    kept = again(place)
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setattr(os, call, refuse)
        assert [of(kept, each) for each in (3, 4)] == [3, 4]
    assert not place.exists() or not list(place.iterdir())
    assert of(kept, 5) == 5 and len(list(place.iterdir())) == 1


def test_a_disk_that_takes_half(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[: len(data) // 2]))
        assert of(again(place), 3) == 3
    assert list(place.iterdir()) == []


def test_off(tmp_path: Path) -> None:
    kept = Kept(Folder(None))
    assert of(kept, 3) == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "environment, path",
    [
        ({"RUSHLIGHT_CACHE": "0"}, None),
        ({"RUSHLIGHT_CACHE": "/a/b"}, "/a/b/code"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/rushlight/code"),
        ({"RUSHLIGHT_CACHE": "", "HOME": "/h"}, "/h/.cache/rushlight/code"),
        ({"RUSHLIGHT_CACHE": "c"}, str(Path("c/code").absolute())),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
def test_where(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], path: str | None
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("RUSHLIGHT_CACHE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert default_path() == path


# The bound on disk -------------------------------------------------------------------------------


def names(place: Path) -> set[str]:
    return {file.stem for file in place.iterdir()}


@pytest.mark.parametrize("bound", [{"limit": 10_000}, {"most": 9}])
def test_what_was_not_read_for_longest_goes_first(place: Path, bound: dict[str, int]) -> None:
    folder = Folder(place, **bound)
    long_ago = time.time() - 1e6
    for number in range(9):
        folder.write(f"n{number}", bytes(1000))
        os.utime(place / f"n{number}.code", (long_ago + number, long_ago + number))
    assert folder.read("n0") == bytes(1000)
    folder.write("n9", bytes(1000))
    left = names(place)
    assert 5 <= len(left) <= 7
    assert {"n0", "n9", "n8"} <= left and not {"n1", "n2"} & left
    assert sum(file.stat().st_size for file in place.iterdir()) < 10_000
    for number in range(10, 40):  # and so on
        folder.write(f"n{number}", bytes(1000))
        assert len(names(place)) <= 10
    assert f"n{number}" in names(place)


def test_what_a_killed_process_left_is_dropped(place: Path) -> None:
    folder = Folder(place)
    folder.write("a", b"a")
    old, new, foreign = (place / name for name in ("b.12.new", "c.34.new", "notes.txt"))
    for file in (old, new, foreign):
        file.write_bytes(b"x")
    for file in (old, foreign):
        os.utime(file, (1, 1))
    Folder(place).write("d", b"d")
    assert {file.name for file in place.iterdir()} == {"a.code", "d.code", new.name, "notes.txt"}


def test_another_process_empties_the_folder(place: Path) -> None:
    folder = Folder(place)
    folder.write("a", b"a")
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    assert folder.read("a") is None
    folder.write("a", b"b")
    assert folder.read("a") == b"b"


# Processes ---------------------------------------------------------------------------------------

WRITER = """
import sys, time
from test_kept import Folder, Kept, Path, of
place, moment = Path(sys.argv[1]), float(sys.argv[2])
while time.time() < moment:
    pass
for round in range(20):
    kept = Kept(Folder(place))
    assert [of(kept, number) for number in range(5)] == list(range(5))
    if round % 2:
        for file in place.glob("*.code"):
            file.unlink(missing_ok=True)
"""


def python(source: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-c", source, *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=100)
    assert (process.returncode, err) == (0, "")
    return out


def test_two_processes_write_the_same_at_once(place: Path) -> None:
    moment = str(time.time() + 2)
    for process in [python(WRITER, str(place), moment) for _ in range(2)]:
        finished(process)
    assert not list(place.glob("*.new"))


RUN = """
import sys
import rushlight.compiler.stamp
rushlight.compiler.stamp.stamp = lambda: b"the same, whoever edits a source meanwhile"
from rushlight.compiler.kept import code_for, kept
from rushlight.compiler.llvm.machine import host
text = "define i64 @f() nounwind { ret i64 7 }"
code = code_for("seven", lambda: text, host())
import ctypes
print(ctypes.CFUNCTYPE(ctypes.c_int64)(code.address("f"))(), kept.assembled, kept.read)
print("llvmlite.binding" in sys.modules, hash(host()))
"""


@pytest.mark.skipif(not machines.elf.suits(), reason="elsewhere LLVM loads the code")
def test_a_second_process_does_not_load_llvm(tmp_path: Path) -> None:
    where = {"RUSHLIGHT_CACHE": str(tmp_path), "PYTHONHASHSEED": "0"}
    first = finished(python(RUN, **where)).split()
    second = finished(python(RUN, **where)).split()
    assert first[:4] == ["7", "1", "0", "True"] and second[:4] == ["7", "0", "1", "False"]
    assert first[4] == second[4]


@pytest.fixture
def threads_that_assemble(place: Path) -> Iterator[None]:
    stop = threading.Event()

    def assemble() -> None:
        number = 100
        while not stop.is_set():
            of(Kept(Folder(None)), number)
            number += 1

    team = [threading.Thread(target=assemble) for _ in range(2)]
    for each in team:
        each.start()
    yield
    stop.set()
    for each in team:
        each.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_while_others_are_in_llvm(kept: Kept, threads_that_assemble: None) -> None:
    for number in range(5):
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if of(kept, number) == number else 1)
            finally:
                os._exit(2)
        for _ in range(3000):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            time.sleep(0.01)
        else:
            os.kill(child, 9)
            os.waitpid(child, 0)
        assert done and status == 0


# What names depend on ----------------------------------------------------------------------------


def test_the_machine_is_kept_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = machines._asked()
    monkeypatch.setattr(machines, "_asked", lambda: asked.append(1) or real)
    monkeypatch.setattr(machines, "_processor", lambda: b"flags: fpu")
    folder = Folder(tmp_path)
    monkeypatch.setattr(machines, "default", lambda: folder)
    ask = machines.host.__wrapped__
    assert ask() == real and ask() == real and len(asked) == 1
    cut(only_file(tmp_path), 0.5)
    assert ask() == real and len(asked) == 2
    monkeypatch.setattr(machines, "_processor", lambda: b"flags: fpu avx")
    assert ask() == real and len(asked) == 3
    monkeypatch.setattr(machines, "stamp", lambda: b"another LLVM")
    assert ask() == real and len(asked) == 4


def test_a_changed_source_is_another_stamp(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "__pycache__").mkdir()
    seen = set()
    for change in range(4):
        if change:
            (tmp_path / "inner" / "a.py").write_text("x" * change)
        seen.add(tuple(stamps._files(str(tmp_path))))
    os.utime(tmp_path / "inner" / "a.py", (5, 5))
    seen.add(tuple(stamps._files(str(tmp_path))))
    assert len(seen) == 5
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"")
    assert tuple(stamps._files(str(tmp_path))) in seen
    archive = tmp_path / "all.zip"
    archive.write_bytes(b"zip")
    (line,) = stamps._files(str(archive / "rushlight" / "ops"))
    assert line.startswith(b"all.zip 3 ")


def test_parts_of_a_checksum_do_not_run_together() -> None:
    assert digest(b"ab", b"c") != digest(b"a", b"bc") != digest(b"abc")
    assert len(digest()) == folders.DIGEST
