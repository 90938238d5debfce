"""The table of a run's epochs, ``metrics.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from .durable import write_durably
from .faults import RunFault, disk_sentence
from .place import METRICS

# What the table of any run has.
NEEDED = {"epoch", "validation_loss"}


def write_metrics(
    folder: Path, rows: list[dict[str, float]], columns: Sequence[str] | None = None
) -> None:
    """Writes the whole table in one step, so that it never holds half a row or an epoch that a
    resumed run will run again. Numbers are written with all their digits.

    Args:
        columns: all names in the rows by default.
    """
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_durably(folder / METRICS, text.getvalue())


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """The table of the run in ``folder``.

    Raises:
        RunFault: there is none, or it is not one of ours.
    """
    path = folder / METRICS
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except FileNotFoundError as error:
        raise RunFault(f"{folder} is not a run folder: it has no {METRICS}") from error
    except OSError as error:
        raise RunFault(disk_sentence(error, f"read {path}")) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RunFault(f"{path} is not a table that rushlight train wrote ({error})") from error
    if reader.fieldnames is None or NEEDED - set(reader.fieldnames):
        raise RunFault(f"{path} is not a table that rushlight train wrote: columns are missing")
    try:
        return [{name: float(value) for name, value in row.items() if value != ""} for row in rows]
    except (TypeError, ValueError) as error:
        raise RunFault(f"{path} is not a table that rushlight train wrote ({error})") from error
