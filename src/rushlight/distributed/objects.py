"""Collectives on Python objects, which travel as pickles: ranks of one job trust each other."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

import rushlight as rl

from .collectives import root_of, run
from .letters import recv, send
from .membership import get_rank, member_of
from .process_group import Exchange


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Puts the object of rank ``k`` into ``object_list[k]``, on every rank."""
    here = member_of(group, "all_gather_object")
    if here is None:
        return
    mine = pickle.dumps(obj)

    def finish(found: list[bytes]) -> None:
        for k, text in enumerate(found):
            object_list[k] = pickle.loads(text)

    run(here, "all_gather_object", "", lambda ranks: ranks.objects(mine), finish)


def gather_object(
    obj: Any, object_gather_list: list[Any] | None = None, dst: int | None = None,
    group: Any = None, group_dst: int | None = None,
) -> None:  # fmt: skip
    """Puts the object of rank ``k`` into ``object_gather_list[k]`` at ``dst``.

    Raises:
        ValueError: ``dst`` gives no list, or another rank does.
    """
    here = member_of(group, "gather_object")
    if here is None:
        return
    root = root_of(here, dst, group_dst, "gather_object", required=False)
    at_root = here.rank() == root
    if at_root and not object_gather_list:
        raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
    if not at_root and object_gather_list:
        raise ValueError(
            "Argument ``object_gather_list`` must NOT be specified on non-destination ranks."
        )
    mine = pickle.dumps(obj)

    def finish(found: list[bytes]) -> None:
        for k, text in enumerate(found if object_gather_list else ()):
            object_gather_list[k] = pickle.loads(text)  # type: ignore[index]

    run(here, "gather_object", f"dst={here.ranks[root]}", lambda ranks: ranks.objects(mine), finish)


def broadcast_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None,
    group_src: int | None = None,
) -> None:  # fmt: skip
    """Gives every rank the objects that ``src`` has in its list, in place."""
    here = member_of(group, "broadcast_object_list")
    if here is None:
        return
    root = root_of(here, src, group_src, "broadcast_object_list")
    at_root = here.rank() == root
    mine = pickle.dumps(list(object_list)) if at_root else b""

    def body(ranks: Exchange) -> bytes:
        length = ranks.broadcast(np.array([len(mine)], np.int64), root)
        text = np.frombuffer(mine, np.uint8) if at_root else np.empty(int(length[0]), np.uint8)
        return ranks.broadcast(text, root).tobytes()

    def finish(found: bytes) -> None:
        if not at_root:
            object_list[:] = pickle.loads(found)

    what = f"{len(object_list)} objects, src={here.ranks[root]}"
    run(here, "broadcast_object_list", what, body, finish)


def scatter_object_list(
    scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None,
    src: int | None = None, group: Any = None, group_src: int | None = None,
) -> None:  # fmt: skip
    """Puts object ``k`` of the list of ``src`` into the output list of rank ``k``.

    Raises:
        ValueError: the list of ``src`` has not one object for each rank.
    """
    here = member_of(group, "scatter_object_list")
    if here is None:
        return
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ValueError(
            "Expected argument scatter_object_output_list to be a list of size at least 1."
        )
    root = root_of(here, src, group_src, "scatter_object_list", required=False)
    mine = [pickle.dumps(obj) for obj in scatter_object_input_list or ()]
    if here.rank() == root and len(mine) != here.size():
        raise ValueError(f"scatter_object_list: {len(mine)} objects for {here.size()} ranks")
    parts = mine if here.rank() == root else [b""] * here.size()

    def body(ranks: Exchange) -> bytes:
        given = np.frombuffer(b"".join(parts), np.uint8)
        found, _ = ranks.all_to_all_uneven(given, [len(part) for part in parts])
        return found.tobytes()

    def finish(found: bytes) -> None:
        scatter_object_output_list[0] = pickle.loads(found)

    run(here, "scatter_object_list", f"src={here.ranks[root]}", body, finish)


def send_object_list(
    object_list: list[Any], dst: int | None = None, group: Any = None, device: Any = None,
    group_dst: int | None = None, use_batch: bool = False,
) -> None:  # fmt: skip
    """Sends the objects of a list."""
    text = np.frombuffer(pickle.dumps(list(object_list)), np.uint8).copy()
    if get_rank(group) < 0:
        return
    send(rl.tensor([text.size]), dst, group, group_dst=group_dst)
    send(rl.from_numpy(text), dst, group, group_dst=group_dst)


def recv_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None,
    group_src: int | None = None, use_batch: bool = False,
) -> int:  # fmt: skip
    """Receives objects into a list, in place; returns who sent them."""
    here = member_of(group, "recv_object_list")
    if here is None:
        return -1
    length = rl.zeros(1, dtype=rl.int64)
    source = recv(length, src, group, group_src=group_src)
    text = rl.zeros(int(length.item()), dtype=rl.uint8)
    recv(text, source, group)
    object_list[:] = pickle.loads(text.numpy().tobytes())
    return source
