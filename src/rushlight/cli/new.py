"""``rushlight new NAME``: writes a small project that trains at once."""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

USAGE = "usage: rushlight new NAME"
MISUSED = 2
# What stands for the project's name in the template's files and folders.
NAME = "NAME"
# A file of this name with its dot would hide others of the template from the package.
RENAMED = {"gitignore": ".gitignore"}


def main(argv: list[str]) -> int:
    """Runs ``rushlight new`` with the words after it, and returns the exit status."""
    if len(argv) != 1 or argv[0].startswith("-"):
        asked = argv in (["-h"], ["--help"])
        print(USAGE, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else MISUSED
    folder = Path(argv[0])
    if problem := _problem(folder):
        print(f"rushlight new: {problem}", file=sys.stderr)
        return MISUSED
    try:
        write(folder)
    except OSError as error:
        print(f"rushlight new: {folder} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(f"cd {folder}\nrushlight train --config-dir conf experiment=first")
    return 0


def _problem(folder: Path) -> str:
    name = folder.name
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        return f"{name} cannot be imported: letters, digits and _ make a package's name"
    if name in sys.stdlib_module_names or name in ("rushlight", "torch", "numpy", "tests", "conf"):
        return f"{name} is the name of another package"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return f"{folder} exists already"
    return ""


def write(folder: Path) -> None:
    """Writes the project called like the folder into it.

    Raises:
        OSError: it cannot be written.
    """
    for place, file in _template(files(__package__) / "template", Path()):
        path = folder / str(place).replace(NAME, folder.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.read_text("utf-8").replace(NAME, folder.name), "utf-8")


def _template(at: Traversable, place: Path) -> Iterator[tuple[Path, Traversable]]:
    """The template's files with their places in the project."""
    for entry in sorted(at.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _template(entry, place / entry.name)
        elif entry.is_file():
            yield place / RENAMED.get(entry.name, entry.name), entry
