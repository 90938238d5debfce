"""Public names of PyTorch's: each is there, or the documentation says why not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import names

PAGE = Path(__file__).resolve().parents[1] / "docs" / "compatibility.md"


@pytest.fixture(scope="module")
def missing() -> list[str]:
    """As a new process sees them: what other tests load becomes part of PyTorch's modules."""
    program = "import json, names; print(json.dumps(names.missing()))"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parent, capture_output=True, check=True
    )
    return [name for found in json.loads(told.stdout).values() for name in found]


def test_each_name_is_there_or_has_a_reason(missing: list[str]) -> None:
    unexplained = [name for name in missing if names.reason(name) is None]
    assert not unexplained, f"add them, or say in tests/names.py why not: {unexplained}"


def test_the_page_tells_of_the_names_that_are_missing(missing: list[str]) -> None:
    text = PAGE.read_text()
    told = text[text.index("names: begin") : text.index("names: end")]
    absent = [name for name in missing if f"`{name}`" not in told]
    lists = [line.partition(".** ")[2] for line in told.splitlines()]
    there = [name for line in lists for name in line.split("`")[1::2] if name not in missing]
    assert not absent and not there, "run python scripts/compatibility.py --names"


def test_reasons_are_of_names() -> None:
    assert names.reason("torch.relu") is None and names.reason("torch.nn.Linear") is None
