"""Digits as a person would draw them: strokes of points in a square from 0 to 1."""

from __future__ import annotations

from math import cos, pi, sin

Stroke = list[tuple[float, float]]


def arc(x: float, y: float, wide: float, tall: float, start: float, stop: float) -> Stroke:
    """Part of an ellipse; turns are counted from the right, clockwise."""
    turns = [start + (stop - start) * k / 16 for k in range(17)]
    return [(x + wide * cos(2 * pi * t), y + tall * sin(2 * pi * t)) for t in turns]


DIGITS: dict[int, list[Stroke]] = {
    0: [arc(0.5, 0.5, 0.2, 0.33, -0.25, 0.75)],
    1: [[(0.4, 0.3), (0.52, 0.18), (0.52, 0.84)]],
    2: [[*arc(0.5, 0.34, 0.18, 0.17, -0.5, 0.08), (0.32, 0.82), (0.7, 0.82)]],
    3: [[*arc(0.48, 0.33, 0.17, 0.16, -0.42, 0.25), *arc(0.48, 0.66, 0.2, 0.17, -0.25, 0.4)]],
    4: [[(0.5, 0.16), (0.3, 0.56), (0.72, 0.56)], [(0.6, 0.36), (0.56, 0.86)]],
    5: [
        [(0.68, 0.18), (0.38, 0.18), (0.36, 0.46), *arc(0.48, 0.62, 0.19, 0.2, -0.3, 0.4)],
    ],
    6: [[(0.6, 0.16), (0.42, 0.36), *arc(0.5, 0.66, 0.16, 0.18, -0.5, 0.5)]],
    7: [[(0.3, 0.18), (0.68, 0.18), (0.46, 0.86)], [(0.38, 0.5), (0.64, 0.5)]],
    8: [[*arc(0.5, 0.33, 0.14, 0.15, 0.25, 1.25), *arc(0.5, 0.66, 0.17, 0.18, -0.25, 0.75)]],
    9: [[*arc(0.48, 0.36, 0.16, 0.18, 0, 1), (0.64, 0.36), (0.6, 0.86)]],
}
