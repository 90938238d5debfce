"""What a Trainer says beside its progress: notes, warnings, and the error for settings that cannot
go together."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any

# A script that quietens Lightning quietens us.
QUIETENED_BY = ("pytorch_lightning", "lightning.pytorch", "lightning")

log = logging.getLogger("rushlight.train")


class MisconfigurationException(Exception):
    """Settings, hooks or logged values that do not go together; the name is Lightning's."""


class TrialOver(BaseException):
    """Ends a fit that was asked for settings to be tried, and nothing else."""


class _StandardError(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to what is the standard error at that moment: others may have put another there."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:  # type: ignore[override]
        return sys.stderr


def _speaks() -> bool:
    """Whether this process tells things: of several that train together the first does."""
    distributed = sys.modules.get("rushlight.distributed")
    return distributed is None or not distributed.is_initialized() or distributed.get_rank() == 0


def note(text: str) -> None:
    """Tells the user something, as a log record at level INFO on the standard error."""
    if not _speaks():
        return
    if not log.handlers:
        log.addHandler(_StandardError())
        log.setLevel(logging.INFO)
        log.propagate = False
    if not any(logging.getLogger(name).level > logging.INFO for name in QUIETENED_BY):
        log.info(text)


_warned: set[str] = set()


def warn(text: str, category: type[Warning] = UserWarning, stacklevel: int = 3) -> None:
    """Warns as ``warnings.warn`` does."""
    if _speaks():
        warnings.warn(text, category, stacklevel)


def warn_once(text: str, category: type[Warning] = UserWarning) -> None:
    """Warns of the same thing once in a process."""
    if text not in _warned and _speaks():
        _warned.add(text)
        warnings.warn(text, category, 3)
