"""The user's lines in a saved program, which is loaded where their source may not be."""

from __future__ import annotations

import itertools
import linecache
from typing import Any

from rushlight.base import site as sites

_MOST = 100_000
_numbers = itertools.count()


def noted(site: sites.Site | None) -> list[Any] | None:
    """A site as plain data: file, number, text."""
    if site is None:
        return None
    line = sites.line(site)
    file = line.file.replace("\\", "/").rpartition("/")[2]
    return [file, min(max(line.number, 1), _MOST), line.text[:200]]


class Lines:
    """Sites for lines that were noted, which show the text that was there."""

    def __init__(self) -> None:
        self._folder = f"<program {next(_numbers)}>"
        self._texts: dict[str, dict[int, str]] = {}
        self._known: dict[tuple[str, int], sites.Site] = {}

    def site(self, data: Any) -> sites.Site | None:
        """The site of a noted line.

        Raises:
            ValueError, TypeError: it is none.
        """
        if data is None:
            return None
        file, number, text = data
        if type(number) is not int or not 1 <= number <= _MOST:
            raise ValueError(f"{number!r:.80} is no line")
        if not (isinstance(file, str) and isinstance(text, str)):
            raise ValueError("a line's file or text is no string")
        self._texts.setdefault(file, {})[number] = text
        found = self._known.get((file, number))
        if found is None:
            code = compile("pass", f"{self._folder}/{file}", "exec")
            at = next(start for start, _, line in code.co_lines() if line == 1)
            found = self._known[file, number] = code.replace(co_firstlineno=number), at
        return found

    def show(self) -> None:
        """Lets Python find the texts."""
        for file, texts in self._texts.items():
            rows = [texts.get(k, "") + "\n" for k in range(1, max(texts) + 1)]
            name = f"{self._folder}/{file}"
            linecache.cache[name] = (sum(map(len, rows)), None, rows, name)
