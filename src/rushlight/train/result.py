"""What a finished run came to, and ``result.json`` that holds it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

import rushlight as rl

from .durable import write_durably
from .faults import RunFault, disk_sentence
from .place import RESULT

if TYPE_CHECKING:
    from .datasets import Dataset
    from .loop import Evaluation
    from .state import State

T = TypeVar("T")

# A hard data set has thousands of mistakes; the surest ones tell most.
MOST_MISTAKES = 100


@dataclass(frozen=True)
class Mistake:
    """A test image that was read wrongly, with the probability given to the wrong class."""

    index: int
    label: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class Result:
    """The best checkpoint on the test part. ``confusion[i][j]`` counts images of class ``i`` that
    were read as class ``j``; the mistakes come in order, the surest first."""

    best_epoch: int
    epochs: int
    validation_accuracy: float
    test_loss: float
    test_accuracy: float
    test_right: int
    test_count: int
    parameters: int
    seconds: float
    samples_per_second: float
    classes: list[str]
    confusion: list[list[int]]
    mistakes: list[Mistake]
    machine: dict[str, str]

    @classmethod
    def of(cls, test: Evaluation, data: Dataset, state: State, parameters: int) -> Result:
        """Puts a test's outcome and a finished run's figures together."""
        best = state.rows[state.best_epoch() - 1]
        seconds = sum(row["seconds"] for row in state.rows)
        return cls(
            best_epoch=int(best["epoch"]),
            epochs=state.epoch,
            validation_accuracy=best["validation_accuracy"],
            test_loss=test.loss,
            test_accuracy=test.accuracy,
            test_right=test.right,
            test_count=len(test.labels),
            parameters=parameters,
            seconds=seconds,
            samples_per_second=len(data.train) * len(state.rows) / seconds,
            classes=list(data.classes),
            confusion=test.confusion(len(data.classes)).tolist(),
            mistakes=_mistakes(test, data),
            machine=_machine(),
        )


def _mistakes(test: Evaluation, data: Dataset) -> list[Mistake]:
    wrong = np.flatnonzero(test.predicted != test.labels)
    surest = wrong[np.argsort(-test.confidence[wrong], kind="stable")]
    return [
        Mistake(
            int(i),
            data.classes[test.labels[i]],
            data.classes[test.predicted[i]],
            float(test.confidence[i]),
        )
        for i in surest[:MOST_MISTAKES]
    ]


def _machine() -> dict[str, str]:
    return {
        "rushlight": rl.__version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count()),
    }


def write_result(folder: Path, result: Result) -> None:
    """Writes ``result.json`` into a run's folder.

    Raises:
        OSError: it could not be written.
    """
    write_durably(folder / RESULT, json.dumps(asdict(result), indent=1) + "\n")


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
    return _read(folder, _finished)


def read_result(folder: Path) -> Result | None:
    """The result of the image classifier in ``folder``, None of a run that is not finished.

    Raises:
        RunFault: the file is not one of ours.
    """
    return _read(folder, _result)


def _finished(values: dict[str, Any]) -> Finished:
    ours = ("test_accuracy", "test_loss")
    metrics = values.get("metrics") or {name: values[name] for name in ours}
    told = {name: float(value) for name, value in metrics.items()}
    return Finished(told, int(values["parameters"]))


def _result(values: dict[str, Any]) -> Result:
    return Result(**{**values, "mistakes": [Mistake(**one) for one in values["mistakes"]]})


def _read(folder: Path, told: Callable[[dict[str, Any]], T]) -> T | None:
    path = folder / RESULT
    try:
        return told(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunFault(disk_sentence(error, f"read {path}")) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFault(f"{path} is not a result that rushlight train wrote") from error
