"""The ``rushlight`` command: ``run``, ``train``, ``report`` and ``doctor``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

# Where each command lives. What it needs is imported when it is asked for, and not before.
COMMANDS = {
    "run": ("rushlight.cli.run", "main", "run a PyTorch script, unmodified, on rushlight"),
    "train": ("rushlight.config", "main", "train a network on real data"),
    "new": ("rushlight.cli.new", "main", "begin a project that trains at once"),
    "resume": ("rushlight.config", "resume_main", "go on with a run that was interrupted"),
    "export": ("rushlight.cli.export", "main", "write a trained network for another place"),
    "serve": ("rushlight.cli.serve", "main", "answer requests to models over HTTP"),
    "doctor": ("rushlight.cli.doctor", "main", "list the mistakes that are told of in training"),
    "report": ("rushlight.train", "report_main", "draw several runs in one figure"),
}
MISUSED = 2  # argparse's own, for a wrong command line
INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line, ``sys.argv[1:]`` by default; returns the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    parser = _parser()
    if not argv:
        parser.print_help(sys.stderr)
        return MISUSED
    chosen = parser.parse_args(argv)
    module, function, _ = COMMANDS[chosen.command]
    try:
        status: int = getattr(importlib.import_module(module), function)(chosen.arguments)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rushlight",
        description="A deep learning framework with PyTorch's API, in pure Python.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(
            ["commands:"]
            + [f"  {name:<8}{about}" for name, (_, _, about) in COMMANDS.items()]
            + ["", "rushlight COMMAND --help says more."]
        ),
    )
    parser.add_argument("--version", action="version", version=f"rushlight {_version()}")
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="for the command itself")
    return parser


def _version() -> str:
    import rushlight

    return rushlight.__version__
