"""Which kernels make a product, with which blocks: decided from sizes and strides.

The rules were measured (AMD Zen 4); none changes what is computed beyond rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from rushlight.compiler.llvm.contract.dot import DOT, DotStructure, dot_module
from rushlight.compiler.llvm.contract.operand import Memory, Reader, Stored, Strided, Writer
from rushlight.compiler.llvm.contract.pack import PACK, pack_module
from rushlight.compiler.llvm.contract.pairs import paired
from rushlight.compiler.llvm.contract.params import Layout
from rushlight.compiler.llvm.contract.product import Structure, product_module
from rushlight.compiler.llvm.contract.tile import Tile
from rushlight.compiler.llvm.text import Module

# Up to this many rows a product whose B runs along k is made of dot products.
FEW_ROWS = 4
# Steps of k in a block, bytes of B in a block, and rows of C. A's rows stay in the second cache
# while B streams by from the third; splitting k further costs more in reading and writing sums
# than it saves.
BLOCK_K = 1024
BLOCK_B = 2 * 1024 * 1024
BLOCK_M = 28
# Steps of k that one call of a packing kernel takes; where the rows of B are contiguous, fewer of
# them, but of many panels: memory likes to be read on and on.
PIECE, ROWS, GROUP = 256, 128, 32
# Strides that are multiples of this put all rows of a tile into the same few places of the cache.
PAGE = 4096
# Blocks of C that two to four threads can share evenly.
PIECES = 8
FEW_BLOCKS = 16


_Side = TypeVar("_Side")


@dataclass
class Call:
    """One kernel call of a plan.

    Attributes:
        name: of the kernel; equal names mean equal code.
        module: writes its code.
        needs: forms of the micro-kernels that the code calls (:func:`library.needed`).
        parts: layouts and values of the parameters, in order; see :attr:`params`.
        extent: length of the parallel axis; any cut gives the same bits. The grain is 1.
        scratch: bytes of scratch memory for each thread.
    """

    name: str
    module: Callable[[], Module]
    needs: tuple[str, ...]
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]]
    extent: int
    scratch: int = 0

    @property
    def params(self) -> np.ndarray:
        """The array for this call. Places in the table are asked for only now."""
        return np.concatenate([layout.array(values()) for layout, values in self.parts])


@dataclass
class Plan:
    """The calls of a product, in order.

    Attributes:
        packed: bytes of the buffer that B is packed in, 0 if it is read where it lies.
        packing: how many of the first calls only fill that buffer, from B or from weights alone:
            while those are the same, the buffer may be kept and the calls left out.
        packed_place: its place in the table; set by whoever plans memory, before params are made.
    """

    calls: list[Call] = field(default_factory=list)
    packed: int = 0
    packing: int = 0
    packed_place: int = -1


def plan_product(
    tile: Tile, sizes: tuple[int, int, int], a: Memory | Reader, b: Memory | Reader,
    c: Memory | Writer, extents: tuple[int, int, int] = (1, 1, 1),
) -> Plan:  # fmt: skip
    """The kernels for ``C = A B``.

    Args:
        sizes: m, n and k.
        a: (m, k) in memory, or a reader whose ``i`` is m.
        b: (k, n) in memory, or a reader whose ``i`` is n.
        c: (m, n) in memory, or a writer.
        extents: how many products, in three dimensions.
    """
    m, n, k = sizes
    a, b, c = _settled(a, k), _settled(b, n), _settled(c, n)
    if isinstance(c, Memory) and (c.strides[1] != c.bytes or _is_column(a, b, c, m, n)):
        return _plan_turned(tile, sizes, a, b, c, extents)
    if _has_few_columns(tile, a, b, c, m, n):
        assert isinstance(a, Memory) and isinstance(b, Memory) and isinstance(c, Memory)
        across = Stored(tile, c.turned, extents, scattered=True)
        return plan_product(tile, (n, m, k), b.turned, a.turned, across, extents)
    if _as_dots(tile, m, a, b):
        return _plan_dots(tile, sizes, a, b, c, extents)
    pairs = paired(tile, k, a, b, extents)
    if pairs is not None:
        return _plan_blocks(tile, (m, n, k // 2), *pairs, c, extents, True)
    return _plan_blocks(tile, sizes, a, b, c, extents, False)


def _plan_blocks(
    tile: Tile, sizes: tuple[int, int, int], a: Memory | Reader, b: Memory | Reader,
    c: Memory | Writer, extents: tuple[int, int, int], pairs: bool,
) -> Plan:  # fmt: skip
    """The kernels of a product by blocks."""
    plan = Plan()
    b_values = _plan_b(tile, sizes, b, extents, plan)
    form, reader = _plan_a(tile, sizes, a, extents)
    writer = c if not isinstance(c, Memory) else None
    if isinstance(c, Memory) and c.element != tile.element:
        writer = Stored(tile, c, extents)
    structure = Structure(tile, form, reader, writer, pairs)
    blocks = blocks_of(tile, sizes, extents, structure)
    a_values = reader.values if reader is not None else _in_place(a, form, extents)
    c_values = writer.values if writer is not None else _stored(c, extents)
    values = (lambda: blocks, a_values, b_values, c_values)
    name = "_".join(
        ["product", structure.form, *(part.key for part in (reader, writer) if part), tile.suffix]
    )
    extent = blocks["blocks_m"] * blocks["blocks_n"] * extents[0] * extents[1] * extents[2]
    plan.calls.append(Call(
        name, lambda: product_module(structure, name), (structure.form,),
        list(zip(structure.layouts.values(), values)), extent, scratch_of(structure, blocks),
    ))  # fmt: skip
    return plan


def _settled(side: _Side, columns: int) -> _Side:
    """One column has no stride; let it be contiguous."""
    if isinstance(side, Memory) and columns <= 1:
        return replace(side, strides=(side.strides[0], side.bytes))
    return side


def _is_column(a: Memory | Reader, b: Memory | Reader, c: Memory, m: int, n: int) -> bool:
    """Whether the result is one column in plain memory: it is quicker as one row."""
    plain = isinstance(a, Memory) and isinstance(b, Memory)
    return n == 1 and m > 1 and plain and c.strides[0] == c.bytes


def _has_few_columns(
    tile: Tile, a: Memory | Reader, b: Memory | Reader, c: Memory | Writer, m: int, n: int
) -> bool:
    """Whether most lanes would be idle: then columns had better be rows, stored one by one."""
    if not (isinstance(a, Memory) and isinstance(b, Memory) and isinstance(c, Memory)):
        return False
    # As dot products both had better run along k.
    alike = a.strides[1] != a.bytes or b.strides[0] == b.bytes
    return alike and 1 < n <= FEW_ROWS < tile.lanes and m >= 2 * FEW_ROWS


def _plan_turned(
    tile: Tile, sizes: tuple[int, int, int], a: Memory | Reader, b: Memory | Reader,
    c: Memory | Writer, extents: tuple[int, int, int],
) -> Plan:  # fmt: skip
    """The transposed problem: a reader's ``i`` is the same index on either side."""
    assert isinstance(c, Memory)
    m, n, k = sizes
    turned = [side.turned if isinstance(side, Memory) else side for side in (b, a)]
    if c.strides[0] != c.bytes and m > 1:
        raise ValueError("neither rows nor columns of the result are contiguous")
    return plan_product(tile, (n, m, k), turned[0], turned[1], c.turned, extents)


