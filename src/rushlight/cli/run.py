"""``rushlight run``: runs a PyTorch script, unmodified, as ``python`` would.

The script is ``__main__``, with ``sys.argv`` and ``sys.path`` of its own; a traceback starts at its
own first line, and its exit status becomes ours.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import TracebackType

import rushlight
from rushlight.cli import hook, missing, script

USAGE = """\
usage: rushlight run SCRIPT.py [ARGUMENT ...]
       rushlight run -m MODULE [ARGUMENT ...]
       rushlight run - [ARGUMENT ...]            (reads the script from standard input)

Runs a PyTorch script, unmodified: torch, torchvision, torchaudio, torchtext, lightning and
pytorch_lightning are rushlight's own, in the script and in the processes that it starts.
"""
FAILED, MISUSED, INTERRUPTED = 1, 2, 130

# What stands between a script's line and the line that it calls: our own and the import system's.
MACHINERY = (str(Path(__file__).parent) + os.sep, "<frozen importlib.")
# Where a name is looked for in vain.
LOOKUP = (str(Path(rushlight.__file__).parent) + os.sep, "<frozen importlib.", importlib.__file__)


def main(argv: list[str]) -> int:
    """Runs what ``argv`` names; returns the exit status. ``SystemExit`` passes through."""
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE, end="", file=sys.stdout if argv else sys.stderr)
        return 0 if argv else MISUSED
    hook.install()
    try:
        program, arguments = script.find(argv)
        sys.argv[:] = [program.argument, *arguments]
        sys.modules["__main__"] = main_module = program.module()
        exec(program.code, main_module.__dict__)
    except script.Unusable as problem:
        print(f"rushlight run: {problem}", file=sys.stderr)
        return MISUSED
    except SystemExit:
        raise
    except BaseException as error:
        show(error)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED
    return 0


def show(error: BaseException) -> None:
    """Prints a traceback as the interpreter does, less the frames that say nothing to the user."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        hidden = LOOKUP if missing.explain(link) else MACHINERY
        link.__traceback__ = without(link.__traceback__, hidden)
        link = link.__cause__ or link.__context__
    sys.excepthook(type(error), error, error.__traceback__)


def without(traceback: TracebackType | None, files: tuple[str, ...]) -> TracebackType | None:
    """The same traceback without the frames of some files, each given by how its name begins."""
    links = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(files):
            links.append(traceback)
        traceback = traceback.tb_next
    rest = None
    for link in reversed(links):
        rest = TracebackType(rest, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return rest
