"""Boxes, points and masks through every functional, against torchvision's."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch

import peers  # noqa: F401 - torchvision without its compiled parts
import rushlight as rl
from rushlight.vision import tv_tensors
from rushlight.vision.transforms.v2 import functional as F

G = importlib.import_module("torchvision.transforms.v2.functional")
their_tensors = importlib.import_module("torchvision.tv_tensors")

CANVAS = (20, 30)
RNG = np.random.default_rng(0)
DISPLACEMENT = (RNG.random((1, *CANVAS, 2)) * 0.4 - 0.2).astype(np.float32)
COEFFICIENTS = [0.9, 0.1, 1.0, 0.05, 1.1, -1.0, 0.01, 0.02]
TABLE: list[tuple[str, dict[str, Any]]] = [
    ("horizontal_flip", {}),
    ("vertical_flip", {}),
    ("resize", {"size": [10, 60]}),
    ("resize", {"size": [40]}),
    ("resize", {"size": None, "max_size": 50}),
    ("resize", {"size": [20, 30]}),
    ("pad", {"padding": [1, 2, 3, 4]}),
    ("pad", {"padding": -2}),
    ("pad", {"padding": 1, "padding_mode": "edge"}),
    ("crop", {"top": 3, "left": 5, "height": 9, "width": 12}),
    ("center_crop", {"output_size": [10, 10]}),
    ("center_crop", {"output_size": [40, 50]}),
    ("resized_crop", {"top": 3, "left": 5, "height": 9, "width": 12, "size": [18, 18]}),
    ("affine", {"angle": 20.0, "translate": [2, 1], "scale": 0.9, "shear": [5.0, 3.0]}),
    ("affine", {"angle": 0, "translate": [0, 0], "scale": 1.0, "shear": 9.0, "center": [1, 2]}),
    ("rotate", {"angle": 33}),
    ("rotate", {"angle": 33, "expand": True}),
    ("rotate", {"angle": 90, "expand": True}),
    ("rotate", {"angle": -10, "center": [4, 5]}),
    ("perspective", {"startpoints": None, "endpoints": None, "coefficients": COEFFICIENTS}),
    ("elastic", {"displacement": DISPLACEMENT}),
]
FORMATS = ("XYXY", "XYWH", "CXCYWH")
ROTATED = ("XYWHR", "CXCYWHR", "XYXYXYXY")
CENTERED = "CXCYWHR"
XYXY = np.array(
    [[2, 3, 12, 15], [0, 0, 30, 20], [25, 15, 40, 30], [5, 5, 5, 9], [7, 2, 20, 11]], np.float32
)


pytestmark = pytest.mark.usefixtures("by_reference")


def boxes(format: str, dtype: str) -> np.ndarray:
    """Boxes of a format, some beyond the canvas."""
    if format in ROTATED:
        made = np.array([[10, 8, 6, 4, 20.0], [3, 3, 9, 5, -50.0], [25, 15, 8, 12, 110.0]])
        if format == "XYXYXYXY":
            tensor = torch.tensor(made)
            made = G.convert_bounding_box_format(tensor, "XYWHR", "XYXYXYXY").numpy()
        return made.astype(dtype)
    made = G.convert_bounding_box_format(torch.tensor(XYXY), "XYXY", format).numpy()
    return made.astype(dtype)


def both(kind: str, array: np.ndarray, **metadata: Any) -> tuple[Any, Any]:
    """The same input for torchvision and for us."""
    theirs = getattr(their_tensors, kind)(torch.tensor(array), **metadata)
    return theirs, getattr(tv_tensors, kind)(rl.tensor(array), **metadata)


def outcome(function: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    except (TypeError, ValueError, RuntimeError) as error:
        return type(error)


def check(ours: Any, wanted: Any, tolerance: float = 3e-5) -> None:
    if isinstance(wanted, type):
        assert isinstance(ours, type) and issubclass(ours, wanted), (ours, wanted)
        return
    assert type(ours).__name__ == type(wanted).__name__
    assert str(ours.dtype) == str(wanted.dtype)
    for name in ("canvas_size", "clamping_mode", "format"):
        assert str(getattr(ours, name, None)) == str(getattr(wanted, name, None))
    scale = 1 if not wanted.is_floating_point() else 0
    a, b = ours.numpy(), wanted.as_subclass(torch.Tensor).numpy()
    assert a.shape == b.shape
    # Whole coordinates are cut off from ones that may differ in the last bit.
    np.testing.assert_allclose(
        a.astype(np.float64), b.astype(np.float64), rtol=tolerance, atol=max(30 * tolerance, scale)
    )


def named(row: tuple[str, dict[str, Any]]) -> str:
    return f"{row[0]}-{'-'.join(str(v) for v in row[1].values() if not isinstance(v, np.ndarray))}"


def arguments(kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    if "displacement" not in kwargs:
        return kwargs, kwargs
    return {"displacement": torch.tensor(DISPLACEMENT)}, {"displacement": rl.tensor(DISPLACEMENT)}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("row", TABLE, ids=named)
def test_boxes(row: tuple[str, dict[str, Any]], format: str) -> None:
    name, kwargs = row
    their_args, our_args = arguments(kwargs)
    for dtype, mode in (("float32", "soft"), ("int64", "hard"), ("float64", None)):
        theirs, ours = both(
            "BoundingBoxes", boxes(format, dtype), format=format, canvas_size=CANVAS,
            clamping_mode=mode,
        )  # fmt: skip
        wanted = outcome(getattr(G, name), theirs, **their_args)
        check(outcome(getattr(F, name), ours, **our_args), wanted)


@pytest.mark.parametrize(
    "format",
    [CENTERED, *(pytest.param(one, marks=pytest.mark.slow) for one in ROTATED if one != CENTERED)],
)
@pytest.mark.parametrize("row", TABLE, ids=named)
def test_rotated_boxes(row: tuple[str, dict[str, Any]], format: str) -> None:
    name, kwargs = row
    their_args, our_args = arguments(kwargs)
    for dtype, mode in (("float64", "soft"), ("float64", "hard")):
        theirs, ours = both(
            "BoundingBoxes", boxes(format, dtype), format=format, canvas_size=CANVAS,
            clamping_mode=mode,
        )  # fmt: skip
        wanted = outcome(getattr(G, name), theirs, **their_args)
        check(outcome(getattr(F, name), ours, **our_args), wanted, 1e-4)


@pytest.mark.parametrize("row", TABLE, ids=named)
def test_points_and_masks(row: tuple[str, dict[str, Any]]) -> None:
    name, kwargs = row
    their_args, our_args = arguments(kwargs)
    points = RNG.random((3, 4, 2)) * 20
    masks = RNG.integers(0, 5, (2, *CANVAS)).astype(np.uint8)
    for kind, array, metadata in (
        ("KeyPoints", points.astype(np.float32), {"canvas_size": CANVAS}),
        ("KeyPoints", points[0].astype(np.int64), {"canvas_size": CANVAS}),
        ("Mask", masks, {}),
        ("Mask", masks[0].astype(np.int64), {}),
        ("Mask", masks > 2, {}),
    ):
        theirs, ours = both(kind, array, **metadata)
        wanted = outcome(getattr(G, name), theirs, **their_args)
        check(outcome(getattr(F, name), ours, **our_args), wanted)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("new", FORMATS + ROTATED)
@pytest.mark.parametrize("old", FORMATS + ROTATED)
def test_formats(old: str, new: str, dtype: str) -> None:
    if old in ROTATED and dtype == "int64":
        pytest.skip("rotated boxes are floating")
    array = boxes(old, dtype)
    wanted = outcome(G.convert_bounding_box_format, torch.tensor(array), old, new)
    found = outcome(F.convert_bounding_box_format, rl.tensor(array), old, new)
    if isinstance(wanted, type):
        assert found is wanted
    else:
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-5)


def test_conversion_in_place_changes_the_input() -> None:
    given = rl.tensor([[1.0, 2.0, 3.0, 4.0]])
    result = F.convert_bounding_box_format(given, "xyxy", "xywh", inplace=True)
    assert result is given
    assert given.tolist() == [[1.0, 2.0, 2.0, 2.0]]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_clamping_and_sanitizing(format: str, dtype: str) -> None:
    array = boxes(format, dtype)
    theirs, ours = both("BoundingBoxes", array, format=format, canvas_size=CANVAS)
    check(F.clamp_bounding_boxes(ours), G.clamp_bounding_boxes(theirs))
    for size, area in ((1, 1), (3, 1), (1, 120)):
        wanted, valid = G.sanitize_bounding_boxes(theirs, min_size=size, min_area=area)
        found, good = F.sanitize_bounding_boxes(ours, min_size=size, min_area=area)
        assert good.tolist() == valid.tolist()
        check(found, wanted)


def test_points_on_the_canvas() -> None:
    array = np.array([[[1.0, 2.0], [31.0, 2.0]], [[-1.0, 5.0], [3.0, 3.0]], [[2, 2], [3, 3]]])
    theirs, ours = both("KeyPoints", array, canvas_size=CANVAS)
    check(F.clamp_keypoints(ours), G.clamp_keypoints(theirs))
    wanted, valid = G.sanitize_keypoints(theirs)
    found, good = F.sanitize_keypoints(ours)
    assert good.tolist() == valid.tolist()
    check(found, wanted)


@pytest.mark.parametrize("function", ["clamp_bounding_boxes", "sanitize_bounding_boxes",
                                      "clamp_keypoints", "sanitize_keypoints"])  # fmt: skip
def test_too_much_or_too_little_is_said(function: str) -> None:
    theirs, ours = getattr(G, function), getattr(F, function)
    kind = "KeyPoints" if "points" in function else "BoundingBoxes"
    metadata = {"canvas_size": CANVAS}
    if kind == "BoundingBoxes":
        metadata["format"] = "XYXY"  # type: ignore[assignment]
    their_input, our_input = both(kind, XYXY[:, : 2 if kind == "KeyPoints" else 4], **metadata)
    assert outcome(ours, rl.tensor(XYXY)) is outcome(theirs, torch.tensor(XYXY))
    assert outcome(ours, our_input, canvas_size=CANVAS) is outcome(
        theirs, their_input, canvas_size=CANVAS
    )
    assert outcome(ours, tv_tensors.Mask(rl.zeros(2, 2))) is outcome(
        theirs, their_tensors.Mask(torch.zeros(2, 2))
    )
