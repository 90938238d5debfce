"""Measures rushlight beside its peers, and prints who is quicker.

Examples:
    python -m benchmarks                      # everything; minutes
    python -m benchmarks mlp gpt-train        # groups and rows by name
    python -m benchmarks cnn --peers torch    # one peer
    python -m benchmarks --peers torch,jax,compile --json figures.json
    python -m benchmarks --from figures.json --markdown docs/performance.md
    python -m benchmarks recording            # what recording costs, in this process
    python -m benchmarks loading              # DataLoader, from memory and from files
    python -m benchmarks distributed          # two ranks beside one
    python -m benchmarks quantised            # ResNet-18 of bytes beside that of float32
    python -m benchmarks deployed             # exported models in C, onnxruntime and PyTorch
    python -m benchmarks serving              # rushlight serve, one by one and in batches
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from . import report
from .machine import available, described
from .measure import Options, Result, measured
from .rows import ROWS, chosen

ALONE = [
    [name] for name in ("recording", "loading", "serving", "distributed", "quantised", "deployed")
]
"""What is measured by a program of its own."""


def main(argv: list[str]) -> int:
    """Does what the command line asks for."""
    arguments = _parser().parse_args(argv)
    if arguments.names in ALONE:
        importlib.import_module(f".{arguments.names[0]}", __package__).main()
        return 0
    if arguments.figures:
        kept = json.loads(arguments.figures.read_text())
        machine = kept["machine"]
        results = [Result.from_dict(one) for one in kept["rows"]]
    else:
        machine = {**described(), "threads": str(arguments.threads)}
        results = _measured(arguments, machine)
    if arguments.shortest:
        results = [result.shortest() for result in results]
        machine["steps"] = "the shortest of each round, not the median"
    _print(results)
    if arguments.markdown:
        report.write(arguments.markdown, report.markdown(results, machine))
    return 0


def _measured(arguments: argparse.Namespace, machine: dict[str, str]) -> list[Result]:
    try:
        rows = chosen(arguments.names)
    except KeyError as error:
        sys.exit(f"there is no row and no group called {error.args[0]}; see --help")
    peers = [name for name in arguments.peers.split(",") if name]
    for name in set(peers) - set(available()):
        print(f"{name} cannot be measured here and is left out", file=sys.stderr)
        peers.remove(name)
    options = Options(
        tuple(peers), arguments.threads, arguments.rounds, arguments.seconds, arguments.limit
    )
    for name, value in machine.items():
        print(f"{name:>10s}: {value}")
    results = []
    for number, row in enumerate(rows, 1):
        print(f"[{number}/{len(rows)}] {row.title}", end="", file=sys.stderr, flush=True)
        results.append(measured(row, options))
        print(f": {report.brief(results[-1])}", file=sys.stderr)
        if arguments.json:  # after every row: a long run may be cut short
            kept = {"machine": machine, "rows": [result.as_dict() for result in results]}
            arguments.json.write_text(json.dumps(kept, indent=1) + "\n")
    return results


def _print(results: list[Result]) -> None:
    for lines in report.tables(results):
        print("\n" + report.text(lines))
    print("\n" + "\n".join(report.summary(results)))


def _parser() -> argparse.ArgumentParser:
    groups = list(dict.fromkeys(row.group for row in ROWS))
    names = ", ".join(row.name for row in ROWS)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"groups: {', '.join(groups)}. rows: {names}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="rows or groups; all of them by default")
    parser.add_argument("--peers", default="torch,jax", help="of torch, jax, compile")
    parser.add_argument("--threads", type=int, default=2, help="for every framework")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each framework")
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one answer")
    parser.add_argument(
        "--shortest", action="store_true", help="compare shortest steps: for a busy machine"
    )
    parser.add_argument("--json", type=Path, help="file to keep the figures in")
    parser.add_argument("--markdown", type=Path, help="page to write the tables into")
    parser.add_argument("--from", dest="figures", type=Path, help="show figures that were kept")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
