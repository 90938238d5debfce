"""What recording costs: Python's part of one operation and of one training step.

The step is an MLP 784-128-10 with Adam on a batch of 64. ``Python alone`` is the whole step with
the arithmetic taken out: native calls return at once, and everything else is done as always:
recording, cutting the graph, finding the kept program, handing out the results. ``whole step`` is
the same step with the arithmetic, which also leaves the caches cold for Python. Medians in one
process.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import rushlight as rl
from rushlight import nn, optim
from rushlight.execute.native import runner

Step = Callable[[], None]

TARGETS = {"a + a": 3.0, "training step": 120.0}
REPEATS, OPERATIONS, STEPS = 15, 2_000, 2_000


def main() -> None:
    """Prints the table."""
    one = _operation()
    step = _mlp()
    whole = _median_time(step, STEPS // 4)
    with arithmetic_taken_out():
        python = _median_time(step, STEPS)
    print(f"{'what':34s} {'median':>10s} {'target':>10s}")
    _row("a + a", one, TARGETS["a + a"])
    _row("training step, Python alone", python, TARGETS["training step"])
    _row("training step, whole", whole, None)


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


def _median_time(step: Step, count: int) -> float:
    """Microseconds of one step, after some to warm up."""
    for _ in range(20):
        step()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


@contextmanager
def arithmetic_taken_out() -> Iterator[None]:
    """Native calls return at once; the results are whatever was in their memory."""
    native = runner()
    run = native._native_run
    native._native_run = lambda *_: 0
    try:
        yield
    finally:
        native._native_run = run


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
