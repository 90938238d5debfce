"""Every functional of the transforms against torchvision's, by kind of input.

PIL images and bytes are compared exactly, floating tensors to rounding. What torchvision computes
in another order of additions may differ by one level where a value lies between two.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import peers  # noqa: F401 - torchvision without its compiled parts
import rushlight as rl
from rushlight.vision.transforms.v2 import functional as F

G = importlib.import_module("torchvision.transforms.v2.functional")


pytestmark = pytest.mark.usefixtures("by_reference")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


PICTURES = {mode: Image.fromarray(noise(13, 17, 3)).convert(mode) for mode in ("RGB", "L")}
ARRAYS = {
    "uint8": noise(3, 13, 17),
    "float": (noise(3, 13, 17) / 255).astype(np.float32),
    "batch": noise(2, 2, 3, 12, 9),
    "grey": noise(1, 13, 17),
    "square": noise(3, 12, 12),
    "double": noise(2, 3, 9, 8) / 255,
    "int16": noise(3, 13, 17).astype(np.int16) * 100,
}

# Functional, arguments, how far bytes may be off.
GEOMETRY: list[tuple[str, dict[str, Any], int]] = [
    ("horizontal_flip", {}, 0),
    ("vertical_flip", {}, 0),
    *(
        ("resize", {"size": size, "interpolation": mode, "antialias": smooth}, 0)
        for size in ([7, 20], [6])
        for mode, smooth in (
            ("nearest", False), ("nearest-exact", True), ("bilinear", False), ("bilinear", True),
            ("bicubic", False), ("bicubic", True),
        )
    ),
    ("resize", {"size": [30, 24], "interpolation": "lanczos"}, 0),
    ("resize", {"size": None, "max_size": 11}, 0),
    ("resize", {"size": [10], "max_size": 11}, 0),
    ("resize", {"size": 5}, 0),
    ("pad", {"padding": 2}, 0),
    ("pad", {"padding": [1, 2], "fill": 7}, 0),
    ("pad", {"padding": [1, 2, 3, 4], "fill": [9.0]}, 0),
    ("pad", {"padding": [1, 2, 3, 0], "padding_mode": "edge"}, 0),
    ("pad", {"padding": [1, 2, 3, 4], "padding_mode": "reflect"}, 0),
    ("pad", {"padding": [3, 2, 1, 4], "padding_mode": "symmetric"}, 0),
    ("crop", {"top": 2, "left": 3, "height": 4, "width": 5}, 0),
    ("crop", {"top": -2, "left": -3, "height": 20, "width": 30}, 0),
    ("crop", {"top": 30, "left": 2, "height": 4, "width": 5}, 0),
    ("center_crop", {"output_size": [5, 4]}, 0),
    ("center_crop", {"output_size": [6]}, 0),
    ("center_crop", {"output_size": [20, 6]}, 0),
    ("center_crop", {"output_size": [21, 22]}, 0),
    ("five_crop", {"size": [4, 5]}, 0),
    ("ten_crop", {"size": [4], "vertical_flip": True}, 0),
    ("ten_crop", {"size": 4}, 0),
    ("resized_crop", {"top": 1, "left": 2, "height": 7, "width": 5, "size": [6, 9]}, 0),
    *(
        ("affine", {"angle": 25.0, "translate": [1, 2], "scale": 0.8, "shear": [10.0, 5.0],
                    "interpolation": mode, "fill": fill, "center": center}, 0)
        for mode in ("nearest", "bilinear")
        for fill, center in ((None, None), (3, [2, 3]), ([5.0], None))
    ),
    ("affine", {"angle": -11, "translate": (0, 0), "scale": 1.5, "shear": 7}, 0),
    *(
        ("rotate", {"angle": angle, "interpolation": mode, "expand": expand, "fill": fill},
         1 if mode == "bilinear" else 0)
        for angle, expand in ((30, False), (77.5, True), (90, True), (270, False), (180, False),
                              (0, False), (-400, True))
        for mode, fill in (("nearest", None), ("bilinear", 2))
    ),
    ("rotate", {"angle": 12.0, "center": [3, 4]}, 0),
    *(
        ("perspective", {"startpoints": [[0, 0], [8, 0], [8, 7], [0, 7]],
                         "endpoints": [[1, 2], [7, 1], [9, 6], [2, 7]],
                         "interpolation": mode, "fill": fill}, 1 if mode == "bilinear" else 0)
        for mode in ("nearest", "bilinear")
        for fill in (None, 4.0)
    ),
    ("perspective", {"startpoints": None, "endpoints": None,
                     "coefficients": [0.9, 0.1, 1.0, 0.05, 1.1, -1.0, 0.01, 0.02]}, 0),
]  # fmt: skip
COLOR: list[tuple[str, dict[str, Any], int]] = [
    *(("adjust_brightness", {"brightness_factor": f}, 0) for f in (0.0, 0.5, 1.7)),
    *(("adjust_contrast", {"contrast_factor": f}, 0) for f in (0.0, 0.5, 1.7)),
    *(("adjust_saturation", {"saturation_factor": f}, 0) for f in (0.0, 0.5, 1.7)),
    *(("adjust_sharpness", {"sharpness_factor": f}, 0) for f in (0.0, 0.5, 1.7)),
    *(("adjust_hue", {"hue_factor": f}, 1) for f in (-0.5, -0.1, 0.0, 0.3)),
    ("adjust_gamma", {"gamma": 0.7}, 1),
    ("adjust_gamma", {"gamma": 2.0, "gain": 1.5}, 1),
    ("posterize", {"bits": 3}, 0),
    ("posterize", {"bits": 8}, 0),
    ("posterize", {"bits": 0}, 0),
    ("solarize", {"threshold": 0.5}, 0),
    ("autocontrast", {}, 0),
    ("equalize", {}, 0),
    ("invert", {}, 0),
    ("rgb_to_grayscale", {}, 0),
    ("rgb_to_grayscale", {"num_output_channels": 3}, 0),
    ("grayscale_to_rgb", {}, 0),
    ("gaussian_blur", {"kernel_size": [3, 5], "sigma": [0.8, 1.2]}, 0),
    ("gaussian_blur", {"kernel_size": 3}, 0),
    ("erase", {"i": 1, "j": 2, "h": 3, "w": 4, "v": 7.0}, 0),
]
TABLE = GEOMETRY + COLOR
SAMPLED = ("resize", "pad", "rotate")


def named(row: tuple[str, dict[str, Any], int]) -> str:
    return f"{row[0]}-{'-'.join(str(v) for v in row[1].values())}"


def theirs(kwargs: dict[str, Any]) -> dict[str, Any]:
    if kwargs.get("v") is not None:
        kwargs = {**kwargs, "v": torch.tensor(kwargs["v"])}
    return kwargs


def result_of(function: Any, *args: Any, **kwargs: Any) -> Any:
    """What comes out, or the kind of exception."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return type(error)


