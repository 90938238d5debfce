"""Scratch memory of the kernels of attention, area after area."""

from __future__ import annotations

from dataclasses import dataclass, field

from rushlight.compiler.llvm.attention.form import Form, Sizes
from rushlight.compiler.llvm.contract.tile import Tile

LINE = 64


@dataclass
class Areas:
    """Where areas begin, and how much memory there is.

    Attributes:
        offsets: bytes, by name.
        total: bytes.
    """

    tile: Tile
    offsets: dict[str, int] = field(default_factory=dict)
    total: int = 0

    @staticmethod
    def of(form: Form, sizes: Sizes) -> Areas:
        """Memory with the areas that all kernels have."""
        tile = form.tile
        areas = Areas(tile, total=-(-(tile.record + tile.rows) * 8 // LINE) * LINE)
        if form.mask and not form.mask.endswith("along"):
            areas.add("mask", sizes.block_i(tile) * sizes.block_j(tile))
        if form.drops:
            areas.add("drop", sizes.block_i(tile) * sizes.block_j(tile))
        return areas

    def add(self, name: str, count: int) -> None:
        """Another area, of so many elements and a vector to spare."""
        self.offsets[name] = self.total
        size = (count + 4 * self.tile.lanes) * self.tile.bytes
        self.total += -(-size // LINE) * LINE

    def whole(self, width: int) -> int:
        """A width in whole vectors, as packing leaves it."""
        return -(-width // self.tile.lanes) * self.tile.lanes
