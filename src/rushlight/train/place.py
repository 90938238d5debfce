"""What the files of a run's folder are called, and how places and commands are told to the user,
so that they can be typed again."""

from __future__ import annotations

import shlex
from pathlib import Path

CONFIG = "config.yaml"
METRICS = "metrics.csv"
RESULT = "result.json"
REPORT = "report.html"
WORDS = "overrides.yaml"  # those that a run was started with, under Hydra's name
LAST_CHECKPOINT, BEST_CHECKPOINT = "last.ckpt", "best.ckpt"


def shown(path: Path) -> str:
    """``path`` as one would type it here: relative when it lies below the working folder."""
    path = path.absolute()
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def resume_command(folder: Path) -> str:
    """The command that goes on with the run in ``folder``."""
    return f"`{shlex.join(['rushlight', 'resume', shown(folder)])}`"


def train_command(overrides: list[str]) -> str:
    """The command that starts the same run anew."""
    return shlex.join(["rushlight", "train", *overrides])


def report_command(folders: list[Path]) -> str:
    """The command that draws the runs in ``folders`` again."""
    return shlex.join(["rushlight", "report", *(shown(folder) for folder in folders)])
