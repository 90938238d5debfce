"""What is on disk after a save that went well, and after one that did not; safetensors."""

import io
import json
import os
import pickle
import resource
import signal
import stat
import struct
import sys
import types

import numpy as np
import pytest
import safetensors.torch
import torch

import rushlight as rl
from rushlight.serialize.archive import ArchiveWriter

OLD, NEW = {"x": 1}, {"x": 2}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.pt"
    rl.save(OLD, path)
    return path


def assert_untouched(file):
    assert rl.load(file) == OLD
    assert os.listdir(file.parent) == [file.name]


def test_a_save_replaces_the_file_and_leaves_nothing_else(file):
    rl.save(NEW, file)
    assert rl.load(str(file)) == NEW and os.listdir(file.parent) == [file.name]


def test_what_does_not_pickle_leaves_the_old_file(file):
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        rl.save({"x": lambda: 1}, file)
    assert_untouched(file)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError, OSError(28, "No space left")])
def test_an_interrupt_leaves_the_old_file(file, monkeypatch, failure):
    write = ArchiveWriter.write

    def fail_late(self, name, data):
        if name == "version":
            raise failure
        write(self, name, data)

    monkeypatch.setattr(ArchiveWriter, "write", fail_late)
    with pytest.raises(failure if isinstance(failure, type) else OSError):
        rl.save({"x": rl.ones(1000)}, file)
    monkeypatch.undo()
    assert_untouched(file)


