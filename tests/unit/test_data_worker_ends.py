"""DataLoader with processes: exceptions, deaths, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from data_processes import Numbers, Slow, all_end, children, load, pids
from naming import without_addresses

import rushlight as rl
from rushlight.utils import data
from rushlight.utils.data.outcome import Failure

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


# Exceptions -----------------------------------------------------------------------------------


class Peculiar(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


class Raises(Numbers):
    def __init__(self, error):
        super().__init__(4)
        self.error = error

    def __getitem__(self, index):
        if index == 1:
            raise self.error
        return index


@pytest.mark.parametrize(
    "error, kind",
    [
        (ValueError("bad value"), ValueError),
        (KeyError("key"), KeyError),
        (ZeroDivisionError(), ZeroDivisionError),
        (FileNotFoundError(2, "no such file", "x"), FileNotFoundError),
        (UnicodeDecodeError("ascii", b"x", 0, 1, "odd"), RuntimeError),
        (Peculiar(1, 2), RuntimeError),
        (type("Local", (Exception,), {})("unknown elsewhere"), RuntimeError),
    ],
    ids=without_addresses,
)
def test_exceptions_come_back(error, kind):
    iterator = iter(load(Raises(error), 2, batch_size=None))
    assert next(iterator) == 0
    with pytest.raises(kind) as caught:
        next(iterator)
    text = str(caught.value)
    assert type(caught.value) is kind
    assert text.startswith(f"Caught {type(error).__name__} in DataLoader worker process 1.\n")
    assert "Original Traceback (most recent call last):\n" in text
    assert ", in __getitem__\n    raise self.error\n" in text
    assert list(iterator) == [2, 3]  # one batch is lost, not the pass


def test_our_own_faults_come_back():
    class Wrong(Numbers):
        def __getitem__(self, index):
            return rl.ones(2) + rl.ones(3)

    with pytest.raises(RuntimeError, match="Caught ShapeError in DataLoader worker process 0") as e:
        next(iter(load(Wrong(), 1)))
    assert type(e.value).__name__ == "ShapeError"
    assert "rl.ones(2) + rl.ones(3)" in str(e.value)


def test_messages_are_those_of_pytorch():
    import torch

    for error in (ValueError("v"), KeyError("k"), Peculiar(1, 2)):
        try:
            raise error
        except Exception as raised:
            theirs = torch._utils.ExceptionWrapper(where="in DataLoader worker process 3")
            ours = Failure.caught(raised, 3)
        texts = []
        for wrapped in (ours, theirs):
            with pytest.raises(Exception) as caught:
                wrapped.reraise()
            texts.append((type(caught.value), str(caught.value)))
        assert texts[0] == texts[1]


@pytest.mark.parametrize("where", ["init", "iter"])
def test_what_fails_at_the_start_fails_every_batch(where):
    def fail(*_):
        raise LookupError("at the start")

    class Fails(data.IterableDataset):
        def __iter__(self):
            return fail() if where == "iter" else iter(range(5))

    iterator = iter(load(Fails(), 2, worker_init_fn=fail if where == "init" else None))
    for _ in range(4):
        with pytest.raises(LookupError, match="at the start"):
            next(iterator)


def test_timeout():
    class Stuck(Numbers):
        def __getitem__(self, index):
            time.sleep(0.3)
            return index

    iterator = iter(load(Stuck(3), 1, batch_size=None, timeout=0.1))
    start = time.monotonic()
    place = r"worker \(pid \d+\) is at sample 0:\n(?s:.*)in __getitem__\n    time.sleep\(0.3\)"
    with pytest.raises(RuntimeError, match=rf"^DataLoader timed out after 0.1 seconds\n{place}"):
        next(iterator)
    assert 0.09 < time.monotonic() - start < 0.29
    time.sleep(0.3)
    assert next(iterator) == 0  # the pass goes on when the worker does


# Ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_killed_worker_is_noticed(number):
    class Kills(Numbers):
        def __getitem__(self, index):
            if index == 3:
                os.kill(os.getpid(), number)
                time.sleep(10)
            return index

    iterator = iter(load(Kills(), 2, batch_size=None, prefetch_factor=1))
    processes = pids(iterator)
    start = time.monotonic()
    assert [next(iterator) for _ in range(3)] == [0, 1, 2]
    name = signal.strsignal(number)
    with pytest.raises(
        RuntimeError, match=rf"^DataLoader worker \(pid \d+\) is killed by .*{name}"
    ):
        next(iterator)
    assert time.monotonic() - start < 3
    assert all_end(processes)
    assert list(iterator) == []


def test_a_worker_killed_from_outside_while_idle_or_busy():
    iterator = iter(load(Slow(), 2, batch_size=None))
    victim = pids(iterator)[1]
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(RuntimeError, match=rf"DataLoader worker \(pid {victim}\)"):
        list(iterator)


def test_a_worker_killed_in_the_middle_of_sending():
    class Large(Numbers):
        def __getitem__(self, index):
            return b"x" * 32_000_000

    iterator = iter(load(Large(), 1, batch_size=None))
    time.sleep(0.3)  # its pipe is full now
    os.kill(pids(iterator)[0], signal.SIGKILL)
    with pytest.raises(RuntimeError, match="killed by signal"):
        next(iterator)


@pytest.mark.parametrize("leave", [sys.exit, os._exit])
def test_a_worker_that_leaves_is_noticed(leave):
    class Leaves(Numbers):
        def __getitem__(self, index):
            leave(3)

    with pytest.raises(RuntimeError, match="exited unexpectedly with exit code 3"):
        next(iter(load(Leaves(), 1)))


def test_workers_end_with_the_loop():
    iterator = iter(load(Numbers(), 2))
    processes = pids(iterator)
    list(iterator)
    assert all_end(processes)
    with pytest.raises(StopIteration):
        next(iterator)


def test_workers_end_when_a_loop_is_left():
    before = children()
    for batch in load(Slow(1000), 2):
        started = children() - before
        assert batch.tolist() == [0]
        break
    assert len(started) == 2
    assert all_end(started)


def test_workers_blocked_in_sending_end_at_once():
    class Large(Numbers):
        def __getitem__(self, index):
            return np.ones(1_000_000)

    iterator = iter(load(Large(), 3, batch_size=None))
    other = iter(load(Large(), 1, batch_size=None))  # forked later, so it could hold their pipes
    processes = pids(iterator)
    next(iterator)
    start = time.monotonic()
    del iterator
    assert time.monotonic() - start < 1
    assert all_end(processes)
    assert next(other).shape == (1_000_000,)


def test_a_worker_that_does_not_end_is_stopped(monkeypatch):
    from rushlight.utils.data import crew

    class Deaf(Numbers):
        def __getitem__(self, index):
            if index:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(100)
            return index

    monkeypatch.setattr(crew, "GRACE", 0.1)
    iterator = iter(load(Deaf(), 1, batch_size=None))
    processes = pids(iterator)
    assert next(iterator) == 0
    time.sleep(0.1)
    del iterator
    assert all_end(processes)


def test_a_fork_of_the_program_does_not_end_the_workers():
    iterator = iter(load(Slow(), 2, batch_size=None))
    child = os.fork()
    if child == 0:
        del iterator
        os._exit(0)
    os.waitpid(child, 0)
    assert list(iterator) == list(range(10))


def test_two_passes_at_once():
    loader = load(Numbers(6), 2)
    assert [(a.item(), b.item()) for a, b in zip(loader, loader, strict=True)] == [
        (i, i) for i in range(6)
    ]


def test_a_pass_within_a_pass():
    assert [len(list(load(Numbers(3), 1))) for _ in load(Numbers(2), 1)] == [3, 3]


def workers_of(process):
    """The pids of a program's workers, which run now."""
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    return pids


