"""A group of ranks: its communicator, and how its collectives are agreed on, run and waited for."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rushlight.base import site as sites
from rushlight.base.dtypes import DType

from .faults import DistError
from .reduce_op import ReduceOp, reduced
from .work import Work
from .world import World

SMALL_BYTES = 1 << 19
"""Of all ranks together. Up to here each sums everything; beyond, a slice for the others."""

SPIN_SECONDS = 3e-4
"""How long the program itself looks again and again before it sleeps; a thread beside it less."""
DIGEST_BYTES = 8
TELL_SECONDS = 0.1
CALM_SECONDS = 1.0
TEXT_BYTES = 400


_yield = getattr(os, "sched_yield", lambda: time.sleep(0))


@dataclass(frozen=True)
class Call:
    """A collective as one rank calls it.

    Attributes:
        name: of the function.
        what: what all ranks have to agree on: shapes, dtypes, who sends.
        site: the user's line.
        sealed: whether the message carries what ranks agree on, so nothing is exchanged before.
    """

    name: str
    what: str
    site: sites.Site | None
    sealed: bool = False

    def digest(self) -> np.ndarray:
        """What all ranks agree on, in a few bytes."""
        said = f"{self.name} {self.what}".encode()
        return np.frombuffer(hashlib.blake2b(said, digest_size=DIGEST_BYTES).digest(), np.uint8)

    def __str__(self) -> str:
        at = f" at {sites.line(self.site)}" if self.site is not None else ""
        return f"{self.name}({self.what}){at}"


class Patience:
    """Waits for MPI's requests without keeping a processor busy, and not forever."""

    def __init__(self, group: ProcessGroup, call: Call, seconds: float, eager: bool) -> None:
        self.group, self.call, self.eager = group, call, eager
        self.line = group.world.line
        self.began = time.monotonic()
        self.until = self.began + seconds
        self.seconds = seconds
        self.told = False
        self._left_since = 0.0

    def wait(self, done: Callable[[], bool]) -> None:
        """Returns once ``done`` says so.

        Raises:
            DistError: a rank is gone, or did not come in time.
        """
        if done():
            return
        spin_until = time.perf_counter() + (SPIN_SECONDS if self.eager else SPIN_SECONDS / 10)
        pause = 2e-5
        while not done():
            if time.perf_counter() < spin_until:
                _yield()  # sleeping for no time takes 50 microseconds
                continue
            time.sleep(pause)
            pause = min(pause * 1.3, 1e-3)
            self._look()
        if self.told and self.line is not None:
            self.line.wait_in("")

    def _look(self) -> None:
        now = time.monotonic()
        line = self.line
        if line is not None:
            if not self.told and now - self.began > TELL_SECONDS:
                self.told = True
                line.wait_in(str(self.call))
            if line.lost:
                raise DistError(f"[{self.call.name}] {line.fault()}; this is {self._here()}")
            self._check_left(now)
        if now > self.until:
            raise DistError(self._late())

    def _check_left(self, now: float) -> None:
        """A rank whose script is over will not come; its last message may be on its way."""
        assert self.line is not None
        gone = sorted(self.line.left & set(self.group.ranks))
        if not gone:
            return
        self._left_since = self._left_since or now
        if now - self._left_since > CALM_SECONDS:
            raise DistError(
                f"[{self.call.name}] rank {gone[0]} has left the group or ended, and will not"
                f" come; this is {self._here()}"
            )

    def _here(self) -> str:
        return f"rank {self.group.world.rank} in {self.call}"

    def _late(self) -> str:
        group = self.group
        others = [rank for rank in group.ranks if rank != group.world.rank]
        found = {} if self.line is None else self.line.where(others)
        waiting = str(self.call.name)
        told = [
            f"rank {rank} is at {found[rank]}" if rank in found else f"rank {rank} does not answer"
            for rank in others
            if rank not in found or f"waiting in {waiting}" not in found[rank]
        ]
        return (
            f"[{self.call.name}] timed out after {self.seconds:g} s: {'; '.join(told)}; this is"
            f" {self._here()}. A longer wait is init_process_group(timeout=...)"
        )


