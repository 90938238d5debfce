"""A rank's line to the others, beside MPI: who has died, who waits where, and goodbye."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from rushlight.base import site as sites

from .faults import DistNetworkError, DistStoreError

SERVER = Path(__file__).with_name("server.py")
GRACE_SECONDS = 30.0
"""How long a rank may go on once another is lost: to compute what it is at, and to tidy up."""


def listen(host: str, port: int, patience: float = 5.0) -> socket.socket:
    """A socket that ranks can reach.

    Raises:
        DistNetworkError: somebody else has the port.
    """
    until = time.monotonic() + patience
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1024)
            return listener
        except OSError as error:
            listener.close()
            if time.monotonic() > until:  # the server of an earlier job may still be leaving
                raise DistNetworkError(
                    f"rank 0 cannot listen at {host or '*'}:{port}: {error.strerror}; choose"
                    " another MASTER_PORT"
                ) from error
            time.sleep(0.05)


def serve(listener: socket.socket, world: int) -> subprocess.Popen[bytes]:
    """Starts the process in which ranks meet, and hands it the socket."""
    number = listener.fileno()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(SERVER), str(number), str(world)],
        pass_fds=(number,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,  # it has to tell of it when this rank is killed
    )  # fmt: skip
    listener.close()
    process.returncode = 0  # nobody waits for it: it ends once nobody needs it
    return process


def reach(host: str, port: int, seconds: float, purpose: str) -> socket.socket:
    """A connection to the server, which may not have begun yet.

    Raises:
        DistNetworkError: nobody answers in time.
    """
    until = time.monotonic() + seconds
    pause = 0.002
    while True:
        try:
            connection = socket.create_connection((host, port), timeout=max(1.0, seconds))
        except OSError as error:
            if time.monotonic() > until:
                raise DistNetworkError(
                    f"nobody answers at {host}:{port} within {seconds:g} s, where rank 0 has to be:"
                    f" {error}; check MASTER_ADDR and MASTER_PORT"
                ) from error
            time.sleep(pause)
            pause = min(0.1, pause * 1.5)
            continue
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(f"{purpose}\n".encode())
        return connection


class Line:
    """What a rank hears of the others.

    Attributes:
        lost: why ranks are gone that had not ended.
        left: ranks that have ended.
    """

    def __init__(self, host: str, port: int, rank: int, seconds: float) -> None:
        self.rank = rank
        who = f"line {rank} {os.getpid()} {socket.gethostname()}"
        self._connection = reach(host, port, seconds, who)
        self._stream = self._connection.makefile("rwb")
        self._writing, self._heard = threading.Lock(), threading.Condition()
        self.lost: dict[int, str] = {}
        self.left: set[int] = set()
        self.at: tuple[object, bool] | None = None  # the last collective, and whether it waits
        self.ended = False
        self.on_abandon: Callable[[], object] = lambda: None
        self._answers: dict[int, str] = {}
        threading.Thread(target=self._listen, name="rushlight line", daemon=True).start()

    def _say(self, **message: Any) -> None:
        try:
            with self._writing:
                self._stream.write(json.dumps(message).encode() + b"\n")
                self._stream.flush()
        except (OSError, ValueError):
            pass  # the server is gone, which the listening thread tells

    def _listen(self) -> None:
        try:
            for raw in self._stream:
                self._take(json.loads(raw))
        except (OSError, ValueError):
            pass
        if not self.ended:
            self._lose(-1, "is unknown: the process in which ranks meet, beside rank 0, has died")

    def _take(self, message: dict[str, Any]) -> None:
        if "lost" in message:
            self._lose(message["lost"], message["why"])
        elif "where" in message:
            self._say(to=message["from"], here=self._whereabouts())
        else:
            with self._heard:
                if "left" in message:
                    self.left.add(message["left"])
                elif "here" in message:
                    self._answers[message["from"]] = message["here"]
                self._heard.notify_all()

    def _lose(self, rank: int, why: str) -> None:
        with self._heard:
            first = not self.lost
            self.lost[rank] = why
            self._heard.notify_all()
        if first and not self.ended:
            abandoned = threading.Timer(GRACE_SECONDS, self._abandon)
            abandoned.daemon = True
            abandoned.start()

    def _abandon(self) -> None:
        if not self.ended:
            print(
                f"rushlight: rank {self.rank} ends, since {self.fault()}; it was at"
                f" {self._whereabouts()}",
                file=sys.stderr, flush=True,
            )  # fmt: skip
            self.on_abandon()
            os._exit(1)

    def _whereabouts(self) -> str:
        """The line that the main thread is at, and the collective that it was last in."""
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        at = _users_line(frame)
        if self.at is None:
            return at
        call, waits = self.at
        return f"{at}, {'waiting in' if waits else 'after'} {call}"

    # What a rank does.

    def fault(self) -> str | None:
        """Who is gone and why, as a sentence; None as long as all are there."""
        for rank, why in dict(self.lost).items():
            return f"rank {rank} {why}" if rank >= 0 else f"rank 0 {why}"
        return None

    def wait_in(self, text: str) -> None:
        """Tells where this rank waits."""
        self._say(status=text)

    def where(self, ranks: list[int], seconds: float = 2.0) -> dict[int, str]:
        """Where other ranks are; those that do not answer are left out."""
        self._answers.clear()
        for rank in ranks:
            self._say(to=rank, where=True)
        with self._heard:
            self._heard.wait_for(lambda: all(rank in self._answers for rank in ranks), seconds)
        return dict(self._answers)

    def fail(self, why: str) -> None:
        """Tells that this rank ends with an error."""
        if not self.ended:
            self.ended = True
            self._say(failed=why)

    def leave(self) -> None:
        """Says goodbye."""
        if not self.ended:
            self.ended = True
            self._say(bye=True)

    def all_left(self, others: list[int], seconds: float | None = None) -> bool:
        """Waits until all others have ended; False if one is lost instead."""
        with self._heard:
            self._heard.wait_for(
                lambda: self.lost or all(rank in self.left for rank in others), seconds
            )
        return not self.lost and all(rank in self.left for rank in others)

    def close(self) -> None:
        self.ended = True
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _users_line(frame: FrameType | None) -> str:
    """The innermost line of the user's own on a stack."""
    while frame is not None:
        if not sites.is_ours(frame.f_code.co_filename):
            return str(sites.line((frame.f_code, frame.f_lasti)))
        frame = frame.f_back
    return "no line of the script"


class StoreLine:
    """A connection to the store of a server."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._connection = reach(host, port, seconds, "store")
        self._stream = self._connection.makefile("rwb")
        self._lock = threading.Lock()

    def __del__(self) -> None:
        if hasattr(self, "_stream"):
            with contextlib.suppress(OSError):
                self._stream.close()
            self._connection.close()

    def ask(self, **question: Any) -> Any:
        """The store's answer.

        Raises:
            DistStoreError: the store is gone.
        """
        with self._lock:
            try:
                self._stream.write(json.dumps(question).encode() + b"\n")
                self._stream.flush()
                answer = self._stream.readline()
            except OSError:
                answer = b""
        if not answer:
            raise DistStoreError("the process that keeps the store has ended")
        return json.loads(answer)
