"""A model drawn as a graph of its layers: an SVG that needs nothing besides itself.

Layers stand in rows, each below all that it reads (Sugiyama, Tagawa & Toda 1981, "Methods for
visual understanding of hierarchical system structures", without the dummy vertices); in a row they
stand in the order of what they read.
"""

from __future__ import annotations

from html import escape
from typing import Any

from rushlight import nn

from .layer_graph import Box, boxes_of

INK, SOFT, LINE = "#1f2328", "#57606a", "#8c959f"
LEARNED, FIXED, GIVEN = "#ddf4ff", "#f6f8fa", "#fff8c5"
HIGH, DOWN, APART, LEAST = 40, 26, 24, 96
LETTER, SMALL_LETTER = 7.2, 5.8  # how wide a letter is, about


def draw_network(model: nn.Module, *inputs: Any) -> str:
    """The text of an SVG picture of one call of a model; nothing is computed.

    Args:
        model: a module.
        inputs: arguments that it can be called with; only shapes and dtypes matter.
    Example:
        >>> import rushlight as rl
        >>> model = rl.nn.Sequential(rl.nn.Linear(3, 2), rl.nn.ReLU())
        >>> draw_network(model, rl.ones(1, 3))[:4]
        '<svg'
    """
    rows = _rows(boxes_of(model, *inputs))
    places = _places(rows)
    width = max((x + w / 2 for x, _, w in places.values()), default=0) + APART
    height = len(rows) * (HIGH + DOWN) + DOWN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="ui-sans-serif, system-ui, '
        'sans-serif" font-size="12">',
        *(_edges(box, places) for row in rows for box in row),
        *(_drawn(box, *place) for box, place in places.items()),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _rows(order: list[Box]) -> list[list[Box]]:
    rank: dict[Box, int] = {}
    for box in order:
        rank[box] = 1 + max((rank[before] for before in box.before), default=-1)
    rows: list[list[Box]] = [[] for _ in range(1 + max(rank.values(), default=-1))]
    for box in order:
        rows[rank[box]].append(box)
    return rows


Place = tuple[float, float, float]


def _places(rows: list[list[Box]]) -> dict[Box, Place]:
    """The middle, the top and the width of every box."""
    widths = {box: _width(box) for row in rows for box in row}
    whole = [sum(widths[box] + APART for box in row) for row in rows]
    middle = max(whole, default=0) / 2 + APART / 2
    places: dict[Box, Place] = {}
    for number, (row, wide) in enumerate(zip(rows, whole)):
        row.sort(key=lambda box: sum(places[b][0] for b in box.before) / (len(box.before) or 1))
        left = middle - wide / 2 + APART / 2
        for box in row:
            places[box] = (left + widths[box] / 2, DOWN + number * (HIGH + DOWN), widths[box])
            left += widths[box] + APART
    return places


def _width(box: Box) -> float:
    title, told = f"{box.name} {box.kind}", _told(box)
    return max(LEAST, LETTER * len(title) + 20, SMALL_LETTER * len(told) + 20)


def _told(box: Box) -> str:
    shape = " × ".join(map(str, box.shape)) or "number"
    return f"{shape}  ·  {box.parameters:,} weights" if box.parameters else shape


def _drawn(box: Box, x: float, y: float, width: float) -> str:
    colour = GIVEN if not box.before else LEARNED if box.parameters else FIXED
    kind = f' <tspan font-weight="600">{escape(box.kind)}</tspan>' if box.kind else ""
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" height="{HIGH}" rx="6" '
        f'fill="{colour}" stroke="{LINE}"/>'
        f'<text x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle" fill="{INK}">'
        f"{escape(box.name)}{kind}</text>"
        f'<text x="{x:.1f}" y="{y + 32:.1f}" text-anchor="middle" fill="{SOFT}" font-size="10">'
        f"{escape(_told(box))}</text>"
    )


def _edges(box: Box, places: dict[Box, Place]) -> str:
    return "".join(_edge(places[before], places[box]) for before in box.before)


def _edge(start: Place, end: Place) -> str:
    """A line from the bottom of one box to the top of another; past others, around their side."""
    (x0, y0, w0), (x1, y1, w1) = start, end
    y0 += HIGH
    if y1 - y0 <= DOWN + 1:
        path = (
            f"M{x0:.1f} {y0:.1f} C{x0:.1f} {y0 + 14:.1f} {x1:.1f} {y1 - 14:.1f} {x1:.1f} {y1:.1f}"
        )
    else:
        side = max(x0 + w0 / 2, x1 + w1 / 2) - 6
        out = side + min(60.0, 8 + (y1 - y0) / 12)
        path = (
            f"M{x0 + w0 / 2 - 12:.1f} {y0:.1f} C{out:.1f} {y0 + 20:.1f} {out:.1f} {y1 - 20:.1f} "
            f"{x1 + w1 / 2 - 12:.1f} {y1:.1f}"
        )
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.3"/>'
