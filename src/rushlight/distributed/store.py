"""Key-value stores that processes share: in rank 0's server, in a file, in this process."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from . import line as lines
from .faults import DistStoreError


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else _text(value.encode())


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


class Store:
    """Values by key, which processes wait for. A subclass says how it is asked."""

    def __init__(self) -> None:
        self.timeout = timedelta(seconds=300)

    def _ask(self, **question: Any) -> Any:
        raise NotImplementedError

    def set_timeout(self, timeout: timedelta) -> None:
        """Sets how long ``get`` and ``wait`` wait."""
        self.timeout = timeout

    def set(self, key: str, value: str | bytes) -> None:
        """Keeps a value."""
        self._ask(do="set", key=key, value=_text(value))

    def get(self, key: str) -> bytes:
        """The value of a key, waited for.

        Raises:
            DistStoreError: it did not come in time.
        """
        seconds = self.timeout.total_seconds()
        found = self._ask(do="get", key=key, seconds=seconds)
        if found is None:
            raise DistStoreError(f"wait timeout after {seconds * 1000:g}ms, keys: {key}")
        return _bytes(found)

    def add(self, key: str, amount: int) -> int:
        """Adds to a number, which is 0 at first, and returns it."""
        return int(self._ask(do="add", key=key, amount=amount))

    def append(self, key: str, value: str | bytes) -> None:
        """Puts something behind a value."""
        self._ask(do="append", key=key, value=_text(value))

    def compare_set(self, key: str, expected_value: str, desired_value: str) -> bytes:
        """Sets a value if it is the expected one, and returns what is there then."""
        return _bytes(
            self._ask(
                do="compare_set", key=key, expected=_text(expected_value),
                value=_text(desired_value),
            )
        )  # fmt: skip

    def wait(self, keys: Sequence[str], timeout: timedelta | None = None) -> None:
        """Waits until all keys are there.

        Raises:
            DistStoreError: they did not come in time.
        """
        seconds = (self.timeout if timeout is None else timeout).total_seconds()
        if not self._ask(do="wait", keys=list(keys), seconds=seconds):
            raise DistStoreError(
                f"wait timeout after {seconds * 1000:g}ms, keys: {', '.join(keys)}"
            )

    def check(self, keys: Sequence[str]) -> bool:
        """Whether all keys are there."""
        return bool(self._ask(do="check", keys=list(keys)))

    def delete_key(self, key: str) -> bool:
        """Forgets a key; whether it was there."""
        return bool(self._ask(do="delete", key=key))

    def num_keys(self) -> int:
        """How many keys there are."""
        return int(self._ask(do="count"))

    def multi_get(self, keys: Sequence[str]) -> list[bytes]:
        """The values of several keys, waited for."""
        return [self.get(key) for key in keys]

    def multi_set(self, keys: Sequence[str], values: Sequence[str | bytes]) -> None:
        """Keeps several values."""
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)


class TCPStore(Store):
    """A store in a process of its own, which the master starts.

    Args:
        host_name, port: where it is; for port 0 the master takes one that is free.
        world_size: how many processes use it; the constructor waits for them.
        is_master: whether this process starts it.
        timeout: how long to wait for it, and for keys.
        wait_for_workers: whether to wait for ``world_size`` processes.
    Example:
        >>> from rushlight.distributed import TCPStore
        >>> store = TCPStore("127.0.0.1", 0, 1, True)
        >>> store.set("key", "value")
        >>> store.get("key")
        b'value'
    """

    def __init__(
        self, host_name: str, port: int, world_size: int | None = None, is_master: bool = False,
        timeout: timedelta = timedelta(seconds=300), wait_for_workers: bool = True,
        multi_tenant: bool = False, master_listen_fd: int | None = None, use_libuv: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.timeout, self.host = timeout, host_name
        seconds = timeout.total_seconds()
        if is_master:
            if master_listen_fd is not None:
                listener = socket.socket(fileno=master_listen_fd)
            else:
                listener = lines.listen("" if port else host_name, port)
            port = listener.getsockname()[1]
            self._server = lines.serve(listener, world_size or 0)
        self.port = port
        self._line = lines.StoreLine(host_name, port, seconds)
        if world_size is not None and wait_for_workers:
            self.add("rushlight/workers", 1)
            until = time.monotonic() + seconds
            while self.add("rushlight/workers", 0) < world_size:
                if time.monotonic() > until:
                    raise DistStoreError(
                        f"Timed out after {seconds:g} seconds waiting for clients: not all"
                        f" {world_size} joined"
                    )
                time.sleep(0.01)

    def _ask(self, **question: Any) -> Any:
        return self._line.ask(**question)


class HashStore(Store):
    """A store for the threads of this process."""

    def __init__(self) -> None:
        super().__init__()
        from .server import Meeting

        self._meeting = Meeting(1)

    def _ask(self, **question: Any) -> Any:
        return self._meeting._stored(**question)


class FileStore(Store):
    """A store in a file, which all processes can reach.

    Args:
        file_name: a file that need not be there yet.
        world_size: how many processes use it.
    """

    def __init__(self, file_name: str, world_size: int = -1) -> None:
        super().__init__()
        self.path = file_name
        Path(file_name).parent.mkdir(parents=True, exist_ok=True)

    def _ask(self, **question: Any) -> Any:
        from .server import Meeting

        waits = question["do"] in ("get", "wait")
        until = time.monotonic() + question.get("seconds", 0.0)
        while True:
            with _Locked(self.path) as file:
                kept = Meeting(1)
                kept.store = file.read()
                answer = kept._stored(**{**question, "seconds": 0.0} if waits else question)
                if not waits:
                    file.write(kept.store)
            if not waits or answer or answer == "" or time.monotonic() > until:
                return answer
            time.sleep(0.01)


class _Locked:
    """A file of keys and values that one process reads and writes at a time."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> _Locked:
        import fcntl

        self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def read(self) -> dict[str, str]:
        text = self._file.read()
        return dict(json.loads(text)) if text else {}

    def write(self, kept: dict[str, str]) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump(kept, self._file)

    def __exit__(self, *_: object) -> None:
        self._file.close()


class PrefixStore(Store):
    """Another store, with something before every key."""

    def __init__(self, prefix: str, store: Store) -> None:
        super().__init__()
        self.prefix, self.underlying_store = prefix, store

    def _ask(self, **question: Any) -> Any:
        if "key" in question:
            question["key"] = f"{self.prefix}/{question['key']}"
        if "keys" in question:
            question["keys"] = [f"{self.prefix}/{key}" for key in question["keys"]]
        return self.underlying_store._ask(**question)


def rendezvous_address(store: Store, rank: int, seconds: float) -> tuple[str, int]:
    """Where rank 0 is, which it writes into a store."""
    if rank == 0:
        with socket.socket() as probe:
            probe.bind(("", 0))
            port = probe.getsockname()[1]
        host = getattr(store, "host", "127.0.0.1")
        store.set("rushlight/rank 0", f"{host}:{port}")
    store.set_timeout(timedelta(seconds=seconds))
    host, _, port = store.get("rushlight/rank 0").decode().rpartition(":")
    return host, int(port)
