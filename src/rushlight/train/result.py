"""What a finished run came to, as its ``result.json`` says it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .faults import RunFault, disk_sentence
from .place import RESULT


@dataclass(frozen=True)
class Finished:
    """What any finished run says of itself: the test's metrics by name, and its size."""

    metrics: dict[str, float]
    parameters: int


def read_finished(folder: Path) -> Finished | None:
    """What the run in ``folder`` came to, None of a run that is not finished.

    Raises:
        RunFault: the file is not one of ours.
    """
    path = folder / RESULT
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        metrics = {name: float(value) for name, value in values["metrics"].items()}
        return Finished(metrics, int(values["parameters"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunFault(disk_sentence(error, f"read {path}")) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFault(f"{path} is not a result that rushlight train wrote ({error})") from error
