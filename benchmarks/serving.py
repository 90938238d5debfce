"""Serving: requests a second and their latency, one by one and in batches.

    python -m benchmarks serving

A server is started twice for each model, with ``--max-batch 1`` and with batches, and asked by
1, 2, 4, ... clients in another process, each of which sends its next request (one image, as bytes)
when it has its answer. For both the best rate is taken at which 99 of 100 requests were answered
in the time that the server without batches needs at its own best rate.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

CLIENTS = (1, 2, 4, 8, 16, 32, 64)
SECONDS = 1.0
BATCH = 32
MODES = {"one by one": ("--max-batch", "1"), "batches": ("--max-batch", str(BATCH))}


@dataclass
class Load:
    """What some clients measured."""

    clients: int
    rate: float  # answers a second
    p50: float  # seconds
    p99: float


def models(rl: Any) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Classifiers of digits, and the shape of an image."""
    nn = rl.nn

    def mlp(width: int) -> Any:
        return nn.Sequential(
            nn.Flatten(), nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, 10),
        )  # fmt: skip

    cnn = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 49, 10),
    )  # fmt: skip
    image = (1, 28, 28)
    return {
        "MLP 784-128-128-10": (mlp(128), image),
        "MLP 784-4096-4096-10": (mlp(4096), image),
        "CNN 1-32-64, 28x28": (cnn, image),
    }


def main(seconds: float = SECONDS) -> None:
    """Measures, and prints a table for each model."""
    import rushlight as rl

    with tempfile.TemporaryDirectory() as folder:
        for name, (net, shape) in models(rl).items():
            path = Path(folder) / "model.rl"
            batch = {"input": {0: rl.export.Dim("batch")}}
            program = rl.export.export(
                net.eval(), (rl.zeros(2, *shape),), dynamic_shapes=batch
            )  # fmt: skip
            rl.export.save(program, path)
            told(name, {mode: loads(path, shape, words, seconds) for mode, words in MODES.items()})


def told(name: str, figures: dict[str, list[Load]]) -> None:
    """Prints one model's figures and the ratio."""
    print(f"\n{name}")
    print(f"{'':12s}" + "".join(f"{n:>16d}" for n in CLIENTS) + "  clients")
    for mode, every in figures.items():
        line = "".join(f"{one.rate:8,.0f}/s {one.p99 * 1e3:4.1f}ms" for one in every)
        print(f"{mode:12s}{line}")
    single, batched = figures.values()
    best = max(single, key=lambda one: one.rate)
    within = [one for one in batched if one.p99 <= best.p99] or [batched[0]]
    found = max(within, key=lambda one: one.rate)
    print(
        f"at a p99 of {best.p99 * 1e3:.1f} ms: {best.rate:,.0f} requests/s one by one,"
        f" {found.rate:,.0f} in batches: {found.rate / best.rate:.2f} times"
    )


def loads(path: Path, shape: tuple[int, ...], words: tuple[str, ...], seconds: float) -> list[Load]:
    """Starts a server, and measures it with more and more clients."""
    command = [sys.executable, "-m", "rushlight", "serve", f"model={path}", "--port", "0",
               "--no-access-log", "--max-queue", "1000", *words]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            told = (json.loads(line) for line in server.stderr if line.startswith("{"))
            address = next(line["address"] for line in told if line["event"] == "ready")
            request = [sys.executable, "-m", "benchmarks.serving", address, json.dumps(shape)]
            found = subprocess.run(
                [*request, str(seconds)], check=True, capture_output=True, text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        finally:
            server.terminate()
    return [Load(*one) for one in json.loads(found.stdout)]


# In the process of the clients -------------------------------------------------------------------


class Client(asyncio.Protocol):
    """Sends a request again whenever it has been answered, and notes the times."""

    def __init__(self, request: bytes, end: float) -> None:
        self.request, self.end = request, end
        self.times: list[float] = []
        self.done = asyncio.get_running_loop().create_future()
        self._found = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self._start = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._found += data
        head, separator, body = self._found.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        now = time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self._found.decode()))
            return
        self.times.append(now - self._start)
        self._found = b""
        if now < self.end:
            self._send()
        else:
            self.transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the server hung up"))


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise RuntimeError("an answer without a length")


def request_for(address: str, shape: tuple[int, ...]) -> bytes:
    """One request with an image as bytes."""
    import numpy as np

    image = np.random.default_rng(0).random((1, *shape), np.float32)
    tensor = {
        "name": "input", "shape": list(image.shape), "datatype": "FP32",
        "parameters": {"binary_data_size": image.nbytes},
    }  # fmt: skip
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return (
        f"POST /v2/models/model/infer HTTP/1.1\r\nHost: {address.removeprefix('http://')}\r\n"
        f"Content-Length: {len(head) + image.nbytes}\r\n"
        f"Inference-Header-Content-Length: {len(head)}\r\n\r\n"
    ).encode() + head + image.tobytes()  # fmt: skip


async def measured(address: str, shape: tuple[int, ...], seconds: float) -> list[list[float]]:
    """Rates and times for more and more clients."""
    host, _, port = address.removeprefix("http://").partition(":")
    request, loop, found = request_for(address, shape), asyncio.get_running_loop(), []
    for count in (4, *CLIENTS):  # the first is for warming up
        start = time.perf_counter()
        client = partial(Client, request, start + seconds)
        made = [await loop.create_connection(client, host, int(port)) for _ in range(count)]
        await asyncio.gather(*(client.done for _, client in made))
        spent = time.perf_counter() - start
        times = sorted(one for _, client in made for one in client.times)
        middle, late = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
        found.append([count, len(times) / spent, middle, late])
    return found[1:]


if __name__ == "__main__":
    where, size, length = sys.argv[1:]
    print(json.dumps(asyncio.run(measured(where, tuple(json.loads(size)), float(length)))))
