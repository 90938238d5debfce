"""Messages from one rank to another: ``send``, ``recv`` and those that do not wait.

A message says beside its elements what they are, and from which line, so that a receiver who
expects something else can tell.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rushlight.base import site as sites
from rushlight.tensor.tensor import Tensor

from . import pending
from .faults import DistError
from .membership import default, get_group_rank, member_of
from .memory import check_tensor, described, fill, stored
from .process_group import Call, Patience, ProcessGroup
from .work import Work

HEAD_BYTES = 256


class Letter(Work):
    """A message on its way; nothing but :meth:`wait` and :meth:`is_completed` moves it on."""

    def __init__(self, group: ProcessGroup, call: Call, step: Callable[[], Any]) -> None:
        super().__init__()
        self._group, self._call, self._step = group, call, step
        self.source = -1

    def is_completed(self) -> bool:
        """Whether it is over."""
        if not self._done.is_set():
            try:
                if self._step() is not None:
                    self.settle(True)
            except DistError as error:
                self.settle(error=error)
        return self._done.is_set()

    def wait(self, timeout: Any = None) -> bool:
        """Waits until it is over.

        Raises:
            RuntimeError: the other rank is gone or too late, or sends something else.
        """
        seconds = self._group.seconds if timeout is None else timeout.total_seconds()
        Patience(self._group, self._call, seconds, eager=True).wait(self.is_completed)
        return super().wait()

    def source_rank(self) -> int:
        """Who sent it."""
        return self.source


def _peer(group: ProcessGroup, rank: int | None, group_rank: int | None, way: str) -> int | None:
    """The other rank's number in the group; None for any.

    Raises:
        ValueError: nothing was said, or twice, or it is this rank.
    """
    if rank is not None and group_rank is not None:
        raise ValueError("Can't specify both group_rank and global_rank")
    if group_rank is None:
        if rank is None:
            return None
        if not 0 <= rank < default().world.size:
            raise RuntimeError(f"{way}: invalid rank {rank} of {default().world.size}")
        group_rank = get_group_rank(group, rank)
    elif not 0 <= group_rank < group.size():
        raise RuntimeError(f"{way}: invalid rank {group_rank} of {group.size()}")
    if group_rank == group.rank():
        name = "destination" if way == "send" else "source"
        raise ValueError(
            f"Invalid {name} rank: {name} rank should not be the same as the rank of the current"
            " process."
        )
    return group_rank


def isend(
    tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0,
    group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Sends a tensor as it is now, without waiting.

    Raises:
        ValueError: nobody, or this rank itself, is to get it.
    """
    check_tensor(tensor, "tensor")
    here = member_of(group, "isend")
    if here is None:
        return None
    pending.settle()
    to = _peer(here, dst, group_dst, "send")
    if to is None:
        raise ValueError("Must specify global_rank or group_rank")
    call = Call("send", f"{described(tensor)}, dst={here.ranks[to]}", sites.current(1))
    array = stored(tensor)
    message = np.empty(HEAD_BYTES + array.nbytes, np.uint8)
    message[:HEAD_BYTES] = _head(tensor, call)
    message[HEAD_BYTES:] = array.reshape(-1).view(np.uint8)
    request = here.letters.Isend([message, here.world.mpi.BYTE], to, tag)

    def step() -> Any:
        return message if request.Test() else None

    return Letter(here, call, step)


def irecv(
    tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0,
    group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """Receives into a tensor, in place, without waiting; from any rank if ``src`` is None."""
    check_tensor(tensor, "tensor")
    here = member_of(group, "irecv")
    if here is None:
        return None
    pending.settle()
    source = _peer(here, src, group_src, "recv")
    said = "any" if source is None else here.ranks[source]
    call = Call("recv", f"{described(tensor)}, src={said}", sites.current(1))
    mpi = here.world.mpi
    wanted = mpi.ANY_SOURCE if source is None else source
    arriving: list[Any] = []

    def step() -> Any:
        if not arriving:
            status = mpi.Status()
            found = here.letters.Improbe(wanted, tag, status)
            if found is None:
                return None
            message = np.empty(status.Get_count(mpi.BYTE), np.uint8)
            letter.source = here.ranks[status.Get_source()]
            arriving.extend((found.Irecv([message, mpi.BYTE]), message))
        request, message = arriving
        if not request.Test():
            return None
        _open(tensor, message, call, letter.source)
        return message

    letter = Letter(here, call, step)
    return letter


def _head(tensor: Tensor, call: Call) -> np.ndarray:
    head = np.zeros(HEAD_BYTES, np.uint8)
    text = json.dumps([list(tensor.shape), str(tensor.dtype)]).encode()
    words = (text + b"\n" + str(call).encode())[:HEAD_BYTES]
    head[: len(words)] = np.frombuffer(words, np.uint8)
    return head


def _open(tensor: Tensor, message: np.ndarray, call: Call, source: int) -> None:
    """Gives a tensor what a message holds.

    Raises:
        DistError: it holds something else.
    """
    first, _, said = bytes(message[:HEAD_BYTES]).rstrip(b"\0").partition(b"\n")
    shape, dtype = json.loads(first)
    count = int(np.prod(shape, dtype=np.int64))
    if dtype != str(tensor.dtype) or count != tensor.numel():
        raise DistError(
            f"[recv] what came does not fit:\n  rank {source}: {said.decode(errors='replace')}\n"
            f"  rank {default().world.rank}: {call}"
        )
    fill(tensor, message[HEAD_BYTES:].view(tensor.dtype.storage))


def send(
    tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0,
    group_dst: int | None = None,
) -> None:  # fmt: skip
    """Sends a tensor, and waits until its memory could be used again."""
    work = isend(tensor, dst, group, tag, group_dst)
    if work is not None:
        work.wait()


def recv(
    tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0,
    group_src: int | None = None,
) -> int:  # fmt: skip
    """Receives into a tensor, in place.

    Args:
        src: from whom; from any rank when None.
    Returns:
        Who sent it; -1 if this rank is not in the group.
    Raises:
        RuntimeError: what came has another dtype or number of elements; nobody sent in time.
    """
    work = irecv(tensor, src, group, tag, group_src)
    if work is None:
        return -1
    work.wait()
    return work.source  # type: ignore[attr-defined, no-any-return]


@dataclass
class P2POp:
    """One of the messages of :func:`batch_isend_irecv`.

    Args:
        op: ``isend`` or ``irecv``.
        tensor: what is sent, or received into.
        peer: the other rank.
    """

    op: Callable[..., Any]
    tensor: Tensor
    peer: int | None = None
    group: Any = None
    tag: int = 0
    group_peer: int | None = None

    def __post_init__(self) -> None:
        if self.op not in (isend, irecv):
            raise ValueError(
                "Invalid ``op``. Expected ``op`` to be of type ``torch.distributed.isend`` or"
                " ``torch.distributed.irecv``."
            )
        check_tensor(self.tensor, "tensor")


def batch_isend_irecv(p2p_op_list: list[P2POp]) -> list[Work]:
    """Begins several messages.

    Raises:
        ValueError: something in the list is no :class:`P2POp`.
    """
    if not isinstance(p2p_op_list, list) or not all(isinstance(x, P2POp) for x in p2p_op_list):
        raise ValueError(
            "Invalid ``p2p_op_list``. Each op is expected to to be of type"
            " ``torch.distributed.P2POp``."
        )
    begun = [x.op(x.tensor, x.peer, x.group, x.tag, x.group_peer) for x in p2p_op_list]
    return [work for work in begun if work is not None]
