"""What the environment asks for: read once, when rushlight is imported.

========================  =====================================================================
``RUSHLIGHT_LOG``         ``kernels``, ``timing`` or both: what each program ran, to stderr
``RUSHLIGHT_DEBUG``       1 to 6: ever more of how programs are made, to stderr
``RUSHLIGHT_DUMP``        a folder for every stage of every program, from graph to assembly
``RUSHLIGHT_NANCHECK``    1: name the operation and the line that made a NaN
``RUSHLIGHT_OFF``         passes to leave out: ``fuse`` (each result gets a kernel of its own),
                          ``reuse`` (no result is written over an input)
========================  =====================================================================

``0`` and nothing mean off. ``RUSHLIGHT_DOCTOR`` is read in :mod:`rushlight.base.findings`. What is
said here concerns the compiled tier (``RUSHLIGHT_TIER``), but for ``RUSHLIGHT_NANCHECK``, which
looks at every result.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import ArgValueError

LOGS = ("kernels", "timing")
PASSES = ("fuse", "reuse")
MOST_DEBUG = 6


@dataclass(frozen=True)
class Config:
    """What is asked for.

    Attributes:
        log: words of ``RUSHLIGHT_LOG``.
        debug: how much to tell of programs as they are made, 0 to 6.
        dump: the folder for stages; empty for none.
        nancheck: whether to look for NaN in every result.
        off: passes that are left out.
    """

    log: frozenset[str] = frozenset()
    debug: int = 0
    dump: str = ""
    nancheck: bool = False
    off: frozenset[str] = frozenset()

    @property
    def tells(self) -> bool:
        """Whether anything has to be told of programs."""
        return bool(self.log or self.debug or self.dump)


def read(environ: Mapping[str, str]) -> Config:
    """What an environment asks for.

    Raises:
        ValueError: a word or a number that means nothing.
    """

    def given(name: str) -> str:
        text = environ.get(f"RUSHLIGHT_{name}", "").strip()
        return "" if text == "0" else text

    def words(name: str, known: tuple[str, ...]) -> frozenset[str]:
        found = [word.strip() for word in given(name).split(",") if word.strip()]
        for word in found:
            if word not in known:
                rule = f"words are {' and '.join(known)}, with commas between"
                raise _refused(name, word, rule)
        return frozenset(found)

    log, off = words("LOG", LOGS), words("OFF", PASSES)
    debug = given("DEBUG") or "0"
    if not debug.isascii() or not debug.isdigit() or int(debug) > MOST_DEBUG:
        raise _refused("DEBUG", debug, f"it is a number from 0 to {MOST_DEBUG}")
    nancheck = given("NANCHECK")
    if nancheck not in ("", "1"):
        raise _refused("NANCHECK", nancheck, "it is 0 or 1")
    return Config(log, int(debug), given("DUMP"), nancheck == "1", off)


def _refused(name: str, given: str, rule: str) -> ArgValueError:
    return ArgValueError(f"RUSHLIGHT_{name}", f"{given!r} means nothing here: {rule}")


config = read(os.environ)
