"""How many threads a program may use.

What :func:`set_num_threads` said; else ``RUSHLIGHT_NUM_THREADS``; else ``OMP_NUM_THREADS``; else
the processors that this process may run on, or its share of them where a control group (a
container) limits that.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator

MOST = 1024
VARIABLES = ("RUSHLIGHT_NUM_THREADS", "OMP_NUM_THREADS")


class _Setting:
    """The number in force; None until somebody asks."""

    count: int | None = None


def get_num_threads() -> int:
    """How many threads a program may use."""
    if _Setting.count is None:
        _Setting.count = _asked_for() or available()
    return _Setting.count


def set_num_threads(count: int) -> None:
    """Sets how many threads a program may use, from the next program on.

    Raises:
        ValueError: not a positive number.
    """
    if count < 1:
        raise ValueError(f"the number of threads must be positive, not {count}")
    _Setting.count = min(count, MOST)


def available() -> int:
    """The processors that this process may keep busy: affinity or quota, whichever is less."""
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    # Of one and a half processors two threads get more than one does.
    return max(1, math.ceil(min(processors, quota(), MOST)))


def _asked_for() -> int | None:
    for variable in VARIABLES:
        text = os.environ.get(variable, "").strip()
        first = text.split(",")[0].strip()  # OpenMP lists one number for each level of nesting
        if first.isascii() and first.isdigit() and int(first) > 0:
            return min(int(first), MOST)
        if text:
            warnings.warn(f"{variable}={text} is not a positive number; it is ignored")
    return None


def quota(process: str = "/proc/self") -> float:
    """The processors that control groups leave to this process; infinite where none limits it.

    A group's limit holds for the groups in it, so the least on the way to the root counts.

    Args:
        process: the folder of the process, which says its groups and where they are shown.
    """
    groups = _text(os.path.join(process, "cgroup")).splitlines()
    mounts = _text(os.path.join(process, "mountinfo")).splitlines()
    limits = [
        limit
        for line in groups
        for folder in _folders(line, mounts)
        for limit in (_limit_2(folder), _limit_1(folder))
    ]
    return min(limits, default=math.inf)


def _folders(membership: str, mounts: list[str]) -> Iterator[str]:
    """The folders of a group and of those around it, as far as they are shown here."""
    _, controllers, group = membership.split(":", 2)
    for line in mounts:
        shown, _, kind = line.partition(" - ")
        root, point = shown.split()[3:5]
        system, _, options = kind.split()[:3]
        first = (
            system == "cgroup" and "cpu" in options.split(",") and "cpu" in controllers.split(",")
        )
        if not first and (system != "cgroup2" or controllers):
            continue
        # In a container the root shown may be the process's own group, named as outside.
        inside = group.removeprefix(root.rstrip("/")) if group.startswith(root) else ""
        parts = [part for part in inside.split("/") if part]
        for k in range(len(parts), -1, -1):
            yield os.path.join(point, *parts[:k])


def _limit_2(folder: str) -> float:
    """The limit of a group of version 2: ``cpu.max`` holds ``max 100000`` or ``150000 100000``."""
    words = _text(os.path.join(folder, "cpu.max")).split()
    return float(words[0]) / float(words[1]) if len(words) == 2 and words[0] != "max" else math.inf


def _limit_1(folder: str) -> float:
    """The limit of a group of version 1; a quota of -1 is none."""
    files = (os.path.join(folder, f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    words = [word for file in files for word in _text(file).split()]
    return float(words[0]) / float(words[1]) if len(words) == 2 and words[0] != "-1" else math.inf


def _text(file: str) -> str:
    try:
        with open(file) as opened:
            return opened.read()
    except OSError:
        return ""
