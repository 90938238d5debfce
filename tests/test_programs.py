"""Ordinary PyTorch programs run unmodified.

Each file in ``programs`` says in ``# expect:`` lines what its output has to hold, as patterns.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program(program: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rushlight", "run", str(program)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    for pattern in re.findall(r"^# expect: (.*)$", program.read_text(), re.M):
        assert re.search(pattern, done.stdout), f"{pattern}\n{done.stdout}"
