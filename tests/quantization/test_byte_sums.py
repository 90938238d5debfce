"""Sums of products of bytes: the same integers in every way, on every width, in both tiers."""

import dataclasses
import itertools
import shutil
import subprocess

import numpy as np
import pytest
import torch
from tests.compiler.contracting import Run, narrow
from tests.compiler.test_contract_convolution import CASES

import rushlight as rl
from rushlight import ops
from rushlight.compiler.llvm.contract import Memory, packed_images, plan_quads, tile_of
from rushlight.compiler.llvm.contract.micro import micro_module
from rushlight.compiler.llvm.contract.tile import Tile, quads_of
from rushlight.compiler.llvm.machine import Machine, host
from rushlight.execute.tier import only
from rushlight.tensor.tensor import Tensor

X86 = host().triple.startswith("x86_64")


def tiles():
    own = tile_of(host(), "i32")
    yield own
    yield dataclasses.replace(own, quads="plain")
    if X86:
        for vector in (512, 256, 128):
            if vector <= host().vector:
                machine = host() if vector == host().vector else narrow(vector)
                yield dataclasses.replace(tile_of(machine, "i32"), quads="words")
        if quads_of(host()) == "vnni" and host().vector == 512:
            yield dataclasses.replace(tile_of(narrow(256), "i32"), quads="vnni")


TILES = {tile.suffix: tile for tile in tiles()}
EXTREMES = np.array([0, 1, 127, 128, 254, 255], np.uint8)


def bytes_of(rng, shape, signed=False):
    """Bytes, the extreme ones often."""
    drawn = rng.integers(0, 256, shape).astype(np.uint8)
    ends = rng.choice(EXTREMES, shape)
    found = np.where(rng.random(shape) < 0.5, ends, drawn)
    return found.view(np.int8) if signed else found


def exact(x, weights, zero, w):
    """The sums by PyTorch, in float64."""
    image = torch.from_numpy(x).double().movedim(-1, 1)
    pads = [p for n in reversed(w.padding) for p in (n, n)]
    image = torch.nn.functional.pad(image, pads, value=float(zero))
    y = torch.nn.functional.conv3d(
        image, torch.from_numpy(weights).double(), stride=w.stride, dilation=w.dilation,
        groups=w.groups,
    )  # fmt: skip
    return y.movedim(1, -1).numpy().astype(np.int64)


