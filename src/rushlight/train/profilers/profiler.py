"""What a profiler does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..notes import MisconfigurationException, note


class Profiler:
    """Measures named actions; override :meth:`start`, :meth:`stop` and :meth:`summary`.

    Args:
        dirpath: where to write the summary; by default it is told in the log.
        filename: the file's name, without ``.txt``.
    """

    def __init__(self, dirpath: str | Path | None = None, filename: str | None = None) -> None:
        self.dirpath, self.filename = dirpath, filename
        self.stage, self.log_dir = "", None

    def setup(self, stage: str, local_rank: int | None = None, log_dir: str | None = None) -> None:
        """Called before a run of ``fit``, ``validate``, ``test`` or ``predict``."""
        self.stage, self.log_dir = stage, log_dir

    def start(self, action_name: str) -> None:
        """An action begins."""
        raise NotImplementedError

    def stop(self, action_name: str) -> None:
        """It ends."""
        raise NotImplementedError

    def summary(self) -> str:
        """What was measured, as a text."""
        return ""

    @contextlib.contextmanager
    def profile(self, action_name: str) -> Iterator[str]:
        """A block that is measured."""
        self.start(action_name)
        try:
            yield action_name
        finally:
            self.stop(action_name)

    def describe(self) -> None:
        """Writes the summary, at the end of a run."""
        text = self.summary()
        if not text:
            return
        if self.filename is None:
            note(text)
            return
        folder = Path(self.dirpath or self.log_dir or ".")
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / f"{self.stage}-{self.filename}.txt", "a") as file:
            file.write(text)


class PassThroughProfiler(Profiler):
    """Measures nothing, and costs next to nothing."""

    _nothing: Any = contextlib.nullcontext()

    def start(self, action_name: str) -> None: ...
    def stop(self, action_name: str) -> None: ...

    def profile(self, action_name: str) -> Any:
        return self._nothing


def chosen_profiler(asked: Profiler | str | None) -> Profiler:
    """The profiler that a Trainer's ``profiler`` means.

    Raises:
        MisconfigurationException: there is none of that name.
    """
    from .advanced import AdvancedProfiler
    from .simple import SimpleProfiler

    if asked is None:
        return PassThroughProfiler()
    if isinstance(asked, Profiler):
        return asked
    known = {"simple": SimpleProfiler, "advanced": AdvancedProfiler}
    if str(asked).lower() not in known:
        raise MisconfigurationException(
            "When passing string value for the `profiler` parameter of `Trainer`, it can only be"
            f" one of {list(known)}, got {asked!r}; rushlight.profiler measures operations and"
            " kernels"
        )
    return known[str(asked).lower()]()
