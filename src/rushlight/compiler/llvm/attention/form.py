"""What decides the code of attention, and the sizes and places that are parameters of a call."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from rushlight.compiler.llvm.contract.operand import BATCH
from rushlight.compiler.llvm.contract.params import Layout
from rushlight.compiler.llvm.contract.tile import Tile

SIZES = (
    "queries", "keys", "width", "values", "block_i", "block_j", "blocks_i", "groups", "group",
    "scale", "total", "dot", "partial", "rate", "seed", "offset",
    "at_q", "at_g", "at_s", "at_p", "at_mask", "at_drop", "at_rows",
)  # fmt: skip
"""``scale`` to ``offset`` are places of buffers, ``at_...`` offsets in scratch memory, all sizes
counts; a group is so many keys whose gradients are one task."""

MATRIX = Layout(["place", "offset", "row", "column", *BATCH, "shift", "unit"])
FORWARD = ("q", "k", "v", "out")
BACKWARD = ("g", "q", "k", "v", "dq", "dk", "dv")
MASKS = {"": "", "bool": "i8", "float": "", "bool_along": "i8", "float_along": ""}
"""How a mask is read: ``along`` where it is the same for all queries. What its elements are."""


@dataclass(frozen=True)
class Form:
    """What decides the code.

    Attributes:
        tile: of the micro-kernels.
        causal: whether no query looks ahead.
        mask: one of :data:`MASKS`.
        panels: how panels of a matrix that is read where it lies are read: rows of queries (0) and
            of values (1), which may not fill whole vectors.
        parted: whether the gradients of queries are summed from several parts.
        drops: whether weights are left out.
        shifted: the matrices whose place depends on an integer in memory.
    """

    tile: Tile
    causal: bool
    mask: str
    panels: tuple[str, str]
    parted: bool = False
    drops: bool = False
    shifted: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The form in the name of a function."""
        ends = "".join("we"[panel != "panel"] for panel in self.panels)
        flags = [self.tile.suffix, ends, self.mask, "causal" * self.causal, "parts" * self.parted]
        flags += ["drops" * self.drops, "".join(self.shifted)]
        return "_".join(filter(None, flags))

    def along(self, way: str, side: int) -> str:
        """The micro-kernel for a B that is read where it lies: rows of queries (0), values (1)."""
        return self.panels[side].replace("panel", way)

    def needs(self, backward: bool) -> tuple[str, ...]:
        """The micro-kernels that the code calls."""
        found = ["rows", self.along("panel", 1)]
        if backward:
            found = ["rows", self.along("rows", 1), self.along("rows", 0), self.along("panel", 0)]
        return tuple(dict.fromkeys(found))

    def layouts(self, backward: bool) -> dict[str, Layout]:
        """The parameters of a call, part after part."""
        matrices = (*(BACKWARD if backward else FORWARD), *(["mask"] if self.mask else []))
        return {"sizes": Layout(SIZES), **dict.fromkeys(matrices, MATRIX)}


@dataclass(frozen=True)
class Sizes:
    """The sizes of one attention.

    Attributes:
        lead: how many there are, in three dimensions.
        queries, keys: L and S.
        width: of a query and a key.
        values: the width of a value.
    """

    lead: tuple[int, int, int]
    queries: int
    keys: int
    width: int
    values: int

    @property
    def count(self) -> int:
        """How many attentions there are."""
        return prod(self.lead)

    def block_i(self, tile: Tile) -> int:
        """Queries of a block: whole panels."""
        most = max(1, 64 // tile.columns)
        return min(most, -(-self.queries // tile.columns)) * tile.columns

    def block_j(self, tile: Tile) -> int:
        """Keys of a block: their rows of scores stay in a processor's own cache."""
        return 64

    def blocks_i(self, tile: Tile) -> int:
        """Blocks of queries."""
        return -(-self.queries // self.block_i(tile))

    def group(self, tile: Tile) -> int:
        """Keys whose gradients are one task: enough tasks for some threads, whatever their number.

        Every group but one costs memory for a part of the gradients of queries.
        """
        groups = -(-8 // self.count)
        blocks = -(-self.keys // self.block_j(tile))
        return -(-blocks // min(groups, blocks)) * self.block_j(tile)

    def groups(self, tile: Tile) -> int:
        """Tasks of each attention's gradients."""
        return -(-self.keys // self.group(tile))
