"""A finished run's figures and its page, ``report.html``."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from .durable import write_durably
from .figures import Rows, draw_accuracy, draw_confusion, draw_loss, image_png, save_figure
from .html import code, figure, heading, page, paragraph, table, tiles
from .place import BEST, LAST, METRICS, REPORT, RESULT, resume_command, shown, train_command
from .result import Result

if TYPE_CHECKING:
    from .datasets import Dataset

SHOWN_MISTAKES = 24


def write_report(
    folder: Path, config: str, overrides: list[str], result: Result, rows: Rows, data: Dataset
) -> None:
    """Draws a run's curves and confusion matrix, and writes the page that shows everything.

    Raises:
        OSError: a file could not be written.
    """
    loss = save_figure(draw_loss(rows), folder / "loss")
    accuracy = save_figure(draw_accuracy(rows, result.best_epoch), folder / "accuracy")
    confusion = save_figure(draw_confusion(result), folder / "confusion")
    body = [
        *_summary(folder, result, data),
        heading("Learning curves"),
        '<div class="pair">',
        figure(loss, "svg+xml", "Training and validation loss by epoch"),
        figure(accuracy, "svg+xml", "Training and validation accuracy by epoch"),
        "</div>",
        paragraph(
            "The training figures are averages over an epoch, while the network is still learning "
            "and dropout is on; the validation figures are taken at the epoch's end. So "
            "validation may look better than training.",
            "soft",
        ),
        heading("Confusion matrix"),
        figure(
            confusion, "svg+xml", "Confusion matrix of the test images",
            "Each row is a true class. Blue cells count right answers; orange ones, mistakes.",
            "square",
        ),
        *_mistakes(result, data),
        *_numbers(rows, result),
        heading("Settings"),
        code(config.rstrip()),
        *_again(folder, overrides),
        *_footer(result, data),
    ]  # fmt: skip
    title = f"{result.test_accuracy:.1%} on {data.title} - rushlight"
    write_durably(folder / REPORT, page(title, body))


def _summary(folder: Path, result: Result, data: Dataset) -> list[str]:
    low, high = wilson(result.test_right, result.test_count)
    sizes = f"{len(data.train):,} images to learn from, {len(data.validation):,} for validation"
    return [
        paragraph(f"rushlight run {folder.name}", "soft"),
        f"<h1>{result.test_accuracy:.1%} test accuracy on {escape(data.title)}</h1>",
        paragraph(
            f"{result.test_right:,} of {result.test_count:,} images that the network never saw "
            f"while it learned are classified correctly (95% interval {low:.1%} to {high:.1%}). "
            f"{sizes}."
        ),
        tiles(
            (
                ("test accuracy", f"{result.test_accuracy:.1%}"),
                ("test loss", f"{result.test_loss:.4f}"),
                ("validation accuracy", f"{result.validation_accuracy:.1%}"),
                ("best epoch", f"{result.best_epoch} of {result.epochs}"),
                ("weights", f"{result.parameters:,}"),
                (
                    f"of training, {result.samples_per_second:,.0f} samples a second",
                    duration(result.seconds),
                ),
            )
        ),
    ]


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95% interval of a share, which unlike the simple one stays sensible near 0 and 1.

    Reference:
        E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    Example:
        >>> wilson(350, 355)
        (0.967..., 0.993...)
    """
    z = 1.959964  # the normal distribution's 97.5% point
    share = right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = z / (1 + z * z / count)
    half = spread * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return max(centre - half, 0.0), min(centre + half, 1.0)


def duration(seconds: float) -> str:
    """A time as one would say it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def _mistakes(result: Result, data: Dataset) -> list[str]:
    wrong = result.test_count - result.test_right
    if not wrong:
        return [heading("Mistakes"), paragraph("None: every test image was classified correctly.")]
    pictures = []
    for mistake in result.mistakes[:SHOWN_MISTAKES]:
        png = image_png(data.test.images[mistake.index], data.levels)
        told = figure(png, "png", f"{mistake.label} taken for {mistake.predicted}")
        caption = (
            f"<figcaption>{escape(mistake.label)} taken for <b>{escape(mistake.predicted)}</b><br>"
            f"{mistake.confidence:.0%} sure</figcaption>"
        )
        pictures.append(told.replace("</figure>", caption + "</figure>"))
    first = f"the {len(pictures)} surest of {wrong:,}" if len(pictures) < wrong else f"all {wrong}"
    return [
        heading(f"Mistakes: {first}"),
        f'<div class="mistakes">{"".join(pictures)}</div>',
    ]


def _numbers(rows: Rows, result: Result) -> list[str]:
    heads = ("epoch", "train loss", "train acc.", "validation loss", "validation acc.",
             "learning rate", "samples/s")  # fmt: skip
    cells = [
        (
            f"{row['epoch']:.0f}",
            f"{row['train_loss']:.4f}",
            f"{row['train_accuracy']:.1%}",
            f"{row['validation_loss']:.4f}",
            f"{row['validation_accuracy']:.1%}",
            f"{row['learning_rate']:.3g}",
            f"{row['samples_per_second']:,.0f}",
        )
        for row in rows
    ]
    return [
        "<details><summary>All epochs as numbers</summary>",
        table(heads, cells, best=result.best_epoch - 1),
        "</details>",
    ]


def _again(folder: Path, overrides: list[str]) -> list[str]:
    goes_on = resume_command(folder).strip("`")
    return [
        heading("Do it again"),
        paragraph("The same run anew; on the same machine it gives the same bits:"),
        code(train_command(overrides)),
        paragraph("On from the last checkpoint, with more epochs where the schedule allows it:"),
        code(f"{goes_on} trainer.epochs=..."),
        paragraph("Beside another run, in one figure:"),
        code(f"rushlight report {shown(folder)} OTHER_RUN"),
        paragraph(
            f"In this folder: {METRICS}, {RESULT}, the weights after the best epoch in {BEST} and "
            f"all that a run needs to go on in {LAST}.",
            "soft",
        ),
    ]


def _footer(result: Result, data: Dataset) -> list[str]:
    machine = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    return ["<footer>", paragraph(f"Images: {data.credit}"), paragraph(machine), "</footer>"]