@pytest.fixture
def small_disk():
    """Files cannot grow beyond 10 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_the_old_file_and_names_it(file, small_disk):
    with pytest.raises(OSError, match=r"model\.pt"):
        rl.save({"x": rl.zeros(100_000)}, file)
    assert_untouched(file)
    with pytest.raises(OSError):
        rl.save_safetensors({"x": rl.zeros(100_000)}, file)
    assert_untouched(file)


def test_links_and_permissions_stay(file):
    link = file.with_name("link.pt")
    link.symlink_to(file)
    file.chmod(0o640)
    rl.save(NEW, link)
    assert link.is_symlink() and rl.load(file) == NEW
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    rl.save(NEW, tmp_path / "new.pt")
    assert (tmp_path / "new.pt").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_places_where_nothing_can_be_written(tmp_path):
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist"):
        rl.save(NEW, tmp_path / "nowhere" / "x.pt")
    with pytest.raises(IsADirectoryError):
        rl.save(NEW, tmp_path)
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like"):
        rl.save(NEW, 3)
    rl.save(NEW, os.devnull)


def test_a_path_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rl.save(NEW, "x.pt")
    assert rl.load("x.pt") == NEW


def test_file_objects(tmp_path):
    with open(tmp_path / "x.pt", "wb") as file:
        rl.save({"x": rl.ones(3)}, file)
    with open(tmp_path / "x.pt", "rb", buffering=0) as file:
        assert rl.load(file)["x"].tolist() == [1, 1, 1]
    with open(tmp_path / "x.pt", "rb") as file:
        assert torch.load(file)["x"].tolist() == [1, 1, 1]


class Pipe(io.RawIOBase):
    """Takes bytes one way only."""

    def __init__(self):
        self.content = b""

    def writable(self):
        return True

    def write(self, data):
        self.content += bytes(data)
        return len(data)


def test_a_file_that_cannot_seek_is_written_for_everybody():
    pipe = Pipe()
    rl.save({"x": rl.ones(3)}, pipe)
    assert rl.load(io.BytesIO(pipe.content))["x"].tolist() == [1, 1, 1]
    assert torch.load(io.BytesIO(pipe.content))["x"].tolist() == [1, 1, 1]


class OnlyReads:
    """A file without readinto."""

    def __init__(self, content):
        file = io.BytesIO(content)
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def test_a_file_that_cannot_read_into_memory():
    file = io.BytesIO()
    rl.save({"x": rl.ones(3)}, file)
    assert rl.load(OnlyReads(file.getvalue()))["x"].tolist() == [1, 1, 1]


# safetensors --------------------------------------------------------------------------------------

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
          "float64", "complex64"]  # fmt: skip


@pytest.mark.parametrize("name", DTYPES)
def test_safetensors_both_ways(tmp_path, name):
    dtype = getattr(torch, name)
    octets = np.random.default_rng(0).integers(0, 2 if name == "bool" else 256, 96, dtype=np.uint8)
    theirs = {"x": torch.frombuffer(octets, dtype=dtype).reshape(3, -1), "e": torch.zeros(0, 2)}
    theirs["scalar"] = torch.ones((), dtype=dtype)
    safetensors.torch.save_file(theirs, tmp_path / "theirs.safetensors")
    ours = rl.load_safetensors(tmp_path / "theirs.safetensors")
    assert sorted(ours) == sorted(theirs) and ours["x"].dtype is getattr(rl, name)
    rl.save_safetensors(ours, tmp_path / "ours.safetensors", {"epoch": "3"})
    again = safetensors.torch.load_file(tmp_path / "ours.safetensors")
    for key, value in theirs.items():
        assert again[key].dtype is value.dtype and again[key].shape == value.shape
        assert bytes(again[key].untyped_storage()) == bytes(value.untyped_storage())
    assert rl.safetensors_metadata(tmp_path / "ours.safetensors") == {"epoch": "3"}
    assert rl.safetensors_metadata(tmp_path / "theirs.safetensors") == {}


def test_safetensors_of_views_and_state_dicts(tmp_path):
    x = rl.arange(6.0).reshape(2, 3)
    rl.save_safetensors({"t": x.t(), "row": x[1], "p": rl.nn.Parameter(x)}, tmp_path / "x")
    loaded = rl.load_safetensors(tmp_path / "x")
    assert loaded["t"].tolist() == x.t().tolist() and loaded["row"].tolist() == [3, 4, 5]
    assert type(loaded["p"]) is rl.Tensor and not loaded["p"].requires_grad
    loaded["p"].zero_()
    assert loaded["t"].tolist() == x.t().tolist()
    rl.save_safetensors({}, tmp_path / "x")
    assert rl.load_safetensors(tmp_path / "x") == {}


def test_safetensors_refuses_what_it_cannot_hold(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(RuntimeError, match=r"'x' is torch\.complex128, which the format lacks"):
        rl.save_safetensors({"x": rl.ones(1, dtype=rl.complex128)}, path)
    with pytest.raises(TypeError, match="'x' is no tensor but 3"):
        rl.save_safetensors({"x": 3}, path)
    with pytest.raises(TypeError, match="names of tensors are text, but got 1"):
        rl.save_safetensors({1: rl.ones(1)}, path)
    with pytest.raises(TypeError, match="metadata is text by name, but got 'epoch': 3"):
        rl.save_safetensors({}, path, {"epoch": 3})
    assert not path.exists()


def test_missing_and_old_libraries_are_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'rushlight\[safetensors\]'"):
        rl.load_safetensors(tmp_path / "x")
    old = types.ModuleType("safetensors")
    old.__version__ = "0.4"
    monkeypatch.setitem(sys.modules, "safetensors", old)
    with pytest.raises(ImportError, match="is too old"):
        rl.save_safetensors({}, tmp_path / "x")


def test_damaged_and_foreign_safetensors(tmp_path):
    path = tmp_path / "model.safetensors"
    rl.save_safetensors({"x": rl.ones(100)}, path, {"a": "b"})
    content = path.read_bytes()
    for length in range(0, len(content), 29):
        path.write_bytes(content[:length])
        with pytest.raises(RuntimeError, match=r"model\.safetensors' is cut short or no safetens"):
            rl.load_safetensors(path)
    for foreign in (b"", b"PK\x03\x04" + bytes(50), bytes(100), b"\xff" * 100):
        path.write_bytes(foreign)
        for read in (rl.load_safetensors, rl.safetensors_metadata):
            with pytest.raises(RuntimeError, match="cut short or no safetensors file"):
                read(path)
    header = json.dumps({"x": {"dtype": "U16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(2))
    with pytest.raises(RuntimeError, match="holds 'x' as U16, which rushlight does not have"):
        rl.load_safetensors(path)
    with pytest.raises(FileNotFoundError):
        rl.load_safetensors(tmp_path / "nothing")
