"""Convolutions and their gradients, on channels-last images, against PyTorch."""

import functools

import numpy as np
import pytest
import torch
from tests.compiler.contracting import Run

from rushlight.compiler.llvm.contract import (
    Layout,
    Memory,
    Window,
    packed_images,
    plan_backward_data,
    plan_backward_weights,
    plan_forward,
    tile_of,
)
from rushlight.compiler.llvm.machine import host

TILE = tile_of(host())


def window(images, size, kernel, inputs, outputs, stride=1, padding=0, dilation=1, groups=1):
    """A window from sizes of one to three dimensions; channels are those of all groups."""
    each = [
        (value,) * len(size) if isinstance(value, int) else value
        for value in (stride, padding, dilation)
    ]
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, *each)
    )
    ones, zeros = (1,) * (3 - len(size)), (0,) * (3 - len(size))
    return Window(
        images, ones + size, ones + kernel, ones + each[0], ones + each[2], zeros + each[1],
        ones + out, inputs // groups, outputs // groups, groups,
    )  # fmt: skip


CASES = {
    "3x3": window(2, (9, 11), (3, 3), 5, 7, padding=1),
    "3x3 wide": window(2, (8, 6), (3, 3), 70, 45, padding=1),
    "many images": window(17, (4, 4), (3, 3), 20, 33, padding=1),
    "five images": window(5, (3, 2), (3, 3), 64, 64, padding=1),
    "stride": window(3, (9, 8), (3, 3), 16, 24, stride=2, padding=1),
    "stride and gaps": window(2, (12, 13), (3, 2), 9, 20, stride=(3, 2), padding=(1, 0)),
    "1x1": window(2, (5, 7), (1, 1), 30, 40),
    "1x1 stride": window(2, (9, 8), (1, 1), 30, 40, stride=2),
    "7x7 first": window(1, (20, 21), (7, 7), 3, 17, stride=2, padding=3),
    "few channels": window(2, (9, 10), (5, 3), 3, 40),
    "one channel": window(3, (28, 28), (3, 3), 1, 32),
    "dilation": window(2, (11, 12), (3, 3), 6, 10, dilation=(2, 3), padding=2),
    "groups": window(2, (7, 7), (3, 3), 12, 20, padding=1, groups=4),
    "depthwise": window(2, (7, 7), (3, 3), 10, 10, padding=1, groups=10),
    "depthwise stride": window(3, (9, 8), (3, 3), 70, 70, stride=2, padding=1, groups=70),
    "depthwise, two outputs": window(2, (5, 6), (3, 3), 8, 16, padding=1, groups=8),
    "one dimension": window(3, (30,), (5,), 8, 12, stride=2, padding=2),
    "three dimensions": window(2, (5, 6, 7), (3, 2, 3), 4, 9, stride=(1, 2, 1), padding=1),
    "all padding": window(1, (1, 1), (3, 3), 4, 4, padding=2),
    "no image": window(0, (4, 4), (3, 3), 4, 4),
    "squares": window(2, (14, 15), (3, 3), 64, 48, padding=1),
    "squares, no padding": window(4, (9, 12), (3, 3), 32, 80),
    "squares, wide padding": window(3, (6, 7), (3, 3), 16, 160, padding=2),
    "many squares": window(16, (4, 4), (3, 3), 128, 64, padding=1),
    "deep": window(2, (6, 6), (3, 3), 300, 40, padding=1),
}  # fmt: skip


