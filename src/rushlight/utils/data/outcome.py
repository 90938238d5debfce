"""What a worker sends when it has no batch to send."""

from __future__ import annotations

import enum
import sys
import traceback
from dataclasses import dataclass
from typing import Any, NoReturn

from rushlight.base.errors import Fault


class StreamEnd(enum.Enum):
    """The worker's copy of an IterableDataset has no more."""

    STREAM_END = enum.auto()


STREAM_END = StreamEnd.STREAM_END


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception, to be raised again in the main process.

    Attributes:
        kind: its type.
        message: where it was caught, and the traceback as text.
    """

    kind: type[Exception]
    message: str

    @classmethod
    def caught(cls, error: Exception, worker: int) -> Failure:
        """What to tell about ``error``."""
        kind = type(error)
        message = (
            f"Caught {kind.__name__} in DataLoader worker process {worker}.\n"
            f"Original {''.join(traceback.format_exception(error))}"
        )
        return cls(kind if _importable(kind) else RuntimeError, message)

    def reraise(self) -> NoReturn:
        """Raises an exception of the original's type.

        Raises:
            RuntimeError: one of that type cannot be made from a message alone.
        """
        try:
            error: Exception = self._exception()
        except Exception:
            error = RuntimeError(self.message)
        raise error

    def _exception(self) -> Any:
        kind: Any = self.kind
        if issubclass(kind, Fault):
            return kind("", self.message.rstrip())
        if issubclass(kind, KeyError):
            return kind(_Verbatim(self.message))
        if getattr(kind, "message", None):  # has a message apart from its other arguments
            return kind(message=self.message)
        return kind(self.message)


class _Verbatim(str):
    """A message that KeyError, which shows the repr of its argument, shows as it is."""

    def __repr__(self) -> str:
        return str(self)


def _importable(kind: type) -> bool:
    """Whether another process finds this class under its name."""
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind
