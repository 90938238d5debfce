"""What a timer has measured."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

_FLUCTUATION, _INFLUENCE = 0.1, 0.25
"""Interquartile ranges, as shares of the median, that are warned of."""
_SHORTEST = 25e-9  # seconds; no interval of confidence is narrower
_MOST_FIGURES = 4
_UNITS = {"ns": ("nanosecond", 1e-9), "us": ("microsecond", 1e-6), "ms": ("millisecond", 1e-3),
          "s": ("second", 1)}  # fmt: skip


@dataclass(frozen=True, repr=False)
class TaskSpec:
    """What is measured."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or else the statement."""
        beside = f": {self.sub_label}" if self.sub_label else ""
        if self.label is not None:
            return self.label + beside
        if "\n" not in self.stmt:
            return self.stmt + beside
        named = f" ({self.sub_label})" if self.sub_label else ""
        return f"stmt:{named}\n{textwrap.indent(self.stmt, '  ')}"

    def setup_str(self) -> str:
        """What is done before, as text; empty if it is nothing."""
        if not self.setup or self.setup == "pass":
            return ""
        if "\n" in self.setup:
            return f"setup:\n{textwrap.indent(self.setup, '  ')}"
        return f"setup: {self.setup}"

    def summarize(self) -> str:
        """All of it as lines."""
        parts = [self.title, self.description or "", self.setup_str()]
        return "\n".join(f"{part}\n" if "\n" in part else part for part in parts if part)


@dataclass(repr=False)
class Measurement:
    """Times of a statement.

    Attributes:
        number_per_run: how often it was done each time.
        raw_times: seconds of each time.
        task_spec: what was measured.
        metadata: for users.
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in TaskSpec.__dataclass_fields__:
            return getattr(self.task_spec, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def times(self) -> list[float]:
        """Seconds of one statement, each time."""
        return [each / self.number_per_run for each in self.raw_times]

    def _share(self, share: float) -> float:
        return float(np.quantile(self.times, share))

    @property
    def median(self) -> float:
        """Seconds that half of the statements took at most."""
        return self._share(0.5)

    @property
    def mean(self) -> float:
        """Seconds of one statement on average."""
        return float(np.mean(self.times))

    @property
    def iqr(self) -> float:
        """Seconds between the quickest quarter and the slowest."""
        return self._share(0.75) - self._share(0.25)

    @property
    def significant_figures(self) -> int:
        """How many figures of the median mean something, about."""
        count = len(self.times)
        middle = sorted(self.times)[count // 4 : math.ceil(3 * count / 4)]
        spread = 1.645 * float(np.std(middle)) / math.sqrt(len(middle))
        figures = math.floor(math.log10(self.median / max(spread, _SHORTEST)))
        return min(max(figures, 1), _MOST_FIGURES)

    def meets_confidence(self, threshold: float = _FLUCTUATION) -> bool:
        """Whether the interquartile range is less than that share of the median."""
        return self.iqr / self.median < threshold

    @property
    def has_warnings(self) -> bool:
        """Whether the times differ much."""
        return not self.meets_confidence()

    @property
    def title(self) -> str:
        """What was measured."""
        return self.task_spec.title

    @property
    def as_row_name(self) -> str:
        """What a table calls it."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self) -> str:
        unit, scale = select_unit(self.median)
        count, threads = len(self.times), self.num_threads
        low, high = self._share(0.25) / scale, self._share(0.75) / scale
        lines = [object.__repr__(self), self.task_spec.summarize()]
        lines.append(f"  {'Median: ' if count > 1 else ''}{self.median / scale:.2f} {unit}")
        if count >= 4:
            lines.append(f"  IQR:    {high - low:.2f} {unit} ({low:.2f} to {high:.2f})")
        lines.append(
            f"  {count} measurement{'s' * (count > 1)}, {self.number_per_run} runs"
            f" {'per measurement,' if count > 1 else ','} {threads} thread{'s' * (threads > 1)}"
        )
        return "\n".join([*lines, *self._warning()])

    def _warning(self) -> list[str]:
        if not self.has_warnings:
            return []
        gross = not self.meets_confidence(_INFLUENCE)
        cause = (
            "This suggests significant environmental influence."
            if gross
            else "This could indicate system fluctuation."
        )
        share = f"{self.iqr / self.median * 100:.1f}%"
        return [
            f"  WARNING: Interquartile range is {share} of the median measurement.",
            f"           {cause}",
        ]

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """Measurements of the same task as one, in the order of the first ones."""
        times: dict[TaskSpec, list[float]] = {}
        for each in measurements:
            times.setdefault(each.task_spec, []).extend(each.times)
        return [Measurement(1, all_times, task) for task, all_times in times.items()]


def select_unit(t: float) -> tuple[str, float]:
    """The unit that seconds are best told in, and how many seconds it has."""
    power = int(math.log10(t) // 3) if t > 0 else 0
    unit = {-3: "ns", -2: "us", -1: "ms"}.get(power, "s")
    return unit, _UNITS[unit][1]


def unit_to_english(u: str) -> str:
    """A unit's name."""
    return _UNITS[u][0]


def trim_sigfig(x: float, n: int) -> float:
    """A number rounded to ``n`` significant figures."""
    scale = 10.0 ** (math.ceil(math.log10(abs(x))) - n)
    return round(x / scale) * scale
