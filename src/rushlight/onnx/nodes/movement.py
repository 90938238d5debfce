"""What moves elements about without changing them."""

from __future__ import annotations

from collections.abc import Sequence

import rushlight as rl
from rushlight.nn import functional as F

from .registry import Here, node

MOST = 2**62  # bounds beyond any size, such as INT64_MAX for "to the end"


@node("Transpose", carried="move")
def transpose(x: rl.Tensor, *, perm: Sequence[int] | None = None) -> rl.Tensor:
    return x.permute(tuple(perm) if perm is not None else tuple(reversed(range(x.ndim))))


@node("Concat", carried="move")
def concat(*inputs: rl.Tensor, axis: int = 1) -> rl.Tensor:
    return rl.cat(list(inputs), axis)


@node("Split", carried="parts")
def split_fixed(
    x: rl.Tensor, *, split: Sequence[int] | None = None, axis: int = 0, here: Here
) -> tuple[rl.Tensor, ...]:
    return tuple(x.split(list(split or _even(x.shape[axis], here.outputs)), axis))


@node("Split", since=13, carried="parts")
def split(
    x: rl.Tensor, split: rl.Tensor | None = None, *, axis: int = 0,
    num_outputs: int | None = None, here: Here,
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    count = num_outputs or here.outputs
    sizes = _even(x.shape[axis], count) if split is None else split.tolist()
    return tuple(x.split(sizes, axis))


def _even(size: int, count: int) -> list[int]:
    """Sizes of equal parts; the last one has what is left."""
    part = -(-size // count)
    return [max(min(part, size - part * at), 0) for at in range(count)]


@node("Slice", carried="move")
def slice_fixed(
    x: rl.Tensor, *, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int] | None = None
) -> rl.Tensor:
    return _sliced(x, starts, ends, axes, None)


@node("Slice", since=10, carried="move")
def slice_(
    x: rl.Tensor, starts: rl.Tensor, ends: rl.Tensor, axes: rl.Tensor | None = None,
    steps: rl.Tensor | None = None,
) -> rl.Tensor:  # fmt: skip
    along = None if axes is None else axes.tolist()
    return _sliced(
        x, starts.tolist(), ends.tolist(), along, None if steps is None else steps.tolist()
    )


def _sliced(
    x: rl.Tensor, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int] | None,
    steps: Sequence[int] | None,
) -> rl.Tensor:  # fmt: skip
    for at, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = (at if axes is None else axes[at]) % x.ndim
        step = 1 if steps is None else steps[at]
        places = range(*slice(start, end, step).indices(x.shape[axis]))
        if step < 0:
            # Read backwards: the same elements forwards, turned around.
            low = (places[-1], places[0] + 1, -step) if len(places) else (0, 0, 1)
            x = x[(slice(None),) * axis + (slice(*low),)].flip(axis)
        elif places != range(x.shape[axis]):
            x = x[(slice(None),) * axis + (slice(places.start, places.stop, step),)]
    return x


@node("Pad", carried="move")
def pad_fixed(
    x: rl.Tensor, *, pads: Sequence[int] = (), paddings: Sequence[int] = (),
    mode: str = "constant", value: float = 0.0,
) -> rl.Tensor:  # fmt: skip
    return padded(x, list(pads or paddings), None, mode, value)


@node("Pad", since=11, carried="move", frozen=(2,))
def pad(
    x: rl.Tensor, pads: rl.Tensor, value: rl.Tensor | None = None, axes: rl.Tensor | None = None,
    *, mode: str = "constant",
) -> rl.Tensor:  # fmt: skip
    along = None if axes is None else axes.tolist()
    fill = 0 if value is None else value.item()
    return padded(x, pads.tolist(), along, mode, fill)


def padded(
    x: rl.Tensor, pads: list[int], axes: list[int] | None, mode: str, value: float
) -> rl.Tensor:
    """``x`` with elements added (or taken off) before and after along ``axes``."""
    axes = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in axes]
    around = {a: (pads[at], pads[at + len(axes)]) for at, a in enumerate(axes)}
    if mode != "constant":
        for axis, (before, after) in around.items():
            x = _repeated(x, axis, before, after, mode)
        return x
    flat: list[int] = []
    for axis in reversed(range(x.ndim)):
        flat.extend(around.get(axis, (0, 0)))
    return F.pad(x, flat, "constant", value) if any(flat) else x


def _repeated(x: rl.Tensor, axis: int, before: int, after: int, mode: str) -> rl.Tensor:
    """Elements of ``x`` itself around it: the nearest, mirrored, or from the other end."""
    size = x.shape[axis]
    if before == after == 0:
        return x
    place = rl.arange(-before, size + after)
    if mode == "edge":
        place = place.clamp(0, size - 1)
    elif mode == "wrap":
        place = place % size
    else:
        period = max(2 * (size - 1), 1)
        place = place % period
        place = rl.where(place >= size, period - place, place)
    return x.index_select(axis, place)


@node("DepthToSpace", carried="move")
def depth_to_space(x: rl.Tensor, *, blocksize: int, mode: str = "DCR") -> rl.Tensor:
    if mode == "CRD":
        return F.pixel_shuffle(x, blocksize)
    N, C, H, W = x.shape
    b = blocksize
    x = x.reshape(N, b, b, C // (b * b), H, W).permute(0, 3, 4, 1, 5, 2)  # (N, C', H, b, W, b)
    return x.reshape(N, C // (b * b), H * b, W * b)


@node("SpaceToDepth", carried="move")
def space_to_depth(x: rl.Tensor, *, blocksize: int, mode: str = "DCR") -> rl.Tensor:
    if mode == "CRD":
        return F.pixel_unshuffle(x, blocksize)
    N, C, H, W = x.shape
    b = blocksize
    x = x.reshape(N, C, H // b, b, W // b, b).permute(0, 3, 5, 1, 2, 4)  # (N, b, b, C, H/b, W/b)
    return x.reshape(N, C * b * b, H // b, W // b)


@node("Trilu", carried="move")
def trilu(x: rl.Tensor, k: rl.Tensor | None = None, *, upper: int = 1) -> rl.Tensor:
    shift = 0 if k is None else int(k.item())
    return rl.triu(x, shift) if upper else rl.tril(x, shift)


@node("ReverseSequence", carried="move")
def reverse_sequence(
    x: rl.Tensor, lengths: rl.Tensor, *, batch_axis: int = 1, time_axis: int = 0
) -> rl.Tensor:
    moved = x.movedim((time_axis, batch_axis), (0, 1))  # (T, B, ...)
    T, B = moved.shape[:2]
    time = rl.arange(T)[:, None].expand(T, B)
    turned = rl.where(time < lengths, lengths - 1 - time, time)
    found = moved[turned, rl.arange(B)]
    return found.movedim((0, 1), (time_axis, batch_axis))


@node("CenterCropPad", carried="move")
def center_crop_pad(
    x: rl.Tensor, shape: rl.Tensor, *, axes: Sequence[int] | None = None
) -> rl.Tensor:
    along = range(x.ndim) if axes is None else [axis % x.ndim for axis in axes]
    for axis, wanted in zip(along, shape.tolist(), strict=True):
        size = x.shape[axis]
        if wanted <= size:
            x = x.narrow(axis, (size - wanted) // 2, wanted)
        else:
            before = (wanted - size) // 2
            x = padded(x, [before, wanted - size - before], [axis], "constant", 0)
    return x
