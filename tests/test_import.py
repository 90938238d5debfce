"""``import rushlight`` is quick because of what it leaves for later; these tests hold it to that.

Each look is into a fresh process: this one has imported everything.
"""

import json
import subprocess
import sys

import pytest

# What only some programs need, or only at some point, and what then takes its time to load.
LATER = {
    "asyncio", "ctypes", "csv", "email", "ftplib", "html", "http", "logging", "multiprocessing",
    "pdb", "pydoc", "sqlite3", "ssl", "tarfile", "tkinter", "unittest", "urllib.request", "xml",
    "zipfile",
}  # fmt: skip


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after one statement."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(shown.stdout))


@pytest.fixture(scope="module")
def brought() -> set[str]:
    """What ``import rushlight`` loads beyond what ``import numpy`` does."""
    return modules_after("import rushlight") - modules_after("import numpy")


def test_nothing_but_numpy_and_the_standard_library(brought: set[str]) -> None:
    packages = {name.partition(".")[0] for name in brought}
    assert packages - sys.stdlib_module_names - {"rushlight"} <= {"numpy"}


def test_heavy_parts_of_the_standard_library_wait(brought: set[str]) -> None:
    assert not brought & LATER


def test_what_trains_and_what_is_typed_at_a_shell_wait(brought: set[str]) -> None:
    waiting = ("rushlight.train", "rushlight.config", "rushlight.cli")
    assert not [name for name in brought if name.startswith(waiting)]


def test_the_command_answers_before_it_imports_a_library() -> None:
    loaded = modules_after("from rushlight.cli import _parser; _parser().format_help()")
    libraries = {"hydra", "omegaconf", "rich", "matplotlib", "PIL", "safetensors", "torch"}
    assert not loaded & (libraries | {"llvmlite", "rushlight.train", "rushlight.config"})
