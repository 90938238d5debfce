"""Figures of how large gradients and updates are, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rushlight.train.callbacks.update_ratios import GRADIENT, UPDATE, Norms
from rushlight.train.figures import COLOURS, INK, drawing, epoch_axis, label_ends, log_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RULE = 1e-3
"""An update by weight that is neither slow nor wild, a rule of thumb: Karpathy, CS231n notes,
"Ratio of weights:updates"."""

TITLES = {UPDATE: "Update by weight", GRADIENT: "Gradient by weight"}
MOST_NAMED = len(COLOURS)


def draw_ratios(norms: Norms, of: int) -> Figure | None:
    """Update (or gradient) by weight for each layer's weights, by epoch; None if there is nothing.

    Biases are left out: they begin at zero, and the rule is about weights. Where
    there are more layers than colours, they go from blue at the input to orange at the output.
    """
    shown = _layers(norms, of)
    if not shown:
        return None
    with drawing(6.4, 4) as (figure, axes):
        axes.set_title(TITLES[of])
        colours = _colours(len(shown))
        for (_, values), colour in zip(shown, colours):
            axes.plot(
                norms.epochs, values, color=colour, linewidth=1.4,
                marker="o" if len(norms.epochs) == 1 else "",
            )  # fmt: skip
        if of == UPDATE:
            axes.axhline(RULE, color=INK, linewidth=1, linestyle="--")
        axes.margins(x=0.02)
        epoch_axis(axes)
        log_axis(axes)
        named = np.linspace(0, len(shown) - 1, min(len(shown), MOST_NAMED)).round().astype(int)
        ends = {shown[i][0]: (_last(shown[i][1]), colours[i]) for i in named}
        label_ends(axes, {**ends, "rule": (RULE, INK)} if of == UPDATE else ends)
        return figure


def _layers(norms: Norms, of: int) -> list[tuple[str, np.ndarray]]:
    """The layers' names with their ratios, those that have any."""
    ratios = norms.ratios(of)
    ratios = np.where(ratios > 0, ratios, np.nan)
    named = [k for k, name in enumerate(norms.names) if name.endswith("weight")]
    found = [(norms.names[k], ratios[:, k]) for k in named or range(len(norms.names))]
    kept = [(name, values) for name, values in found if np.isfinite(values).any()]
    return [(_short(name, [other for other, _ in kept]), values) for name, values in kept]


def _short(name: str, names: list[str]) -> str:
    """A layer's path without what all have in common."""
    parts = name.removesuffix(".weight").split(".")
    if len(names) > 1:
        firsts = {other.split(".")[0] for other in names}
        parts = parts[1:] if len(firsts) == 1 and len(parts) > 1 else parts
    return ".".join(parts)


def _colours(count: int) -> list[str]:
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    path = LinearSegmentedColormap.from_list("depth", [COLOURS[0], COLOURS[3], COLOURS[1]])
    return [to_hex(path(k / (count - 1))) for k in range(count)]


def _last(values: np.ndarray) -> float:
    return float(values[np.isfinite(values)][-1])
