"""Nothing outside of a buffer is touched: each lies before memory that may not be read."""

import ctypes
import mmap
import sys

import numpy as np
import pytest
from tests.compiler.contracting import Run, narrow
from tests.compiler.test_contract import TILE, close, made, product
from tests.compiler.test_contract_convolution import CASES, tensors

from rushlight.compiler.llvm.contract import (
    Memory,
    packed_images,
    plan_backward_data,
    plan_backward_weights,
    plan_forward,
    tile_of,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="guards memory as Linux does")
TILES = {512: TILE, 256: tile_of(narrow(256)), 128: tile_of(narrow(128))}
PAGE = mmap.PAGESIZE


def guarded(array):
    """A copy that ends where a page begins that nobody may touch."""
    pages = -(-max(array.nbytes, 1) // PAGE)
    memory = mmap.mmap(-1, (pages + 1) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    last = ctypes.c_void_p(start + pages * PAGE)
    assert ctypes.CDLL(None).mprotect(last, ctypes.c_size_t(PAGE), 0) == 0
    bytes = np.frombuffer(memory, np.uint8)[pages * PAGE - array.nbytes : pages * PAGE]
    order = np.argsort([-step for step in array.strides], kind="stable")
    laid = np.transpose(array, order)
    copy = bytes.view(array.dtype).reshape(laid.shape)
    copy[...] = laid
    return np.transpose(copy, np.argsort(order))


@pytest.mark.parametrize("vector", TILES)
@pytest.mark.parametrize("layouts", ["nn", "nt", "tn", "tt"])
def test_products(vector, layouts):
    rng = np.random.default_rng(0)
    for m in (1, 3, 14, 17):
        for n in (1, 16, 17, 33):
            for k in (1, 9, 16, 33):
                a = guarded(made(rng, (m, k), layouts[0]))
                b = guarded(made(rng, (k, n), layouts[1]))
                c = guarded(np.zeros((m, n), np.float32))
                close(product(a, b, TILES[vector], c=c, pieces=(1,)), a, b)


@pytest.mark.parametrize("vector", TILES)
@pytest.mark.parametrize("name", ["3x3", "squares", "stride and gaps", "depthwise", "few channels"])
def test_convolutions(vector, name):
    w, tile = CASES[name], TILES[vector]
    x, weights, dy = map(guarded, tensors(w))
    y, dx, dw = (guarded(array) for array in (dy, x, weights))
    size = packed_images(0, w.size, x.shape[-1]), packed_images(2, w.size, x.shape[-1])
    out = [packed_images(place, w.out, dy.shape[-1]) for place in range(3)]
    memory = Memory(1, (0, 4))
    Run(plan_forward(tile, w, size[0], memory, out[2]), tile, [x, weights, y])()
    Run(plan_backward_data(tile, w, out[0], memory, size[1]), tile, [dy, weights, dx])()
    plan = plan_backward_weights(tile, w, size[0], out[1], Memory(2, (0, 4)))
    Run(plan, tile, [x, dy, dw])()
