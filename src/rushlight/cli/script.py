"""Finding the program that a command line names: a file, a module or standard input."""

from __future__ import annotations

import io
import linecache
import os
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

from rushlight.cli import names


class Unusable(Exception):
    """There is no program where the command line says."""


@dataclass
class Script:
    """A compiled program and what Python tells it about itself."""

    code: CodeType
    argument: str  # its sys.argv[0]
    file: str | None = None
    spec: ModuleSpec | None = None

    def module(self) -> ModuleType:
        """A fresh ``__main__``, as the interpreter makes one."""
        module = ModuleType("__main__")
        module.__dict__.update(__builtins__=sys.modules["builtins"], __annotations__={})
        if self.file:
            module.__file__, module.__cached__ = self.file, None
            module.__loader__ = SourceFileLoader("__main__", self.file)
        if self.spec:
            module.__spec__, module.__loader__ = self.spec, self.spec.loader
            module.__package__ = self.spec.parent
        return module


def find(argv: list[str]) -> tuple[Script, list[str]]:
    """The program that ``argv`` names and its arguments; ``sys.path`` then starts at its folder.

    Raises:
        Unusable: there is no such program.
        SyntaxError: it does not compile.
    """
    first, *rest = argv
    if first == "-m":
        if not rest:
            raise Unusable("-m needs the name of a module")
        return from_module(rest[0]), rest[1:]
    if first == "-":
        return from_stdin(), rest
    if first.startswith("-"):
        raise Unusable(f"unknown option {first}; options of the script go after its name")
    return from_file(first), rest


def from_file(name: str) -> Script:
    path = os.path.abspath(name)
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        raise Unusable(f"can't open file {path!r}: {error.strerror}") from error
    start_path_at(os.path.dirname(os.path.realpath(path)))
    return Script(compile(source, path, "exec", dont_inherit=True), name, file=path)


def from_stdin() -> Script:
    source, name = sys.stdin.read(), "<stdin>"
    # There is no file to read a traceback's lines from, so they are kept.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    start_path_at("")
    return Script(compile(source, name, "exec", dont_inherit=True), "-")


def from_module(name: str) -> Script:
    start_path_at(os.getcwd())
    spec = _spec(name)
    if spec.submodule_search_locations is not None:
        spec = _spec(f"{name}.__main__")
    code = spec.loader.get_code(spec.name) if hasattr(spec.loader, "get_code") else None
    if code is None:
        raise Unusable(f"{name} is not a module of Python code")
    return Script(code, spec.origin or name, file=spec.origin, spec=spec)


def _spec(name: str) -> ModuleSpec:
    spec = names.spec_of(name)
    if spec is None:
        raise Unusable(f"no module named {name}")
    return spec


def start_path_at(folder: str) -> None:
    """Puts the program's folder where ours was, unless Python was told to use neither (``-P``)."""
    if not sys.flags.safe_path:
        sys.path[0] = folder