PROGRAM = """
import os, sys, time
import rushlight as rl
from rushlight.utils import data

class Slow(data.Dataset):
    def __len__(self):
        return 1000
    def __getitem__(self, index):
        time.sleep(0 if index < 2 else {seconds})
        return index

loader = data.DataLoader(Slow(), num_workers=2, persistent_workers=True)
iterator = iter(loader)
next(iterator)
print(*[member.process.pid for member in iterator._crew.members], flush=True)
{then}
"""


def start(then, seconds=0.01):
    """Starts a program that leaves a loop in the way of ``then``."""
    program = PROGRAM.format(then=then, seconds=seconds)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program], text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    return process


def test_nothing_outlives_the_program():
    ends = [
        ("", 0.01),
        ("", 100),
        ("sys.exit(3)", 100),
        ("raise ValueError", 0),
        ("os.abort()", 100),
    ]
    for process in [start(then, seconds) for then, seconds in ends]:
        workers = workers_of(process)
        process.communicate(timeout=10)
        assert all_end(workers)


def test_nothing_outlives_a_program_that_is_stopped():
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGKILL
    processes = [start("[x for x in iterator]") for _ in numbers]
    for number, process in zip(numbers, processes, strict=True):
        workers = workers_of(process)
        time.sleep(0.02)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        _, errors = process.communicate(timeout=10)
        assert all_end(workers)
        # One traceback, the program's own.
        assert errors.count("Traceback") == (number == signal.SIGINT)


def test_ctrl_c_can_be_survived():
    then = """
try:
    while True:
        next(iterator)
except KeyboardInterrupt:
    # A pass that was interrupted in the middle of a message has ended; the next one has not.
    print(len(next(iterator, [0])) + len(list(zip(range(3), loader))), flush=True)
"""
    process = start(then)
    workers = workers_of(process)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (output.strip(), errors) == ("4", "")
    assert all_end(workers)
