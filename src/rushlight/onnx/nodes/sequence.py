"""Sequences of tensors, as Python lists, and values that may be absent, as None."""

from __future__ import annotations

from typing import Any

import rushlight as rl

from .registry import node


@node("SequenceConstruct", carried="self")
def sequence_construct(*inputs: Any) -> list[Any]:
    return list(inputs)


@node("SequenceEmpty")
def sequence_empty(*, dtype: int = 1) -> list[Any]:
    return []


@node("SequenceAt")
def sequence_at(sequence: list[Any], position: rl.Tensor) -> Any:
    return sequence[int(position.item())]


@node("SequenceInsert", carried="self")
def sequence_insert(sequence: list[Any], x: Any, position: rl.Tensor | None = None) -> list[Any]:
    at = len(sequence) if position is None else int(position.item())
    at = at + len(sequence) if at < 0 else at
    return [*sequence[:at], x, *sequence[at:]]


@node("SequenceErase")
def sequence_erase(sequence: list[Any], position: rl.Tensor | None = None) -> list[Any]:
    at = (-1 if position is None else int(position.item())) % len(sequence)
    return sequence[:at] + sequence[at + 1 :]


@node("SequenceLength")
def sequence_length(sequence: list[Any]) -> rl.Tensor:
    return rl.tensor(len(sequence), dtype=rl.int64)


@node("SplitToSequence")
def split_to_sequence(
    x: rl.Tensor, split: rl.Tensor | None = None, *, axis: int = 0, keepdims: int = 1
) -> list[rl.Tensor]:
    if split is None:
        parts = x.split(1, axis)
        return list(parts) if keepdims else [part.squeeze(axis) for part in parts]
    sizes = split.tolist()
    return list(x.split(sizes, axis))


@node("ConcatFromSequence")
def concat_from_sequence(sequence: list[rl.Tensor], *, axis: int, new_axis: int = 0) -> rl.Tensor:
    return rl.stack(sequence, axis) if new_axis else rl.cat(sequence, axis)


@node("Optional", carried="self")
def optional(x: Any = None, *, type: Any = None) -> Any:
    return x


@node("OptionalHasElement", carried="self")
def optional_has_element(x: Any = None) -> rl.Tensor:
    return rl.tensor(x is not None)


@node("OptionalGetElement", carried="self")
def optional_get_element(x: Any) -> Any:
    return x
