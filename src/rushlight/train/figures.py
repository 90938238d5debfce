"""A run's figures, as PNG for documents and SVG for pages."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .durable import write_durably

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's colours, which the common kinds of colour blindness keep apart. Yellow is left
# out, since it is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", ":", "-.")
INK, FAINT = "#1f2328", "#d0d7de"

STYLE = {
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#8c959f",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 12,
    "axes.titlepad": 12,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": "#57606a",
    "ytick.color": "#57606a",
    "lines.linewidth": 2,
    "figure.facecolor": "white",
    "savefig.dpi": 160,
    # Text as outlines looks the same on every machine; a fixed salt gives the same file each time.
    "svg.fonttype": "path",
    "svg.hashsalt": "rushlight",
}

Rows = list[dict[str, float]]


@contextmanager
def drawing(width: float, height: float, panels: int = 1) -> Iterator[tuple[Figure, Any]]:
    """A new figure in this project's style, and its axes, one above the other; sizes in
    inches."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots(panels)


def label_ends(axes: Axes, curves: dict[str, tuple[float, str]]) -> None:
    """Writes each curve's name to the right of its end, apart where names would touch.

    Args:
        curves: each name's last value and colour.
    """
    bottom, top = axes.transAxes.transform([(0, 0), (1, 1)])[:, 1]
    line = 1.35 * axes.xaxis.label.get_fontsize() * axes.figure.dpi / 72 / (top - bottom)
    names = sorted(curves, key=lambda name: curves[name][0])
    heights = [_height(axes, curves[name][0]) for name in names]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + line)
    over = max(heights[-1] - 1.0, 0.0)
    for i in reversed(range(len(heights))):  # back down below the top, from above
        highest = heights[i + 1] - line if i + 1 < len(heights) else heights[i] - over
        heights[i] = min(heights[i], highest)
    for name, height in zip(names, heights, strict=True):
        axes.annotate(
            name,
            (1.0, height),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=curves[name][1],
            fontweight="bold",
            annotation_clip=False,
        )


def _height(axes: Axes, value: float) -> float:
    to_axes = axes.transData + axes.transAxes.inverted()
    height: float = to_axes.transform((0, value))[1]
    return min(max(height, 0.0), 1.0)


def epoch_axis(axes: Axes) -> None:
    """Whole epochs along the bottom."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def log_axis(axes: Axes) -> None:
    """A logarithmic axis with plain numbers on it, a few even where it spans no power of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", which="minor", length=0)


def percent_axis(axes: Axes) -> None:
    """Percents, up to 100."""
    low = axes.get_ylim()[0]
    axes.set_ylim(max(low, 0.0), 1.0 + 0.02 * (1.0 - max(low, 0.0)))
    axes.yaxis.set_major_formatter(lambda share, position: f"{100 * share:.6g}%")


def matrix(counts: np.ndarray, names: list[str], title: str) -> Figure:
    """Counts (classes, classes) of true classes, the rows, that were taken for others."""
    classes = len(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = share * (1 - np.eye(classes))
    with drawing(6.4, 6.4) as (figure, axes):
        axes.set_title(title)
        axes.grid(False)
        axes.imshow(_shades(share, wrong / max(wrong.max(), 1e-9)))
        for i in range(classes):
            for j in range(classes):
                if counts[i, j]:
                    dark = i == j and share[i, j] > 0.6
                    axes.text(
                        j, i, f"{counts[i, j]:,}", ha="center", va="center",
                        color="white" if dark else INK, fontsize=10,
                    )  # fmt: skip
        long = max(map(len, names)) > 2
        axes.set_xticks(range(classes), names, rotation=45 if long else 0,
                        ha="right" if long else "center")  # fmt: skip
        axes.set_yticks(range(classes), names)
        axes.set_xlabel("classified as")
        axes.set_ylabel("true class")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.grid(True, which="minor", axis="both", color="white", linewidth=2)
        axes.tick_params(which="minor", length=0)
        return figure


def _shades(right: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Colours (classes, classes, 3) from white, towards blue on the diagonal, orange off it."""
    from matplotlib.colors import to_rgb

    blue, orange, rest = (np.array(to_rgb(c)) for c in (COLOURS[0], "#E69F00", "#f6f8fa"))
    diagonal = np.eye(len(right), dtype=bool)[..., None]
    colour = np.where(diagonal, blue, orange)
    weight = np.where(diagonal, right[..., None], 0.85 * wrong[..., None])
    return rest * (1 - weight) + colour * weight


def save_figure(figure: Figure, path: Path) -> bytes:
    """Writes ``path`` with ``.png`` and ``.svg`` added, and returns the SVG.

    Raises:
        OSError: one could not be written.
    """
    import matplotlib

    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png")
        figure.savefig(svg, format="svg", metadata={"Date": None})
    write_durably(path.with_name(path.name + ".png"), png.getvalue())
    write_durably(path.with_name(path.name + ".svg"), svg.getvalue())
    return svg.getvalue()


def image_png(image: np.ndarray, levels: int) -> bytes:
    """One image (C, H, W) as a PNG of its own size; one channel is drawn as ink on paper."""
    from PIL import Image

    scaled = np.round(image * (255.0 / levels)).astype(np.uint8)
    picture = 255 - scaled[0] if len(scaled) == 1 else scaled.transpose(1, 2, 0)  # (H, W[, C])
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="PNG")
    return out.getvalue()
