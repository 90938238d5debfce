"""Runs a program on several ranks, in a bounded time, and leaves none of them behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
SECONDS = 100.0

pytest.importorskip("mpi4py", reason="mpi4py is not installed")


@dataclass
class Ended:
    """How a job ended.

    Attributes:
        told: what each rank wrote to its own file.
    """

    status: int
    output: str
    told: list[str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(
    program: str, *arguments: str, ranks: int = 2, by: str = "mpiexec", folder: Path,
    seconds: float = SECONDS, **environment: str,
) -> Ended:  # fmt: skip
    """Runs a program of this folder.

    Args:
        by: ``"mpiexec"``; ``"variables"``, a process for each rank with those of ``torchrun``; or
            ``"itself"``, one process that starts the ranks.
    """
    there = {**os.environ, "OUT": str(folder), "OMP_NUM_THREADS": "1", **environment}
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "PMI_RANK", "PMI_SIZE", "PMI_FD"):
        there.pop(name, None)
    there |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    command = [sys.executable, str(FOLDER / program), *arguments]
    if by == "mpiexec":
        if shutil.which("mpiexec", path=_path()) is None:
            pytest.skip("mpiexec is not installed")
        command = [str(shutil.which("mpiexec", path=_path())), "-n", str(ranks), *command]
    started = []
    for rank in range(ranks if by == "variables" else 1):
        own = {"RANK": str(rank), "WORLD_SIZE": str(ranks), "LOCAL_RANK": str(rank)}
        started.append(
            subprocess.Popen(
                command, env={**there, **own} if by == "variables" else there,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                start_new_session=True,
            )
        )  # fmt: skip
    try:
        output = "".join(process.communicate(timeout=seconds)[0] for process in started)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{program} {arguments} did not end within {seconds} s")
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    files = [folder / f"rank{rank}" for rank in range(ranks)]
    told = [file.read_text() if file.exists() else "" for file in files]
    return Ended(max(process.returncode for process in started), output, told)


def _path() -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
