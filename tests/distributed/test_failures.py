"""A rank that dies, hangs or disagrees ends the job soon, and is named with its line."""

import re

import pytest
from ranks import run

PROGRAM = "program_failures.py"
slow = pytest.mark.slow
DISAGREE = [
    ("shape", r"rank 0: all_reduce\(torch.float32 \(2,\).*dist.all_reduce\(rl.ones\(2 \+ rank\)"),
    ("dtype", r"rank 0: all_reduce\(torch.float64 .*\n.*rank 1: all_reduce\(torch.float32"),
    ("order", r"rank 0: broadcast\(.*program_failures.py:\d+: dist.broadcast\(rl.ones\(2\), 0\)"
     r"\n.*rank 1: all_reduce"),
    ("root", r"broadcast\(.*src=0.*\n.*broadcast\(.*src=1"),
    ("letter", r"what came does not fit:\n  rank 0: send\(torch.float32 \(3,\), dst=1\)"),
    ("model", r"parameter weight is torch.float32 \(3, 2\) on rank 0, and on rank 1"),
]  # fmt: skip


def ended(how, by, folder, patience="60"):
    launcher = "itself" if by == "spawn" else by
    return run(PROGRAM, how, patience, by, by=launcher, folder=folder, seconds=60)


CASES = [
    pytest.param(how, text, id=how, marks=() if how == "shape" else slow) for how, text in DISAGREE
]


@pytest.mark.parametrize("how, text", CASES)
def test_ranks_that_disagree(how, text, tmp_path):
    told = ended(how, "mpiexec", tmp_path)
    assert told.status != 0
    assert re.search(text, told.output), told.output


@pytest.mark.parametrize(
    "by", ["mpiexec", pytest.param("variables", marks=slow), pytest.param("spawn", marks=slow)]
)
def test_a_rank_that_is_killed(by, tmp_path):
    told = ended("kill", by, tmp_path)
    assert told.status != 0
    assert re.search(r"rank 1 \(process \d+ on \S+\) died", told.output), told.output
    assert re.search(
        r"rank 0 (waits )?in all_reduce\(.*program_failures.py:\d+: dist.all_reduce\(rl.ones\(3",
        told.output,
    ), told.output
    if by == "spawn":
        assert "process 1 terminated with signal SIGKILL" in told.output


@pytest.mark.parametrize("by", ["mpiexec", pytest.param("spawn", marks=slow)])
def test_a_rank_that_sleeps(by, tmp_path):
    told = ended("sleep", by, tmp_path, patience="2")
    assert told.status != 0
    assert "timed out after 2 s: rank 1 is at program_failures.py" in told.output, told.output
    assert "time.sleep(3600)  # fast asleep" in told.output


@slow
def test_a_rank_that_is_stopped(tmp_path):
    told = ended("bucket", "spawn", tmp_path, patience="2")
    assert told.status != 0
    assert "timed out after 2 s: rank 1 does not answer" in told.output, told.output


@pytest.mark.parametrize("by", [pytest.param("mpiexec", marks=slow), "spawn"])
def test_a_rank_that_raises(by, tmp_path):
    told = ended("raise", by, tmp_path)
    assert told.status != 0
    text = r"rank 1 \(process \d+ on \S+\) failed: ValueError: a label of no class at .*raise Value"
    assert re.search(text, told.output), told.output
    if by == "spawn":
        assert "-- Process 1 terminated with the following error:" in told.output


@slow
def test_a_rank_that_leaves(tmp_path):
    told = ended("leave", "mpiexec", tmp_path)
    assert told.status != 0
    assert "rank 1 has left the group or ended, and will not come" in told.output, told.output


@slow
def test_a_message_that_nobody_sends(tmp_path):
    told = ended("lonely", "mpiexec", tmp_path, patience="2")
    assert told.status != 0
    assert re.search(r"\[(recv|all_reduce)\] timed out after 2 s: rank \d is at", told.output)


@pytest.mark.parametrize("by", ["mpiexec", pytest.param("variables", marks=slow)])
def test_ranks_that_meet_twice_and_end_at_once(by, tmp_path):
    told = run("program_again.py", ranks=3, by=by, folder=tmp_path, seconds=60)
    assert told.status == 0, told.output
