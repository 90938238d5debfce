"""Training on two ranks beside one: samples a second of the digits CNN.

    python -m benchmarks distributed

One rank with one thread, and two ranks with one thread each, take turns. Each rank has batches of
the same size, as when a batch is divided among more ranks than before. A round's figure is the
median step; the table has the rounds' shortest, so that other work on the machine counts least.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

from .process import ROOT

ROUNDS, WARM, STEPS = 5, 12, 60
BATCHES = (32, 128)
CHANNELS = (32, 64)


def main() -> None:
    """Measures, and prints the table."""
    print(f"{'batch a rank':>12s} {'1 rank':>14s} {'2 ranks':>14s} {'ratio':>6s}")
    for batch in BATCHES:
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(ROUNDS):
            for ranks in (1, 2):
                seconds[ranks].append(_round(ranks, batch))
        one, two = batch / min(seconds[1]), 2 * batch / min(seconds[2])
        print(f"{batch:12d} {one:9,.0f} /s   {two:9,.0f} /s   {two / one:6.2f}")


def _round(ranks: int, batch: int) -> float:
    """Seconds a step."""
    environment = {**os.environ, "RUSHLIGHT_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = ["mpiexec", "-n", str(ranks), sys.executable, "-m", "benchmarks.distributed"]
    told = subprocess.run(
        [*command, str(batch)], cwd=ROOT, env=environment, capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    return float(json.loads(told.stdout.splitlines()[-1]))


def rank(batch: int) -> None:
    """What a rank does: train, and tell the median of the slowest rank's steps."""
    import rushlight as rl
    from rushlight import distributed as dist
    from rushlight import nn, optim
    from rushlight.experiments.networks import cnn

    dist.init_process_group()
    rl.manual_seed(0)
    net = nn.parallel.DistributedDataParallel(cnn(CHANNELS, 10))
    optimizer = optim.Adam(net.parameters(), lr=1e-3)
    images, labels = rl.randn(batch, 1, 8, 8), rl.randint(0, 10, (batch,))
    rl.realize(images, labels)
    times = []
    for _ in range(WARM + STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    median = rl.tensor(statistics.median(times[WARM:]))
    dist.all_reduce(median, dist.ReduceOp.MAX)
    if dist.get_rank() == 0:
        print(json.dumps(median.item()))
    dist.destroy_process_group()


if __name__ == "__main__":
    rank(int(sys.argv[1]))
