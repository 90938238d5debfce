"""The worker processes of a DataLoader, seen from the process that wants their batches.

Each worker has a pipe of its own, so one that dies can neither hold a lock that others need nor
damage their messages, and its end is seen at once. No thread is needed here, which keeps forking
safe: a worker always reads its pipe (its Inbox does), so writing to it does not wait.
"""

from __future__ import annotations

import math
import os
import signal
import socket
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import util
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from rushlight.execute import compute_all
from rushlight.utils.data import worker
from rushlight.utils.data.desk import Desk
from rushlight.utils.data.fetch import Recipe
from rushlight.utils.data.slots import Read
from rushlight.utils.data.wire import Packed, pack, pipe, receive, send
from rushlight.utils.data.worker import CHECK_INTERVAL, Epoch, Task

# How long workers that are told to end may take to finish their batch. Seconds; PyTorch's value.
GRACE = 5.0
# How long a worker that is late may take to say where it is, in seconds.
PATIENCE = 1.0


@dataclass(eq=False)
class Member:
    """One worker.

    Attributes:
        process: its process.
        end: this side's end of its pipe.
        desk: where it notes which sample it loads.
        slots: the memory that its batches come in.
        tasks: the tasks that it has not answered, with numbers; answers come in this order.
        ended: whether its copy of a stream has no more.
    """

    process: BaseProcess
    end: socket.socket
    desk: Desk
    slots: Read = field(default_factory=Read)
    tasks: deque[tuple[int, Task]] = field(default_factory=deque)
    ended: bool = False

    @property
    def loading(self) -> str:
        """Which sample it loads, as far as that is known, for a sentence."""
        if not self.tasks:
            return "no sample"
        indices = self.tasks[0][1].indices
        if isinstance(indices, list) and 0 <= self.desk.sample < len(indices):
            return f"sample {indices[self.desk.sample]!r}"
        return "a stream" if indices is None else f"sample {indices!r}"


class Crew:
    """All workers of one iterator.

    Args:
        context: how processes are started.
        recipe: what they do.
        init: the user's ``worker_init_fn``.
        size: how many they are.
    """

    def __init__(
        self,
        context: BaseContext,
        recipe: Recipe,
        init: Callable[[int], object] | None,
        size: int,
    ) -> None:
        self.members: list[Member] = []
        # Not at exit: multiprocessing stops workers then, without waiting for their batches.
        self._finalizer = weakref.finalize(self, _dismiss, self.members, os.getpid())
        self._finalizer.atexit = False
        # What the dataset's tensors wait for is computed once, not in every worker.
        compute_all()
        try:
            for index in range(size):
                self.members.append(_hire(context, recipe, init, index, size))
        except BaseException:
            self.dismiss()
            raise

    @property
    def dismissed(self) -> bool:
        """Whether the workers have been told to end."""
        return not self._finalizer.alive

    def dismiss(self) -> None:
        """Ends all workers."""
        self._finalizer()

    def begin(self, member: Member, epoch: Epoch) -> None:
        """Tells a worker that a pass begins.

        Raises:
            RuntimeError: the worker has died. All are dismissed then.
        """
        packed = pack(epoch)
        with self._talking_to(member):
            send(member.end, packed)

    def assign(self, member: Member, number: int, indices: Any) -> None:
        """Gives a worker a batch to load, which will come with ``number``.

        Raises:
            RuntimeError: the worker has died. All are dismissed then.
        """
        task = Task(indices, member.slots.left())
        packed = pack(task)
        with self._talking_to(member):
            member.tasks.append((number, task))
            send(member.end, packed)

    def answers(self, timeout: float) -> Iterator[tuple[int, Packed]]:
        """The answers that have come, with the numbers of their tasks; waits for the first.

        Args:
            timeout: how long to wait, in seconds; for ever if 0.
        Raises:
            RuntimeError: nothing came in time; or a worker has died that had something to do,
                and all are dismissed.
        """
        busy = {member.end: member for member in self.members if member.tasks}
        for end in self._wait(busy, timeout):
            member = busy[end]
            with self._talking_to(member):
                answer = member.tasks[0][0], receive(member.end, member.slots)
                member.tasks.popleft()
            yield answer

    def _wait(self, busy: dict[socket.socket, Member], timeout: float) -> list[Any]:
        """The pipes from which something has come, if only that they were closed."""
        deadline = time.monotonic() + timeout if timeout else math.inf
        while True:
            left = max(0.0, deadline - time.monotonic())
            if ready := wait(busy, min(CHECK_INTERVAL, left)):
                return ready
            for member in busy.values():
                # A process that it started may keep its end of the pipe open.
                if not member.process.is_alive() and not wait([member.end], 0):
                    raise self._death(member)
            if not left:
                raise self._timed_out(list(busy.values()), timeout)

    @contextmanager
    def _talking_to(self, member: Member) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError) as error:
            raise self._death(member) from error
        except BaseException:  # Ctrl-C in the middle of a message: the next would be misread
            self.dismiss()
            raise

    def _timed_out(self, busy: list[Member], timeout: float) -> RuntimeError:
        """Asks the workers where they are, and says it."""
        lines = [f"DataLoader timed out after {timeout} seconds"]
        for member in busy:
            with self._talking_to(member):
                send(member.end, [])
            lines.append(
                f"worker (pid {member.process.pid}) is at {member.loading}:\n"
                f"{member.desk.read_traceback(PATIENCE)}"
            )
        return RuntimeError("\n".join(lines))

    def _death(self, member: Member) -> RuntimeError:
        """Dismisses the others, and says how this one ended."""
        process, loading = member.process, f"It was loading {member.loading}."
        process.join(CHECK_INTERVAL)  # a pipe is closed a moment before its process ends
        name, code = f"DataLoader worker (pid {process.pid})", process.exitcode
        self.dismiss()
        if code is not None and code < 0:
            return RuntimeError(f"{name} is killed by signal: {signal.strsignal(-code)}. {loading}")
        return RuntimeError(
            f"{name} exited unexpectedly with exit code {code}. Details are lost due to "
            "multiprocessing. Rerunning with num_workers=0 may give better error trace. " + loading
        )


def _hire(context: Any, recipe: Recipe, init: Any, index: int, size: int) -> Member:
    ours, theirs = pipe()
    # A process that is forked later would keep the pipe open when this one closes it.
    util.register_after_fork(ours, socket.socket.close)
    desk = Desk(context)
    process = context.Process(
        target=worker.run, args=(theirs, recipe, init, index, size, desk), daemon=True
    )
    try:
        process.start()
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return Member(process, ours, desk)


def _dismiss(members: list[Member], owner: int) -> None:
    """Closes the pipes, which ends the workers after their present batch, and waits for that."""
    if os.getpid() != owner:  # a forked copy of this object does not own the workers
        return
    for member in members:
        member.end.close()
    deadline = time.monotonic() + GRACE
    for member in members:
        member.process.join(max(0.0, deadline - time.monotonic()))
    for stop in (BaseProcess.terminate, BaseProcess.kill):
        left = [member.process for member in members if member.process.is_alive()]
        for process in left:
            stop(process)
        for process in left:
            process.join(GRACE)
