"""Files that a killed run wrote after the checkpoint from which it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .container import read_rest
from .faults import RunFault

if TYPE_CHECKING:
    from .trainer import Trainer


def left_over(trainer: Trainer, path: str) -> bool:
    """Whether a checkpoint was written by this run before it was killed, and is written again now.

    Without this, a run that goes on would put ``-v1`` beside what it had written already.
    """
    if trainer.resumed_at is None or Path(path).stat().st_mtime >= trainer.began:
        return False
    try:
        tree = read_rest(Path(path))
    except RunFault:
        return False
    run = (tree.get("rushlight") or {}).get("run")
    return run == trainer.run_id and tree["global_step"] >= trainer.resumed_at
