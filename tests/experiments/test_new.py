"""``rushlight new``: a project that trains, whose tests pass, and names that cannot be one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rushlight.cli import main
from rushlight.cli.new import main as new


def test_a_new_project_trains_and_its_tests_pass(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert new(["spirals"]) == 0
    monkeypatch.chdir(tmp_path / "spirals")
    words = ["--config-dir", "conf", "experiment=first", "hydra.run.dir=run"]
    train = [sys.executable, "-m", "rushlight", "train", *words]
    done = subprocess.run(train, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("run/result.json").read_text())["metrics"]["test_accuracy"] > 0.95
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    assert subprocess.run(tests, capture_output=True).returncode == 0
    text = "".join(p.read_text() for p in Path().rglob("*") if p.suffix in (".py", ".md", ".yaml"))
    assert "NAME" not in text
    assert Path(".gitignore").exists()


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["1x"], "1x cannot be imported"),
        (["two words"], "two words cannot be imported"),
        (["class"], "class cannot be imported"),
        (["torch"], "torch is the name of another package"),
        (["json"], "json is the name of another package"),
        (["taken"], "taken exists already"),
        ([], "usage: rushlight new NAME"),
        (["a", "b"], "usage: rushlight new NAME"),
    ],
)
def test_what_cannot_be_a_project(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("taken").mkdir()
    Path("taken/file").touch()
    assert main(["new", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert new(["file/project"]) == 1
    assert "file/project cannot be written: Not a directory" in capsys.readouterr().err
