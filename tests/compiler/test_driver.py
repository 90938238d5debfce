"""Programs run by native code on several threads: every piece once, in order, whoever runs it."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from driving import Program, flips, native_driver, works

from rushlight.runtime import Runner, get_num_threads, set_num_threads

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.fixture(params=["futex", "condition"])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    made = Runner(native_driver(portable=request.param == "condition"))
    yield made
    made.close()


@pytest.fixture(params=[1, 2, 4])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = get_num_threads()
    set_num_threads(request.param)
    yield request.param
    set_num_threads(before)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = get_num_threads()
    set_num_threads(2)
    yield
    set_num_threads(before)


@pytest.mark.parametrize("extent", [1, 2, 3, 5, 64, 1000])
def test_every_index_is_done_once(runner: Runner, threads: int, extent: int) -> None:
    for grain in (1, 2, 7, 64, 1000):
        marks = np.zeros(extent + 1, np.int64)
        program = Program(marks).call("mark", [0], extent, grain)
        for times in range(1, 4):
            assert program.run(runner) == 0
            assert (marks[:extent] == times).all() and marks[extent] == 0


@pytest.mark.parametrize("extent, grain, done", [(0, 1, 0), (-3, 1, 0), (5, 0, 1), (5, -1, 1)])
def test_odd_extents_and_grains(
    runner: Runner, threads: int, extent: int, grain: int, done: int
) -> None:
    marks = np.zeros(8, np.int64)
    assert Program(marks).call("mark", [0], extent, grain).run(runner) == 0
    assert (marks == [done] * 5 + [0] * 3).all()


def test_no_calls_at_all(runner: Runner, threads: int) -> None:
    assert Program().run(runner) == 0


def test_a_call_sees_all_that_the_one_before_wrote(runner: Runner, threads: int) -> None:
    for n, times, grain in ((2, 1000, 1), (3, 1000, 1), (64, 200, 1), (1000, 50, 9)):
        program = flips(n, times, grain)
        for _ in range(2):
            program.buffers[0][:] = 0
            assert program.run(runner) == 0
            assert (program.buffers[times % 2] == times).all()


def test_thousands_of_tiny_programs(runner: Runner, threads: int) -> None:
    marks = np.zeros(4, np.int64)
    program = Program(marks).call("mark", [0], 4, 1)
    for _ in range(3000):
        program.run(runner)
    assert (marks == 3000).all()


def test_one_thread_or_one_piece_is_one_call(runner: Runner, threads: int) -> None:
    where, begins = np.zeros(40, np.int64), np.full(40, -1, np.int64)
    Program(where, begins, scratch=64).call("note", [0, 1, 64], 40, 40).run(runner)
    assert (begins == 0).all() and len(set(where)) == 1
    if threads == 1:
        Program(where, begins, scratch=64).call("note", [0, 1, 64], 40, 1).run(runner)
        assert (begins == 0).all()


def test_each_thread_has_scratch_memory_of_its_own(runner: Runner, threads: int) -> None:
    for size in (64, 1 << 16, 64, 3 << 16):  # it grows, and what is enough stays
        where, begins = np.zeros(400, np.int64), np.zeros(400, np.int64)
        for _ in range(20):
            Program(where, begins, scratch=size).call("note", [0, 1, size], 400, 1).run(runner)
            assert (where % 64 == 0).all() and (where > 0).all()
            places = sorted(set(where.tolist()))
            assert len(places) <= threads
            assert all(b - a >= size for a, b in itertools.pairwise(places))
        if threads > 1:
            assert (begins == np.arange(400)).all()


@pytest.mark.parametrize("awake", [True, False])
def test_all_threads_take_part(runner: Runner, threads: int, awake: bool) -> None:
    for _ in range(20):
        if not awake:
            time.sleep(0.001)
        met = np.zeros(1, np.int64)
        program = Program(met).call("meet", [0, threads], threads, 1)
        if threads > 1:
            assert program.run(runner) == 0 and met[0] == threads


def test_workers_that_are_roused_find_nothing_or_something(runner: Runner, threads: int) -> None:
    runner.rouse()  # before there are any
    for pause in (0, 0.001) * 5:
        assert works(runner)
        time.sleep(pause)
        runner.rouse()
        runner.rouse()
    time.sleep(0.001)
    assert works(runner)


def test_a_fault_stops_the_program(runner: Runner, threads: int) -> None:
    marks, fault = np.zeros(6, np.int64), np.zeros(1, np.int64)
    program = Program(marks, fault)
    program.call("mark", [0], 6, 1, fault=1)
    program.call("fail", [1, 0], fault=1)  # no fault
    program.call("fail", [1, 7])  # one that nobody asks about here
    program.call("mark", [0], 6, 1, fault=1)
    program.call("mark", [0], 6, 1)
    assert program.run(runner) == 4
    assert (marks == 2).all() and fault[0] == 7
    assert program.run(runner) == 1  # it is still there: who reads it puts it back


def test_the_number_of_threads_changes_between_programs(runner: Runner) -> None:
    before = get_num_threads()
    try:
        for count in (3, 1, 2, 5, 2):
            set_num_threads(count)
            met = np.zeros(1, np.int64)
            if count > 1:
                Program(met).call("meet", [0, count], count, 1).run(runner)
                assert met[0] == count
            assert works(runner)
    finally:
        set_num_threads(before)


def test_closing_and_going_on(runner: Runner, threads: int) -> None:
    for _ in range(5):
        assert works(runner)
        runner.close()
        runner.close()
    assert works(runner)


def test_memory_that_does_not_exist(runner: Runner, threads: int) -> None:
    with pytest.raises(MemoryError, match="no memory"):
        Program(scratch=1 << 60).run(runner)
    assert works(runner)


# Several Python threads --------------------------------------------------------------------------


def test_a_second_thread_does_not_wait(runner: Runner, threads: int) -> None:
    flag = np.zeros(2, np.int64)
    first = threading.Thread(target=Program(flag).call("wait", [0]).run, args=(runner,))
    first.start()
    while not flag[1]:
        time.sleep(0.001)
    assert works(runner)
    where, begins = np.zeros(9, np.int64), np.zeros(9, np.int64)
    Program(where, begins, scratch=4096).call("note", [0, 1, 4096], 9, 1).run(runner)
    assert (begins == 0).all() and (where > 0).all()  # alone, and with memory of its own
    runner.close()  # not while a program runs
    flag[0] = 1
    first.join()
    assert works(runner)


def test_many_threads_at_once(runner: Runner, threads: int) -> None:
    failed = []

    def work() -> None:
        for _ in range(50):
            if not works(runner):
                failed.append(threading.current_thread())

    team = [threading.Thread(target=work) for _ in range(4)]
    for each in team:
        each.start()
    for each in team:
        each.join()
    assert not failed


# Fork --------------------------------------------------------------------------------------------


def in_child(work: Callable[[], bool]) -> bool:
    """Whether ``work`` says yes in a forked child, soon."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    for _ in range(3000):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


