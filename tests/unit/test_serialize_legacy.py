"""Checkpoints that PyTorch wrote before 1.6."""

import io

import numpy as np
import pytest
import torch

import rushlight as rl

NAMES = [
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
    "complex64", "complex128",
]  # fmt: skip


def legacy(thing):
    file = io.BytesIO()
    torch.save(thing, file, _use_new_zipfile_serialization=False)
    file.seek(0)
    return file


@pytest.mark.parametrize("name", NAMES)
def test_legacy_files_to_the_byte(name):
    octets = np.random.default_rng(0).integers(0, 2 if name == "bool" else 256, 96, dtype=np.uint8)
    before = torch.frombuffer(octets, dtype=getattr(torch, name)).reshape(2, -1)
    file = io.BytesIO()
    rl.save(rl.load(legacy(before)), file)
    file.seek(0)
    after = torch.load(file)
    assert after.dtype is before.dtype and after.shape == before.shape
    assert bytes(after.untyped_storage()) == octets.tobytes()


def test_legacy_files_share_storages():
    x = torch.arange(6.0).reshape(2, 3)
    thing = {"x": x, "t": x.t(), "p": torch.nn.Parameter(x[0]), "n": [1, "a"], "e": torch.zeros(0)}
    here = rl.load(legacy(thing))
    here["x"].zero_()
    assert here["t"].tolist() == [[0, 0]] * 3 and here["p"].tolist() == [0, 0, 0]
    assert here["n"] == [1, "a"] and here["e"].shape == (0,)
    assert rl.load(legacy(torch.nn.Linear(2, 1)), weights_only=False).weight.shape == (1, 2)


def test_legacy_objects_in_a_row():
    file = io.BytesIO(legacy(torch.arange(3)).getvalue() + legacy(["second"]).getvalue())
    assert rl.load(file).tolist() == [0, 1, 2]
    assert rl.load(file) == ["second"]


def test_legacy_is_read_and_not_written():
    with pytest.raises(NotImplementedError, match="read here, not written"):
        rl.save(1, io.BytesIO(), _use_new_zipfile_serialization=False)
