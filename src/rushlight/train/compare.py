"""``rushlight report``: several runs in one figure, one table and one page."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushlight.base.amounts import duration

from .durable import write_durably
from .faults import RunFault, disk_sentence, require
from .figures import (
    COLOURS,
    LINES,
    Rows,
    drawing,
    epoch_axis,
    label_ends,
    log_axis,
    percent_axis,
    save_figure,
)
from .html import code, figure, heading, page, paragraph
from .metrics import read_metrics
from .place import CONFIG, METRICS, REPORT, report_command, shown
from .result import Finished, read_finished

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "comparison"
CLASS = "._target_"
"""What the key of an entry's class ends with."""
# What lies beside runs, so that `rushlight report runs/*` can be said twice.
BESIDE_RUNS = {f"{NAME}.png", f"{NAME}.svg", f"{NAME}.html", "multirun.yaml"}


@dataclass
class Told:
    """One run as its folder tells it. ``finished`` is None of a run that is not."""

    folder: Path
    settings: dict[str, Any]
    rows: Rows
    finished: Finished | None
    label: str = ""
    colour: str = ""
    line: str = "-"

    @property
    def monitored(self) -> str:
        """The metric that chose the best epoch."""
        return self.settings.get("checkpoint.monitor") or "validation_accuracy"

    def best(self) -> dict[str, float]:
        """The best epoch; the lower loss decides between equals."""
        sign = -1 if self.settings.get("checkpoint.mode") == "min" else 1
        rows = [row for row in self.rows if self.monitored in row]
        return max(rows, key=lambda row: (sign * row[self.monitored], -row["validation_loss"]))


def main(argv: list[str]) -> int:
    """Runs ``rushlight report`` with the words after it, and returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="rushlight report",
        description="Draws several runs in one figure, with a table and a page that shows both.",
    )
    parser.add_argument(
        "run", nargs="+", type=Path, help="a run's folder, or a folder of several runs"
    )
    parser.add_argument(
        "--to", type=Path, help="where to write (default: the folder that holds all of the runs)"
    )
    words = parser.parse_args(argv)
    try:
        require("matplotlib", "yaml")
        write_comparison(words.run, words.to)
    except RunFault as fault:
        print(f"rushlight report: {fault}", file=sys.stderr)
        return fault.code
    return 0


def write_comparison(folders: list[Path], to: Path | None = None) -> Path:
    """Writes ``comparison.png``, ``.svg`` and ``.html`` about the runs in ``folders``.

    Raises:
        RunFault: a folder holds no run, or the files cannot be written.
    """
    asked = [one for one in folders if one.name not in BESIDE_RUNS]
    runs = [_read(folder) for one in asked for folder in _run_folders(one)]
    if not runs:
        raise RunFault("no run was named")
    factors = _factors(runs)
    _name(runs, factors)
    _dress(runs, factors)
    if to is None:
        to = Path(os.path.commonpath([run.folder.absolute().parent for run in runs]))
    try:
        to.mkdir(parents=True, exist_ok=True)
        svg = save_figure(draw_comparison(runs), to / NAME)
        path = to / f"{NAME}.html"
        write_durably(path, _page(runs, svg, to, report_command(folders)))
    except OSError as error:
        raise RunFault(disk_sentence(error, f"write into {shown(to)}")) from error
    _print_table(runs)
    print(f"\n{shown(path)}, and the figure beside it as {NAME}.png and {NAME}.svg")
    return path


def _run_folders(folder: Path) -> list[Path]:
    """The folder itself when a run is in it, else those in it that hold one."""
    if (folder / METRICS).exists():
        return [folder]
    if not folder.is_dir():
        raise RunFault(f"{folder} is not a folder")
    inside = [path.parent for path in folder.glob(f"*/{METRICS}")]
    if not inside:
        raise RunFault(f"{folder} is not a run folder: it has no {METRICS}")
    return sorted(inside, key=lambda path: (len(path.name.partition("_")[0]), path.name))


def _read(folder: Path) -> Told:
    import yaml

    rows = read_metrics(folder)
    if not rows:
        raise RunFault(f"{folder} has not finished an epoch: there is nothing to draw yet")
    path = folder / CONFIG
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunFault(disk_sentence(error, f"read {path}")) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunFault(f"{path} is not a configuration that rushlight train wrote") from error
    if not isinstance(settings, dict):
        raise RunFault(f"{path} is not a configuration that rushlight train wrote")
    return Told(folder, _flat(settings), rows, read_finished(folder))


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _factors(runs: list[Told]) -> list[str]:
    """The settings in which the runs differ, leaving out what only follows from others."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    differ = [k for k in keys if len({repr(run.settings.get(k)) for run in runs}) > 1]
    of_others = tuple(key.removesuffix(CLASS) + "." for key in differ if key.endswith(CLASS))
    differ = [key for key in differ if key.endswith(CLASS) or not key.startswith(of_others)]
    # A value that an entry takes from another one, which is nearer to the top, differs as that.
    first: dict[str, str] = {}
    for key in sorted(differ, key=lambda key: key.count(".")):
        first.setdefault(repr([run.settings.get(key) for run in runs]), key)
    return [key for key in differ if key in first.values()]