@needs_fork
def test_fork_before_the_first_program(runner: Runner, threads: int) -> None:
    assert in_child(lambda: works(runner))
    assert works(runner)


@needs_fork
@pytest.mark.parametrize("pause", [0, 0.005], ids=["awake", "asleep"])
def test_fork_after_a_program(runner: Runner, threads: int, pause: float) -> None:
    for _ in range(5):
        assert works(runner)
        time.sleep(pause)
        assert in_child(lambda: works(runner) and works(runner))
    assert works(runner)


@needs_fork
def test_a_childs_child(runner: Runner, threads: int) -> None:
    assert works(runner)
    assert in_child(lambda: works(runner) and in_child(lambda: works(runner)) and works(runner))


@needs_fork
def test_fork_while_another_thread_runs_a_program(runner: Runner, threads: int) -> None:
    flag = np.zeros(2, np.int64)
    first = threading.Thread(target=Program(flag).call("wait", [0]).run, args=(runner,))
    first.start()
    while not flag[1]:
        time.sleep(0.001)
    assert in_child(lambda: works(runner) and works(runner))
    flag[0] = 1
    first.join()
    assert works(runner)


@needs_fork
def test_fork_in_the_midst_of_many_programs(runner: Runner, two_threads: None) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            works(runner)

    busy = [threading.Thread(target=work) for _ in range(2)]
    for each in busy:
        each.start()
    try:
        for _ in range(10):
            assert in_child(lambda: works(runner))
    finally:
        stop.set()
        for each in busy:
            each.join()


_shared: list[Runner] = []


def work_in_process(number: int) -> bool:
    return works(_shared[0])


@needs_fork
def test_processes_of_multiprocessing(runner: Runner, two_threads: None) -> None:
    _shared[:] = [runner]
    assert works(runner)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert all(pool.map(work_in_process, range(6), chunksize=1))
    assert works(runner)


# The end -----------------------------------------------------------------------------------------

# Each way to end is met in a child of an interpreter that has imported everything, for speed.
CHILDREN = """
import ast, os, sys, threading, time, numpy as np
from driving import Program, native_driver, works
from rushlight.runtime import Runner, set_num_threads
set_num_threads(2)
for portable in (False, True):
    native_driver(portable)
for portable, rest in ast.literal_eval(sys.argv[1]):
    child = os.fork()
    if child == 0:
        runner = Runner(native_driver(portable))
        assert works(runner)
        exec(rest)
        break  # out of the program, as any other ends
    for _ in range(3000):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.01)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status) if done else "hangs", flush=True)
"""
WAIT = """
flag = np.zeros(2, np.int64)
program = Program(flag).call("wait", [0], 2, 1)
threading.Thread(target=program.run, args=(runner,), daemon=True).start()
while not flag[1]:
    time.sleep(0.001)
"""
ENDS = {
    "": 0,
    "time.sleep(0.02)": 0,
    "sys.exit(3)": 3,
    "os._exit(4)": 4,
    "import atexit; atexit.register(works, runner)": 0,
    WAIT: 0,
    WAIT + "sys.exit(5)": 5,
    "del runner, works": 0,
    "os.fork(); works(runner)": 0,
    "os.kill(os.getpid(), 15)": -15,
}


@needs_fork
def test_the_end_comes_at_once() -> None:
    ways = [(portable, rest) for portable in (False, True) for rest in ENDS]
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", CHILDREN, repr(ways)], env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.split() == [str(ENDS[rest]) for _, rest in ways]


def test_workers_leave_signals_to_python(runner: Runner, two_threads: None) -> None:
    if not Path("/proc/self/task").exists():
        pytest.skip("no /proc here")
    Program(np.zeros(1, np.int64)).call("meet", [0, 2], 2, 1).run(runner)
    ours = {str(each.native_id) for each in threading.enumerate()}
    blocked = []
    for task in Path("/proc/self/task").iterdir():
        text = (task / "status").read_text()
        mask = int(text.split("SigBlk:")[1].split()[0], 16)
        if task.name not in ours and mask & (1 << (2 - 1)):
            blocked.append(mask)
    assert blocked and all(not mask & (1 << (11 - 1)) for mask in blocked)  # SIGSEGV is told