def summed(w, tile, x, weights, zero):
    quads = -(-w.inputs // 4)
    whole = np.full((*x.shape[:-1], w.groups, quads * 4), 99, np.uint8)
    whole[..., : w.inputs] = x.reshape(*x.shape[:-1], w.groups, w.inputs)
    y = np.zeros((w.images, *w.out, w.outputs * w.groups), np.int32)
    plan = plan_quads(
        tile, dataclasses.replace(w, inputs=quads), w.inputs,
        packed_images(0, w.size, quads * w.groups), Memory(1, (0, 1)), 2,
        packed_images(3, w.out, y.shape[-1]),
    )  # fmt: skip
    ready = Run(plan, tile, [whole, weights, np.array(zero, np.uint8), y])
    results = []
    for pieces in (1, 3):
        y[...] = -7
        ready(pieces)
        results.append(y.copy())
    assert np.array_equal(*results)
    return y


SHAPES = [
    "3x3", "3x3 wide", "many images", "stride and gaps", "1x1 stride", "7x7 first", "one channel",
    "dilation", "groups", "one dimension", "three dimensions", "all padding", "deep",
]  # fmt: skip


FEW = ["3x3", "many images", "7x7 first", "groups"]
CHOSEN = [(way, name) for way in TILES for name in (SHAPES if way == next(iter(TILES)) else FEW)]


@pytest.mark.parametrize("way, name", CHOSEN)
def test_template_gives_exact_integers(way, name):
    w, rng = CASES[name], np.random.default_rng(3)
    x = bytes_of(rng, (w.images, *w.size, w.inputs * w.groups))
    weights = bytes_of(rng, (w.outputs * w.groups, w.inputs, *w.kernel), signed=True)
    for zero in (0, 128, 255):
        assert np.array_equal(summed(w, TILES[way], x, weights, zero), exact(x, weights, zero, w))


def test_worst_case_does_not_saturate():
    # 255 * -128 four times passes any sum of 16 bits; 4,096 of them, of 27.
    x, weights = np.full((3, 4096), 255, np.uint8), np.full((5, 4096), -128, np.int8)
    with only("compiled"):
        y = linear(x, weights)
    assert (y == 255 * -128 * 4096).all()


def linear(x, weight):
    nodes = tuple(rl.tensor(each).node for each in (x, weight))
    return Tensor(ops.linear_bytes.record(nodes)).numpy()


def convolution(x, weight, zero, *attrs):
    nodes = tuple(rl.tensor(each).node for each in (x, weight, np.uint8(zero)))
    return Tensor(ops.conv_bytes.record(nodes, *attrs)).numpy()


@pytest.mark.parametrize("tier", ["reference", "compiled"])
@pytest.mark.parametrize("m, k, n", [(1, 1, 1), (5, 7, 9), (1, 130, 1000), (33, 64, 77), (0, 4, 3)])
def test_linear(tier, m, k, n):
    rng = np.random.default_rng(k)
    x, weight = bytes_of(rng, (m, k)), bytes_of(rng, (n, k), signed=True)
    with only(tier):
        y = linear(x, weight)
    assert y.dtype == np.int32
    assert np.array_equal(y, x.astype(np.int64) @ weight.T.astype(np.int64))


GEOMETRIES = [  # x, weight, stride, padding, dilation, groups
    ((2, 8, 9, 9), (16, 8, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((1, 3, 15, 13), (20, 3, 7, 7), (2, 2), ((3, 3), (3, 3)), (1, 1), 1),
    ((3, 12, 7, 7), (24, 4, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 3),
    ((3, 15, 7, 7), (21, 5, 3, 3), (2, 1), ((1, 1), (0, 0)), (1, 2), 3),
    ((2, 6, 9, 9), (12, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 6),
    ((2, 5, 20), (7, 5, 4), (3,), ((2, 2),), (1,), 1),
    ((1, 2, 4, 5, 6), (3, 2, 2, 3, 2), (1, 1, 1), ((1, 1), (0, 0), (1, 1)), (1, 1, 1), 1),
    ((0, 4, 5, 5), (2, 4, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
]


@pytest.mark.parametrize("case", range(len(GEOMETRIES)))
@pytest.mark.parametrize("zero", [0, 77, 255])
def test_both_tiers_agree(case, zero):
    shape, filters, *attrs = GEOMETRIES[case]
    rng = np.random.default_rng(case)
    x, weight = bytes_of(rng, shape), bytes_of(rng, filters, signed=True)
    found = {}
    for tier in ("reference", "compiled"):
        with only(tier):
            found[tier] = convolution(x, weight, zero, *attrs)
    assert np.array_equal(found["reference"], found["compiled"])
    if not x.size:
        return
    pads = [each for pair in reversed(attrs[1]) for each in pair]
    image = torch.nn.functional.pad(torch.from_numpy(x).double(), pads, value=zero)
    conv = (torch.conv1d, torch.conv2d, torch.conv3d)[x.ndim - 3]
    expected = conv(image, torch.from_numpy(weight).double(), None, attrs[0], 0, *attrs[2:])
    assert np.array_equal(found["compiled"], expected.numpy())


def test_other_types_are_refused():
    with pytest.raises(RuntimeError, match="an input of uint8 and a weight of int8"):
        linear(np.zeros((2, 4), np.int8), np.zeros((3, 4), np.int8))
    with pytest.raises(RuntimeError, match="last dimensions are equal"):
        linear(np.zeros((2, 5), np.uint8), np.zeros((3, 4), np.int8))


# ARM ---------------------------------------------------------------------------------------------

MAIN = """
#include <stdint.h>
#include <stdio.h>
void NAME(void *, int64_t, void *, int64_t, void *, int64_t, int64_t, int64_t, int64_t, int64_t);
static uint8_t a[ROWS][K * 4];
static int8_t b[K][COLUMNS][4];
static int32_t c[ROWS][COLUMNS];
int main(void) {
    uint32_t s = 1;
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < 4 * K; k++) a[i][k] = (s = s * 1664525 + 1013904223) >> 24;
    for (int k = 0; k < 4 * K * COLUMNS; k++)
        (&b[0][0][0])[k] = (int8_t)((s = s * 1664525 + 1013904223) >> 24);
    int64_t record[2 + ROWS] = {0, K};
    int64_t outs[ROWS];
    for (int i = 0; i < ROWS; i++) record[2 + i] = (int64_t)a[i], outs[i] = (int64_t)c[i];
    NAME(record, 1, b, COLUMNS * 4, outs, 0, ROWS, COLUMNS, 0, 0);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) {
            int32_t sum = 0;
            for (int k = 0; k < 4 * K; k++) sum += a[i][k] * b[k / 4][j][k % 4];
            if (sum != c[i][j]) return printf("%d %d: %d, not %d\\n", i, j, c[i][j], sum), 1;
        }
    return 0;
}
"""


@pytest.mark.parametrize("way, features", [("sdot", "+dotprod"), ("usdot", "+i8mm"), ("plain", "")])
def test_arm(way, features, tmp_path):
    compiler, run = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
    if compiler is None or run is None:
        pytest.skip("wants aarch64-linux-gnu-gcc and qemu-aarch64")
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = Machine("aarch64-unknown-linux-gnu", "generic", features, 128, 32)
    tile = tile_of(machine, "i32")
    assert tile.quads == way
    text = str(micro_module(tile, "rows_quads"))
    module = llvm.parse_assembly(f'target triple = "{machine.triple}"\n{text}')
    target = llvm.Target.from_triple(machine.triple)
    made = target.create_target_machine("generic", features, opt=1, reloc="pic")
    (tmp_path / "kernel.o").write_bytes(made.emit_object(module))
    words = {"NAME": f"contract_rows_quads_{tile.suffix}", "ROWS": tile.rows, "K": 9}
    source = MAIN.replace("COLUMNS", str(tile.columns))
    for word, value in words.items():
        source = source.replace(word, str(value))
    (tmp_path / "main.c").write_text(source)
    call = [compiler, "-O1", "-static", "main.c", "kernel.o", "-o", "main"]
    subprocess.run(call, cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run([run, "-cpu", "max", "./main"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout


def test_machines_choose_their_way():
    def way(triple, features, vector):
        return quads_of(Machine(triple, "", features, vector, 32))

    intel = "x86_64-unknown-linux-gnu"
    assert way(intel, "+avx512vnni", 512) == "vnni"
    assert way(intel, "+avx512vnni", 256) == "words"  # without the 256-bit forms' own flag
    assert way(intel, "+avxvnni", 256) == "vnni"
    assert way(intel, "+avx2", 256) == "words"
    assert way("aarch64-apple-darwin", "+dotprod", 128) == "sdot"
    assert way("wasm32-unknown-unknown", "+simd128", 128) == "web"
    assert way("riscv64-unknown-linux-gnu", "", 128) == "plain"
    suffixes = [
        Tile("i32", 4, 8, 3, False, quads=each).suffix for each in ("vnni", "words", "plain")
    ]
    assert all(a != b for a, b in itertools.combinations(suffixes, 2))
