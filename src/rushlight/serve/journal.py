"""The server's log: one JSON object a line, with no bodies and no secrets in it."""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from typing import Any, TextIO


class Journal:
    """Writes lines to a stream; whoever reads it may go away without stopping the server.

    Args:
        stream: where to; standard error when None.
        requests: whether each request gets a line.
    """

    def __init__(self, stream: TextIO | None = None, requests: bool = True) -> None:
        self.stream, self.requests = stream, requests
        self._turn = threading.Lock()

    def write(self, event: str, **fields: Any) -> None:
        """One line; fields that are None are left out."""
        told = {key: value for key, value in fields.items() if value is not None}
        line = json.dumps({"time": _now(), "event": event, **told}, default=str) + "\n"
        stream = self.stream or sys.stderr
        with self._turn:
            try:
                stream.write(line)
                stream.flush()
            except (OSError, ValueError):  # closed, or a pipe that nobody reads
                return

    def fault(self, event: str, error: BaseException, **fields: Any) -> None:
        """A line with a traceback, which clients are never shown."""
        text = "".join(traceback.format_exception(error))
        self.write(event, error=f"{type(error).__name__}: {error}", traceback=text, **fields)


def _now() -> str:
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
