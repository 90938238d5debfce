"""Maximum pooling over windows whose distances are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor, ops
from rushlight.base.errors import ArgValueError, ShapeError
from rushlight.base.shapes import prod
from rushlight.tensor.region import autocasts

Ints = int | Sequence[int]
Ratios = float | Sequence[float]


def fractional_max_pool2d_with_indices(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
    output_ratio: Ratios | None = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """:func:`fractional_max_pool2d` with the places of the elements that it took."""
    return _pooled(2, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool2d(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
    output_ratio: Ratios | None = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """The largest element of each of a number of windows of an image, at distances that are drawn.

    Args:
        kernel_size: of a window, one number or two.
        output_size: how many windows there are in each dimension.
        output_ratio: or how many for each element of the input, between 0 and 1.
        return_indices: whether to return, too, where the elements lie.
    Shape:
        input (N, C, H, W) or (C, H, W); output the same with smaller H and W.
    Raises:
        ValueError: neither a size nor a ratio is given.
        RuntimeError: windows that do not fit.
    Reference:
        Graham 2014, "Fractional Max-Pooling", arXiv:1412.6071.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.fractional_max_pool2d(rl.ones(1, 9, 9), 2, output_ratio=0.5).shape
        torch.Size([1, 4, 4])
    """
    both = _pooled(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


def fractional_max_pool3d_with_indices(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
    output_ratio: Ratios | None = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """:func:`fractional_max_pool3d` with the places of the elements that it took."""
    return _pooled(3, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool3d(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
    output_ratio: Ratios | None = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """:func:`fractional_max_pool2d` for volumes (N, C, D, H, W) or (C, D, H, W)."""
    both = _pooled(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


def _each(value: Any, rank: int) -> tuple[Any, ...]:
    found = tuple(value) if isinstance(value, Sequence) else (value,)
    return found * rank if len(found) == 1 else found


@autocasts("wide")
def _pooled(
    rank: int, input: Tensor, kernel_size: Ints, output_size: Ints | None,
    output_ratio: Ratios | None, samples: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    name = f"fractional_max_pool{rank}d"
    if output_size is None and output_ratio is None:
        raise ArgValueError(
            name, f"{name} requires specifying either an output_size or an output_ratio"
        )
    if input.ndim not in (rank + 1, rank + 2) or 0 in input.shape[-rank - 1 :]:
        raise ShapeError(
            name,
            f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor of non-zero sizes, but got:"
            f" {list(input.shape)}",
        )
    x = input if input.ndim == rank + 2 else input.unsqueeze(0)  # type: ignore[attr-defined]
    N, C, *size = x.shape
    kernel = _each(kernel_size, rank)
    if output_size is None:
        ratios = _each(output_ratio, rank)
        if len(ratios) != rank:
            raise ArgValueError(
                name,
                f"{name} requires output_ratio to either be a single Int or tuple of Ints.",
            )
        outputs = tuple(int(n * ratio) for n, ratio in zip(size, ratios, strict=True))
    else:
        outputs = _each(output_size, rank)
    if len(kernel) != rank or len(outputs) != rank:
        raise ShapeError(
            name, f"{name}: kernel_size and output_size must either be a single Int or {rank} Ints"
        )
    for n, k, m in zip(size, kernel, outputs, strict=True):
        if m + k - 1 > n or m < 1 or k < 1:
            raise ShapeError(
                name, f"{name}(): pool size {k} too large relative to input size {n}",
                rule=f"{m} windows of {k} elements need an input of {m + k - 1}.",
            )  # fmt: skip
    if samples is None:
        samples = rl.rand(N, C, rank, dtype=input.dtype)
    elif (
        samples.ndim != 3 or samples.shape[0] < N or samples.shape[1:] != (C, rank)
        or samples.dtype is not input.dtype
    ):  # fmt: skip
        raise ShapeError(
            name,
            f"Expect _random_samples to have the same dtype as input and shape {(N, C, rank)}, but"
            f" got {samples.dtype} and {tuple(samples.shape)}",
        )
    else:
        samples = samples[:N]  # as PyTorch, which takes more than are needed
    values, places = _largest(x, size, kernel, outputs, samples)
    return (values, places) if x is input else (values[0], places[0])


def _largest(
    x: Tensor, size: Sequence[int], kernel: Sequence[int], outputs: Sequence[int], samples: Tensor
) -> tuple[Tensor, Tensor]:
    """The largest elements of the windows, and their places in the flattened image."""
    rank, (N, C) = len(size), x.shape[:2]
    flat: Any = 0
    for dim, (n, k, m) in enumerate(zip(size, kernel, outputs, strict=True)):
        # PyTorch's samples of an image are for its width first.
        sample = samples[..., rank - 1 - dim if rank == 2 else dim]
        at = _starts(sample, n, k, m).unsqueeze(-1) + rl.arange(k)  # (N, C, m, k)
        shape = [N, C, *[1] * (2 * rank)]
        shape[2 + dim], shape[2 + rank + dim] = m, k
        flat = flat * n + at.reshape(shape)
    flat = flat.expand(N, C, *outputs, *kernel).reshape(N, C, prod(outputs), prod(kernel))
    image = x.reshape(N, C, prod(size))  # type: ignore[attr-defined]
    seen = image.detach().gather(2, flat.flatten(2)).reshape(flat.shape)
    places = flat.gather(3, seen.argmax(3, keepdim=True))[..., 0]
    shape = (N, C, *outputs)
    values = Tensor(ops.joint_gather.record((image.node, places.node), 2))
    return values.reshape(shape), places.reshape(shape)  # type: ignore[attr-defined]


def _starts(sample: Any, size: int, kernel: int, outputs: int) -> Any:
    """Where windows start, ``(N, C, outputs)``: equation 1 of the paper; the last is at the end."""
    last = size - kernel
    if outputs == 1:
        return rl.full((*sample.shape, 1), last)
    step = last / (outputs - 1)
    sample = sample.unsqueeze(-1)
    starts = ((rl.arange(outputs) + sample) * step).trunc() - (sample * step).trunc()
    starts = rl.where(rl.arange(outputs) == outputs - 1, float(last), starts)
    return starts.long()
