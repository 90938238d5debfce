"""Writes docs/compatibility.md from a run over PyTorch's database of its own operators.

    python scripts/compatibility.py FIGURES.json [FIGURES_OF_COMPILED_TIER.json]
    python scripts/compatibility.py --names

The figures are those of the operators' samples: under ``ops`` each operator with its ``category``,
``tier``, ``tally`` (kind of check: passed, all) and ``failures``; under ``tally`` their sums. What
is said of a difference that is meant stands in ``MEANT``; a failing operator without an entry is
an error, so that nothing goes unexplained. ``--names`` writes the public names that there are none
of, which tests/names.py finds and gives the reasons for.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compatibility.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
NAMES_BEGIN, NAMES_END = "<!-- names: begin -->", "<!-- names: end -->"

KINDS = {
    "sample": "values, dtypes and shapes", "grad": "gradients", "gradgrad": "second gradients",
    "variant": "methods, in-place forms, operators, aliases", "error": "refused mistakes",
    "stats": "statistics of random draws",
}  # fmt: skip

MEANT = {
    "as_strided_scatter": (
        "PyTorch gives the gradient that arrives at an overwritten element to the input, which has"
        " no part in the result there; its own `gradcheck` refuses that. Ours is zero, as finite"
        " differences are."
    ),
}


def main() -> None:
    """Reads the figures, or compares the names, and writes them into the page."""
    if sys.argv[1:] == ["--names"]:
        sys.path.insert(0, str(ROOT / "tests"))
        names = importlib.import_module("names")
        _write(NAMES_BEGIN, NAMES_END, names.page())
        return
    runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    if not runs:
        raise SystemExit(__doc__)
    _write(BEGIN, END, f"{_table(runs)}\n{_failing(runs)}")


def _write(begin: str, end: str, text: str) -> None:
    """Puts a text between two marks of the page."""
    before, rest = PAGE.read_text().split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")


def _table(runs: list[dict[str, Any]]) -> str:
    tiers = ["by references at first, then compiled", "compiled at once"][: len(runs)]
    lines = [
        f"| of {runs[0]['total']} operators | {' | '.join(tiers)} |",
        f"| --- |{' ---: |' * len(runs)}",
        "| fully right | " + " | ".join(_share(r["passed"], r["total"]) for r in runs) + " |",
    ]
    for kind, said in KINDS.items():
        shares = [_share(*run["tally"][kind]) for run in runs if kind in run["tally"]]
        if len(shares) == len(runs):
            lines.append(f"| {said} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


def _share(passed: int, count: int) -> str:
    return f"{passed} of {count} ({100 * passed / count:.1f}%)"


def _failing(runs: list[dict[str, Any]]) -> str:
    names = sorted({name for run in runs for name, op in run["ops"].items() if op["failures"]})
    unexplained = [name for name in names if name not in MEANT]
    if unexplained:
        raise SystemExit(f"no reason is given for {', '.join(unexplained)}")
    return "\n".join(f"- `{name}`: {MEANT[name]}" for name in names) or "None fails."


if __name__ == "__main__":
    main()
