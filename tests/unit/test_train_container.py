"""The file that checkpoints are: what goes in comes out, and nothing else is believed."""

from __future__ import annotations

import errno
import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import rushlight as rl
from rushlight.train import container, durable
from rushlight.train.container import read_tree, write_tree
from rushlight.train.faults import RunFault


def same(a: Any, b: Any) -> bool:
    """Equal in value, type and bits, all the way down."""
    if isinstance(a, rl.Tensor):
        one, other = a.numpy(), b.numpy()
        bits = one.tobytes() == other.tobytes()
        return bits and one.shape == other.shape and one.dtype == other.dtype
    if isinstance(a, dict):
        keys = list(a) == list(b) and [type(k) for k in a] == [type(k) for k in b]
        return type(a) is type(b) and keys and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


TREE = {
    "floats": [0.1, 1 / 3, 1e-320, -0.0, math.inf, -math.inf, math.nan, 1e308],
    "whole": [0, -1, 2**63, True, False, None],
    "text": ["", "ü", "\n", '"', "@tensor"],
    "tuple": ((1, 2), ((),), []),
    "int keys": {0: {"step": rl.tensor(3.0)}, 1: {}},
    "at": {"@tensor": "text", "@dict": 1},
    "counter": Counter({3: 2, 1: 1}),
    "tensors": [
        rl.tensor([[1.0, math.nan], [-0.0, 3.0]]),
        rl.tensor(7.0),
        rl.tensor([]),
        rl.tensor([True, False]),
        rl.tensor([1, 2], dtype=rl.int64),
        rl.tensor([1, 255], dtype=rl.uint8),
        rl.tensor([1.5], dtype=rl.float64),
    ],
    "view": rl.tensor([[1.0, 2.0], [3.0, 4.0]]).t(),
}


def test_everything_comes_back(tmp_path: Path) -> None:
    write_tree(tmp_path / "a", TREE)
    assert same(read_tree(tmp_path / "a"), TREE)


def test_minus_zero_keeps_its_sign(tmp_path: Path) -> None:
    write_tree(tmp_path / "a", {"x": -0.0})
    assert math.copysign(1.0, read_tree(tmp_path / "a")["x"]) == -1.0


def test_the_same_tree_is_the_same_file(tmp_path: Path) -> None:
    write_tree(tmp_path / "a", TREE)
    write_tree(tmp_path / "b", TREE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_safetensors_library_reads_the_tensors(tmp_path: Path) -> None:
    write_tree(tmp_path / "a", {"model": {"w": rl.tensor([1.0, 2.0])}})
    assert np.array_equal(safetensors.numpy.load_file(tmp_path / "a")["model.w"], [1.0, 2.0])


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, b"x", np.float32(1), np.arange(2)])
def test_other_values_are_refused_when_written(tmp_path: Path, value: object) -> None:
    with pytest.raises(TypeError, match=r"a\.b\.0 is a"):
        write_tree(tmp_path / "f", {"a": {"b": [value]}})
    assert os.listdir(tmp_path) == []


# What is on the disk is not believed.


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_tree(tmp_path / "last.safetensors", {"x": rl.tensor([1.0, 2.0, 3.0]), "n": 1})
    return tmp_path / "last.safetensors"


def refused(file: Path) -> str:
    with pytest.raises(RunFault) as caught:
        read_tree(file)
    sentence = str(caught.value)
    assert str(file) in sentence and "\n" not in sentence and caught.value.code == 2
    return sentence


def test_a_file_cut_at_any_byte_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert "cut short" in refused(file)


def test_a_flipped_bit_is_noticed_anywhere(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    before = read_tree(file)
    for i in range(len(whole)):
        changed = whole.copy()
        changed[i] ^= 1
        file.write_bytes(changed)
        try:
            after = read_tree(file)
        except RunFault:
            continue
        assert same(after, before)  # a space that became something else that means nothing


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "cut short or is not a safetensors file"),
        (b"PK\x03\x04 a zip file", "cut short or is not a safetensors file"),
        (b"\x80\x04\x95cos\nsystem\n", "cut short or is not a safetensors file"),
        (os.urandom(400), "cut short or is not a safetensors file"),
        (safetensors.numpy.save({"x": np.zeros(2)}), "that rushlight train did not write"),
        (
            safetensors.numpy.save({"x": np.zeros(2)}, {"rushlight": "not json"}),
            "its header cannot be read",
        ),
        (safetensors.numpy.save({}, {"rushlight": "{}"}), "its header cannot be read"),
        (safetensors.numpy.save({}, {"rushlight": "[]"}), "its header cannot be read"),
        (
            safetensors.numpy.save({}, {"rushlight": '{"crc32": 0, "tree": {"@tensor": "x"}}'}),
            "its header cannot be read",
        ),
        (
            safetensors.numpy.save({}, {"rushlight": '{"crc32": 1842515611, "tree": 3}'}),
            "is damaged",
        ),
        (
            safetensors.numpy.save({"x": np.zeros(2)}, {"rushlight": '{"crc32": 1, "tree": {}}'}),
            "does not have the checksum",
        ),
    ],
)
def test_foreign_files_are_refused(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "f").write_bytes(data)
    assert words in refused(tmp_path / "f")


def test_deeply_nested_json_is_refused(tmp_path: Path) -> None:
    deep = '{"crc32": 0, "tree": ' + "[" * 100_000 + "]" * 100_000 + "}"
    (tmp_path / "f").write_bytes(safetensors.numpy.save({}, {"rushlight": deep}))
    refused(tmp_path / "f")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nothing")
    refused(tmp_path)


# What is on the disk is never half of something.


def fail(number: int) -> Any:
    def failing(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    return failing


@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_a_failed_write_leaves_the_file_before(
    file: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    before = file.read_bytes()
    monkeypatch.setattr(durable.os, place, fail(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        write_tree(file, {"x": rl.zeros(100)})
    assert file.read_bytes() == before and os.listdir(file.parent) == [file.name]


def test_an_interrupt_while_writing_leaves_the_file_before(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    before = file.read_bytes()
    monkeypatch.setattr(durable.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_tree(file, {"x": rl.zeros(100)})
    assert file.read_bytes() == before and os.listdir(file.parent) == [file.name]


def test_the_disk_has_the_bytes_before_the_name(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    flush, rename = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        happened.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        flush(descriptor)

    def replace(source: Path, target: Path) -> None:
        happened.append("rename")
        rename(source, target)

    monkeypatch.setattr(durable.os, "fsync", fsync)
    monkeypatch.setattr(durable.os, "replace", replace)
    write_tree(file, {"x": 1})
    assert happened == ["file", "rename", "folder"]


def test_leftovers_of_killed_processes_are_removed(file: Path) -> None:
    (file.parent / ".last.safetensors.123.part").write_bytes(b"half")
    durable.remove_parts(file.parent)
    assert os.listdir(file.parent) == [file.name]


def test_the_header_is_plain_json(file: Path) -> None:
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    stored = json.loads(header["__metadata__"][container.KEY])
    assert stored["tree"] == {"n": 1, "x": {"@tensor": "x"}}
