"""What recording costs: Python's part of one operation and of one training step.

The step is an MLP 784-128-10 with Adam on a batch of 64. Its time is told in two parts: the
arithmetic, which is the time inside a program's ``run``, and everything else that Python does:
recording the forward and the backward pass and the update, cutting the graph, and finding the
kept program. Medians over many repetitions in one process.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

import rushlight as rl
from rushlight import nn, optim
from rushlight.execute import reference

Step = Callable[[], None]

TARGETS = {"a + a": 3.0, "training step": 120.0}
REPEATS, OPERATIONS, STEPS = 15, 2_000, 400


def main() -> None:
    """Prints the table."""
    one = _operation()
    total, arithmetic = _training_step()
    print(f"{'what':32s} {'median':>10s} {'target':>10s}")
    _row("a + a", one, TARGETS["a + a"])
    _row("training step, all but arithmetic", total - arithmetic, TARGETS["training step"])
    _row("training step, arithmetic", arithmetic, None)


def _row(name: str, micros: float, target: float | None) -> None:
    wanted = "" if target is None else f"{target:7.1f} us"
    print(f"{name:34s} {micros:7.2f} us {wanted:>10s}")


def _operation() -> float:
    """Microseconds to record ``a + a``."""
    a = rl.ones(3)
    rl.realize(a)
    times = []
    for _ in range(REPEATS):
        gc.collect()
        start = time.perf_counter()
        for _ in range(OPERATIONS):
            a + a
        times.append((time.perf_counter() - start) / OPERATIONS)
    return statistics.median(times) * 1e6


class Clock:
    """Adds up the time that programs run."""

    def __init__(self) -> None:
        self.seconds = 0.0
        inner = reference.ReferenceProgram.run

        def timed(program: reference.ReferenceProgram, inputs: list[object]) -> list[object]:
            start = time.perf_counter()
            try:
                return inner(program, inputs)
            finally:
                self.seconds += time.perf_counter() - start

        reference.ReferenceProgram.run = timed


def _training_step() -> tuple[float, float]:
    """Microseconds of a whole step, and of the arithmetic in it."""
    step = _mlp()
    clock = Clock()
    for _ in range(20):
        step()
    totals, inside = [], []
    for _ in range(STEPS):
        before, start = clock.seconds, time.perf_counter()
        step()
        totals.append(time.perf_counter() - start)
        inside.append(clock.seconds - before)
    outside = [total - run for total, run in zip(totals, inside, strict=True)]
    arithmetic = statistics.median(inside)
    return (statistics.median(outside) + arithmetic) * 1e6, arithmetic * 1e6


def _mlp() -> Step:
    rl.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    loss_function = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    x, y = rl.randn(64, 784), rl.randint(0, 10, (64,))
    rl.realize(x, y)

    def step() -> None:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()

    return step
