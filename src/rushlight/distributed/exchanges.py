"""Collectives in which every rank sends something else to each of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rushlight.tensor.tensor import Tensor

from .collectives import run
from .membership import member_of
from .memory import check_list, check_one_type, check_tensor, fill, many_stored, stored
from .process_group import Exchange, ProcessGroup
from .work import Work


def all_to_all(
    output_tensor_list: list[Tensor], input_tensor_list: list[Tensor], group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Sends ``input_tensor_list[k]`` to rank ``k``; what comes from it is in the output list.

    Raises:
        RuntimeError: the lists have not one tensor for each rank, or what comes does not fit.
    """
    check_list(output_tensor_list, "output_tensor_list")
    check_list(input_tensor_list, "input_tensor_list")
    check_one_type(*output_tensor_list, *input_tensor_list)
    here = member_of(group, "all_to_all")
    if here is None:
        return None
    for side, tensors in (("input", input_tensor_list), ("output", output_tensor_list)):
        if len(tensors) != here.size():
            raise RuntimeError(
                f"all_to_all: {side} tensor list size {len(tensors)} does not match world size"
                f" {here.size()}"
            )
    parts = many_stored(input_tensor_list)
    wanted = [tensor.numel() for tensor in output_tensor_list]

    def finish(found: list[np.ndarray]) -> None:
        for tensor, part in zip(output_tensor_list, found, strict=True):
            fill(tensor, part)

    return _exchange(here, "all_to_all", parts, wanted, finish, async_op)


def all_to_all_single(
    output: Tensor, input: Tensor, output_split_sizes: Sequence[int] | None = None,
    input_split_sizes: Sequence[int] | None = None, group: Any = None, async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Sends part ``k`` of ``input`` along its first dimension to rank ``k``.

    Args:
        output_split_sizes, input_split_sizes: rows for each rank; equal parts when None.
    """
    check_tensor(output, "output")
    check_tensor(input, "input")
    check_one_type(output, input)
    here = member_of(group, "all_to_all_single")
    if here is None:
        return None
    size = here.size()
    sent = _split(input, input_split_sizes, size)
    wanted = _split(output, output_split_sizes, size)
    row = input[0].numel() if len(input) else 0
    cuts = np.cumsum(sent)[:-1]
    parts = [np.ascontiguousarray(part) for part in np.split(stored(input), cuts)]
    out_row = output[0].numel() if len(output) else row
    counts = [rows * out_row for rows in wanted]

    def finish(found: list[np.ndarray]) -> None:
        fill(output, np.concatenate(found))

    return _exchange(here, "all_to_all_single", parts, counts, finish, async_op)


def _exchange(
    here: ProcessGroup, name: str, parts: list[np.ndarray], wanted: list[int],
    finish: Callable[[Any], None], async_op: bool,
) -> Work | None:  # fmt: skip
    """Sends parts to all ranks; ``wanted`` says how many elements shall come from each."""
    kind = parts[0].dtype
    given = np.concatenate([part.reshape(-1) for part in parts]).view(np.uint8)
    sizes = [part.nbytes for part in parts]

    def body(ranks: Exchange) -> list[np.ndarray]:
        found, come = ranks.all_to_all_uneven(given, sizes)
        for rank, (have, want) in enumerate(zip(come // kind.itemsize, wanted, strict=True)):
            if have != want:
                raise RuntimeError(
                    f"[{name}] rank {ranks.ranks[rank]} sent {have} elements, and {want} are"
                    f" expected from it on rank {ranks.ranks[ranks.rank]}"
                )
        return np.split(found.view(kind), np.cumsum(wanted)[:-1])

    return run(here, name, str(kind), body, finish, async_op)


def _split(tensor: Tensor, sizes: Sequence[int] | None, count: int) -> list[int]:
    total = tensor.shape[0]
    if not sizes:
        if total % count:
            raise RuntimeError("Tensor's dim 0 does not divide equally across group size")
        return [total // count] * count
    if len(sizes) != count:
        raise RuntimeError("Number of tensor splits not equal to group size")
    if sum(sizes) != total:
        raise RuntimeError("Split sizes doesn't match total dim 0 size")
    return list(sizes)