def compare(ours: Any, wanted: Any, levels: int = 0, tolerance: float = 2e-6) -> None:
    if isinstance(wanted, type):
        assert ours is wanted or (isinstance(ours, type) and issubclass(ours, wanted))
        return
    if isinstance(wanted, list | tuple):
        assert len(ours) == len(wanted)
        for one, other in zip(ours, wanted, strict=True):
            compare(one, other, levels, tolerance)
        return
    if isinstance(wanted, Image.Image):
        assert (ours.mode, ours.size) == (wanted.mode, wanted.size)
        assert ours.tobytes() == wanted.tobytes()
        return
    if not isinstance(wanted, torch.Tensor):
        assert ours == wanted
        return
    assert str(ours.dtype) == str(wanted.dtype)
    a, b = np.array(ours.numpy()), wanted.numpy()
    assert a.shape == b.shape
    if wanted.is_floating_point():
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    else:
        # Wide integers are rounded from float32.
        levels = max(levels, 1) if b.dtype.itemsize > 1 else levels
        far = np.abs(a.astype(np.int64) - b)
        assert far.max(initial=0) <= levels, f"{(far > levels).sum()} of {far.size}"


@pytest.mark.parametrize("row", TABLE, ids=named)
def test_pil_images_to_the_bit(row: tuple[str, dict[str, Any], int]) -> None:
    name, kwargs, _ = row
    for image in PICTURES.values():
        wanted = result_of(getattr(G, name), image, **theirs(kwargs))
        compare(result_of(getattr(F, name), image, **kwargs), wanted)


@pytest.mark.parametrize("row", TABLE, ids=named)
def test_tensors(row: tuple[str, dict[str, Any], int]) -> None:
    name, kwargs, levels = row
    # Where values only move, types do not matter.
    kinds = ARRAYS if row in COLOR or name in SAMPLED else ("uint8", "float", "batch")
    for kind in kinds:
        array = ARRAYS[kind]
        wanted = result_of(getattr(G, name), torch.tensor(array), **theirs(kwargs))
        found = result_of(getattr(F, name), rl.tensor(array), **kwargs)
        try:
            # a value of 1 in 255 is a level of a floating image
            compare(found, wanted, levels, 1e-5)
        except AssertionError as error:
            raise AssertionError(f"{name} of {kind}: {error}") from error
