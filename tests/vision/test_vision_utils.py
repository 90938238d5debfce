"""Grids of images and things drawn on them, equal to torchvision's."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import rushlight as rl
from peers import torchvision
from rushlight.vision import utils

theirs = torchvision.utils
RANDOM = np.random.default_rng(0)
GRAY, RGB = (RANDOM.integers(0, 256, (c, 40, 50), np.uint8) for c in (1, 3))
FLOAT = RANDOM.random((3, 40, 50)).astype(np.float32)


def ours_of(value: Any) -> Any:
    return rl.tensor(value) if isinstance(value, np.ndarray) else value


def theirs_of(value: Any) -> Any:
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def both(name: str, *arguments: Any, **options: Any) -> None:
    """The same call there and here: the same result, or the same error."""
    results = []
    for home, made in ((utils, ours_of), (theirs, theirs_of)):
        given = [[made(v) for v in a] if isinstance(a, list) else made(a) for a in arguments]
        named = {key: made(value) for key, value in options.items()}
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                result = getattr(home, name)(*given, **named)
                results.append((result.numpy(), str(result.dtype), [str(w.message) for w in said]))
            except (TypeError, ValueError) as error:
                text = str(error).replace("rushlight", "torch")
                results.append((None, type(error), text.partition("<class")[0]))
    (a, *facts), (b, *others) = results
    assert facts == others
    if a is not None:
        assert a.shape == b.shape
        if a.dtype == np.uint8 or name != "make_grid":
            assert np.array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


BATCH = RANDOM.normal(0, 3, (7, 3, 4, 5)).astype(np.float32)


@pytest.mark.parametrize(
    "images",
    [BATCH, BATCH[:1], BATCH[:, :1], BATCH[0], BATCH[0, :1], BATCH[0, 0], list(BATCH[:3]),
     list(BATCH[:3, :1]), RANDOM.integers(0, 255, (3, 2, 4, 4), np.uint8)],
    ids=lambda images: "list" if isinstance(images, list) else str(images.shape),
)  # fmt: skip
@pytest.mark.parametrize(
    "options",
    [{}, {"nrow": 3, "padding": 0}, {"nrow": 2, "padding": 3, "pad_value": 0.5},
     {"normalize": True}, {"normalize": True, "scale_each": True},
     {"normalize": True, "value_range": (-1, 2)}, {"normalize": True, "value_range": (2, 2)}],
    ids=str,
)  # fmt: skip
def test_make_grid(images: Any, options: dict[str, Any]) -> None:
    if not isinstance(images, list) and images.dtype == np.uint8 and options.get("normalize"):
        return  # integers cannot be divided in place, theirs says
    if options.get("pad_value") and not isinstance(images, list) and images.dtype == np.uint8:
        options = {**options, "pad_value": 7}
    both("make_grid", images, **options)


def test_make_grid_refuses() -> None:
    both("make_grid", 3)
    both("make_grid", [BATCH[0], 3])
    both("make_grid", BATCH, normalize=True, value_range=[0, 1])
    x = rl.tensor(BATCH)
    utils.make_grid(x, normalize=True)
    assert np.array_equal(x.numpy(), BATCH)


@pytest.mark.parametrize("format", ["png", "bmp"])
def test_save_image(tmp_path: Any, format: str) -> None:
    images = np.clip(BATCH, -0.2, 1.2)
    utils.save_image(rl.tensor(images), tmp_path / f"a.{format}", nrow=3)
    theirs.save_image(torch.from_numpy(images), tmp_path / f"b.{format}", nrow=3)
    assert (tmp_path / f"a.{format}").read_bytes() == (tmp_path / f"b.{format}").read_bytes()
    out = io.BytesIO()
    utils.save_image([rl.tensor(images[0])], out, format)
    assert Image.open(out).size == (5, 4)


BOXES = np.array([[3, 4, 20, 30], [10, 2, 45, 38], [0, 0, 49, 39], [7, 7, 7, 7]], np.float32)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"colors": "red", "width": 3},
    {"colors": ["blue", "#00FF00", (1, 2, 3), "black"], "fill": True},
    {"colors": (10, 200, 30), "labels": ["a", "longer one", "", "z"]},
    {"labels": ["a", "b", "c", "d"], "fill_labels": True, "label_colors": "white"},
    {"labels": ["a", "b", "c", "d"], "fill_labels": True, "label_background_colors": ["red"] * 4},
    {"labels": ["a", "b", "c", "d"], "label_colors": ["red", "green", "blue", "white"]},
    {"labels": ["a", None, "c", "d"], "fill": True, "fill_labels": True, "width": 2},
    {"labels": ["a", "b", "c", "d"], "font_size": 20},
]


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
@pytest.mark.parametrize("image", [GRAY, RGB, FLOAT], ids=["gray", "rgb", "float"])
def test_draw_bounding_boxes(image: np.ndarray, options: dict[str, Any]) -> None:
    both("draw_bounding_boxes", image, BOXES, **options)


@pytest.mark.parametrize("fill", [True, False])
def test_draw_rotated_boxes(fill: bool) -> None:
    turned = [[5, 5, 33, 5, 33, 20, 5, 20], [20, 4, 40, 20, 30, 33, 10, 17], [8] * 8,
              [45, 35, 20, 35, 20, 12, 45, 12]]  # fmt: skip
    boxes = np.array(turned, np.float32)
    both("draw_bounding_boxes", RGB, boxes, labels=["a", "b", "c", "d"], fill=fill, width=2)


MASKS = RANDOM.random((3, 40, 50)) > 0.6


@pytest.mark.parametrize("colors", [None, "red", ["red", "blue", (9, 200, 7)], (3, 4, 5)], ids=str)
@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("image", [RGB, FLOAT], ids=["rgb", "float"])
def test_draw_segmentation_masks(image: np.ndarray, alpha: float, colors: Any) -> None:
    both("draw_segmentation_masks", image, MASKS, alpha=alpha, colors=colors)
    both("draw_segmentation_masks", image, MASKS[0], alpha=alpha, colors="yellow")


POINTS = RANDOM.uniform(-3, 50, (2, 5, 2)).astype(np.float32)
LINES = [(0, 1), (1, 4), (2, 3)]
SEEN = RANDOM.random((2, 5)) > 0.4


@pytest.mark.parametrize("image", [RGB, FLOAT], ids=["rgb", "float"])
@pytest.mark.parametrize(
    "options",
    [{}, {"connectivity": LINES, "colors": "red", "radius": 4}, {"visibility": SEEN},
     {"connectivity": LINES, "colors": (3, 250, 9), "width": 1, "visibility": SEEN[..., None]}],
    ids=range(4),
)  # fmt: skip
def test_draw_keypoints(image: np.ndarray, options: dict[str, Any]) -> None:
    both("draw_keypoints", image, POINTS, **options)


@pytest.mark.parametrize("shape", [(2, 9, 11), (3, 2, 5, 6), (2, 1, 1)], ids=str)
def test_flow_to_image(shape: tuple[int, ...]) -> None:
    flow = RANDOM.normal(0, 4, shape).astype(np.float32)
    found = utils.flow_to_image(rl.tensor(flow)).numpy().astype(int)
    wanted = theirs.flow_to_image(torch.from_numpy(flow)).numpy().astype(int)
    assert found.shape == wanted.shape
    assert (found != wanted).mean() < 0.02 and abs(found - wanted).max() <= 1  # rounding of atan2


def test_flow_in_eight_directions() -> None:
    angles = [k * math.pi / 4 for k in range(8)] + [0]
    flow = np.array([[[math.cos(a) for a in angles]], [[math.sin(a) for a in angles]]], np.float32)
    flow[:, 0, 8] = 0
    found = utils.flow_to_image(rl.tensor(flow)).numpy().astype(int)
    wanted = theirs.flow_to_image(torch.from_numpy(flow)).numpy().astype(int)
    assert abs(found - wanted).max() <= 1 and found[:, 0, 8].tolist() == [255, 255, 255]


NONE = np.zeros((0, 4), np.float32)
MISTAKES: list[Callable[[], None]] = [
    lambda: both("draw_bounding_boxes", 3, BOXES),
    lambda: both("draw_bounding_boxes", RGB.astype(np.int64), BOXES),
    lambda: both("draw_bounding_boxes", RGB[None], BOXES),
    lambda: both("draw_bounding_boxes", RGB[:2], BOXES),
    lambda: both("draw_bounding_boxes", RGB, BOXES[:, ::-1].copy()),
    lambda: both("draw_bounding_boxes", RGB, NONE),
    lambda: both("draw_bounding_boxes", RGB, BOXES, labels=["a"]),
    lambda: both("draw_bounding_boxes", RGB, BOXES, colors=["red"]),
    lambda: both("draw_bounding_boxes", RGB, BOXES, colors=(1, 2)),
    lambda: both("draw_bounding_boxes", RGB, BOXES, colors=3),
    lambda: both("draw_bounding_boxes", RGB, BOXES, colors="no such colour"),
    lambda: both("draw_segmentation_masks", 3, MASKS),
    lambda: both("draw_segmentation_masks", GRAY, MASKS),
    lambda: both("draw_segmentation_masks", RGB[None], MASKS),
    lambda: both("draw_segmentation_masks", RGB.astype(np.int32), MASKS),
    lambda: both("draw_segmentation_masks", RGB, MASKS[None]),
    lambda: both("draw_segmentation_masks", RGB, MASKS.astype(np.uint8)),
    lambda: both("draw_segmentation_masks", RGB, MASKS[:, 1:]),
    lambda: both("draw_segmentation_masks", RGB, MASKS[:0]),
    lambda: both("draw_keypoints", 3, POINTS),
    lambda: both("draw_keypoints", GRAY, POINTS),
    lambda: both("draw_keypoints", RGB, POINTS[0]),
    lambda: both("draw_keypoints", RGB, POINTS, visibility=SEEN[0]),
    lambda: both("draw_keypoints", RGB, POINTS, visibility=SEEN[:, :3]),
    lambda: both("flow_to_image", np.zeros((2, 3, 3))),
    lambda: both("flow_to_image", np.zeros((3, 3, 3), np.float32)),
    lambda: both("flow_to_image", np.zeros((3, 3), np.float32)),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(mistake: Callable[[], None]) -> None:
    mistake()
