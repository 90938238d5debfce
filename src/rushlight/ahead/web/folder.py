"""The folder that a model leaves in: module, weights, JavaScript and the page."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from rushlight.base.errors import ArgValueError
from rushlight.export import ExportedProgram
from rushlight.version import __version__

from . import leb
from .goldens import Goldens
from .module import Module, block_of, module_of
from .wasm_object import CUSTOM

TOLERANCE = 1e-4
"""How far answers may be from Python's: of numbers up to 1; beyond, of a part of them."""
PARTS = ("model", "view", "chart", "drawing", "training", "digits", "characters", "form", "page")
"""The scripts of the page, each behind what it imports."""
OFFLINE = "offline.js"


@dataclass(frozen=True)
class Page:
    """What the page shows.

    Attributes:
        kind: ``digits`` (a pad to draw on), ``characters`` (a text that goes on) or ``form``.
        title, subtitle: at the top.
        about: what the page's script must know of the data.
        data: what it reads besides, such as scans of digits.
        fresh: first values to train from, by the names of the step's state.
    """

    kind: str = "form"
    title: str = ""
    subtitle: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    data: bytes = b""
    fresh: dict[str, np.ndarray] = field(default_factory=dict)


def write_folder(
    program: ExportedProgram, folder: Path, *, step: ExportedProgram | None = None,
    page: Page | None = None, inside: bool = False,
) -> list[Path]:  # fmt: skip
    """Writes a program as a page; gives the files.

    Args:
        folder: made if it is not there.
        step: the training step of the same weights.
        inside: whether weights are in ``model.wasm`` instead of beside it.
    Raises:
        MissingError: an operation has no kernel, or a type no array in JavaScript.
        ValueError: the program has no golden examples.
        OSError: a file could not be written.
    """
    if not program.goldens:
        raise ArgValueError(
            "export", "the program has no golden examples, so nobody could tell if it is right.",
            hint="Record some: program.set_goldens([[array, ...]]).",
        )  # fmt: skip
    module = module_of(program, step)
    page = page or Page()
    goldens = Goldens(program, step)
    binary = _binary(module, goldens, page, inside)
    described = _described(module, program, page, binary) | goldens.described
    scripts = {part: _read(f"{part}.js") for part in PARTS}
    scripts["model"] = scripts["model"].replace("/* description */ null", _json(described))
    texts = {
        "model.js": scripts["model"],
        "model.d.ts": _read("model.d.ts"),
        OFFLINE: _offline(binary),
        "index.html": _page(program, page, scripts, binary),
    }
    folder.mkdir(parents=True, exist_ok=True)
    contents = binary | {name: text.encode() for name, text in texts.items()}
    for name in {"model.weights", "page.data"} - set(contents):  # of another export
        (folder / name).unlink(missing_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


# Files -------------------------------------------------------------------------------------------


def _binary(module: Module, goldens: Goldens, page: Page, inside: bool) -> dict[str, bytes]:
    code, made = module.code, {}
    if inside:
        section = leb.name("weights") + module.weights
        code += bytes([CUSTOM]) + leb.sized(section)
    made["model.wasm"] = code
    if not inside:
        made["model.weights"] = module.weights
    made["model.goldens"] = bytes(goldens.content)
    fresh = block_of(module.train, page.fresh) if module.train and page.fresh else b""
    if page.data or fresh:
        made["page.data"] = page.data + fresh
    return made


def _described(
    module: Module, program: ExportedProgram, page: Page, binary: dict[str, bytes]
) -> dict[str, Any]:  # fmt: skip
    about = {"kind": page.kind, **page.about, "bytes": len(binary.get("page.data", b""))}
    if page.fresh and module.train:
        about["freshBytes"] = len(module.train.initial)
    return {
        "name": program.name,
        "rushlight": __version__,
        "files": {
            name: {"bytes": len(content), "crc32": crc32(content)}
            for name, content in binary.items()
        },
        **module.described(),
        "tolerance": TOLERANCE,
        "page": about,
    }


def _offline(binary: dict[str, bytes]) -> str:
    """The same files for a page that is opened from a disk, where a browser lets none be read."""
    held = {name: base64.b64encode(content).decode() for name, content in binary.items()}
    return f"globalThis.heldFiles = {json.dumps(held)};\n"


# Text --------------------------------------------------------------------------------------------


def _read(name: str) -> str:
    return (files(__package__) / "site" / name).read_text(encoding="utf-8")


def _json(described: Any) -> str:
    """JSON that may stand in a script of a page."""
    return json.dumps(described).replace("<", "\\u003c")


_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def _as_one(scripts: dict[str, str]) -> str:
    """Modules as one script, each in a function of its own."""
    return "\n".join(_enclosed(part, scripts[part]) for part in PARTS)


def _enclosed(name: str, script: str) -> str:
    shown = ", ".join(match[2] for match in _EXPORT.finditer(script))
    body = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = \2;", script))
    return f"const {name} = (() => {{\n{body}\nreturn {{ {shown} }};\n}})();\n"


def _page(
    program: ExportedProgram, page: Page, scripts: dict[str, str], binary: dict[str, bytes]
) -> str:  # fmt: skip
    """The page, with its scripts in it."""
    size = sum(map(len, binary.values()))
    fields = {
        "title": html.escape(page.title or program.name or "A model"),
        "subtitle": html.escape(page.subtitle or _subtitle(size)),
        "style": _read("style.css"),
        "script": _as_one(scripts),
        "footer": f"Exported by rushlight {html.escape(__version__)}. Nothing leaves this page: "
        f"{_size(size)} of model and data, and no server that computes.",
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: fields[match[1]], _read("index.html"))


def _subtitle(size: int) -> str:
    return f"It runs in this page, as {_size(size)} of WebAssembly and weights."


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
