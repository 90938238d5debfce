"""Matrix products: every size, layout and epilogue against NumPy in double precision."""

import dataclasses

import numpy as np
import pytest
from tests.compiler.contracting import Run, extents, memory

from rushlight.compiler.llvm.contract import Layout, plan_product, tile_of
from rushlight.compiler.llvm.machine import host

TILE = tile_of(host())
BATCHES = [
    ((3, 9, 20), (3, 20, 18)), ((2, 3, 5, 8), (2, 3, 8, 40)), ((2, 2, 3, 17, 4), (2, 2, 3, 4, 5)),
    ((4, 1, 30), (4, 30, 50)), ((6, 10, 12), (12, 9)),
]  # fmt: skip
SIZES = [0, 1, 2, 5, 13, 17, 33, 64, 65]


def made(rng, shape, layout, dtype=np.float32):
    """A matrix whose columns (n), rows (t) or neither (s) are contiguous."""
    *batch, rows, columns = shape
    if layout == "t":
        return np.swapaxes(rng.standard_normal((*batch, columns, rows)).astype(dtype), -1, -2)
    if layout == "s":
        return rng.standard_normal((*batch, rows, columns * 3)).astype(dtype)[..., 1::3]
    return rng.standard_normal(shape).astype(dtype)


def close(c, a, b, ulp=4):
    """Each sum is right to a few units of its terms' size."""
    exact = a.astype(np.float64) @ b.astype(np.float64)
    scale = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64) + 1e-30
    bound = ulp * np.finfo(c.dtype).eps * scale * max(1, np.sqrt(a.shape[-1]) / 4)
    assert c.shape == exact.shape
    assert np.all(np.abs(c - exact) <= bound)


def whole(array):
    """The memory that an array is a part of."""
    return array if array.base is None else array.base


def product(a, b, tile=TILE, c=None, pieces=(1, 3)):
    """A @ B, run in different pieces that must give the same bits."""
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    c = np.full(shape, np.nan, a.dtype) if c is None else c
    a, b = (np.broadcast_to(x, (*shape[:-2], *x.shape[-2:])) for x in (a, b))
    places = [memory(x, place) for place, x in enumerate((a, b, c))]
    plan = plan_product(tile, (*shape[-2:], a.shape[-1]), *places, extents(c))
    run = Run(plan, tile, [a, b, c])
    results = []
    for count in pieces:
        c[...] = np.nan
        run(count)
        results.append(c.copy())
    assert all(np.array_equal(results[0], other, equal_nan=True) for other in results)
    return results[0]


@pytest.mark.parametrize("layouts", ["nn", "nt", "tn", "tt", "ss"])
def test_all_small_sizes(layouts):
    rng = np.random.default_rng(1)
    for m in SIZES:
        for n in SIZES:
            for k in (0, 1, 7, 16, 33):
                a, b = made(rng, (m, k), layouts[0]), made(rng, (k, n), layouts[1])
                close(product(a, b, pieces=(1, 2)), a, b)


@pytest.mark.parametrize("layouts", ["nn", "nt", "tn"])
@pytest.mark.parametrize(
    "sizes",
    [(300, 70, 700), (64, 784, 128), (15, 1024, 1030), (270, 300, 65), (150, 1100, 137)],
)
def test_blocks(layouts, sizes):
    m, n, k = sizes
    rng = np.random.default_rng(2)
    a, b = made(rng, (m, k), layouts[0]), made(rng, (k, n), layouts[1])
    close(product(a, b, pieces=(1, 2, 4)), a, b)


@pytest.mark.parametrize("layouts", ["nn", "nt", "tn", "tt"])
@pytest.mark.parametrize("shapes", BATCHES)
def test_batches(layouts, shapes):
    rng = np.random.default_rng(3)
    a, b = (made(rng, shape, layout) for shape, layout in zip(shapes, layouts))
    close(product(a, b), a, b)


def test_rows_far_apart_and_results_with_gaps():
    rng = np.random.default_rng(4)
    a = rng.standard_normal((40, 2048)).astype(np.float32)[:, 5:300]
    b = rng.standard_normal((295, 1024)).astype(np.float32)[:, 3:100]
    base = np.zeros((40, 300), np.float32)
    close(product(a, b, c=base[:, 7:104]), a, b)
    assert not base[:, :7].any() and not base[:, 104:].any()


