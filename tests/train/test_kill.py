"""A run that is killed at any moment, and resumed, ends with the same bits."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed.py")
CASES = ("steps", "accumulate", "often", "plateau")


def start(folder, case, *seconds, workdir=None):
    environment = {"RUSHLIGHT_TIER": "reference", **os.environ}
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), case, *seconds],
        env=environment,
        capture_output=True,
        text=True,
    )


def run_through(folder, case, kills, points):
    """Runs with up to ``kills`` kills at random moments; returns their number, and the end."""
    folder.mkdir()
    killed = 0
    for _ in range(kills):
        found = start(folder, case, f"{points.uniform(0.02, 0.45):.3f}")
        if found.returncode == 0:
            break
        assert found.returncode == -9, found.stderr
        killed += 1
    else:
        found = start(folder, case)
        assert found.returncode == 0, found.stderr
    return killed, (folder / "end.json").read_text().replace(str(folder), "")


def compare(tmp_path, case, kills, seed):
    _, expected = run_through(tmp_path / "whole", case, 0, random.Random(0))
    killed, found = run_through(tmp_path / "killed", case, kills, random.Random(seed))
    assert json.loads(found) == json.loads(expected)
    return killed


def test_killed_three_times(tmp_path):
    assert compare(tmp_path, "often", 3, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "case, tier", [*((case, "reference") for case in CASES), ("steps", "compiled")]
)
def test_killed_at_twenty_random_points(case, tier, tmp_path, monkeypatch):
    monkeypatch.setenv("RUSHLIGHT_TIER", tier)
    killed = seed = 0
    while killed < 20:  # a run is over after a few kills, each behind the one before
        folder = tmp_path / str(seed)
        folder.mkdir()
        killed += compare(folder, case, 20, seed)
        seed += 1
