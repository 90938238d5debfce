"""Windows of any size over images of any size: the same values, gradients or refusals as PyTorch.

What PyTorch leaves open is not drawn: batches of size 0, whose checks it leaves out.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as rl

few = settings(max_examples=15, deadline=None, derandomize=True, database=None)
small = st.integers(1, 3)


@st.composite
def numbers(draw, rank, low, high):
    one = st.integers(low, high)
    return draw(st.one_of(one, st.tuples(*[one] * rank)))


def image(draw, rank, channels):
    return (draw(st.integers(1, 2)), channels, *(draw(st.integers(1, 6)) for _ in range(rank)))


def run(lib, name, shapes, args, options):
    leaves = []
    for k, shape in enumerate(shapes):
        values = np.random.default_rng(k).normal(size=shape)
        leaves.append(lib.tensor(values, requires_grad=True))
    y = getattr(lib.nn.functional, name)(*leaves, *args, **options)
    weight = lib.tensor(np.cos(np.arange(y.numel())).reshape(tuple(y.shape)))
    gradients = lib.autograd.grad((y * weight).sum(), leaves)
    return [t.detach().numpy() for t in (y, *gradients)]


def compared(name, shapes, args=(), **options):
    try:
        expected = run(torch, name, shapes, args, options)
    except (RuntimeError, ValueError) as refusal:
        with pytest.raises(type(refusal)):
            run(rl, name, shapes, args, options)
        return
    for a, b in zip(run(rl, name, shapes, args, options), expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("rank", [1, 2, 3])
@few
@given(st.data())
def test_convolutions(rank, data):
    groups = data.draw(st.integers(1, 2))
    channels, filters = groups * data.draw(small), groups * data.draw(st.integers(1, 2))
    kernel = [data.draw(small) for _ in range(rank)]
    compared(
        f"conv{rank}d",
        [image(data.draw, rank, channels), (filters, channels // groups, *kernel)],
        stride=data.draw(numbers(rank, 1, 3)),
        padding=data.draw(numbers(rank, 0, 2)),
        dilation=data.draw(numbers(rank, 1, 2)),
        groups=groups,
    )


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@few
@given(st.data())
def test_poolings(kind, rank, data):
    options = {}
    if kind == "max" and rank > 1:  # PyTorch's max_pool1d corrupts its memory with some dilations
        options["dilation"] = data.draw(numbers(rank, 1, 2))
    compared(
        f"{kind}_pool{rank}d",
        [image(data.draw, rank, 2)],
        (data.draw(numbers(rank, 1, 4)),),
        stride=data.draw(numbers(rank, 1, 3)),
        padding=data.draw(numbers(rank, 0, 2)),
        ceil_mode=data.draw(st.booleans()),
        **options,
    )


@few
@given(st.data())
def test_windows_as_columns(data):
    options = {
        "dilation": data.draw(numbers(2, 1, 2)),
        "padding": data.draw(numbers(2, 0, 2)),
        "stride": data.draw(numbers(2, 1, 3)),
    }
    compared("unfold", [image(data.draw, 2, 2)], (data.draw(numbers(2, 1, 3)),), **options)


@pytest.mark.parametrize("rank", [1, 2, 3])
@few
@given(st.data())
def test_images_of_another_size(rank, data):
    modes = ["nearest", "nearest-exact", "area", ("linear", "bilinear", "trilinear")[rank - 1]]
    mode = data.draw(st.sampled_from([*modes, "bicubic"]))
    options = {"mode": mode}
    if data.draw(st.booleans()):
        options["size"] = data.draw(numbers(rank, 0, 9))
    else:
        options["scale_factor"] = data.draw(st.sampled_from([0.3, 0.5, 1.0, 1.5, 2.0, 2.7]))
        options["recompute_scale_factor"] = data.draw(st.sampled_from([None, True, False]))
    if data.draw(st.booleans()):
        options["align_corners"] = data.draw(st.booleans())
    compared("interpolate", [image(data.draw, rank, 2)], **options)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@few
@given(st.data())
def test_paddings(mode, data):
    rank = data.draw(small)
    low = 0 if mode == "circular" else -2
    widths = tuple(data.draw(st.integers(low, 3)) for _ in range(2 * rank))
    shape = image(data.draw, rank, 2)
    if mode != "constant" and any(
        n + a + b <= 0 for n, a, b in zip(shape[:1:-1], widths[::2], widths[1::2], strict=True)
    ):
        return  # nothing is left, and PyTorch's gradient is what was in memory
    compared("pad", [shape], (widths,), mode=mode)