@pytest.mark.parametrize("layouts", ["nn", "nt", "tn", "tt", "ss"])
@pytest.mark.parametrize("columns", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_columns(layouts, columns, dtype):
    tile = tile_of(host(), "double" if dtype is np.float64 else "float")
    rng = np.random.default_rng(9)
    for batch, m, k in [((), 1024, 32), ((), 33, 1030), ((2, 3), 9, 0), ((3,), 40, 17)]:
        a = made(rng, (*batch, m, k), layouts[0], dtype)
        b = made(rng, (*batch, k, columns), layouts[1], dtype)
        close(product(a, b, tile=tile, pieces=(1, 2)), a, b)
        base = np.zeros((m, columns + 6), dtype)
        if not batch:
            close(product(a, b, tile=tile, c=base[:, 2 : 2 + columns]), a, b)
            assert not base[:, :2].any() and not base[:, 2 + columns :].any()


def test_transposed_result():
    rng = np.random.default_rng(5)
    a, b = made(rng, (33, 50), "n"), made(rng, (50, 70), "n")
    close(product(a, b, c=np.empty((70, 33), np.float32).T), a, b)


def test_nan_and_infinity_go_where_they_belong():
    rng = np.random.default_rng(6)
    for layouts in ("nn", "nt", "tn"):
        a, b = made(rng, (20, 40), layouts[0]).copy("K"), made(rng, (40, 37), layouts[1]).copy("K")
        a[3, 5], b[7, 36] = np.nan, np.inf
        c = product(a, b)
        assert np.isnan(c[3]).all()
        rest = np.delete(c, 3, 0)
        assert np.isinf(rest[:, 36]).all() and np.isfinite(rest[:, :36]).all()


class Scaled:
    """Doubles an operand while it is packed."""

    def __init__(self, inner):
        self.inner, self.along, self.layout = inner, inner.along, inner.layout
        self.key = "twice_" + inner.key

    def values(self):
        return self.inner.values()

    def begin(self, f, params):
        self.inner.begin(f, params)

    def enter(self, f, batch):
        self.inner.enter(f, batch)

    def read(self, f, batch, k, i, mask):
        value = self.inner.read(f, batch, k, i, mask)
        return f.add(value, value)


class BiasAndRelu:
    """Writes relu(sum + bias[n]) and, to another array, the sum itself."""

    key = "bias_relu"
    layout = Layout(["bias", "out", "plain", "columns"])

    def __init__(self, **values):
        self.given = values

    def values(self):
        return self.given

    def begin(self, f, params):
        self.params = params
        self.memory = {name: params.pointer(name) for name in ("bias", "out", "plain")}

    def expect(self, f, batch, m, n):
        """Fetching is only a hint, beyond the end of memory too."""
        f.prefetch(f.at(self.memory["out"], f.mul(f.add(m, n), self.params["columns"]), "float"))
        f.prefetch(f.at(self.memory["bias"], n, "float"), write=True)

    def write(self, f, batch, m, n, value, mask):
        from rushlight.compiler.llvm.text import const

        zero = const(0, value.type)
        bias = f.masked_load(f.at(self.memory["bias"], n, "float"), value.type, mask, zero)
        place = f.add(f.mul(m, self.params["columns"]), n)
        f.masked_store(value, f.at(self.memory["plain"], place, "float"), mask)
        result = f.intrinsic("maximum", f.add(value, bias), zero)
        f.masked_store(result, f.at(self.memory["out"], place, "float"), mask)


@pytest.mark.parametrize("layouts", ["nn", "nt", "tn"])
@pytest.mark.parametrize(
    "sizes", [(1, 40, 50), (64, 10, 128), (30, 70, 600), (17, 33, 0), (300, 65, 520)]
)
def test_prologue_and_epilogue(layouts, sizes):
    from rushlight.compiler.llvm.contract.plan import _reader

    m, n, k = sizes
    rng = np.random.default_rng(7)
    a, b = made(rng, (m, k), layouts[0]), made(rng, (k, n), layouts[1])
    bias = rng.standard_normal(n).astype(np.float32)
    out, plain = np.full((m, n), np.nan, np.float32), np.full((m, n), np.nan, np.float32)
    one = (1, 1, 1)
    readers = [
        _reader(TILE, memory(x, i), one, turn) for i, x, turn in ((0, a, False), (1, b, True))
    ]
    writer = BiasAndRelu(bias=2, out=3, plain=4, columns=n)
    plan = plan_product(TILE, (m, n, k), Scaled(readers[0]), Scaled(readers[1]), writer)
    Run(plan, TILE, [a, b, bias, out, plain])(2)
    close(plain, 2 * a, 2 * b)
    assert np.array_equal(out, np.maximum(plain + bias, 0))


def test_double_precision():
    tile = tile_of(host(), "double")
    rng = np.random.default_rng(8)
    for m, n, k in [(1, 33, 40), (13, 17, 9), (65, 64, 300), (3, 1, 5), (20, 10, 0)]:
        for layouts in ("nn", "nt", "tn", "ss"):
            a = made(rng, (m, k), layouts[0], np.float64)
            b = made(rng, (k, n), layouts[1], np.float64)
            close(product(a, b, tile), a, b)


def bfloat(x):
    """Bits of the nearest bfloat16, ties to even, and their value."""
    bits = x.astype(np.float32).view(np.uint32)
    kept = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return kept, (kept.astype(np.uint32) << 16).view(np.float32)


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("layouts", ["nn", "nt", "tn", "tt"])
@pytest.mark.parametrize(
    "sizes", [(1, 30, 40), (33, 17, 64), (20, 65, 9), (70, 40, 300), (6, 5, 0)]
)
def test_bfloat16(sizes, layouts, pairs):
    if pairs and not TILE.pairs:
        pytest.skip("this processor does not multiply pairs of bfloat16")
    m, n, k = sizes
    tile = dataclasses.replace(TILE, pairs=pairs)
    rng = np.random.default_rng(9)
    (a, exact_a), (b, exact_b) = (
        bfloat(made(rng, shape, layout)) for shape, layout in zip(((m, k), (k, n)), layouts)
    )
    for dtype, element in ((np.float32, "float"), (np.uint16, "bfloat")):
        c = np.zeros((m, n), dtype)
        places = [memory(x, i) for i, x in enumerate((a, b))]
        plan = plan_product(tile, sizes, *places, memory(c, 2, element=element))
        Run(plan, tile, [a, b, c])(2)
        if element == "float":
            close(c, exact_a, exact_b)
            kept = bfloat(c)[0]
        else:
            assert np.array_equal(c, kept)
