"""Datasets and questions for the tests of DataLoader with processes."""

from __future__ import annotations

import multiprocessing
import time

import rushlight as rl
from rushlight.utils import data


class Numbers(data.Dataset):
    def __init__(self, size=10):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return index


class Slow(Numbers):
    """Even samples take longer."""

    def __getitem__(self, index):
        time.sleep(0.01 * (index % 2 == 0))
        return index


def load(dataset, workers=2, **options):
    return data.DataLoader(dataset, num_workers=workers, **options)


def values(loader):
    return [batch.tolist() if isinstance(batch, rl.Tensor) else batch for batch in loader]


def pids(iterator):
    return [member.process.pid for member in iterator._crew.members]


def running(pid):
    """Whether a process exists and has not ended (an ended one stays until somebody waits)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def all_end(processes, seconds=3.0):
    deadline = time.monotonic() + seconds
    while any(map(running, processes)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(map(running, processes))


def children():
    """The processes that this one has started and that have not ended."""
    return {child.pid for child in multiprocessing.active_children()}
