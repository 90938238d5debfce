"""Where ranks meet: a small process beside rank 0, of Python's own library alone.

It is run as a script, so that it starts in milliseconds and lives on when a rank dies. A
connection's first line says what it is for:

- ``pmi``: a rank's MPI library asks who the others are. The words are those of MPICH's process
  manager (PMI 1, "simple"), which ``mpiexec`` answers for the ranks that it starts.
- ``line RANK PID HOST``: a rank's own line, open as long as the rank lives. When it breaks without
  a goodbye, the rank has died, and the others are told at once.
- ``store``: a key-value store.

Everything but PMI is one JSON object a line.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from typing import Any

IDLE_SECONDS = 60.0  # how long it waits for a first connection
LINGER_SECONDS = 1.0  # how long after the last one has gone


class Meeting:
    """What the ranks of one job have told."""

    def __init__(self, world: int) -> None:
        self.world = world
        self.changed = threading.Condition()
        self.connections = 0
        self.last = time.monotonic() + IDLE_SECONDS
        self.pmi: dict[str, str] = {}
        # MPI names memory that ranks share after this, so no other job may have it.
        self.name = f"rushlight_{os.getpid()}_{time.time_ns():x}"
        self.arrived = self.round = 0
        self.store: dict[str, str] = {}
        self.lines: dict[int, Line] = {}
        self.gone: dict[int, str] = {}
        self.left: set[int] = set()

    def serve(self, listener: socket.socket) -> None:
        """Takes connections until the last one has gone."""
        listener.settimeout(0.2)
        while True:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                with self.changed:
                    if not self.connections and time.monotonic() > self.last:
                        return
                continue
            connection.settimeout(None)
            with self.changed:
                self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        stream = connection.makefile("rwb")
        try:
            kind, *rest = stream.readline().decode().split() or [""]
            if kind == "pmi":
                self._pmi(stream)
            elif kind == "store":
                self._keep(stream)
            elif kind == "line":
                Line(self, stream, int(rest[0]), int(rest[1]), " ".join(rest[2:])).listen()
        except (OSError, ValueError):
            pass  # the other side is gone, or is none of ours
        finally:
            connection.close()
            with self.changed:
                self.connections -= 1
                self.last = time.monotonic() + LINGER_SECONDS

    # PMI.

    def _pmi(self, stream: Any) -> None:
        for raw in stream:
            line = raw.decode().rstrip("\n")
            words = dict(word.split("=", 1) for word in line.split(" ") if "=" in word)
            command = words.get("cmd", "")
            if command == "barrier_in":
                self._meet()
            answer = self._answer(command, words, line)
            stream.write(f"{answer}\n".encode())
            stream.flush()

    def _answer(self, command: str, words: dict[str, str], line: str) -> str:
        fixed = {
            "init": "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0",
            "get_maxes": "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024 rc=0",
            "get_appnum": "cmd=appnum appnum=0 rc=0",
            "get_my_kvsname": f"cmd=my_kvsname kvsname={self.name} rc=0",
            "get_universe_size": f"cmd=universe_size size={self.world} rc=0",
            "barrier_in": "cmd=barrier_out rc=0",
            "finalize": "cmd=finalize_ack rc=0",
        }
        if command in fixed:
            return fixed[command]
        if command == "put":
            with self.changed:
                self.pmi[words["key"]] = line.split("value=", 1)[1]
            return "cmd=put_result rc=0 msg=success"
        if command == "get":
            found = self.pmi.get(words["key"])
            if found is None:
                return "cmd=get_result rc=-1 msg=key_not_found value=unknown"
            return f"cmd=get_result rc=0 msg=success value={found}"
        return f"cmd={command}_result rc=-1 msg=unknown_command"

    def _meet(self) -> None:
        """Waits for all ranks."""
        with self.changed:
            self.arrived += 1
            this = self.round
            if self.arrived == self.world:
                self.arrived, self.round = 0, self.round + 1
                self.changed.notify_all()
            self.changed.wait_for(lambda: self.round != this)

    # The store.

    def _keep(self, stream: Any) -> None:
        for raw in stream:
            asked = json.loads(raw)
            answer = self._stored(**asked)
            stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()

    def _stored(
        self, do: str, key: str = "", value: str = "", expected: str = "", amount: int = 0,
        keys: tuple[str, ...] = (), seconds: float = 0.0,
    ) -> Any:  # fmt: skip
        store = self.store
        with self.changed:
            if do == "get":
                self.changed.wait_for(lambda: key in store, seconds)
                return store.get(key)
            if do == "wait":
                return self.changed.wait_for(lambda: all(k in store for k in keys), seconds)
            if do == "check":
                return all(k in store for k in keys)
            if do == "count":
                return len(store)
            if do == "delete":
                return store.pop(key, None) is not None
            if do == "add":
                store[key] = str(int(store.get(key, "0")) + amount)
            elif do == "append":
                store[key] = store.get(key, "") + value
            elif do == "compare_set":
                if store.get(key, "" if expected == "" else None) == expected:
                    store[key] = value
                elif key not in store:
                    return expected
            else:
                store[key] = value
            self.changed.notify_all()
            return store[key]

    # The ranks.

    def tell(self, message: dict[str, Any], but: int | None = None) -> None:
        """Tells something to all ranks that are there."""
        with self.changed:
            lines = [line for rank, line in self.lines.items() if rank != but]
        for line in lines:
            line.say(message)

    def lose(self, rank: int, why: str) -> None:
        """A rank is gone before its time: tells the others, and whoever reads the output."""
        with self.changed:
            first = not self.gone
            self.gone[rank] = why
            waiting = [
                f"rank {line.rank} waits in {line.status}"
                for line in self.lines.values()
                if line.status and line.rank != rank
            ]
        self.tell({"lost": rank, "why": why}, but=rank)
        if first:
            also = "; " + "; ".join(waiting) if waiting else ""
            print(f"rushlight: rank {rank} {why}{also}", file=sys.stderr, flush=True)


class Line:
    """The line of one rank."""

    def __init__(self, meeting: Meeting, stream: Any, rank: int, pid: int, host: str) -> None:
        self.meeting, self.stream, self.rank = meeting, stream, rank
        self.who = f"(process {pid} on {host})"
        self.status = ""
        self.writing = threading.Lock()
        with meeting.changed:
            meeting.lines[rank] = self
            gone, left = dict(meeting.gone), sorted(meeting.left)
        for other in left:  # it may have come and gone before this one was there
            self.say({"left": other})
        for other, why in gone.items():
            self.say({"lost": other, "why": why})

    def say(self, message: dict[str, Any]) -> None:
        try:
            with self.writing:
                self.stream.write(json.dumps(message).encode() + b"\n")
                self.stream.flush()
        except OSError:
            pass  # it is gone, which its own thread finds out

    def listen(self) -> None:
        """Hears the rank out, to the end."""
        meeting, ending = self.meeting, ""
        try:
            for raw in self.stream:
                message = json.loads(raw)
                if "status" in message:
                    self.status = message["status"]
                elif "failed" in message:
                    ending = "failed"
                    meeting.lose(self.rank, f"{self.who} failed: {message['failed']}")
                elif "bye" in message:
                    ending = "left"
                    with meeting.changed:
                        meeting.left.add(self.rank)
                    meeting.tell({"left": self.rank}, but=self.rank)
                else:  # a question to another rank, or its answer
                    self._pass_on(message)
        except (OSError, ValueError):
            pass
        with meeting.changed:
            if meeting.lines.get(self.rank) is self:
                del meeting.lines[self.rank]
        if not ending:
            last = f"; it was last in {self.status}" if self.status else ""
            meeting.lose(self.rank, f"{self.who} died{last}")

    def _pass_on(self, message: dict[str, Any]) -> None:
        with self.meeting.changed:
            there = self.meeting.lines.get(message["to"])
        if there is not None:
            there.say({**message, "from": self.rank})


def main(argv: list[str]) -> None:
    """Serves on a socket that was handed over: its number, then how many ranks there are."""
    listener = socket.socket(fileno=int(argv[0]))
    Meeting(int(argv[1])).serve(listener)
    os._exit(0)  # a thread may still wait for a rank that never came


if __name__ == "__main__":
    main(sys.argv[1:])
