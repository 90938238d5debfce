"""Serving: requests a second and their latency, one by one and in batches.

    python -m benchmarks serving

Two servers are started for each model, with ``--max-batch 1`` and with batches, and asked in turns
by 1, 2, 4, ... clients in a process of their own; a client sends its next request (one image, as
bytes) when it has its answer. Of the turns with as many clients the one with the highest rate
counts. Compared are the highest rates at which 99 of 100 requests are answered within a time.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .process import ROOT

CLIENTS = (1, 2, 4, 8, 16, 32, 64)
ROUNDS, SECONDS = 3, 1.0
BATCH = 32
MODES = {"one by one": 1, "batches": BATCH}
WITHIN = (0.005, 0.01, 0.02, 0.05, 0.1)  # seconds


@dataclass
class Load:
    """What some clients measured."""

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


def main(rounds: int = ROUNDS, seconds: float = SECONDS) -> None:
    """Measures, and prints a table for each model."""
    import rushlight as rl

    with tempfile.TemporaryDirectory() as folder:
        for name, (net, shape) in models(rl).items():
            path = Path(folder) / "model.pt2"
            batch = {"input": {0: rl.export.Dim("batch")}}
            example = (rl.zeros(2, *shape),)
            rl.export.save(rl.export.export(net.eval(), example, dynamic_shapes=batch), path)
            told(name, measured(path, shape, rounds, seconds))


def measured(
    path: Path, shape: tuple[int, ...], rounds: int, seconds: float
) -> dict[str, list[Load]]:
    """The best of several rounds, for each mode and number of clients."""
    found: dict[str, dict[int, Load]] = {mode: {} for mode in MODES}
    with ExitStack() as servers:
        addresses = {mode: servers.enter_context(serving(path, n)) for mode, n in MODES.items()}
        for count in (4, *CLIENTS * rounds):  # the first is for warming up
            for mode, address in addresses.items():
                load = asked(address, shape, count, seconds)
                before = found[mode].get(count)
                if before is None or load.rate > before.rate:
                    found[mode][count] = load
    return {mode: [loads[count] for count in CLIENTS] for mode, loads in found.items()}


def told(name: str, figures: dict[str, list[Load]]) -> None:
    """Prints one model's figures and the ratio."""
    print(f"\n{name}")
    print(f"{'':12s}" + "".join(f"{n:>17d}" for n in CLIENTS) + "  clients")
    for mode, every in figures.items():
        line = "".join(f"{one.rate:8,.0f}/s {one.p99 * 1e3:5.1f}ms" for one in every)
        print(f"{mode:12s}{line}")
    for limit in WITHIN:
        rates = [max((one.rate for one in every if one.p99 <= limit), default=0.0)
                 for every in figures.values()]  # fmt: skip
        if all(rates):
            single, batched = rates
            print(
                f"99 of 100 within {limit * 1e3:3.0f} ms: {single:6,.0f} requests/s one by one,"
                f" {batched:6,.0f} in batches: {batched / single:.2f} times"
            )


@contextmanager
def serving(path: Path, most: int) -> Iterator[str]:
    """A server, and its address when it answers."""
    command = [sys.executable, "-m", "rushlight", "serve", f"model={path}", "--port", "0",
               "--no-access-log", "--max-queue", "1000", "--max-batch", str(most)]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            told = (json.loads(line) for line in server.stderr if line.startswith("{"))
            yield next(line["address"] for line in told if line["event"] == "ready")
        finally:
            server.terminate()


def asked(address: str, shape: tuple[int, ...], clients: int, seconds: float) -> Load:
    """What some clients in a process of their own measure."""
    words = (address, json.dumps(shape), clients, seconds)
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving", *map(str, words)],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    return Load(*json.loads(found.stdout))


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


async def clients(address: str, shape: tuple[int, ...], count: int, seconds: float) -> Load:
    """Asks for a while with some clients."""
    host, _, port = address.removeprefix("http://").partition(":")
    loop, start = asyncio.get_running_loop(), time.perf_counter()
    client = partial(Client, request_for(address, shape), start + seconds)
    made = [await loop.create_connection(client, host, int(port)) for _ in range(count)]
    await asyncio.gather(*(one.done for _, one in made))
    spent = time.perf_counter() - start
    times = sorted(one for _, client in made for one in client.times)
    return Load(len(times) / spent, times[len(times) // 2], times[len(times) * 99 // 100])


if __name__ == "__main__":
    where, size, many, length = sys.argv[1:]
    load = asyncio.run(clients(where, tuple(json.loads(size)), int(many), float(length)))
    print(json.dumps([load.rate, load.p50, load.p99]))
