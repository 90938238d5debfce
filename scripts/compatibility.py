"""Writes docs/compatibility.md from a run over PyTorch's database of its own operators.

    python scripts/compatibility.py FIGURES.json [FIGURES_OF_COMPILED_TIER.json]

The figures are those of the operators' samples: under ``ops`` each operator with its ``category``,
``tier``, ``tally`` (kind of check: passed, all) and ``failures``; under ``tally`` their sums. What
is said of a difference that is meant stands in ``MEANT``; a failing operator without an entry is
an error, so that nothing goes unexplained.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs" / "compatibility.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

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
    """Reads the figures and writes them into the page."""
    runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    if not runs:
        raise SystemExit(__doc__)
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{_table(runs)}\n{_failing(runs)}\n{END}{after}")


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
