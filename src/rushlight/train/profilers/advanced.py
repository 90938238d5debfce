"""Which functions the actions called, and how long those took."""

from __future__ import annotations

import cProfile
import io
import pstats
from collections import defaultdict
from pathlib import Path

from .profiler import Profiler


class AdvancedProfiler(Profiler):
    """The functions that each action called, by Python's own profiler.

    Args:
        line_count_restriction: how many functions of each action to show, or which share of them.
    """

    def __init__(
        self,
        dirpath: str | Path | None = None,
        filename: str | None = None,
        line_count_restriction: float = 1.0,
        dump_stats: bool = False,
    ) -> None:
        super().__init__(dirpath, filename)
        self.profiled_actions: dict[str, cProfile.Profile] = defaultdict(cProfile.Profile)
        self.line_count_restriction = line_count_restriction
        self._running: list[str] = []

    def start(self, action_name: str) -> None:
        # Only one can run at a time: an action inside of another interrupts it.
        if self._running:
            self.profiled_actions[self._running[-1]].disable()
        self._running.append(action_name)
        self.profiled_actions[action_name].enable()

    def stop(self, action_name: str) -> None:
        if action_name not in self._running:
            raise ValueError(
                f"Attempting to stop recording an action ({action_name}) which was never started."
            )
        self._running.remove(action_name)
        self.profiled_actions[action_name].disable()
        if self._running:
            self.profiled_actions[self._running[-1]].enable()

    def summary(self) -> str:
        parts = ["\nProfiler Report"]
        for name, measured in self.profiled_actions.items():
            text = io.StringIO()
            stats = pstats.Stats(measured, stream=text).strip_dirs().sort_stats("cumulative")
            stats.print_stats(self.line_count_restriction)
            parts.append(f"Profile stats for: {name}\n{text.getvalue()}")
        return "\n".join(parts)
