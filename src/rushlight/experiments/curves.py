"""The curves and the confusion matrix of an experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rushlight.train.figures import (
    COLOURS,
    Rows,
    drawing,
    epoch_axis,
    label_ends,
    log_axis,
    matrix,
    percent_axis,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .predictions import Predictions

PARTS = ("train", "validation")
# Beyond this the numbers of a matrix cannot be read.
MOST_CLASSES = 30


def quantities(rows: Rows) -> list[str]:
    """What was logged in each epoch, the parts of the data left out of the names."""
    names = dict.fromkeys(name for row in rows for name in row if name not in ("epoch", "seconds"))
    bare = [name.partition("_")[2] if name.split("_")[0] in PARTS else name for name in names]
    return list(dict.fromkeys(bare))


def draw_curves(rows: Rows, name: str) -> Figure:
    """One quantity by epoch, of training and of validation where both were logged."""
    logged = {name for row in rows for name in row}
    found = [part for part in (f"train_{name}", f"validation_{name}", name) if part in logged]
    with drawing(6.4, 4) as (figure, axes):
        axes.set_title(name.replace("_", " ").capitalize())
        ends = {}
        for part, colour in zip(found, COLOURS):
            points = [(row["epoch"], row[part]) for row in rows if part in row]
            epochs, values = zip(*points)
            axes.plot(epochs, values, color=colour, marker="o" if len(points) == 1 else "")
            ends[part.removesuffix(f"_{name}") if part != name else ""] = (values[-1], colour)
        axes.margins(x=0.02)
        epoch_axis(axes)
        least = min(row[part] for row in rows for part in found if part in row)
        if name.endswith("accuracy"):
            percent_axis(axes)
        elif least > 0 and name in ("loss", "error"):
            log_axis(axes)
        label_ends(axes, ends)
        return figure


def draw_confusions(told: Predictions) -> Figure:
    """How often each class was taken for each."""
    classes = min(len(told.classes), MOST_CLASSES)
    counts = np.zeros((classes, classes), np.int64)
    shown = (told.labels < classes) & (told.predicted < classes)
    np.add.at(counts, (told.labels[shown], told.predicted[shown]), 1)
    return matrix(
        counts, told.classes[:classes],
        f"{told.right:,} of {len(told.labels):,} in the test classified correctly",
    )  # fmt: skip
