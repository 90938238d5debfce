"""Measures a row: every framework in a process of its own, in turn."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from . import machine, peak
from .process import Failed, Process, started
from .rows import Row

OURS = "rushlight"


@dataclass(frozen=True)
class Options:
    """How measuring is done.

    Attributes:
        peers: the frameworks to compare with.
        threads: how many each may use.
        rounds: how often each has its turn.
        seconds: how long a turn is.
        limit: seconds that a process may take for one answer.
    """

    peers: tuple[str, ...] = ("torch", "jax")
    threads: int = 2
    rounds: int = 3
    seconds: float = 1.0
    limit: float = 120.0


@dataclass
class Figures:
    """What one framework did in one row; None where it was not measured. Seconds and bytes.

    Attributes:
        rounds: what each round said: the median and the shortest time of a step, and their number.
        first: the first step, with nothing kept on disk.
        kept: the first step of a second process, with what the first one kept on disk.
        second: the first step with a batch of another size.
        before: the most memory before the first step.
        memory: the most memory until the last round.
        look: the last loss, or the sum of the results.
        error: the first line of what went wrong.
    """

    rounds: list[dict[str, float]] = field(default_factory=list)
    parameters: int | None = None
    first: float | None = None
    kept: float | None = None
    second: float | None = None
    before: int | None = None
    memory: int | None = None
    look: float | None = None
    error: str | None = None

    @property
    def step(self) -> float | None:
        """Seconds of a step: the median of the rounds' medians; None for a row that failed."""
        if self.error or not self.rounds:
            return None
        return statistics.median(each["median"] for each in self.rounds)


@dataclass
class Result:
    """What all frameworks did in one row.

    Attributes:
        peak: the machine's operations a second, where the row compares with them.
        others: how many processors were busy with other programs meanwhile.
    """

    name: str
    figures: dict[str, Figures]
    peak: float | None = None
    others: float | None = None

    def ratio(self, peer: str | None = None) -> float | None:
        """A peer's time over ours, the quickest one's for None."""
        ours = self.figures[OURS].step
        times = [
            figures.step
            for name, figures in self.figures.items()
            if name != OURS and figures.step is not None and peer in (None, name)
        ]
        return min(times) / ours if ours and times else None

    def shortest(self) -> Result:
        """The same with every round's shortest step in place of its median."""
        figures = {
            name: replace(one, rounds=[{**each, "median": each["least"]} for each in one.rounds])
            for name, one in self.figures.items()
        }
        return replace(self, figures=figures)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, to be kept."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Result:
        """What was kept."""
        figures = {name: Figures(**one) for name, one in kept["figures"].items()}
        return cls(kept["name"], figures, kept["peak"], kept["others"])


def measured(row: Row, options: Options) -> Result:
    """Measures one row in every framework."""
    start, busy, own = time.perf_counter(), machine.busy(), machine.own()
    result = _measured(row, options)
    if busy is not None and (now := machine.busy()) is not None:
        elsewhere = (now - busy) - (machine.own() - own)
        result.others = elsewhere / (time.perf_counter() - start)
    return result


def _measured(row: Row, options: Options) -> Result:
    result = Result(row.name, {name: Figures() for name in (OURS, *options.peers)})
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        with ExitStack() as stack:
            processes = {
                name: stack.enter_context(started(name, row, options.threads, cache, options.limit))
                for name in result.figures
            }
            for name, process in processes.items():
                _guarded(result.figures[name], _begin, process)
            rates = [_round(row, result, processes, options) for _ in range(options.rounds)]
            for name, process in processes.items():
                _guarded(result.figures[name], _end, process, row)
        if row.trains:
            _guarded(result.figures[OURS], _begin_again, row, options, cache)
    if row.target.peak:
        result.peak = max(rates)  # what the machine can do, whoever else was there
    _compare(result)
    return result


def _begin(figures: Figures, process: Process) -> None:
    answer = process.ask("prepare")
    figures.parameters, figures.before = answer["parameters"], answer["memory"]
    figures.first = process.ask("first")["seconds"]


def _round(row: Row, result: Result, processes: dict[str, Process], options: Options) -> float:
    """A turn for every framework, and for the machine's rate."""
    for name, process in processes.items():
        _guarded(result.figures[name], _turn, process, options.seconds)
    return peak.measured(options.threads) if row.target.peak else 0.0


def _turn(figures: Figures, process: Process, seconds: float) -> None:
    figures.rounds.append(process.ask("round", seconds=seconds))


def _end(figures: Figures, process: Process, row: Row) -> None:
    answer = process.ask("memory")
    figures.memory, figures.look = answer["memory"], answer["look"]
    if row.trains:
        figures.second = process.ask("second")["seconds"]


def _begin_again(figures: Figures, row: Row, options: Options, cache: Path) -> None:
    with started(OURS, row, options.threads, cache, options.limit) as process:
        process.ask("prepare")
        figures.kept = process.ask("first")["seconds"]


def _guarded(figures: Figures, action: Any, *arguments: Any) -> None:
    """Does the next thing, unless something went wrong before; remembers what goes wrong."""
    if figures.error is None:
        try:
            action(figures, *arguments)
        except Failed as error:
            figures.error = str(error)


def _compare(result: Result) -> None:
    """A peer with another number of parameters did other work."""
    ours = result.figures[OURS].parameters
    for figures in result.figures.values():
        theirs = figures.parameters
        if None not in (ours, theirs) and ours != theirs:
            figures.error = f"{theirs} parameters, where rushlight has {ours}"
