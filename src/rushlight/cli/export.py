"""``rushlight export``: a trained run, or a saved program, leaves for another place."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rushlight.base.errors import Fault
from rushlight.train.faults import RunFault
from rushlight.train.place import shown


@dataclass(frozen=True)
class Format:
    """A kind of artefact.

    Attributes:
        module: has ``write(model, folder, options) -> Written``.
        about: one line.
        step: whether there is a training step of it.
    """

    module: str
    about: str
    step: bool = False


FORMATS = {
    "program": Format("rushlight.cli.formats.program", "one file for rushlight itself: .pt2"),
    "onnx": Format("rushlight.cli.formats.onnx", "for onnxruntime and other runtimes"),
    "c": Format("rushlight.cli.formats.c", "a static library and a header", step=True),
    "web": Format("rushlight.cli.formats.web", "a page with WebAssembly", step=True),
}


@dataclass(frozen=True)
class Written:
    """What a format wrote.

    Attributes:
        files: paths.
        said: one sentence to print.
    """

    files: Sequence[Path]
    said: str


def main(argv: Sequence[str]) -> int:
    """Runs ``rushlight export`` with the words after it; returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        written = _check(options) if options.selftest else _export(options)
    except (RunFault, Fault, OSError, ModuleNotFoundError, RuntimeError) as error:
        print(f"rushlight export: {error}", file=sys.stderr)
        return 1
    for file in written.files:
        print(f"{_amount(file)}  {shown(file)}")
    print(written.said)
    return 0


def _export(options: argparse.Namespace) -> Written:
    from .model import model_of

    kind = FORMATS[options.format]
    if options.step == "train" and not kind.step:
        with_step = " or ".join(name for name, each in FORMATS.items() if each.step)
        raise RunFault(f"--step train: a training step leaves as --format {with_step}")
    model = model_of(options)
    folder = options.out or model.folder / options.format
    written: Written = _module(options.format).write(model, Path(folder), options)
    return written


def _check(options: argparse.Namespace) -> Written:
    """Runs the check of something that was written."""
    place = options.source
    for name in FORMATS:
        found: Any = _module(name)
        if found.is_one(place):
            return Written((), f"{shown(place)}: {found.check(place)}")
    raise RunFault(f"{shown(place)} is nothing that rushlight export writes")


def _module(name: str) -> Any:
    return importlib.import_module(FORMATS[name].module)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rushlight export",
        description="Writes a trained network for another place, and checks there or here that it"
        " gives the same answers.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(
            ["formats:"] + [f"  {name:<9}{each.about}" for name, each in FORMATS.items()]
        ),
    )
    add = parser.add_argument
    add("source", type=Path, metavar="RUN", help="a run's folder, or a saved program (.pt2)")
    add("--format", choices=FORMATS, default="program", help="default: program")
    add("--out", type=Path, metavar="FOLDER", help="default: a folder in RUN")
    add("--checkpoint", choices=("best", "last"), default="best", help="whose weights of RUN")
    add("--name", default="model", help="of the files; default: model")
    add("--target", default="host", metavar="TRIPLE", help="c: the machine; default: this one")
    add("--samples", type=int, default=16, metavar="N", help="c: the most of a call; default: 16")
    add("--step", choices=("infer", "train"), default="infer", help="c, web: also a training step")
    add("--weights", choices=("inside", "beside"), help="inside the code or file, or beside it")
    add("--quantize", choices=("dynamic", "static"), help="weights and arithmetic of 8 bits")
    add("--opset", type=int, metavar="N", help="onnx: version of its operators")
    add("--selftest", action="store_true", help="check an artefact that was written before")
    return parser


def _amount(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1024:8.1f} kB" if size < 1 << 20 else f"{size / (1 << 20):8.1f} MB"
