"""A table of measurements: tasks as rows, what they were done with as columns."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rushlight.base.errors import MissingError

from .measurement import Measurement, select_unit, trim_sigfig, unit_to_english

Row = tuple[int, str | None, str]


class Compare:
    """Measurements side by side: a table for each label.

    Args:
        results: measurements; ``sub_label`` or the statement names the row, ``description`` the
            column.
    Raises:
        ValueError: one is no measurement.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.utils.benchmark import Compare, Timer
        >>> found = [Timer("x + x", globals={"x": rl.ones(n)}, sub_label=str(n)).timeit(5)
        ...          for n in (10, 1000)]
        >>> Compare(found).print()  # doctest: +SKIP
    """

    def __init__(self, results: list[Measurement]) -> None:
        self._results: list[Measurement] = []
        self._trim = False
        self.extend_results(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Adds measurements."""
        for each in results:
            if not isinstance(each, Measurement):
                raise ValueError(
                    f"Expected an instance of `Measurement`, got {type(each)} instead."
                )
            self._results.append(each)

    def trim_significant_figures(self) -> None:
        """Shows only figures that mean something."""
        self._trim = True

    def colorize(self, rowwise: bool = False) -> None:
        """Colours for a terminal.

        Raises:
            NotImplementedError: always; the table is plain text.
        """
        raise MissingError("Compare.colorize", "the table is plain text")

    def highlight_warnings(self) -> None:
        """Marks of measurements that differ much.

        Raises:
            NotImplementedError: always; a measurement's own text tells of it.
        """
        raise MissingError("Compare.highlight_warnings", "the table is plain text")

    def print(self) -> None:
        """Prints the tables."""
        print(str(self))

    def __str__(self) -> str:
        groups: dict[str | None, list[Measurement]] = {}
        for each in Measurement.merge(self._results):
            groups.setdefault(each.label, []).append(each)
        return "\n".join(self._table(label, group) for label, group in groups.items())

    def _table(self, label: str | None, group: list[Measurement]) -> str:
        unit, scale = select_unit(min(each.median for each in group))
        heads = list(dict.fromkeys(each.description for each in group))
        found = {(_row_of(each), each.description): each for each in group}
        rows = sorted(dict.fromkeys(map(_row_of, group)), key=lambda row: (row[0], row[1] or ""))
        columns = [self._column([found.get((row, head)) for row in rows], scale) for head in heads]
        several = len({row[1] for row in rows}) > 1
        names = [_name(rows, k, several) for k in range(len(rows))]
        cells = [["", *(head or "" for head in heads)]]
        cells += [list(row) for row in zip(names, *columns, strict=True)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  |  ".join(c.center(w) for c, w in zip(cells[0], widths, strict=True))]
        width = len(lines[0])
        for k, row in enumerate(rows):
            if k == 0 or row[0] != rows[k - 1][0]:
                lines.append(f"{row[0]} threads: ".ljust(width, "-"))
            first, *rest = cells[k + 1]
            centred = [cell.center(w) for cell, w in zip(rest, widths[1:], strict=True)]
            lines.append("  |  ".join([first.ljust(widths[0]), *centred]))
        title = f" {label or ''} ".center(width - 2, "-")
        told = f"Times are in {unit_to_english(unit)}s ({unit})."
        return "\n".join([f"[{title}]", *lines, "", told, ""])

    def _column(self, results: list[Measurement | None], scale: float) -> list[str]:
        there = [each for each in results if each is not None]
        digits = [math.ceil(math.log10(each.median / scale)) for each in there]
        decimals = 1
        if self._trim:
            pairs = zip(there, digits, strict=True)
            decimals = min(max(each.significant_figures - count, 0) for each, count in pairs)
        length = max(digits) + decimals + bool(decimals)
        return [self._number(each, scale, length, decimals) for each in results]

    def _number(self, result: Measurement | None, scale: float, length: int, decimals: int) -> str:
        if result is None:
            return " " * length
        found = result.median / scale
        if self._trim:
            found = trim_sigfig(found, result.significant_figures)
        return f"{found:>{length}.{decimals}f}"


def _row_of(result: Measurement) -> Row:
    return result.num_threads, result.env, result.as_row_name


def _name(rows: list[Row], k: int, several: bool) -> str:
    """A row's name, and its environment where there are several and it begins."""
    threads, env, name = rows[k]
    longest = max(len(str(row[1])) for row in rows) if several else 0
    begins = k == 0 or rows[k - 1][:2] != (threads, env)
    text = f"({env})" if several and begins else ""
    return "  " + text.ljust(longest + 4) + name
