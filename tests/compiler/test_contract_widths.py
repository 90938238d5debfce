"""Other vector widths: code for 256 and 128 bits is right too, run on whatever machine this is."""

import numpy as np
import pytest
from tests.compiler.contracting import Run, narrow
from tests.compiler.test_contract import close, made, product
from tests.compiler.test_contract_convolution import CASES, exact, tensors
from tests.compiler.test_contract_convolution import close as near

from rushlight.compiler.llvm.contract import (
    Memory,
    packed_images,
    plan_backward_data,
    plan_backward_weights,
    plan_forward,
    tile_of,
)

WIDTHS = [(256, "float"), (128, "float"), (256, "double")]


@pytest.mark.parametrize("vector, element", WIDTHS)
@pytest.mark.parametrize("layouts", ["nn", "nt", "tn", "ss"])
def test_products(vector, element, layouts):
    tile = tile_of(narrow(vector), element)
    dtype = {"float": np.float32, "double": np.float64}[element]
    rng = np.random.default_rng(1)
    sizes = [(1, 9, 33), (13, 16, 20), (17, 33, 65), (70, 48, 300), (6, 5, 0), (20, 1, 30)]
    for m, n, k in sizes:
        a, b = made(rng, (m, k), layouts[0], dtype), made(rng, (k, n), layouts[1], dtype)
        close(product(a, b, tile), a, b)


@pytest.mark.parametrize("vector", [256, 128])
@pytest.mark.parametrize(
    "name", ["3x3", "five images", "stride and gaps", "few channels", "groups"]
)
def test_convolutions(vector, name):
    tile, w = tile_of(narrow(vector)), CASES[name]
    x, weights, dy = tensors(w)
    y, dx, dw = np.empty_like(dy), np.empty_like(x), np.empty_like(weights)
    images = [packed_images(0, w.size, x.shape[-1]), packed_images(1, w.out, dy.shape[-1])]
    results = [packed_images(2, w.size, x.shape[-1]), packed_images(2, w.out, dy.shape[-1])]
    memory = Memory(1, (0, 4))
    dy_image = packed_images(0, w.out, dy.shape[-1])
    Run(plan_forward(tile, w, images[0], memory, results[1]), tile, [x, weights, y])()
    Run(plan_backward_data(tile, w, dy_image, memory, results[0]), tile, [dy, weights, dx])()
    plan = plan_backward_weights(tile, w, *images, Memory(2, (0, 4)))
    Run(plan, tile, [x, dy, dw])()
    for found, expected in zip((y, dx, dw), exact(w)):
        near(found, expected, w.taps * max(w.inputs, w.outputs, w.images * dy[0, ..., 0].size))
