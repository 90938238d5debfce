"""``rushlight doctor``: the mistakes that are told of while a program trains."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from rushlight.doctor import CODES

_ABOUT = """\
Mistakes that run and train badly are told of with a warning, once for each line that makes one.
A code silences it: rushlight.doctor.silence("never-zeroed"), or RUSHLIGHT_DOCTOR=never-zeroed for a
whole program. RUSHLIGHT_DOCTOR=strict makes errors of them, RUSHLIGHT_DOCTOR=off leaves them out.
"""


def main(argv: Sequence[str]) -> int:
    """Lists the codes; returns the exit status."""
    argparse.ArgumentParser(prog="rushlight doctor", description=_ABOUT).parse_args(argv)
    print(_ABOUT)
    width = max(map(len, CODES)) + 2
    for code, about in CODES.items():
        print(
            textwrap.fill(
                about, 100, initial_indent=code.ljust(width), subsequent_indent=" " * width
            )
        )
    return 0
