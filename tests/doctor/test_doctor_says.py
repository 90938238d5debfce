"""What becomes of findings: warnings, exceptions, nothing."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import pytest
from said import findings

import rushlight as rl
from rushlight.base.findings import CODES, read
from rushlight.nn import functional as F


def mistake():
    F.cross_entropy(rl.zeros(1, 2).softmax(1), rl.tensor([0]))


def test_each_place_is_told_once():
    assert len(findings(lambda: [mistake() for _ in range(3)])) == 1
    assert not findings(mistake)
    rl.doctor("warn")
    assert len(findings(mistake)) == 1
    assert len(findings(lambda: F.nll_loss(rl.zeros(1, 2).softmax(1), rl.tensor([0])))) == 1


def test_modes_end_with_their_blocks():
    with rl.doctor("strict"):
        with pytest.raises(rl.doctor.DoctorWarning):
            mistake()
        with rl.doctor("off"):
            mistake()
        with rl.doctor.silenced("softmax-before-loss", "never-zeroed"):
            mistake()
        with pytest.raises(UserWarning, match="softmax"):
            mistake()
    assert len(findings(mistake)) == 1


def test_python_filters_it_as_any_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error", rl.doctor.DoctorWarning)
        with pytest.raises(rl.doctor.DoctorWarning):
            mistake()


def test_unknown_words_are_refused():
    for wrong in (lambda: rl.doctor.silence("softmax"), lambda: rl.doctor("loud")):
        with pytest.raises(ValueError, match=r"softmax-before-loss|warn, strict, off"):
            wrong()


def test_it_travels_to_another_process():
    with rl.doctor("strict"), pytest.raises(rl.doctor.DoctorWarning) as raised:
        mistake()
    there = pickle.loads(pickle.dumps(raised.value))
    assert str(there) == str(raised.value)
    assert there.code == "softmax-before-loss"


@pytest.mark.parametrize(
    "text, mode, silenced",
    [
        ("", "warn", set()),
        ("off", "off", set()),
        ("0", "off", set()),
        ("strict", "strict", set()),
        ("never-zeroed, not-finite", "warn", {"never-zeroed", "not-finite"}),
        ("strict,no-gradient", "strict", {"no-gradient"}),
    ],
)
def test_the_environment(text, mode, silenced):
    asked = read({"RUSHLIGHT_DOCTOR": text})
    assert (asked.mode, set(asked.silenced)) == (mode, silenced)


def test_the_environment_is_checked():
    with pytest.raises(ValueError, match="'softmaxx' means nothing here"):
        read({"RUSHLIGHT_DOCTOR": "softmaxx"})


def test_the_command_lists_all_codes(in_tier):
    if in_tier == "compiled":
        return
    command = [sys.executable, "-m", "rushlight", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert all(code in done.stdout for code in CODES)
