"""The sentence about an optional library that is not there."""

import sys

import pytest

from rushlight.base.extras import load


def test_a_library_that_is_there():
    assert load("os.path", "audio", "joining paths").join("a", "b")


def test_a_missing_library_is_one_sentence():
    with pytest.raises(ImportError) as error:
        load("no_such_library.part", "audio", "reading FLAC files")
    assert str(error.value) == (
        "reading FLAC files needs no_such_library, which is not installed: "
        'pip install "rushlight[audio]"'
    )


def test_what_a_library_itself_misses_is_its_own_fault(tmp_path, monkeypatch):
    (tmp_path / "broken_library.py").write_text("import no_such_library")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_library'"):
        load("broken_library", "audio", "reading FLAC files")
