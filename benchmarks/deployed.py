"""Latency of exported models: a C library beside onnxruntime and PyTorch.

    python -m benchmarks deployed

The same models with the same weights and inputs, one sample at a time, with one thread each and
with two. Every runtime is timed in a process of its own, in turns; the C library by a C program
(benchmarks/deployed.c), the others from Python, as they are called there. Shown are the median of
the rounds' medians and, for a busy machine, the shortest call of all. All answers are compared with
those of rushlight in Python.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .deployed_models import MODELS, TITLES
from .process import ROOT

THREADS = (1, 2)
PEERS = ("onnxruntime", "torch")
FLAGS = ["-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror"]
Pair = tuple[float, float]
"""The median and the shortest time of a call."""
Times = dict[tuple[str, str, int], list[Pair]]
"""By model, runtime and threads, of each round."""


def main(rounds: int = 5, seconds: float = 0.5) -> None:
    """Measures, and prints the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in MODELS:
            print(prepared(name, folder / name), flush=True)
        times: Times = {}
        for _ in range(rounds):
            for threads in THREADS:
                for name, runtime, pair in one_round(folder, threads, seconds):
                    times.setdefault((name, runtime, threads), []).append(pair)
    print("\n".join(table("median", times, lambda pairs: statistics.median(m for m, _ in pairs))))
    print("\n".join(table("shortest", times, lambda pairs: min(least for _, least in pairs))))


def prepared(name: str, folder: Path) -> str:
    """Writes a model for every runtime, with its input and answer."""
    import rushlight as rl
    from rushlight.ahead.c.write import library

    rl.manual_seed(0)
    folder.mkdir()
    model, given = MODELS[name][0]().eval(), MODELS[name][1]()
    x = rl.from_numpy(given)
    arrays = {key: value.detach().numpy() for key, value in model.state_dict().items()}
    np.savez(folder / "weights.npz", **arrays)
    np.save(folder / "input.npy", given)
    given.tofile(folder / "input")
    program = rl.export.export(model, (x,))
    np.save(folder / "wanted.npy", program.goldens[0][1][0])
    rl.onnx.export(program, (), folder / "model.onnx", external_data=False)
    made = library(program, folder, "model")
    compiler = shutil.which("cc")
    if compiler is None:
        sys.exit("a C compiler is needed")
    source = [str(Path(__file__).with_suffix(".c")), str(folder / "libmodel.a")]
    command = [compiler, *FLAGS, "-I", str(folder), *source, "-lpthread", "-o"]
    subprocess.run([*command, str(folder / "deployed")], check=True)
    return made.said.replace("model for", f"{name} for", 1)


def one_round(folder: Path, threads: int, seconds: float) -> Iterator[tuple[str, str, Pair]]:
    """Times of a call for each model in each runtime."""
    for name in MODELS:
        yield name, "C", in_c(folder / name, threads, seconds)
    for peer in PEERS:
        for name, (median, least) in in_peer(peer, folder, threads, seconds).items():
            yield name, peer, (median, least)


def in_c(folder: Path, threads: int, seconds: float) -> Pair:
    """Times of a call of the C library."""
    command = [str(folder / "deployed"), str(threads), str(seconds), str(folder / "input")]
    done = subprocess.run(
        [*command, str(folder / "output")], check=True, capture_output=True, text=True
    )
    wanted = np.load(folder / "wanted.npy")
    found = np.fromfile(folder / "output", np.float32).reshape(wanted.shape)
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)
    median, least = map(float, done.stdout.split())
    return median, least


def in_peer(peer: str, folder: Path, threads: int, seconds: float) -> dict[str, Any]:
    """Medians and shortest times of all models in another runtime."""
    command = [sys.executable, "-m", "benchmarks.deployed_peer", peer, str(folder)]
    done = subprocess.run(
        [*command, str(threads), str(seconds)], cwd=ROOT, check=True, capture_output=True,
        text=True, env={**os.environ, "BENCHMARK_FRAMEWORK": "torch"},
    )  # fmt: skip
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def table(what: str, times: Times, figure: Callable[[list[Pair]], float]) -> Iterator[str]:
    """A line for each model and number of threads."""
    heading = f"{what} time of a call"
    yield f"\n{heading:34s} threads {'C':>11s} {'onnxruntime':>12s} {'PyTorch':>11s}  C is ahead by"
    for threads in THREADS:
        for name in MODELS:
            ours, *others = (figure(times[name, runtime, threads]) for runtime in ("C", *PEERS))
            shown = " ".join(f"{each * 1e6:8.1f} us" for each in (ours, *others))
            ratios = ", ".join(f"{each / ours:.2f}" for each in others)
            yield f"{TITLES[name]:34s} {threads:7d} {shown}  {ratios}"


if __name__ == "__main__":
    main()
