"""The process that times deployed models in another runtime, all of them once.

    python -m benchmarks.deployed_peer torch|onnxruntime FOLDER THREADS SECONDS

Prints a JSON object: for each model the median and the shortest time of a call in seconds.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .deployed_models import MODELS


def main(framework: str, folder: Path, threads: int, seconds: float) -> None:
    """Times every model, and compares what comes out with what rushlight gives."""
    found = {}
    for name in MODELS:
        place = folder / name
        given = np.load(place / "input.npy")
        call = {"torch": _torch, "onnxruntime": _onnxruntime}[framework](name, place, threads)
        wanted = np.load(place / "wanted.npy")
        np.testing.assert_allclose(call(given), wanted, rtol=1e-3, atol=1e-3)
        found[name] = timed(lambda: call(given), seconds)  # noqa: B023 - called at once
    print(json.dumps(found))


def timed(call: Callable[[], Any], seconds: float) -> tuple[float, float]:
    """The median and the shortest time of a call."""
    times: list[float] = []
    for _ in range(3):
        call()
    stop = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < stop:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times), min(times)


def _torch(name: str, place: Path, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    import torch

    torch.set_num_threads(threads)
    model = MODELS[name][0]()
    arrays = np.load(place / "weights.npz")
    model.load_state_dict({key: torch.from_numpy(arrays[key]) for key in arrays.files})
    model.eval()

    def call(given: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(given)).numpy()  # type: ignore[no-any-return]

    return call


def _onnxruntime(name: str, place: Path, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(place / "model.onnx", options, providers=providers)
    label = session.get_inputs()[0].name
    return lambda given: session.run(None, {label: given})[0]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
