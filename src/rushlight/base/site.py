"""The user's line: where in the user's own code an operation was written.

A site is kept as ``(code, instruction)`` because that is all a recording can afford; the file, the
line and its text are found when somebody asks.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterable
from itertools import pairwise
from types import CodeType, FrameType
from typing import NamedTuple

Site = tuple[CodeType, int]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_ours: dict[str, bool] = {}


def is_ours(filename: str) -> bool:
    """Whether a source file is part of rushlight itself, or of Python's own library.

    ``copy.deepcopy(x)`` was written in the user's file, not in the file copy.py.
    """
    standard = filename.startswith((_LIBRARY, "<frozen "))
    found = _ours[filename] = filename.startswith(_PACKAGE) or (
        standard and "-packages" not in filename[len(_LIBRARY) :]
    )
    return found


def current(depth: int = 1) -> Site:
    """The site of the nearest caller outside rushlight, ``depth`` frames up or beyond."""
    last = sys._getframe(depth)
    frame: FrameType | None = last
    ours = _ours
    while frame is not None:
        code = frame.f_code
        try:
            if not ours[code.co_filename]:
                return (code, frame.f_lasti)
        except KeyError:
            if not is_ours(code.co_filename):
                return (code, frame.f_lasti)
        last, frame = frame, frame.f_back
    return (last.f_code, last.f_lasti)


class Line(NamedTuple):
    """A site that somebody asked about."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        where = f"{os.path.basename(self.file)}:{self.number}"
        return f"{where}: {self.text}" if self.text else where


def line(site: Site) -> Line:
    """The file, the number and the text of a site's line."""
    code, instruction = site
    number = code.co_firstlineno
    for start, end, at in code.co_lines():
        if start <= instruction < end:
            number = at or number
            break
    return Line(code.co_filename, number, linecache.getline(code.co_filename, number).strip())


def ranges(found: Iterable[Site | None]) -> str:
    """The lines of some sites as ``train.py:12-13, model.py:4``."""
    files: dict[str, set[int]] = {}
    for site in found:
        if site is not None:
            at = line(site)
            name = at.file.replace("\\", "/").rpartition("/")[2]
            files.setdefault(name, set()).add(at.number)
    return ", ".join(f"{file}:{_ranges(sorted(at))}" for file, at in files.items())


def _ranges(numbers: list[int]) -> str:
    if not numbers:
        return ""
    gaps = [k for k, (a, b) in enumerate(pairwise(numbers), 1) if b > a + 1]
    pieces = [numbers[a:b] for a, b in pairwise([0, *gaps, len(numbers)])]
    return ",".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else f"{p[0]}" for p in pieces)
