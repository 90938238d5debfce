"""Weights from an address, and models from a folder, as ``torch.hub``."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import rushlight as rl
from home import DEAD, Home
from rushlight.utils import model_zoo


def checkpoint(**options: object) -> bytes:
    file = io.BytesIO()
    torch.save({"weight": torch.arange(6.0).reshape(2, 3), "epoch": 3}, file, **options)
    return file.getvalue()


DATA = checkpoint()
NAME = f"net-{hashlib.sha256(DATA).hexdigest()[:8]}.pth"


@pytest.fixture
def home() -> Iterator[Home]:
    with Home({NAME: DATA, "net-00000000.pth": DATA}) as one:
        yield one


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rl.hub, "_folder", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


def test_weights_are_downloaded_once(home: Home, folder: Path) -> None:
    for _ in range(2):
        state = rl.hub.load_state_dict_from_url(home.address + NAME, check_hash=True)
        assert np.array_equal(state["weight"].numpy(), np.arange(6.0).reshape(2, 3))
    assert len(home.asked) == 1 and [path.name for path in folder.iterdir()] == [NAME]
    again = model_zoo.load_url(home.address + NAME, folder / "x", file_name="mine.pth")
    assert again["epoch"] == 3 and (folder / "x" / "mine.pth").exists()


def test_a_wrong_hash_is_refused_only_when_it_is_asked_for(home: Home, folder: Path) -> None:
    url = home.address + "net-00000000.pth"
    with pytest.raises(RuntimeError, match=r'invalid hash value \(expected "00000000", got'):
        rl.hub.load_state_dict_from_url(url, check_hash=True)
    assert not list(folder.iterdir())
    assert rl.hub.load_state_dict_from_url(url, progress=False)["epoch"] == 3


def test_checkpoints_of_all_ages(home: Home, tmp_path: Path) -> None:
    old = checkpoint(_use_new_zipfile_serialization=False)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("old.pth", old)
    home.files |= {"old.pth": old, "packed.zip": packed.getvalue()}
    for name in ("old.pth", "packed.zip"):
        state = rl.hub.load_state_dict_from_url(home.address + name, tmp_path / name)
        assert state["weight"].shape == (2, 3)


def test_nothing_of_a_file_runs(home: Home) -> None:
    file = io.BytesIO()
    torch.save({"a": Path("x")}, file)
    home.files["bad.pth"] = file.getvalue()
    with pytest.raises(Exception, match="Unsupported global"):
        rl.hub.load_state_dict_from_url(home.address + "bad.pth")
    trusted = rl.hub.load_state_dict_from_url(home.address + "bad.pth", weights_only=False)
    assert trusted["a"] == Path("x")


def test_offline_says_what_to_put_where(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="put it from") as caught:
        rl.hub.load_state_dict_from_url(DEAD + NAME)
    assert NAME in str(caught.value) and str(folder) in str(caught.value)


def test_a_download_replaces_what_is_there_or_leaves_it(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="invalid hash"):
        rl.hub.download_url_to_file(home.address + NAME, path, "11")
    assert path.read_text() == "old"
    rl.hub.download_url_to_file(home.address + NAME, str(path), NAME[4:12], progress=False)
    assert path.read_bytes() == DATA
    with pytest.raises(FileNotFoundError):
        rl.hub.download_url_to_file(home.address + NAME, tmp_path / "no" / "file")


def test_the_folder_is_found_as_pytorch_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rl.hub.get_dir() == torch.hub.get_dir() == str(tmp_path / "hub")
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("RUSHLIGHT_HOME", str(tmp_path / "mine"))
    assert rl.hub.get_dir() == str(tmp_path / "mine" / "hub")
    rl.hub.set_dir("~/x")
    assert rl.hub.get_dir() == str(Path.home() / "x")


HUBCONF = '''
dependencies = ["numpy"]
import lies_beside
def net(size, bias=True):
    """A net."""
    return lies_beside.name, size, bias
def _hidden(): pass
value = 3
'''


def test_models_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    (tmp_path / "lies_beside.py").write_text("name = 'beside'")
    path = list(sys.path)
    assert rl.hub.load(tmp_path, "net", 3, source="local", bias=False) == ("beside", 3, False)
    assert rl.hub.help(str(tmp_path), "net", source="LOCAL") == "A net."
    assert rl.hub.list(str(tmp_path), source="local") == ["net"]
    for name in ("value", "absent"):
        with pytest.raises(RuntimeError, match=f"Cannot find callable {name} in hubconf"):
            rl.hub.load(tmp_path, name, source="local")
    with pytest.raises(ValueError, match="should be a string"):
        rl.hub.load(tmp_path, 3, source="local")
    (tmp_path / "hubconf.py").write_text("dependencies = ['no_such_library']\ndef net(): pass")
    with pytest.raises(RuntimeError, match="Missing dependencies: no_such_library"):
        rl.hub.load(tmp_path, "net", source="local")
    assert sys.path == path


def test_sources(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"clone https://github.com/pytorch/vision and load"):
        rl.hub.load("pytorch/vision", "resnet18")
    with pytest.raises(ValueError, match='Unknown source: "web"'):
        rl.hub.load("x", "net", source="web")
    with pytest.raises(FileNotFoundError, match="there is no"):
        rl.hub.load(tmp_path, "net", source="local")
