"""A profiler's table: a row for each name, as wide as what it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rushlight.base.amounts import sized

Cells = Callable[[Any], str]
_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def table(
    rows: Sequence[Any], total: float, *, memory: bool, shapes: bool, stacks: bool,
    widths: tuple[int, int, int], header: str | None, unit: str | None,
) -> str:  # fmt: skip
    """The rows under their heads, and the sum of all times.

    Args:
        total: microseconds of all events, those without a row included.
        widths: the most for names, shapes and sources.
    """

    def share(part: float) -> str:
        return f"{100 * part / total:.2f}%" if total else "--"

    def time(microseconds: float) -> str:
        return lasting(microseconds, unit)

    name_width, shapes_width, source_width = widths
    columns: list[tuple[str, Cells]] = [
        ("Name", lambda row: clipped(row.key, name_width)),
        ("Self %", lambda row: share(row.self_cpu_time_total)),
        ("Self CPU", lambda row: time(row.self_cpu_time_total)),
        ("CPU total", lambda row: time(row.cpu_time_total)),
        ("CPU avg", lambda row: time(row.cpu_time)),
        ("Calls", lambda row: str(row.count)),
    ]
    if memory:
        columns.append(("CPU Mem", lambda row: sized(row.cpu_memory_usage)))
    columns += [
        ("Bytes", lambda row: sized(row.bytes) if row.bytes else "--"),
        ("GB/s", lambda row: _rate(row.bytes, row.cpu_time_total)),
        ("GFLOP/s", lambda row: _rate(row.flops, row.cpu_time_total)),
    ]
    if shapes:
        columns.append(("Input Shapes", lambda row: clipped(str(row.input_shapes), shapes_width)))
    columns.append(("From", lambda row: clipped(row.source, source_width)))
    if stacks:
        columns.append(("Stack", lambda row: clipped(" < ".join(row.stack), source_width)))
    cells = [[head for head, _ in columns], *([cell(row) for _, cell in columns] for row in rows)]
    lines = _aligned(cells)
    rule = "-" * max(map(len, lines))
    above = [header] if header else []
    below = [rule, f"Self CPU time total: {time(total)}", ""]
    return "\n".join([*above, lines[0], rule, *lines[1:], *below])


_LINE, _LEAST = 120, 16
"""Characters of a line that sources are shortened for, and those of them that stay anyway."""

_LEFT = frozenset(["Name", "Input Shapes", "From", "Stack"])


def _aligned(cells: list[list[str]]) -> list[str]:
    sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
    source = cells[0].index("From")
    others = sum(sizes) - sizes[source] + 2 * (len(sizes) - 1)
    sizes[source] = min(sizes[source], max(_LEAST, _LINE - others))
    for row in cells:
        row[source] = clipped(row[source], sizes[source])
    left = [head in _LEFT for head in cells[0]]
    return [
        "  ".join(
            cell.ljust(size) if to_left else cell.rjust(size)
            for cell, size, to_left in zip(row, sizes, left, strict=True)
        ).rstrip()
        for row in cells
    ]


def clipped(text: str, width: int) -> str:
    """A text that is no longer than ``width``."""
    return text if len(text) <= width else text[: max(0, width - 3)] + "..."


def _rate(amount: int, microseconds: float) -> str:
    """Billions in a second."""
    return f"{amount / microseconds / 1e3:.1f}" if amount and microseconds else "--"


def lasting(microseconds: float, unit: str | None = None) -> str:
    """A time to be read, such as ``3.1us`` or ``1.204ms``."""
    if unit is None:
        unit = "s" if microseconds >= 1e6 else "ms" if microseconds >= 1e3 else "us"
    return f"{microseconds / _UNITS[unit]:.{1 if unit == 'us' else 3}f}{unit}"
