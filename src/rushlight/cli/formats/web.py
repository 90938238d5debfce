"""``--format web``: a folder with WebAssembly, JavaScript and a page."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..export import Written
from ..model import Model


def write(model: Model, folder: Path, options: argparse.Namespace) -> Written:
    """Writes a page for a network, on which it can be trained with ``--step train``."""
    from rushlight.ahead.web import Page, write_folder
    from rushlight.experiments.webpage import page_of

    run = model.run
    known = run is not None and run.task is not None and run.data is not None
    page = page_of(run.task, run.data) if known else Page()
    inside = options.weights == "inside"
    files = write_folder(model.program, folder, step=model.step, page=page, inside=inside)
    try:
        said = check(folder)
    except Exception:
        for file in files:
            file.unlink()
        raise
    return Written(files, f"open {folder / 'index.html'}; {said}")


def is_one(place: Path) -> bool:
    """Whether it is such a folder."""
    return place.is_dir() and (place / "model.wasm").exists()


def check(place: Path) -> str:
    """Runs a folder's golden inputs in Node, where that is installed.

    Raises:
        RuntimeError: it gives something else, or a file is damaged.
    """
    from rushlight.ahead.web import check as run

    apart = run(place)
    if apart is None:
        return "Node is not installed: the page checks itself when it is opened"
    return f"its golden outputs come within {apart:.1e} in Node"
