"""Every command of docs/deploy.md does what the page says, in order, as for a newcomer.

The first section trains; each other one starts from there. ``<!-- needs: node gcc -->`` below a
heading names programs without which its section is skipped.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "deploy.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.M | re.S)


def sections() -> dict[str, str]:
    pieces = re.split(r"^## (.+)$", PAGE.read_text("utf-8"), flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


SECTIONS = sections()
FIRST, *OTHERS = SECTIONS


def run(text: str, folder: Path) -> None:
    for kind, block in BLOCK.findall(text):
        shell = ["bash", "-euo", "pipefail", "-c", block]
        command = shell if kind == "sh" else [sys.executable, "-c", block]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("deploy")
    run(SECTIONS[FIRST], place)
    return place


@pytest.mark.parametrize(
    "name", [OTHERS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS[1:])]
)
def test_section(name, folder):
    needs = re.search(r"<!-- needs: (.+?) -->", SECTIONS[name])
    missing = [tool for tool in (needs[1].split() if needs else ()) if not shutil.which(tool)]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    run(SECTIONS[name], folder)


def test_the_page_tells_of_every_format():
    from rushlight.cli.export import FORMATS

    text = PAGE.read_text("utf-8")
    assert [name for name in FORMATS if f"--format {name}" not in text] == []