class ProcessGroup:
    """Some of the ranks, who call collectives together and in the same order.

    Collectives with ``async_op`` are done by a thread of the group's own, in the order of calls.

    Attributes:
        ranks: the members, by their numbers in the world.
        name: what tells the group from others.
    """

    def __init__(
        self, world: World, comm: Any, ranks: Sequence[int], seconds: float, name: str,
        backend: str, description: str = "",
    ) -> None:  # fmt: skip
        self.world, self.comm, self.ranks = world, comm, tuple(ranks)
        self.seconds, self.group_name, self.backend_name = seconds, name, backend
        self.group_desc = description or "undefined"
        self.letters = comm.Dup()  # messages from rank to rank never meet collectives
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._pending = 0
        self._idle = threading.Condition()
        self._thread: threading.Thread | None = None

    def rank(self) -> int:
        """This rank's number in the group."""
        return self.ranks.index(self.world.rank)

    def size(self) -> int:
        """How many ranks there are in it."""
        return len(self.ranks)

    def name(self) -> str:
        """The backend's name."""
        return self.backend_name

    def __repr__(self) -> str:
        return f"<ProcessGroup {self.group_name} of ranks {list(self.ranks)}>"

    def twin(self) -> ProcessGroup:
        """A group of the same ranks whose collectives have an order of their own."""
        name = f"{self.group_name}'"
        return ProcessGroup(
            self.world, self.comm.Dup(), self.ranks, self.seconds, name, self.backend_name
        )

    # Doing the work.

    def perform(
        self, call: Call, body: Callable[[Exchange], Any], seconds: float | None = None
    ) -> Any:
        """Runs a collective, after those that go on beside the program."""
        if self._pending:
            with self._idle:
                self._idle.wait_for(lambda: not self._pending)
        return self._agreed(call, body, seconds, eager=True)

    def submit(
        self, call: Call, body: Callable[[Exchange], Any], finish: Callable[[Any], Any]
    ) -> Work:
        """Has the group's thread run a collective."""
        work = Work(finish)
        with self._idle:
            self._pending += 1

        def run() -> None:
            try:
                work.settle(self._agreed(call, body, None, eager=False))
            except BaseException as error:
                work.settle(error=error)
            with self._idle:
                self._pending -= 1
                self._idle.notify_all()

        self._waiting.put(run)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="rushlight ranks", daemon=True)
            self._thread.start()
        return work

    def _work(self) -> None:
        while (run := self._waiting.get()) is not None:
            run()

    def close(self) -> None:
        """Ends the thread, once it has done what it was given."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _agreed(
        self, call: Call, body: Callable[[Exchange], Any], seconds: float | None, eager: bool
    ) -> Any:
        line = self.world.line
        patience = Patience(self, call, self.seconds if seconds is None else seconds, eager)
        exchange = Exchange(self, patience)
        if line is not None:
            line.at = call, True
        if not call.sealed:
            exchange.agree(call)
        result = body(exchange)
        if line is not None:
            line.at = call, False
        return result


class Exchange:
    """Moves bytes between the ranks of a group, during one collective. All arithmetic is ours.

    Arrays are C-contiguous; those that come back are new.
    """

    def __init__(self, group: ProcessGroup, patience: Patience) -> None:
        self.comm, self.size, self.rank = group.comm, group.size(), group.rank()
        self._mpi, self._patience = group.world.mpi, patience
        self.ranks = group.ranks

    def _wait(self, request: Any) -> None:
        self._patience.wait(request.Test)

    def _bytes(self, array: np.ndarray) -> list[Any]:
        return [array.reshape(-1).view(np.uint8) if array.size else array, self._mpi.BYTE]

    def agree(self, call: Call) -> None:
        """Checks that all ranks call the same.

        Raises:
            DistError: they do not, on every rank.
        """
        if self.size == 1:
            return
        if len(set(map(bytes, self.all_gather(call.digest())))) > 1:
            self._tell_apart(call)

    def _tell_apart(self, call: Call) -> None:
        text = np.zeros(TEXT_BYTES, np.uint8)
        words = str(call).encode()[:TEXT_BYTES]
        text[: len(words)] = np.frombuffer(words, np.uint8)
        told = [
            bytes(each).rstrip(b"\0").decode(errors="replace") for each in self.all_gather(text)
        ]
        calls = "\n".join(f"  rank {r}: {said}" for r, said in zip(self.ranks, told))
        raise DistError(
            f"[{call.name}] ranks disagree:\n{calls}\n  All ranks of a group call the same"
            " collectives in the same order, with tensors of the same shapes and dtypes."
        )

    def all_gather(self, mine: np.ndarray) -> np.ndarray:
        """What all ranks have, along a new first dimension."""
        found = np.empty((self.size, *mine.shape), mine.dtype)
        if self.size == 1 or not mine.size:
            found[:] = mine
            return found
        self._wait(self.comm.Iallgather(self._bytes(mine), self._bytes(found)))
        return found

    def all_to_all(self, parts: np.ndarray) -> np.ndarray:
        """Row ``k`` goes to rank ``k``; row ``k`` of what comes back is from it."""
        found = np.empty_like(parts)
        if not parts.size:
            return found
        self._wait(self.comm.Ialltoall(self._bytes(parts), self._bytes(found)))
        return found

    def all_to_all_uneven(self, given: np.ndarray, to: Sequence[int]) -> tuple[np.ndarray, Any]:
        """The first ``to[0]`` bytes go to rank 0 and so on; what comes, and how much from each."""
        counts = np.array(to, np.int64)
        come = self.all_to_all(counts.reshape(self.size, 1))[:, 0]
        found = np.empty(int(come.sum()), np.uint8)
        sent = [given, (counts, _starts(counts)), self._mpi.BYTE]
        self._wait(self.comm.Ialltoallv(sent, [found, (come, _starts(come)), self._mpi.BYTE]))
        return found, come

    def broadcast(self, array: np.ndarray, root: int) -> np.ndarray:
        """What ``root`` has."""
        found = array.copy() if self.rank == root else np.empty_like(array)
        if found.size and self.size > 1:
            self._wait(self.comm.Ibcast(self._bytes(found), root))
        return found

    def gather(self, mine: np.ndarray, root: int) -> np.ndarray | None:
        """What all ranks have, at ``root``; None elsewhere."""
        at_root = self.rank == root
        found = np.empty((self.size, *mine.shape), mine.dtype) if at_root else None
        if mine.size:
            to = self._bytes(found) if found is not None else None
            self._wait(self.comm.Igather(self._bytes(mine), to, root))
        return found

    def scatter(self, rows: np.ndarray | None, like: np.ndarray, root: int) -> np.ndarray:
        """Row ``k`` of what ``root`` has, at rank ``k``."""
        found = np.empty_like(like)
        if like.size:
            sent = self._bytes(rows) if rows is not None else None
            self._wait(self.comm.Iscatter(sent, self._bytes(found), root))
        return found

    def all_reduce(self, mine: np.ndarray, op: ReduceOp, dtype: DType) -> np.ndarray:
        """The reduction, on every rank the same bits."""
        if self.size == 1:
            return reduced(op, [mine], dtype)
        if mine.nbytes * self.size <= SMALL_BYTES:
            return reduced(op, list(self.all_gather(mine)), dtype)
        flat = mine.reshape(-1)
        width = -(-flat.size // self.size)
        padded = flat
        if width * self.size != flat.size:
            padded = np.zeros(width * self.size, flat.dtype)
            padded[: flat.size] = flat
        slices = self.all_to_all(padded.reshape(self.size, width))
        total = self.all_gather(reduced(op, list(slices), dtype))
        return total.reshape(-1)[: flat.size].reshape(mine.shape)

    def sealed_all_reduce(
        self, call: Call, mine: np.ndarray, op: ReduceOp, dtype: DType
    ) -> np.ndarray:
        """:meth:`all_reduce` of a row, which carries the digest of the call to be compared.

        Raises:
            DistError: ranks call something else.
        """
        if mine.nbytes * self.size > SMALL_BYTES:
            self.agree(call)
            return self.all_reduce(mine, op, dtype)
        message = np.empty(DIGEST_BYTES + mine.nbytes, np.uint8)
        message[:DIGEST_BYTES] = call.digest()
        message[DIGEST_BYTES:] = mine.view(np.uint8)
        try:
            found = self.all_gather(message)
        except self._mpi.Exception as error:  # other lengths
            raise DistError(f"[{call.name}] ranks disagree about {call}: {error}") from error
        if (found[:, :DIGEST_BYTES] != message[:DIGEST_BYTES]).any():
            self._tell_apart(call)
        parts = [row[DIGEST_BYTES:].view(mine.dtype) for row in found]
        return reduced(op, parts, dtype)

    def reduce_scatter(self, rows: np.ndarray, op: ReduceOp, dtype: DType) -> np.ndarray:
        """The reduction of row ``k`` of all ranks, at rank ``k``."""
        return reduced(op, list(self.all_to_all(rows)), dtype)

    def objects(self, mine: bytes) -> list[bytes]:
        """What all ranks have, of any lengths."""
        lengths = self.all_gather(np.array([len(mine)], np.int64))[:, 0]
        row = np.zeros(int(lengths.max()), np.uint8)
        row[: len(mine)] = np.frombuffer(mine, np.uint8)
        rows = self.all_gather(row)
        return [rows[k, :length].tobytes() for k, length in enumerate(lengths)]


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
