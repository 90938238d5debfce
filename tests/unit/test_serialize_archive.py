"""How a checkpoint lies in its file, and what save and load can be asked for."""

import io
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

import rushlight as rl


def saved(library, thing, **options):
    file = io.BytesIO()
    library.save(thing, file, **options)
    file.seek(0)
    return file


def test_the_archive_is_laid_out_as_pytorch_lays_it_out():
    file = saved(rl, {"a": rl.ones(3), "b": rl.ones(5)})
    theirs = saved(torch, {"a": torch.ones(3), "b": torch.ones(5)})
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(theirs) as other:
        names = archive.namelist()
        assert names == [n for n in other.namelist() if not n.endswith("serialization_id")]
        for name in names:
            if not name.endswith("data.pkl"):
                assert archive.read(name) == other.read(name)
        for info in archive.infolist():
            header = file.getvalue()[info.header_offset :][:30]
            start = info.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))
            assert start % 64 == 0 and info.compress_type == zipfile.ZIP_STORED
            assert file.getvalue()[start : start + info.file_size] == archive.read(info)


def test_same_content_same_bytes():
    thing = {"a": rl.ones(3), "b": [rl.zeros(2), "text"]}
    assert saved(rl, thing).getvalue() == saved(rl, thing).getvalue()


@pytest.mark.parametrize(
    "name, root", [("a.b.pt", "a.b"), ("plain", "plain"), (".pt", "archive"), ("né.pt", "archive")]
)
def test_the_folder_in_the_archive_is_named_as_the_file(tmp_path, name, root):
    rl.save({"x": rl.ones(1)}, tmp_path / name)
    assert zipfile.ZipFile(tmp_path / name).namelist()[0] == f"{root}/data.pkl"
    assert rl.load(str(tmp_path / name))["x"].tolist() == [1]
    assert torch.load(tmp_path / name)["x"].tolist() == [1]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickle_protocols(protocol):
    thing = {"x": rl.ones(2), "bytes": b"ab", "set": {1}, "text": "x" * 300}
    loaded = rl.load(saved(rl, thing, pickle_protocol=protocol))
    assert loaded["x"].tolist() == [1, 1] and loaded["bytes"] == b"ab" and loaded["set"] == {1}
    theirs = {"x": torch.ones(2), "od": OrderedDict(a=1)}
    assert rl.load(saved(torch, theirs, pickle_protocol=protocol))["od"] == OrderedDict(a=1)


def test_an_archive_that_was_packed_again_and_checksums_that_were_not_computed():
    theirs = saved(torch, torch.arange(100))
    packed = io.BytesIO()
    with zipfile.ZipFile(theirs) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    packed.seek(0)
    assert rl.load(packed).tolist() == list(range(100))
    torch.serialization.set_crc32_options(False)
    try:
        assert rl.load(saved(torch, torch.arange(100))).tolist() == list(range(100))
    finally:
        torch.serialization.set_crc32_options(True)


def test_a_file_of_the_other_byte_order():
    theirs = saved(torch, [torch.arange(3), torch.tensor([1 + 2j])])
    swapped = io.BytesIO()
    with zipfile.ZipFile(theirs) as old, zipfile.ZipFile(swapped, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("byteorder"):
                data = b"big" if sys.byteorder == "little" else b"little"
            elif name.endswith("data/0"):
                data = np.frombuffer(data, np.int64).byteswap().tobytes()
            elif name.endswith("data/1"):
                data = np.frombuffer(data, np.complex64).byteswap().tobytes()
            new.writestr(name, data)
    swapped.seek(0)
    assert [x.tolist() for x in rl.load(swapped)] == [[0, 1, 2], [1 + 2j]]


def test_mmap(tmp_path):
    x = torch.arange(1000.0)
    torch.save([x, x[::2], torch.zeros(0)], tmp_path / "x.pt")
    whole, half, empty = rl.load(tmp_path / "x.pt", mmap=True)
    whole.mul_(2.0)
    assert half.tolist() == (x * 2)[::2].tolist() and empty.tolist() == []
    assert torch.equal(torch.load(tmp_path / "x.pt")[0], x)
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap"):
        rl.load(io.BytesIO(), mmap=True)
    torch.save(x, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap can only be used with files in the zip format"):
        rl.load(tmp_path / "old.pt", mmap=True)


# Options of load ---------------------------------------------------------------------------------


def relocated(thing, location):
    """A checkpoint of tensors that were on another device."""
    moved = io.BytesIO()
    text = b"X" + struct.pack("<I", len(location)) + location.encode()
    with zipfile.ZipFile(saved(torch, thing)) as old, zipfile.ZipFile(moved, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"X\x03\x00\x00\x00cpu", text))
    moved.seek(0)
    return moved


@pytest.mark.parametrize(
    "where",
    [
        "cpu", rl.device("cpu"), {"cuda:0": "cpu"}, lambda storage, location: storage,
        lambda storage, location: storage.cpu(),
    ],
)  # fmt: skip
def test_map_location(where):
    assert rl.load(relocated(torch.ones(2), "cuda:0"), map_location=where).tolist() == [1, 1]


def test_devices_that_are_not_here():
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device"):
        rl.load(relocated(torch.ones(2), "cuda:0"))
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device"):
        rl.load(saved(torch, torch.ones(2)), map_location="cuda")
    with pytest.raises(RuntimeError, match=r"don't know how to restore.*tagged with foo"):
        rl.load(relocated(torch.ones(2), "foo"))
    with pytest.raises(RuntimeError, match="CUDA"):
        rl.load(relocated(torch.ones(2), "cuda:0"), map_location=lambda storage, location: None)
    with pytest.raises(RuntimeError, match="map_location gave 3, no storage"):
        rl.load(relocated(torch.ones(2), "cuda:0"), map_location=lambda storage, location: 3)
    with pytest.raises(TypeError, match="map_location must be"):
        rl.load(saved(torch, torch.ones(2)), map_location=3)


def test_pickle_modules():
    import cloudpickle

    class Slow:
        Pickler, Unpickler, __name__ = pickle._Pickler, pickle._Unpickler, "slow"

    file = saved(rl, {"x": rl.ones(2)}, pickle_module=Slow)
    assert rl.load(file, pickle_module=Slow)["x"].tolist() == [1, 1]
    file.seek(0)
    assert torch.load(file)["x"].tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="Can not safely load weights when explicit"):
        rl.load(file, pickle_module=pickle, weights_only=True)
    with pytest.raises(TypeError, match="cannot write PyTorch's names"):
        rl.save(1, io.BytesIO(), pickle_module=cloudpickle)
