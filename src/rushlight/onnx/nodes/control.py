"""Branches and loops: the nodes whose attributes are graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl

from .registry import Here, node


@node("If", carried="self")
def if_(condition: rl.Tensor, *, then_branch: Any, else_branch: Any, here: Here) -> Any:
    branch = then_branch if bool(condition.item()) else else_branch
    return tuple(branch.run([], here.scope))


@node("Loop", carried="self")
def loop(
    count: rl.Tensor | None = None, condition: rl.Tensor | None = None, *state: Any, body: Any,
    here: Here,
) -> Any:  # fmt: skip
    """Runs the body as often as the count and the condition say, each of which may be absent."""
    most = None if count is None else int(count.item())
    goes_on = condition is None or bool(condition.item())
    carried, gathered = list(state), []
    turn = 0
    while goes_on and (most is None or turn < most):
        number = rl.tensor(turn, dtype=rl.int64)
        results = body.run([number, rl.tensor(goes_on), *carried], here.scope)
        goes_on = bool(results[0].item())
        carried = results[1 : 1 + len(state)]
        gathered.append(results[1 + len(state) :])
        turn += 1
    return (*carried, *_stacked(gathered, body, 1 + len(state)))


def _stacked(gathered: list[list[Any]], body: Any, first: int) -> list[rl.Tensor]:
    if gathered:
        return [rl.stack(list(column)) for column in zip(*gathered, strict=True)]
    # Without a turn there is nothing to stack: as many empty tensors as the body promises.
    return [rl.zeros((0, *sizes), dtype=dtype) for sizes, dtype in body.promised[first:]]


@node("Scan", since=9)
def scan(
    *inputs: Any, body: Any, num_scan_inputs: int,
    scan_input_axes: Sequence[int] | None = None,
    scan_input_directions: Sequence[int] | None = None,
    scan_output_axes: Sequence[int] | None = None,
    scan_output_directions: Sequence[int] | None = None, here: Here,
) -> Any:  # fmt: skip
    count = len(inputs) - num_scan_inputs
    state, scanned = list(inputs[:count]), inputs[count:]
    axes = scan_input_axes or [0] * num_scan_inputs
    back = scan_input_directions or [0] * num_scan_inputs
    columns = [
        list(x.unbind(axis))[:: -1 if turned else 1]
        for x, axis, turned in zip(scanned, axes, back, strict=True)
    ]
    gathered = []
    for elements in zip(*columns, strict=True):
        results = body.run([*state, *elements], here.scope)
        state, outputs = results[:count], results[count:]
        gathered.append(outputs)
    whole = _stacked(gathered, body, count)
    out_axes = scan_output_axes or [0] * len(whole)
    out_back = scan_output_directions or [0] * len(whole)
    placed = [
        (y.flip(0) if turned else y).movedim(0, axis)
        for y, axis, turned in zip(whole, out_axes, out_back, strict=True)
    ]
    return (*state, *placed)


@node("Scan", since=8)
def scan_batched(
    lengths: rl.Tensor | None, *inputs: Any, body: Any, num_scan_inputs: int,
    directions: Sequence[int] | None = None, here: Here,
) -> Any:  # fmt: skip
    """Version 8: every input has a batch in front, scanned one example at a time."""
    examples = []
    for at in range(inputs[0].shape[0]):
        rows = [x[at] for x in inputs]
        if lengths is not None:
            first = len(rows) - num_scan_inputs
            size = int(lengths[at].item())
            rows = rows[:first] + [row[:size] for row in rows[first:]]
        examples.append(
            scan(
                *rows, body=body, num_scan_inputs=num_scan_inputs,
                scan_input_directions=directions, here=here,
            )
        )  # fmt: skip
    return tuple(rl.stack(list(column)) for column in zip(*examples, strict=True))


@node("SequenceMap", carried="self")
def sequence_map(sequence: list[Any], *more: Any, body: Any, here: Here) -> Any:
    rows = []
    for at, x in enumerate(sequence):
        others = [one[at] if isinstance(one, list) else one for one in more]
        rows.append(body.run([x, *others], here.scope))
    columns = list(zip(*rows, strict=True)) or [()] * here.outputs
    return tuple(list(column) for column in columns)
