"""Runs of several processes: they are started, or meet, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rushlight.train.faults import RunFault
from rushlight.train.notes import MisconfigurationException


def together(settings: Any, folder: Path) -> Path:
    """Meets the other processes of a run, and returns the folder that the first has.

    Args:
        settings: of the run; ``trainer.devices`` says how many processes to start if nobody has.
    Raises:
        RunFault: they cannot be started.
    """
    from rushlight.train import ranks

    try:
        joined = ranks.join(_devices(settings))
    except (MisconfigurationException, RuntimeError, ModuleNotFoundError) as error:
        raise RunFault(f"trainer.devices: {str(error).splitlines()[0]}") from error
    return Path(joined.of_first(str(folder)))


def alone(settings: Any) -> None:
    """Checks that a run of a sweep is one process.

    Raises:
        RunFault: it asks for several.
    """
    if _devices(settings) > 1:
        raise RunFault(
            "trainer.devices: the runs of a sweep have one process each; leave --multirun out, or"
            " trainer.devices"
        )


def speaks() -> bool:
    """Whether this process writes and tells things: the first of a run does."""
    from rushlight.train.ranks import Ranks

    return Ranks().first


def _devices(settings: Any) -> int:
    trainer = settings.get("trainer", {}) if isinstance(settings, Mapping) else {}
    devices = trainer.get("devices", 1)
    return devices if isinstance(devices, int) else 1
