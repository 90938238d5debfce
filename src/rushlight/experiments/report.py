"""The page of a finished experiment, ``report.html``."""

from __future__ import annotations

import os
import platform
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import rushlight as rl
from rushlight.train.callbacks import MemoryCheck
from rushlight.train.callbacks.update_ratios import GRADIENT, UPDATE, Norms
from rushlight.train.durable import write_durably
from rushlight.train.figures import Rows, save_figure
from rushlight.train.html import code, figure, heading, page, paragraph, table, tiles
from rushlight.train.model_summary import ModelSummary
from rushlight.train.network_picture import draw_network
from rushlight.train.place import METRICS, REPORT, RESULT, resume_command, train_command

from .curves import draw_confusions, draw_curves, quantities
from .predictions import Predictions, wilson
from .ratios import RULE, draw_ratios

if TYPE_CHECKING:
    from .run import Experiment, Outcome

SHOWN_MISTAKES = 24


def write_report(
    experiment: Experiment,
    outcome: Outcome,
    rows: Rows,
    norms: Norms | None,
    config: str,
    words: list[str],
) -> None:
    """Draws the curves, what was classified wrongly, the layers, and the page with all of it.

    Raises:
        OSError: a file could not be written.
    """
    folder = experiment.folder
    told = Predictions.of(experiment)
    body = [
        *_head(folder, outcome, experiment),
        *_read(told),
        heading("Curves"),
        '<div class="pair">',
        *(_curve(folder, rows, name) for name in quantities(rows)),
        "</div>",
        *_ratios(folder, norms),
        *_pictures(folder),
        *_classified(folder, told),
        *_network(experiment),
        "<details><summary>All epochs as numbers</summary>",
        _numbers(rows),
        "</details>",
        heading("Settings"),
        code(config.rstrip()),
        heading("Do it again"),
        paragraph("The same run anew; on the same machine it gives the same bits:"),
        code(train_command(words)),
        paragraph("On from the last checkpoint:"),
        code(resume_command(folder).strip("`") + " trainer.max_epochs=..."),
        paragraph(f"In this folder: {METRICS}, {RESULT}, best.ckpt and last.ckpt.", "soft"),
        *_footer(experiment),
    ]
    title = f"{folder.name} - rushlight"
    write_durably(folder / REPORT, page(title, body))


def _head(folder: Path, outcome: Outcome, experiment: Experiment) -> list[str]:
    named = [(name.replace("_", " "), _told(name, value)) for name, value in _sorted(outcome)]
    weights = sum(p.numel() for p in experiment.task.parameters())
    return [
        paragraph(f"rushlight run {folder.name}", "soft"),
        f"<h1>{escape(named[0][1])} {escape(named[0][0])}</h1>",
        tiles([*named, ("epochs", str(outcome.epochs)), ("weights", f"{weights:,}")]),
    ]


def _read(told: Predictions | None) -> list[str]:
    """How much of the test was classified rightly, and how sure that share is."""
    if told is None or not len(told.labels):
        return []
    low, high = wilson(told.right, len(told.labels))
    return [
        paragraph(
            f"{told.right:,} of {len(told.labels):,} that the network never saw while it learned"
            f" are classified correctly (95% interval {low:.1%} to {high:.1%})."
        )
    ]


def _sorted(outcome: Outcome) -> list[tuple[str, float]]:
    """The test's metrics, the loss last: it says least."""
    return sorted(outcome.metrics.items(), key=lambda item: item[0].endswith("loss"))


def _told(name: str, value: float) -> str:
    return f"{value:.1%}" if name.endswith("accuracy") else f"{value:.4g}"


def _curve(folder: Path, rows: Rows, name: str) -> str:
    drawn = save_figure(draw_curves(rows, name), folder / name)
    return figure(drawn, "svg+xml", f"{name} by epoch")


