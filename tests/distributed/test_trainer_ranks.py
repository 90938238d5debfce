"""The Trainer with several processes, however they are started."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ranks import run

PROGRAM = "program_trainer.py"


def told(ended):
    assert ended.status == 0, ended.output
    return [json.loads(text) for text in ended.told]


@pytest.fixture(scope="module")
def started_by_itself(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainer")
    return told(run(PROGRAM, "resume", by="itself", folder=folder)), folder


def test_ranks_divide_the_data_and_agree(started_by_itself):
    (first, second), folder = started_by_itself
    assert first["place"] == [0, 2, 0, True] and second["place"] == [1, 2, 1, False]
    assert first["count"] == second["count"] == 9  # 10 samples in batches of 4, three times
    rows = [value for one in (first, second) for batch in one["seen"] for value in batch]
    assert len(set(rows)) == 20
    assert first["weights"] == second["weights"]
    assert first["gathered"] == [[0.0], [1.0]]
    mine, theirs = first["metrics"], second["metrics"]
    assert mine.pop("own") == 0 and theirs.pop("own") == 1
    assert mine == theirs
    assert first["best"] == second["best"]
    assert (folder / "whole" / first["best"]).exists()


def test_a_run_goes_on_to_the_same_bits(started_by_itself):
    for one in started_by_itself[0]:
        assert one["resumed"] == one["weights"]


@pytest.mark.slow
def test_mpiexec_gives_the_same_bits(started_by_itself, tmp_path):
    assert told(run(PROGRAM, "resume", folder=tmp_path)) == started_by_itself[0]


@pytest.mark.slow
def test_batch_norms_are_synchronized(started_by_itself, tmp_path):
    ranks = told(run(PROGRAM, "sync", folder=tmp_path))
    assert ranks[0]["weights"] == ranks[1]["weights"]
    assert ranks[0]["weights"] != started_by_itself[0][0]["weights"]


@pytest.mark.slow
def test_another_number_of_processes_is_refused(tmp_path):
    ended = run(PROGRAM, "plain", ranks=3, folder=tmp_path)
    assert ended.status != 0
    assert "asks for 2 processes, and 3 were started" in ended.output


WORDS = ["train", "experiment=digits_mlp", "trainer.max_epochs=2"]


def command(*words, before=()):
    rushlight = [sys.executable, "-m", "rushlight", *words]
    return subprocess.run(
        [*before, *rushlight], capture_output=True, text=True, timeout=200, start_new_session=True
    )


@pytest.mark.slow
def test_the_command_starts_ranks_and_goes_on(tmp_path):
    folders = [f"hydra.run.dir={tmp_path / name}" for name in "abc"]
    ended = command(*WORDS, "trainer.devices=2", folders[0])
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("test_accuracy") == 1
    mpiexec = Path(sys.executable).with_name("mpiexec")
    other = command(*WORDS, folders[1], before=[mpiexec, "-n", "2"])
    assert other.returncode == 0, other.stderr
    short = [*WORDS[:2], "trainer.max_epochs=1"]
    assert command(*short, "trainer.devices=2", folders[2]).returncode == 0
    again = command("resume", str(tmp_path / "c"), "trainer.max_epochs=2")
    assert again.returncode == 0, again.stderr

    def rows(name):  # without the seconds
        return [row.split(",")[:4] for row in (tmp_path / name / "metrics.csv").read_text().split()]

    assert rows("a") == rows("b")
    assert len(rows("c")) == len(rows("a"))


@pytest.mark.slow
def test_ctrl_c_reaches_all_ranks(tmp_path):
    rushlight = [sys.executable, "-m", "rushlight", *WORDS[:2], "trainer.max_epochs=400"]
    words = [*rushlight, "trainer.devices=2", f"hydra.run.dir={tmp_path / 'run'}"]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Epoch 0"):
            break
    os.kill(process.pid, signal.SIGINT)  # the first alone: the others learn of it
    output = process.communicate(timeout=100)[0]
    assert process.returncode == 130, output
    assert "goes on from the last checkpoint" in output
    assert (tmp_path / "run" / "last.ckpt").exists()


@pytest.mark.slow
def test_a_sweep_has_one_process_a_run(tmp_path):
    ended = command(*WORDS, "--multirun", "seed=1,2", "trainer.devices=2")
    assert ended.returncode == 2 and "the runs of a sweep have one process each" in ended.stderr


def test_settings_are_trained_by_several_processes(tmp_path):
    words = ["train", "model=linear", "trainer.epochs=1", f"hydra.run.dir={tmp_path / 'run'}"]
    ended = command(*words, "trainer.devices=2")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("test_accuracy") == 1
    assert "devices: 2" in (tmp_path / "run" / "config.yaml").read_text()
