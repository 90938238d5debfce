"""How values between pixels are found."""

from __future__ import annotations

from enum import Enum


class InterpolationMode(Enum):
    """Interpolation modes; ``BOX``, ``HAMMING`` are for PIL images alone."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR

# Pillow's numbers. Its nearest is what is called nearest-exact elsewhere.
pil_modes_mapping = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
}
_BY_NUMBER = {n: mode for mode, n in pil_modes_mapping.items() if mode.name != "NEAREST_EXACT"}
_BY_NAME = {mode.value: mode for mode in InterpolationMode}

Interpolation = InterpolationMode | str | int


def as_mode(interpolation: Interpolation) -> InterpolationMode:
    """An interpolation mode from its name or Pillow's number.

    Raises:
        ValueError: it is none.
    """
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, str):
        if interpolation not in _BY_NAME:
            raise ValueError(
                f"Invalid interpolation mode: '{interpolation}'. Supported string values are:"
                f" {list(_BY_NAME)}."
            )
        return _BY_NAME[interpolation]
    if not isinstance(interpolation, int) or interpolation not in _BY_NUMBER:
        raise ValueError(
            "Argument interpolation should be an `InterpolationMode` or a corresponding Pillow"
            f" integer constant, but got {interpolation}."
        )
    return _BY_NUMBER[interpolation]