# Few rows ------------------------------------------------------------------------------------


def _reader(
    tile: Tile, side: Memory | Reader, extents: tuple[int, int, int], turn: bool, along: str = ""
) -> Reader:
    """A reader of either kind of operand; ``turn`` when memory is (k, i)."""
    if not isinstance(side, Memory):
        return side
    memory = side.turned if turn else side
    along = along or ("i" if memory.strides[0] == memory.bytes else "k")
    if memory.strides[1] == memory.bytes:
        along = "k"
    return Strided(tile, memory, extents, along)


def _as_dots(tile: Tile, m: int, a: Memory | Reader, b: Memory | Reader) -> bool:
    if m > FEW_ROWS:
        return False
    if isinstance(b, Memory):
        along_k = b.strides[0] == b.bytes
    else:
        along_k = b.along == "k"
    return along_k and (isinstance(a, Memory) or a.along == "k")


def _plan_dots(
    tile: Tile, sizes: tuple[int, int, int], a: Memory | Reader, b: Memory | Reader,
    c: Memory | Writer, extents: tuple[int, int, int],
) -> Plan:  # fmt: skip
    m, n, k = sizes
    left = _reader(tile, a, extents, False, "k")
    right = _reader(tile, b, extents, True, "k")
    writer = Stored(tile, c, extents) if isinstance(c, Memory) else c
    blocks = -(-n // tile.lanes)
    values = {"m": m, "n": n, "k": k, "blocks": blocks}
    rows = 1 if m == 1 else 2 if m == 2 else 4
    structure = DotStructure(tile, rows, left, right, writer)
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [(DOT, lambda: values)]
    parts += [(part.layout, part.values) for part in (left, right, writer)]
    extent = blocks * extents[0] * extents[1] * extents[2]
    return Plan([Call(structure.name, lambda: dot_module(structure), (), parts, extent)])


# B -------------------------------------------------------------------------------------------


def _plan_b(
    tile: Tile, sizes: tuple[int, int, int], b: Memory | Reader, extents: tuple[int, int, int],
    plan: Plan,
) -> Callable[[], Mapping[str, int]]:  # fmt: skip
    """The parameters of B, and the call that packs it if it must be."""
    _, n, k = sizes
    if isinstance(b, Memory) and _direct(tile, sizes, b):
        values = b.values(extents) | {"row": b.strides[0], "panel": tile.columns * tile.bytes}
        # The place may change until the parameters are asked for.
        return lambda: values | {"place": b.place}
    reader = _reader(tile, b, extents, True)
    vectors = min(tile.vectors, max(1, -(-n // tile.lanes)))
    pitch = vectors * tile.align
    room = -(-k // tile.lanes) * tile.lanes * pitch
    panels = -(-n // tile.columns)
    products = extents[0] * extents[1] * extents[2]
    piece, group = (ROWS, GROUP) if reader.along == "i" else (PIECE, 1)
    pieces = max(1, -(-k // piece))
    plan.packed = max(tile.align, panels * products * room)
    name = f"pack_{reader.key}_{tile.suffix}"
    packing = lambda: {
        "place": plan.packed_place, "offset": 0, "k": k, "n": n, "pitch": pitch,
        "panels": panels, "panel_bytes": room, "pieces": pieces, "piece": piece, "group": group,
    }  # fmt: skip
    plan.packing = 1
    parts: list[tuple[Layout, Callable[[], Mapping[str, int]]]] = [
        (PACK, packing), (reader.layout, reader.values),
    ]  # fmt: skip
    extent = products * -(-panels // group) * pieces
    plan.calls.append(Call(name, lambda: pack_module(tile, reader, name), (), parts, extent))
    each = panels * room
    return lambda: {
        "place": plan.packed_place, "offset": 0, "row": pitch, "panel": room,
        "extent1": extents[1], "extent2": extents[2],
        "batch0": each * extents[1] * extents[2], "batch1": each * extents[2], "batch2": each,
    }  # fmt: skip


def _direct(tile: Tile, sizes: tuple[int, int, int], b: Memory) -> bool:
    """Whether B is best read where it lies."""
    m, n, k = sizes
    if b.strides[1] != b.bytes or b.element != tile.element:
        return False
    if not tile.masked and n % tile.lanes:
        return False
    if m <= 2 * tile.rows:
        return True
    # Used again and again, it had better be small or lie side by side.
    small = m <= 9 * tile.rows or k * n * tile.bytes <= 256 * 1024
    return small and b.strides[0] % PAGE != 0 and (b.strides[0] % tile.align == 0 or m < 128)


# A -------------------------------------------------------------------------------------------


def _plan_a(
    tile: Tile, sizes: tuple[int, int, int], a: Memory | Reader, extents: tuple[int, int, int]
) -> tuple[str, Reader | None]:
    """The micro-kernel's form, and the reader if A is packed."""
    m, n, k = sizes
    if not isinstance(a, Memory):
        return ("rows" if a.along == "k" else "panel"), a
    plain = a.element == tile.element
    if a.strides[1] == a.bytes:
        far = a.strides[0] % PAGE == 0
    else:
        far = a.strides[1] % (PAGE if n < 8 * tile.columns else PAGE // 2) == 0
    pays = m > tile.rows // 2 and n > 2 * tile.columns and k > 64
    if plain and not (far and pays):
        if a.strides[1] == a.bytes or k == 1:
            return "rows", None
        if a.strides[0] == a.bytes or m == 1:
            return "panel", None
    reader = _reader(tile, a, extents, False)
    return ("rows" if reader.along == "k" else "panel"), reader


def _in_place(
    a: Memory | Reader, form: str, extents: tuple[int, int, int]
) -> Callable[[], Mapping[str, int]]:
    assert isinstance(a, Memory)
    row = a.strides[0] if form == "rows" else a.strides[1]
    return lambda: a.values(extents) | {"row": row}


def _stored(c: Memory | Writer, extents: tuple[int, int, int]) -> Callable[[], Mapping[str, int]]:
    assert isinstance(c, Memory)
    return lambda: c.values(extents) | {"row": c.strides[0]}


# Blocks --------------------------------------------------------------------------------------


def blocks_of(
    tile: Tile, sizes: tuple[int, int, int], extents: tuple[int, int, int], structure: Structure
) -> dict[str, int]:
    """The blocks of a product. They depend on sizes alone, so the bits do not depend on threads."""
    m, n, k = sizes
    count_k = max(1, round(k / BLOCK_K))
    block_k = max(1, -(-k // (count_k * tile.lanes)) * tile.lanes)
    widest = max(1, BLOCK_B // (block_k * tile.bytes * tile.columns))
    block_n = _even(n, tile.columns, widest)
    block_m = _even(m, tile.rows, BLOCK_M // tile.rows)
    products = extents[0] * extents[1] * extents[2]
    while products * -(-m // block_m) * -(-n // block_n) < PIECES and 2.0 * m * n * k > 1e6:
        if block_m > max(4 * tile.rows, block_n):
            block_m = _even(m, tile.rows, block_m // tile.rows // 2)
        elif block_n > 2 * tile.columns:
            block_n = _even(n, tile.columns, block_n // tile.columns // 2)
        elif block_m > tile.rows:
            block_m = _even(m, tile.rows, block_m // tile.rows // 2)
        else:
            break
    # With few blocks, one more for one thread than for another is seen: halves are even.
    units = -(-n // tile.columns)
    few = products * -(-m // block_m) * -(-n // block_n) < FEW_BLOCKS
    if few and m % block_m and units % 2 == 0 and units >= 4:
        block_n = min(block_n, units // 2 * tile.columns)
    room = 0
    if structure.reader is not None:
        steps = block_k + 2 * tile.lanes
        room = (block_m + 2 * tile.rows) * steps * tile.bytes
        room += (block_m // tile.rows + 1) * steps * tile.align * (-(-tile.rows // tile.lanes))
    area = -(-(tile.record + tile.rows) * 8 // 64) * 64
    return {
        "m": m, "n": n, "k": k, "block_m": block_m, "block_n": block_n, "block_k": block_k,
        "blocks_m": -(-m // block_m), "blocks_n": -(-n // block_n),
        "blocks_k": max(1, -(-k // block_k)), "area": area, "partial": area + -(-room // 64) * 64,
    }  # fmt: skip


def _even(size: int, unit: int, most: int) -> int:
    """A block of whole units, at most ``most`` of them, such that the blocks are about equal."""
    units = max(1, -(-size // unit))
    blocks = -(-units // max(1, most))
    return -(-units // blocks) * unit


def scratch_of(structure: Structure, blocks: Mapping[str, int]) -> int:
    """Bytes of scratch memory."""
    tile = structure.tile
    tiles = 0
    if structure.writer is not None:
        tiles = 1
        if blocks["blocks_k"] > 1:
            tiles = (blocks["block_m"] // tile.rows) * (blocks["block_n"] // tile.columns)
    return blocks["partial"] + tiles * tile.rows * tile.columns * tile.bytes
