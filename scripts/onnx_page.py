"""Writes docs/onnx.md from a run over the tests that the onnx package carries.

    python scripts/onnx_page.py

A failing test without an entry in ``MEANT`` of tests/onnx/backend_share.py is an error, so that
nothing goes unexplained.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "onnx.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
OPERATORS_BEGIN, OPERATORS_END = "<!-- operators: begin -->", "<!-- operators: end -->"


def main() -> None:
    """Runs the tests and writes the shares, the reasons and the operators into the page."""
    sys.path.insert(0, str(ROOT / "tests" / "onnx"))
    share = importlib.import_module("backend_share")
    passed, total, reasons, odd = share.tally(share.cases())
    if odd:
        raise SystemExit("not explained:\n" + "\n".join(odd))
    _write(BEGIN, END, f"{_shares(share, passed, total)}\n{_reasons(share, reasons)}")
    _write(OPERATORS_BEGIN, OPERATORS_END, _operators())


def _write(begin: str, end: str, text: str) -> None:
    """Puts a text between two marks of the page."""
    before, rest = PAGE.read_text().split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")


def _shares(share: Any, passed: Any, total: Any) -> str:
    import onnx

    rows = [f"| tests of onnx {onnx.__version__} | passed |", "| --- | ---: |"]
    for kind, name in share.KINDS.items():
        rows.append(_row(name, passed[kind], total[kind]))
    rows.append(_row("all", passed.total(), total.total()))
    return "\n".join(rows) + "\n"


def _row(name: str, passed: int, total: int) -> str:
    return f"| {name} | {passed} of {total} ({100 * passed / total:.1f}%) |"


def _reasons(share: Any, reasons: Any) -> str:
    lines = [f"- {count}: {share.MEANT[reason][1]}" for reason, count in reasons.most_common()]
    return "What fails, and why:\n\n" + "\n".join(lines) + "\n"


def _operators() -> str:
    from rushlight.onnx.nodes import operators

    domains: dict[str, list[str]] = {}
    for domain, name in operators():
        domains.setdefault(domain or "ai.onnx", []).append(f"`{name}`")
    return "\n\n".join(
        f"{domain} ({len(names)}): {', '.join(sorted(names))}." for domain, names in domains.items()
    )


if __name__ == "__main__":
    main()