def tensors(w):
    """Channels-last images and PyTorch's weights."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((w.images, *w.size, w.inputs * w.groups)).astype(np.float32)
    weights = rng.standard_normal((w.outputs * w.groups, w.inputs, *w.kernel)).astype(np.float32)
    dy = rng.standard_normal((w.images, *w.out, w.outputs * w.groups)).astype(np.float32)
    return x, weights, dy


def first(x):
    return torch.from_numpy(x).double().movedim(-1, 1)


@functools.cache
def exact(w):
    """y, dx and dw of the tensors of a window."""
    x, weights, dy = tensors(w)
    x, weights = first(x).requires_grad_(), torch.from_numpy(weights).double().requires_grad_()
    y = torch.nn.functional.conv3d(
        torch.nn.functional.pad(x, [p for n in reversed(w.padding) for p in (n, n)]), weights,
        stride=w.stride, dilation=w.dilation, groups=w.groups,
    )  # fmt: skip
    y.backward(first(dy))
    return y.detach().movedim(1, -1), x.grad.movedim(1, -1), weights.grad


def close(found, expected, terms):
    bound = np.finfo(np.float32).eps * (16 + 1.5 * terms)
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=bound)


def run(plan, buffers, out):
    """The result, which must have the same bits however it is cut."""
    ready = Run(plan, TILE, buffers)
    results = []
    for pieces in (1, 2, 5):
        out[...] = np.nan
        ready(pieces)
        results.append(out.copy())
    assert all(np.array_equal(results[0], other) for other in results)
    return results[0]


@pytest.mark.parametrize("name", CASES)
def test_forward(name):
    w = CASES[name]
    x, weights, dy = tensors(w)
    y = np.empty_like(dy)
    plan = plan_forward(
        TILE, w, packed_images(0, w.size, x.shape[-1]), Memory(1, (0, 4)),
        packed_images(2, w.out, y.shape[-1]),
    )  # fmt: skip
    close(run(plan, [x, weights, y], y), exact(w)[0], w.taps * w.inputs)


@pytest.mark.parametrize("name", CASES)
def test_gradient_of_data(name):
    w = CASES[name]
    x, weights, dy = tensors(w)
    dx = np.empty_like(x)
    plan = plan_backward_data(
        TILE, w, packed_images(0, w.out, dy.shape[-1]), Memory(1, (0, 4)),
        packed_images(2, w.size, dx.shape[-1]),
    )  # fmt: skip
    close(run(plan, [dy, weights, dx], dx), exact(w)[1], w.taps * w.outputs)


@pytest.mark.parametrize("name", CASES)
def test_gradient_of_weights(name):
    w = CASES[name]
    x, weights, dy = tensors(w)
    dw = np.empty_like(weights)
    plan = plan_backward_weights(
        TILE, w, packed_images(0, w.size, x.shape[-1]), packed_images(1, w.out, dy.shape[-1]),
        Memory(2, (0, 4)),
    )  # fmt: skip
    close(
        run(plan, [x, dy, dw], dw),
        exact(w)[2],
        w.images * dy[0, ..., 0].size if w.images else 0,
    )


class Doubled:
    """Writes twice the sums to rows of known width, each group beside the one before."""

    key = "doubled"
    layout = Layout(["out", "row", "group"])

    def __init__(self, **values):
        self.given = values

    def values(self):
        return self.given

    def begin(self, f, params):
        self.params, self.out = params, params.pointer("out")

    def expect(self, f, batch, m, n):
        """Nothing is needed."""

    def write(self, f, batch, m, n, value, mask):
        place = f.add(f.mul(m, self.params["row"]), f.mul(batch, self.params["group"]))
        at = f.at(self.out, f.add(place, n), "float")
        f.masked_store(f.add(value, value), at, mask)


@pytest.mark.parametrize("name", CASES)
def test_epilogues(name):
    w = CASES[name]
    x, weights, dy = tensors(w)
    y, dx, dw = np.empty_like(dy), np.empty_like(x), np.empty_like(weights)
    y_exact, dx_exact, dw_exact = (2 * value for value in exact(w))
    images = packed_images(0, w.size, x.shape[-1]), packed_images(0, w.out, dy.shape[-1])
    memory = Memory(1, (0, 4))
    writer = Doubled(out=2, row=dy.shape[-1], group=w.outputs)
    plan = plan_forward(TILE, w, images[0], memory, writer)
    close(run(plan, [x, weights, y], y), y_exact, 2 * w.taps * w.inputs)
    writer = Doubled(out=2, row=dx.shape[-1], group=w.inputs)
    plan = plan_backward_data(TILE, w, images[1], memory, writer)
    close(run(plan, [dy, weights, dx], dx), dx_exact, 2 * w.taps * w.outputs)
    row = w.inputs * w.taps
    writer = Doubled(out=2, row=row, group=row * w.outputs)
    at_dy = packed_images(1, w.out, dy.shape[-1])
    plan = plan_backward_weights(TILE, w, images[0], at_dy, writer)
    close(run(plan, [x, dy, dw], dw), dw_exact, 2 * dy[..., 0].size)
