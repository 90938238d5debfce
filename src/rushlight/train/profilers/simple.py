"""How often actions were done, and how long they took."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

from .profiler import Profiler


class SimpleProfiler(Profiler):
    """How often each hook and step was called, and how long that took.

    Args:
        extended: whether to add the mean, the calls and the share of the whole.
    """

    def __init__(
        self,
        dirpath: str | Path | None = None,
        filename: str | None = None,
        extended: bool = True,
    ) -> None:
        super().__init__(dirpath, filename)
        self.current_actions: dict[str, float] = {}
        self.recorded_durations: dict[str, list[float]] = defaultdict(list)
        self.extended = extended
        self.start_time = time.monotonic()

    def start(self, action_name: str) -> None:
        if action_name in self.current_actions:
            raise ValueError(f"Attempted to start {action_name} which has already started.")
        self.current_actions[action_name] = time.monotonic()

    def stop(self, action_name: str) -> None:
        ended = time.monotonic()
        if action_name not in self.current_actions:
            raise ValueError(
                f"Attempting to stop recording an action ({action_name}) which was never started."
            )
        began = self.current_actions.pop(action_name)
        self.recorded_durations[action_name].append(ended - began)

    def summary(self) -> str:
        whole = time.monotonic() - self.start_time
        rows = sorted(self.recorded_durations.items(), key=lambda row: -sum(row[1]))
        width = max((len(name) for name, _ in rows), default=6)
        lines = [f"\nProfiler Report ({whole:.3f} s)"]
        head = f"{'Action':<{width}}  {'Total (s)':>10}"
        lines.append(
            head + (f"  {'Mean (s)':>10}  {'Calls':>7}  {'%':>6}" if self.extended else "")
        )
        for name, times in rows:
            total = sum(times)
            line = f"{name:<{width}}  {total:>10.5f}"
            if self.extended:
                line += (
                    f"  {total / len(times):>10.3g}  {len(times):>7}  {100 * total / whole:>6.2f}"
                )
            lines.append(line)
        return "\n".join(lines) + "\n"
