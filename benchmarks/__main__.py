"""Runs a benchmark by name."""

from __future__ import annotations

import sys

from . import recording

BENCHMARKS = {"recording": recording.main}


def main(argv: list[str]) -> int:
    """Runs the benchmarks named on the command line, or lists them."""
    unknown = [name for name in argv if name not in BENCHMARKS]
    if unknown or not argv:
        if unknown:
            print(f"there is no benchmark called {unknown[0]}", file=sys.stderr)
        print("usage: python -m benchmarks NAME...\nnames: " + ", ".join(BENCHMARKS))
        return 2 if unknown else 0
    for name in argv:
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
