"""Collectives on tensors, with PyTorch's names and arguments.

Sums are made in the order of the ranks, and every rank gets the same bits. A group is given by
``group=``, the default one when it is None. Ranks are numbers in the world; those in the group are
``group_src`` and ``group_dst``. With ``async_op`` a :class:`.Work` is returned.
"""

# ruff: noqa: I001 - imported names stand in rows
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np

from rushlight.base import site as sites
from rushlight.tensor.tensor import Tensor

from . import pending
from .process_group import Call, Exchange, ProcessGroup
from .membership import default, get_group_rank, member_of
from .memory import (
    check_list, check_one_type, check_tensor, described, fill, many_stored, stored,
)  # fmt: skip
from .reduce_op import ReduceOp, check
from .work import Work


def run(
    group: ProcessGroup,
    name: str,
    what: str,
    body: Callable[[Exchange], Any],
    finish: Callable[[Any], Any],
    async_op: bool = False,
    seconds: float | None = None,
) -> Work | None:
    """Runs a collective now, or has the group's thread run it."""
    pending.settle()
    call = Call(name, what, sites.current(2))
    if async_op:
        return group.submit(call, body, finish)
    finish(group.perform(call, body, seconds))
    return None


def root_of(
    group: ProcessGroup, rank: int | None, group_rank: int | None, name: str, required: bool = True
) -> int:
    """Which member of the group sends or receives.

    Raises:
        ValueError: nothing was said, or twice, or a rank that is not in the group.
        RuntimeError: a rank that is not in the world.
    """
    if rank is not None and group_rank is not None:
        raise ValueError("Can't specify both group_rank and global_rank")
    if rank is None and group_rank is None:
        if required:
            raise ValueError("Must specify global_rank or group_rank")
        return 0
    if rank is not None:
        if not 0 <= rank < default().world.size:
            raise RuntimeError(f"{name}: invalid root rank: {rank}")
        return get_group_rank(group, rank)
    assert group_rank is not None
    if not 0 <= group_rank < group.size():
        raise RuntimeError(f"{name}: invalid root rank: {group_rank}")
    return group_rank


