"""Timeline files, as chrome://tracing, ui.perfetto.dev and TensorBoard open them.

The format is Chrome's "Trace Event Format": complete events (``"ph": "X"``) in microseconds, and
metadata that names the process and its threads.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any


def write_trace(
    events: Sequence[Any], path: str | os.PathLike[str], more: Mapping[str, Any] | None = None
) -> None:
    """Writes events to a file, which is packed if its name ends with ``.gz``.

    Args:
        more: said of the trace as a whole, by name.
    """
    name = os.fspath(path)
    text = json.dumps(trace(events, name, more or {}))
    if name.endswith(".gz"):
        with gzip.open(name, "wt", encoding="utf-8") as packed:
            packed.write(text)
    else:
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)


def trace(events: Sequence[Any], name: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """The trace as JSON has it."""
    process = os.getpid()
    threads = sorted({event.thread for event in events})
    named = [_said("process_name", process, 0, {"name": "python"})]
    named += [
        _said("thread_name", process, thread, {"name": f"thread {thread}"}) for thread in threads
    ]
    return {
        "schemaVersion": 1,
        "deviceProperties": [],
        "displayTimeUnit": "ms",
        "host_name": socket.gethostname(),
        "traceName": name,
        **more,
        "traceEvents": [*named, *(_complete(event, process) for event in events)],
    }


def _said(name: str, process: int, thread: int, args: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "M", "name": name, "pid": process, "tid": thread, "ts": 0, "args": args}


def _complete(event: Any, process: int) -> dict[str, Any]:
    start, end = event.time_range
    args = {
        "External id": event.id, "kind": event.kind, "ops": list(event.ops),
        "bytes": event.bytes, "flops": event.flops, "from": event.source,
        "Input Dims": event.input_shapes, "Call stack": list(event.stack),
    }  # fmt: skip
    return {
        "ph": "X", "cat": "user_annotation" if event.is_user_annotation else "cpu_op",
        "name": event.name, "pid": process, "tid": event.thread, "ts": start, "dur": end - start,
        "args": {name: value for name, value in args.items() if value not in ([], 0, "")},
    }  # fmt: skip