def _name(runs: list[Told], factors: list[str]) -> None:
    for run in runs:
        run.label = ", ".join(_said(key, run.settings.get(key)) for key in factors)
    count = Counter(run.label for run in runs)
    for run in runs:
        if count[run.label] > 1 or not factors:  # no setting tells these runs apart
            run.label = f"{run.label}, {run.folder.name}".removeprefix(", ")


def _said(key: str, value: Any) -> str:
    if key.endswith(CLASS):
        return str(value).rpartition(".")[2]
    return value if isinstance(value, str) else f"{key.rpartition('.')[2]} {value}"


def _dress(runs: list[Told], factors: list[str]) -> None:
    """Gives each run a colour and a kind of line. Where two settings differ, one of them is the
    colour and the other the line, so that the eye can follow either."""
    if len(factors) == 2:
        options = {f: list(dict.fromkeys(repr(r.settings.get(f)) for r in runs)) for f in factors}
        line, colour = sorted(factors, key=lambda factor: len(options[factor]))
        if len(options[line]) <= len(LINES) and len(options[colour]) <= len(COLOURS):
            for run in runs:
                run.line = LINES[options[line].index(repr(run.settings.get(line)))]
                run.colour = COLOURS[options[colour].index(repr(run.settings.get(colour)))]
            return
    for i, run in enumerate(runs):
        run.colour = COLOURS[i % len(COLOURS)]
        run.line = LINES[i // len(COLOURS) % len(LINES)]


def draw_comparison(runs: list[Told]) -> Figure:
    """What all runs validated by, one above the other, a curve for each run."""
    keys = _validated(runs)
    height = max(3.6, 0.24 * len(runs) + 1)
    with drawing(7.2, len(keys) * height, panels=len(keys)) as (whole, panels):
        for axes, key in zip(panels if len(keys) > 1 else [panels], keys):
            _panel(axes, runs, key, key.replace("_", " ").capitalize())
            _scale(axes, key, runs)
        whole.draw_without_rendering()
        for axes, key in zip(whole.axes, keys):
            label_ends(axes, {run.label: (run.rows[-1][key], run.colour) for run in runs})
        return whole


def _validated(runs: list[Told]) -> list[str]:
    """The metrics of validation that all of the runs have, the loss first."""
    common = set.intersection(*(set(run.rows[-1]) for run in runs))
    keys = sorted(key for key in common if key.startswith("validation_"))
    if not keys:
        raise RunFault("the runs have no metric of validation in common")
    return sorted(keys, key=lambda key: key != "validation_loss")


def _scale(axes: Axes, key: str, runs: list[Told]) -> None:
    if key.endswith("accuracy"):
        # The climb of the first epochs is alike everywhere; what differs is the end.
        early = [run.rows[len(run.rows) // 4][key] for run in runs]
        axes.set_ylim(bottom=min(early) - 0.02)
        percent_axis(axes)
    elif min(row[key] for run in runs for row in run.rows if key in row) > 0:
        log_axis(axes)


def _panel(axes: Axes, runs: list[Told], key: str, title: str) -> None:
    axes.set_title(title)
    for run in runs:
        axes.plot(
            [row["epoch"] for row in run.rows],
            [row[key] for row in run.rows],
            color=run.colour,
            linestyle=run.line,
            marker="o" if len(run.rows) == 1 else "",
        )
    axes.margins(x=0.02)
    epoch_axis(axes)


def _tested(runs: list[Told]) -> list[str]:
    """The metrics of the test that some run has; losses last, since they say least."""
    names = dict.fromkeys(name for run in runs if run.finished for name in run.finished.metrics)
    return sorted(names, key=lambda name: (name.endswith("loss"), name))


def _heads(runs: list[Told]) -> tuple[str, ...]:
    tested = [name.replace("_", " ") for name in _tested(runs)] or ["test"]
    return ("run", *tested, "best validation", "epoch", "weights", "training")


def _cells(run: Told, tested: list[str]) -> tuple[str, ...]:
    best = run.best()
    kept = (_number(run.monitored, best[run.monitored]), f"{best['epoch']:.0f} of {len(run.rows)}")
    seconds = duration(sum(row.get("seconds", 0.0) for row in run.rows))
    if run.finished is None:
        rest = [""] * (max(len(tested), 1) - 1)
        return (run.label, "not finished", *rest, *kept, "", seconds)
    found = run.finished.metrics
    metrics = [_number(name, found[name]) if name in found else "" for name in tested]
    return (run.label, *metrics, *kept, f"{run.finished.parameters:,}", seconds)


def _number(name: str, value: float) -> str:
    return f"{value:.1%}" if name.endswith("accuracy") else f"{value:.4f}"


def _ranked(runs: list[Told]) -> list[Told]:
    """The best of the test first, by what chose their epochs; unfinished runs last."""

    def rank(run: Told) -> tuple[bool, float, float]:
        if run.finished is None:
            return True, 0.0, 0.0
        name = run.monitored.replace("validation", "test")
        sign = 1 if run.settings.get("checkpoint.mode") == "min" else -1
        found = run.finished.metrics
        return False, sign * found.get(name, 0.0), found.get("test_loss", 0.0)

    return sorted(runs, key=rank)


def _print_table(runs: list[Told]) -> None:
    heads, tested = _heads(runs), _tested(runs)
    lines = [heads, *(_cells(run, tested) for run in _ranked(runs))]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for line in lines:
        first = line[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        print("  ".join((first, *rest)).rstrip())


def _page(runs: list[Told], svg: bytes, to: Path, command: str) -> str:
    ranked = _ranked(runs)
    tested = _tested(runs)
    rows = "".join(_row(run, to, tested) for run in ranked)
    heads = "".join(f"<th>{escape(head)}</th>" for head in _heads(runs))
    return page(
        f"{len(runs)} runs compared - rushlight",
        (
            f"<h1>{len(runs)} run{'s' if len(runs) > 1 else ''} compared</h1>",
            paragraph(
                "The best of the test first. Test figures are those of each run's best epoch, "
                "which validation chose."
            ),
            f'<div class="scroll"><table><tr>{heads}</tr>{rows}</table></div>',
            heading("Learning curves"),
            figure(svg, "svg+xml", "What all runs validated by, by epoch"),
            heading("Do it again"),
            code(command),
        ),
    )


def _row(run: Told, to: Path, tested: list[str]) -> str:
    dashes = {"-": "solid", "--": "dashed", ":": "dotted", "-.": "dashed"}[run.line]
    mark = f'<i class="dash" style="border-top:3px {dashes} {run.colour}"></i>'
    name, *cells = (escape(cell) for cell in _cells(run, tested))
    if (run.folder / REPORT).exists():
        address = Path(os.path.relpath(run.folder / REPORT, to)).as_posix()
        name = f'<a href="{escape(address, quote=True)}">{name}</a>'
    return "<tr>" + f"<td>{mark}{name}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>\n"