def all_reduce(
    tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Reduces the tensors of all ranks; each has the result in place.

    Raises:
        RuntimeError: ranks disagree about shape, dtype or operation; a rank is gone or too late.
    """
    check_tensor(tensor, "tensor")
    here = member_of(group, "all_reduce")
    if here is None:
        return None
    check(op, tensor.dtype, "all_reduce")
    mine, dtype = stored(tensor), tensor.dtype
    return run(
        here, "all_reduce", f"{described(tensor)}, {op}",
        lambda ranks: ranks.all_reduce(mine, op, dtype), lambda total: fill(tensor, total),
        async_op,
    )  # fmt: skip


def reduce(
    tensor: Tensor, dst: int | None = None, op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False, group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Reduces the tensors of all ranks; ``dst`` has the result in place, the others keep theirs."""
    check_tensor(tensor, "tensor")
    here = member_of(group, "reduce")
    if here is None:
        return None
    check(op, tensor.dtype, "reduce")
    root = root_of(here, dst, group_dst, "reduce")
    mine, dtype = stored(tensor), tensor.dtype

    def body(ranks: Exchange) -> Any:
        total = ranks.all_reduce(mine, op, dtype)
        return total if ranks.rank == root else None

    def finish(total: Any) -> None:
        if total is not None:
            fill(tensor, total)

    what = f"{described(tensor)}, {op}, dst={here.ranks[root]}"
    return run(here, "reduce", what, body, finish, async_op)


def broadcast(
    tensor: Tensor, src: int | None = None, group: Any = None, async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """Gives every rank the tensor of ``src``, in place."""
    check_tensor(tensor, "tensor")
    here = member_of(group, "broadcast")
    if here is None:
        return None
    root = root_of(here, src, group_src, "broadcast")
    mine = stored(tensor)

    def finish(found: np.ndarray) -> None:
        if here.rank() != root:
            fill(tensor, found)

    return run(
        here, "broadcast", f"{described(tensor)}, src={here.ranks[root]}",
        lambda ranks: ranks.broadcast(mine, root), finish, async_op,
    )  # fmt: skip


def all_gather(
    tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Puts the tensor of rank ``k`` into ``tensor_list[k]``, on every rank.

    Raises:
        RuntimeError: the list has not one tensor of the same shape for each rank.
    """
    check_list(tensor_list, "tensor_list")
    check_tensor(tensor, "tensor")
    check_one_type(tensor, *tensor_list)
    here = member_of(group, "all_gather")
    if here is None:
        return None
    _check_row(tensor_list, tensor, here.size(), "all_gather")
    mine = stored(tensor)
    return run(
        here, "all_gather", described(tensor), lambda ranks: ranks.all_gather(mine),
        lambda rows: _spread(tensor_list, rows), async_op,
    )  # fmt: skip


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Puts the tensors of all ranks into one, behind each other or along a new first dimension."""
    check_tensor(output_tensor, "output_tensor")
    check_tensor(input_tensor, "input_tensor")
    check_one_type(input_tensor, output_tensor)
    here = member_of(group, "all_gather_into_tensor")
    if here is None:
        return None
    if output_tensor.numel() != input_tensor.numel() * here.size():
        raise RuntimeError(
            f"all_gather_into_tensor: output {tuple(output_tensor.shape)} has not"
            f" {here.size()} times the elements of input {tuple(input_tensor.shape)}"
        )
    mine = stored(input_tensor)
    return run(
        here, "all_gather_into_tensor", described(input_tensor),
        lambda ranks: ranks.all_gather(mine), lambda rows: fill(output_tensor, rows), async_op,
    )  # fmt: skip


def gather(
    tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int | None = None,
    group: Any = None, async_op: bool = False, group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Puts the tensor of rank ``k`` into ``gather_list[k]`` at ``dst``.

    Raises:
        ValueError: ``dst`` gives no list, or another rank does.
    """
    check_tensor(tensor, "tensor")
    here = member_of(group, "gather")
    if here is None:
        return None
    root = root_of(here, dst, group_dst, "gather", required=False)
    _check_sided(gather_list, here.rank() == root, "gather_list", "destination")
    if gather_list:
        check_list(gather_list, "gather_list")
        check_one_type(tensor, *gather_list)
        _check_row(gather_list, tensor, here.size(), "gather")
    mine = stored(tensor)

    def finish(rows: Any) -> None:
        if rows is not None:
            _spread(gather_list or [], rows)

    what = f"{described(tensor)}, dst={here.ranks[root]}"
    return run(here, "gather", what, lambda ranks: ranks.gather(mine, root), finish, async_op)


def scatter(
    tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int | None = None,
    group: Any = None, async_op: bool = False, group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """Puts ``scatter_list[k]`` of ``src`` into the tensor of rank ``k``.

    Raises:
        ValueError: ``src`` gives no list, or another rank does.
    """
    check_tensor(tensor, "tensor")
    here = member_of(group, "scatter")
    if here is None:
        return None
    root = root_of(here, src, group_src, "scatter", required=False)
    _check_sided(scatter_list, here.rank() == root, "scatter_list", "source")
    rows = None
    if scatter_list:
        check_list(scatter_list, "scatter_list")
        check_one_type(tensor, *scatter_list)
        _check_row(scatter_list, tensor, here.size(), "scatter")
        rows = np.stack(many_stored(scatter_list))
    like = stored(tensor)
    return run(
        here, "scatter", f"{described(tensor)}, src={here.ranks[root]}",
        lambda ranks: ranks.scatter(rows, like, root), lambda found: fill(tensor, found), async_op,
    )  # fmt: skip


def reduce_scatter(
    output: Tensor, input_list: list[Tensor], op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Reduces ``input_list[k]`` of all ranks; rank ``k`` has the result in ``output``."""
    check_tensor(output, "output")
    check_list(input_list, "input_list")
    check_one_type(output, *input_list)
    here = member_of(group, "reduce_scatter")
    if here is None:
        return None
    _check_row(input_list, output, here.size(), "reduce_scatter")
    check(op, output.dtype, "reduce_scatter")
    return _reduce_rows(here, output, np.stack(many_stored(input_list)), op, async_op)


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Reduces the inputs of all ranks; rank ``k`` has part ``k`` of the result in ``output``."""
    check_tensor(output, "output")
    check_tensor(input, "input")
    check_one_type(output, input)
    here = member_of(group, "reduce_scatter_tensor")
    if here is None:
        return None
    if input.numel() != output.numel() * here.size():
        raise RuntimeError(
            f"reduce_scatter_tensor: input {tuple(input.shape)} has not {here.size()} times the"
            f" elements of output {tuple(output.shape)}"
        )
    check(op, output.dtype, "reduce_scatter_tensor")
    rows = stored(input).reshape(here.size(), -1)
    return _reduce_rows(here, output, rows, op, async_op)


def _reduce_rows(
    here: ProcessGroup, output: Tensor, rows: np.ndarray, op: ReduceOp, async_op: bool
) -> Work | None:
    dtype = output.dtype
    return run(
        here, "reduce_scatter", f"{described(output)}, {op}",
        lambda ranks: ranks.reduce_scatter(rows, op, dtype), lambda part: fill(output, part),
        async_op,
    )  # fmt: skip


def barrier(
    group: Any = None, async_op: bool = False, device_ids: Any = None,
    timeout: timedelta | None = None,
) -> Work | None:  # fmt: skip
    """Waits until all ranks have come here."""
    here = member_of(group, "barrier")
    if here is None:
        return None
    seconds = None if timeout is None else timeout.total_seconds()
    return run(here, "barrier", "", lambda _: None, lambda _: None, async_op, seconds)


def monitored_barrier(
    group: Any = None, timeout: timedelta | None = None, wait_all_ranks: bool = False
) -> None:
    """Waits until all ranks have come here; the error tells which have not, and where they are."""
    here = member_of(group, "monitored_barrier")
    if here is None:
        return
    seconds = None if timeout is None else timeout.total_seconds()
    run(here, "monitored_barrier", "", lambda _: None, lambda _: None, False, seconds)


# What lists have to be.


def _spread(tensors: list[Tensor], rows: np.ndarray) -> None:
    for tensor, row in zip(tensors, rows, strict=True):
        fill(tensor, row)


def _check_row(tensors: list[Tensor], like: Tensor, size: int, name: str) -> None:
    if len(tensors) != size:
        raise RuntimeError(
            f"{name}: invalid tensor list (expected length {size}, got {len(tensors)})"
        )
    for k, tensor in enumerate(tensors):
        if tensor.shape != like.shape:
            raise RuntimeError(
                f"{name}: invalid tensor size at index {k} (expected {tuple(like.shape)}, got"
                f" {tuple(tensor.shape)})"
            )


def _check_sided(tensors: Any, here: bool, name: str, side: str) -> None:
    if here and not tensors:
        raise ValueError(f"Argument ``{name}`` must be specified on {side} rank.")
    if not here and tensors:
        raise ValueError(f"Argument ``{name}`` must NOT be specified on non-{side} ranks.")
