"""The process that is measured: it does one row's work in one framework.

It is told on its standard input, one JSON object a line, what to do next, and answers likewise.
It does nothing between an answer and the next line, so several take turns on one machine.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from .work import Step, Work

FIRST = 5  # steps that are timed as the beginning: some compile only what comes again
REHEATED = 2  # steps before each round, after another process had the caches

Answer = dict[str, Any]


class Task:
    """One row's work in this process, under the orders that it can be given."""

    def __init__(self, framework: str, order: dict[str, Any], threads: int) -> None:
        self._framework, self._order, self._threads = framework, order, threads
        self._work: Work | None = None

    def prepare(self) -> Answer:
        """Imports the framework and builds what the work needs."""
        language = "jax" if self._framework == "jax" else "torch"
        if language == "torch":
            framework = import_module("benchmarks.in_torch.framework")
            framework.torch.set_num_threads(self._threads)
        module = import_module(f"benchmarks.in_{language}.{self._order['module']}")
        self._work = getattr(module, self._order["work"])(**self._order["arguments"])
        return {"parameters": self.work.parameters, "memory": peak_memory()}

    def first(self) -> Answer:
        """What the beginning costs, and whether the work went well."""
        seconds = beginning(self.work.step)
        return {"seconds": seconds, "look": _finite(self.work.look())}

    def round(self, seconds: float) -> Answer:
        """The median and the shortest time of steps during some time."""
        for _ in range(REHEATED):
            self.work.step()
        times = timed(self.work.step, seconds)
        return {"median": statistics.median(times), "least": min(times), "count": len(times)}

    def memory(self) -> Answer:
        """The most memory that this process has had, in bytes."""
        return {"memory": peak_memory(), "look": _finite(self.work.look())}

    def second(self) -> Answer:
        """What the beginning costs with a batch of another size."""
        if self.work.again is None:
            raise ValueError("this work has no second batch size")
        return {"seconds": beginning(self.work.again)}

    @property
    def work(self) -> Work:
        """The work, once it is prepared."""
        if self._work is None:
            raise RuntimeError("the work is not prepared")
        return self._work


def beginning(step: Step) -> float:
    """Seconds of the first step, with all that the first few take longer than later ones.

    A framework may put off its work to the second time that it sees a step; the user waits all
    the same.
    """
    early = timed(step, 0.0, FIRST)
    late = statistics.median(timed(step, 0.0, FIRST))
    return max(early[0], sum(early) - (FIRST - 1) * late)


def timed(step: Step, seconds: float, least: int = 3) -> list[float]:
    """Seconds of single steps, for some time and some number of them."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times


def peak_memory() -> int | None:
    """The most resident memory that this process has had, in bytes, where the system tells."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ArithmeticError(f"the work ended with {value}")
    return value


def _keep_to(threads: int) -> None:
    """Uses as many processors as threads, which is how XLA is told its number."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main() -> None:
    """Follows orders until there are no more."""
    told = json.loads(sys.argv[1])
    _keep_to(told["threads"])
    task = Task(told["framework"], told["order"], told["threads"])
    # What libraries print is no answer: it goes where errors go.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(task, order.pop("do"))(**order)
        except Exception as error:
            said = str(error).strip().splitlines() or [""]
            answer = {"error": f"{type(error).__name__}: {said[0]}".strip()}
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