def _ratios(folder: Path, norms: Norms | None) -> list[str]:
    """How large updates and gradients were beside the weights."""
    drawn = {
        name: made
        for name, of in (("update_ratios", UPDATE), ("gradient_ratios", GRADIENT))
        if norms is not None and (made := draw_ratios(norms, of)) is not None
    }
    if not drawn:
        return []
    figures = (
        figure(save_figure(made, folder / name), "svg+xml", f"{name.replace('_', ' ')} by epoch")
        for name, made in drawn.items()
    )
    told = (
        f"Norms, layer by layer. Updates of about {RULE:g} of the weight are a rule of thumb for a "
        "healthy learning rate (Karpathy, CS231n notes): far less learns slowly, far more forgets."
    )
    return [heading("Updates"), paragraph(told), '<div class="pair">', *figures, "</div>"]


def _pictures(folder: Path) -> list[str]:
    """What the task itself has drawn."""
    ours = {path.with_suffix(".png").name for path in folder.glob("*.svg")}
    found = sorted(path for path in folder.glob("*.png") if path.name not in ours)
    parts = [figure(path.read_bytes(), "png", path.stem) for path in found]
    return [heading("Pictures"), *parts] if parts else []


def _classified(folder: Path, told: Predictions | None) -> list[str]:
    if told is None:
        return []
    drawn = save_figure(draw_confusions(told), folder / "confusion")
    caption = "Each row is a true class. Blue cells count right answers; orange ones, mistakes."
    parts = [
        heading("Confusion matrix"),
        figure(drawn, "svg+xml", "Confusion matrix of the test", caption, "square"),
    ]
    return [*parts, *_mistakes(told)]


def _mistakes(told: Predictions) -> list[str]:
    wrong = told.surest_mistakes()
    if not len(wrong):
        return [heading("Mistakes"), paragraph("None: all of the test was classified correctly.")]
    cells = [_mistake(told, int(index)) for index in wrong[:SHOWN_MISTAKES]]
    first = f"the {len(cells)} surest of {len(wrong):,}" if len(cells) < len(wrong) else "all"
    return [heading(f"Mistakes: {first}"), f'<div class="mistakes">{"".join(cells)}</div>']


def _mistake(told: Predictions, index: int) -> str:
    label, taken = told.named(told.labels[index]), told.named(told.predicted[index])
    caption = (
        f"<figcaption>{escape(label)} taken for <b>{escape(taken)}</b><br>"
        f"{told.confidence[index]:.0%} sure</figcaption>"
    )
    png = told.picture(index)
    if png is None:
        return f"<figure>{caption}</figure>"
    shown = figure(png, "png", f"{label} taken for {taken}")
    return shown.replace("</figure>", caption + "</figure>")


def _network(experiment: Experiment) -> list[str]:
    """The layers as a table and as a picture, by what one sample shows of them."""
    network = getattr(experiment.task, "network", experiment.task)
    inputs = experiment.task.example_input_array
    network.example_input_array = inputs
    parts = [heading("Layers"), code(str(ModelSummary(network, max_depth=3))), *_memory(experiment)]
    drawn = draw_network(network, inputs)
    write_durably(experiment.folder / "network.svg", drawn)
    folded = ["<details><summary>The network as a graph</summary>", '<div class="scroll">', drawn]
    return [*parts, *folded, "</div></details>"]


def _memory(experiment: Experiment) -> list[str]:
    """What was forecast before the first step."""
    checks = (one for one in experiment.trainer.callbacks if isinstance(one, MemoryCheck))
    return [paragraph(f"Forecast: {one.forecast}.") for one in checks if one.forecast is not None]


def _footer(experiment: Experiment) -> list[str]:
    """Whose data that is, and what the run was on."""
    credit = getattr(experiment.data, "credit", None)
    machine = {
        "rushlight": rl.__version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count()),
    }
    told = paragraph(", ".join(f"{name} {value}" for name, value in machine.items()))
    return ["<footer>", *([paragraph(f"Data: {credit}")] if credit else []), told, "</footer>"]


def _numbers(rows: Rows) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(name, row.get(name)) for name in names] for row in rows]
    return table([name.replace("_", " ") for name in names], cells)


def _cell(name: str, value: Any) -> str:
    if value is None or np.isnan(value):
        return ""
    return f"{value:.0f}" if name == "epoch" else _told(name, value)
