"""Every example in a docstring or in the README does what it shows."""

import doctest
import importlib
import re
import runpy
from pathlib import Path

import pytest

import rushlight

ROOT = Path(__file__).resolve().parent.parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def modules_with_examples() -> list[str]:
    files = sorted((ROOT / "src").rglob("*.py"))
    shown = [file for file in files if re.search(r"^\s*>>> ", file.read_text("utf-8"), re.M)]
    names = [".".join(file.relative_to(ROOT / "src").with_suffix("").parts) for file in shown]
    return [name.removesuffix(".__init__") for name in names]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    rushlight.manual_seed(0)
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    said: list[str] = []
    for test in finder.find(module, name, globs=vars(module)):
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


def test_the_readmes_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert program is not None
    script = tmp_path / "readme.py"
    script.write_text(program[1])
    runpy.run_path(str(script))
    assert 0 <= float(capsys.readouterr().out) < 2.3  # better than a guess among ten
