"""The measured processes, seen from the one that measures."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .rows import Row

ROOT = Path(__file__).resolve().parent.parent


class Failed(Exception):
    """A process could not do what it was told; the message is one line."""


class Process:
    """A process that does one row's work in one framework, in turn with others.

    Args:
        threads: how many it may use.
        cache: the folder where rushlight keeps compiled code.
        limit: seconds that one answer may take.
    """

    def __init__(self, framework: str, row: Row, threads: int, cache: Path, limit: float) -> None:
        self._limit = limit
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in close()
        told = {"framework": framework, "order": row.order(), "threads": threads}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", json.dumps(told)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            cwd=ROOT, env=_environment(framework, threads, cache),
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Gives an order and waits for the answer.

        Raises:
            Failed: the process ended, took too long, or says that it cannot.
        """
        try:
            assert self._process.stdin is not None
            print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
            line = self._lines.get(timeout=self._limit)
        except (BrokenPipeError, queue.Empty) as error:
            if isinstance(error, queue.Empty) and self._process.poll() is None:
                raise Failed(f"no answer to '{do}' in {self._limit:g} s") from None
            line = ""
        if not line:
            raise Failed(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def close(self) -> None:
        """Lets the process end, or ends it when it does not."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def _last_words(self) -> str:
        """The last line that a process which is gone wrote about itself."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().splitlines() if line.strip()]
        said = f": {lines[-1]}" if lines else ""
        return f"the process ended with {code}{said}"


@contextmanager
def started(framework: str, row: Row, threads: int, cache: Path, limit: float) -> Iterator[Process]:
    """A process that is closed in the end."""
    process = Process(framework, row, threads, cache, limit)
    try:
        yield process
    finally:
        process.close()


def _environment(framework: str, threads: int, cache: Path) -> dict[str, str]:
    count = str(threads)
    counts = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RUSHLIGHT_NUM_THREADS")
    return {
        **os.environ,
        **dict.fromkeys(counts, count),
        "BENCHMARK_FRAMEWORK": framework,
        "RUSHLIGHT_CACHE": str(cache),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
        "JAX_PLATFORMS": "cpu",
    }
