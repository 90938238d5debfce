"""The transforms of both generations against torchvision's: text, arguments, parameters, results.

Random parameters are drawn by us, and given to torchvision's transform of the same arguments.
"""

from __future__ import annotations

import importlib
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import peers
import rushlight as rl
from rushlight.vision import transforms as T
from rushlight.vision.transforms import v2

THEIRS = importlib.import_module("torchvision.transforms.v2")
THEIR_FIRST = peers.torchvision.transforms
PIXELS = np.random.default_rng(0).integers(0, 256, (26, 34, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
PLANES = np.ascontiguousarray(PIXELS.transpose(2, 0, 1))
FIRST, SECOND = (THEIR_FIRST, T), (THEIRS, v2)
GENERATIONS = pytest.mark.parametrize("pair", [FIRST, SECOND], ids=["v1", "v2"])


pytestmark = pytest.mark.usefixtures("by_reference")


# Transform, arguments; whether it is in both generations.
TABLE: list[tuple[str, tuple[Any, ...], dict[str, Any], bool]] = [
    ("RandomHorizontalFlip", (), {"p": 1.0}, True),
    ("RandomVerticalFlip", (1.0,), {}, True),
    ("Resize", (12,), {}, True),
    ("Resize", ([9, 11],), {"interpolation": 3, "antialias": False}, True),
    ("Resize", (10,), {"max_size": 12}, True),
    ("Resize", (None,), {"max_size": 12}, False),
    ("CenterCrop", (10,), {}, True),
    ("CenterCrop", ((40, 8),), {}, True),
    ("RandomResizedCrop", (8,), {}, True),
    ("RandomResizedCrop", ((6, 9),), {"scale": (0.01, 0.02), "ratio": (8.0, 9.0)}, True),
    ("FiveCrop", (8,), {}, True),
    ("TenCrop", ((5, 6), True), {}, True),
    ("Pad", (3,), {"fill": 4, "padding_mode": "constant"}, True),
    ("Pad", ([1, 2, 3, 4],), {"padding_mode": "reflect"}, True),
    ("RandomCrop", (20,), {}, True),
    ("RandomCrop", ((26, 34),), {"padding": 4, "padding_mode": "reflect"}, True),
    ("RandomCrop", ((40, 20),), {"pad_if_needed": True, "fill": 3}, True),
    ("RandomZoomOut", (), {"p": 1.0, "fill": 2}, False),
    ("RandomRotation", (40,), {"expand": True, "fill": 5}, True),
    ("RandomRotation", ((10, 20),), {"interpolation": 2, "center": [3, 4]}, True),
    ("RandomAffine", (30,), {"translate": (0.1, 0.2), "scale": (0.5, 1.5), "shear": 10}, True),
    ("RandomAffine", (0,), {"shear": [1, 2, 3, 4], "interpolation": 2, "fill": 1}, True),
    ("RandomPerspective", (0.5, 1.0), {}, True),
    ("ElasticTransform", (), {}, True),
    ("ElasticTransform", ([30.0, 20.0],), {"sigma": [2.0, 3.0], "fill": 1}, True),
    ("ScaleJitter", ((20, 20),), {}, False),
    ("RandomShortestSize", ([10, 14],), {"max_size": 16}, False),
    ("RandomResize", (10, 14), {}, False),
    ("Grayscale", (3,), {}, True),
    ("RandomGrayscale", (1.0,), {}, True),
    ("RGB", (), {}, False),
    ("ColorJitter", (), {"brightness": 0.5, "contrast": 0.4, "saturation": (0.2, 3), "hue": 0.3},
     True),
    ("ColorJitter", (), {}, True),
    ("RandomChannelPermutation", (), {}, False),
    ("RandomPhotometricDistort", (), {"p": 1.0}, False),
    ("RandomEqualize", (1.0,), {}, True),
    ("RandomInvert", (1.0,), {}, True),
    ("RandomPosterize", (3, 1.0), {}, True),
    ("RandomSolarize", (100, 1.0), {}, True),
    ("RandomAutocontrast", (1.0,), {}, True),
    ("RandomAdjustSharpness", (2, 1.0), {}, True),
    ("GaussianBlur", (3,), {}, True),
    ("GaussianBlur", ((5, 3), 0.7), {}, True),
    ("Identity", (), {}, False),
    ("ToPILImage", (), {}, True),
    ("PILToTensor", (), {}, True),
    ("ClampBoundingBoxes", (), {}, False),
    ("UniformTemporalSubsample", (3,), {}, False),
]  # fmt: skip


def named(row: tuple[str, tuple[Any, ...], dict[str, Any], bool]) -> str:
    return f"{row[0]}-{row[1]}-{row[2]}"


def as_torch(value: Any) -> Any:
    """Parameters that we drew, for torchvision."""
    if isinstance(value, rl.Tensor):
        return torch.tensor(value.numpy())
    return value


def compare(ours: Any, wanted: Any, levels: int = 1) -> None:
    if isinstance(wanted, tuple | list):
        assert len(ours) == len(wanted)
        for one, other in zip(ours, wanted, strict=True):
            compare(one, other, levels)
        return
    if isinstance(wanted, Image.Image):
        assert (ours.mode, ours.size) == (wanted.mode, wanted.size)
        ours, wanted = np.array(ours), np.array(wanted)
    else:
        assert type(ours).__name__ == type(wanted).__name__
        ours, wanted = np.array(ours.numpy()), wanted.numpy()
    assert ours.shape == wanted.shape
    far = np.abs(ours.astype(np.float64) - wanted)
    # A pixel that is read from between two may come from either.
    assert (far > levels).mean() < 0.005, f"{(far > levels).sum()} of {far.size}"


@GENERATIONS
@pytest.mark.parametrize("row", TABLE, ids=named)
def test_text(row: tuple[str, tuple[Any, ...], dict[str, Any], bool], pair: Any) -> None:
    name, args, kwargs, both = row
    if pair is FIRST and not both:
        pytest.skip("of the second generation")
    theirs, ours = (getattr(module, name)(*args, **kwargs) for module in pair)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("row", [row for row in TABLE if row[0] != "UniformTemporalSubsample"],
                         ids=named)  # fmt: skip
def test_same_parameters_same_result(
    row: tuple[str, tuple[Any, ...], dict[str, Any], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, args, kwargs, _ = row
    theirs, ours = (getattr(module, name)(*args, **kwargs) for module in SECOND)
    for given, counterpart in ((PICTURE, PICTURE), (rl.tensor(PLANES), torch.tensor(PLANES))):
        drawn: list[dict[str, Any]] = []

        def make(flat: list[Any], seen: Any = drawn) -> Any:
            seen.append(type(ours).make_params(ours, flat))
            return seen[-1]

        monkeypatch.setattr(ours, "make_params", make)
        rl.manual_seed(len(name))
        found = ours(given)
        params = {k: as_torch(v) for k, v in (drawn or [{}])[0].items()}
        monkeypatch.setattr(theirs, "make_params", lambda flat, params=params: params)
        compare(found, theirs(counterpart))


@pytest.mark.parametrize("row", [row for row in TABLE if row[3]], ids=named)
def test_both_generations_are_one(row: tuple[str, tuple[Any, ...], dict[str, Any], bool]) -> None:
    name, args, kwargs, _ = row
    for given in (PICTURE, rl.tensor(PLANES)):
        if (name == "PILToTensor") is not (given is PICTURE) and "PIL" in name:
            continue
        results = []
        for module in (T, v2):
            rl.manual_seed(3)
            results.append(getattr(module, name)(*args, **kwargs)(given))
        first, second = results
        if not isinstance(first, tuple):
            first, second = (first,), (second,)
        for one, other in zip(first, second, strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("module", [T, v2], ids=["v1", "v2"])
def test_normalizing_and_tensors(module: Any) -> None:
    wanted = THEIR_FIRST.ToTensor()(PICTURE)
    found = T.ToTensor()(PICTURE)
    assert np.array_equal(found.numpy(), wanted.numpy())
    how = [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]
    np.testing.assert_allclose(
        module.Normalize(*how)(found).numpy(), THEIR_FIRST.Normalize(*how)(wanted).numpy(),
        rtol=1e-6, atol=1e-6,
    )  # fmt: skip
    with pytest.raises(TypeError):
        module.Normalize(*how)(PICTURE)
    with pytest.raises(TypeError, match="float tensor"):
        module.Normalize(*how)(rl.tensor(PLANES))
    with pytest.raises(ValueError, match="division by zero"):
        module.Normalize([0.0] * 3, [1.0, 0.0, 1.0])(found)
    kept = found.clone()
    assert module.Normalize(*how, inplace=True)(kept) is kept
    assert not rl.equal(kept, found)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16"]
)
def test_every_mode_of_pil(mode: str) -> None:
    picture = PICTURE.convert("I").convert("I;16") if mode == "I;16" else PICTURE.convert(mode)
    for name in ("pil_to_tensor", "to_tensor"):
        wanted = getattr(THEIR_FIRST.functional, name)(picture)
        found = getattr(T.functional, name)(picture)
        # There are no unsigned tensors of 16 bits here.
        assert str(found.dtype) == str(wanted.dtype).replace("uint16", "int32")
        assert np.array_equal(found.numpy().astype(np.float64), wanted.numpy().astype(np.float64))
    if mode not in ("1", "I;16"):
        back = T.functional.to_pil_image(T.functional.pil_to_tensor(picture), mode=mode)
        assert (back.mode, back.tobytes()) == (picture.mode, picture.tobytes())


@pytest.mark.parametrize("shape", [(4, 5), (1, 4, 5), (2, 4, 5), (3, 4, 5), (4, 4, 5)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int16", "int32", "float64", "bool"])
def test_to_pil_image(shape: tuple[int, ...], dtype: str) -> None:
    array = (np.random.default_rng(1).random(shape) * (1 if "float" in dtype else 200)).astype(
        dtype
    )
    for mode in (None, "L", "F", "RGB", "HSV", "LA", "RGBA"):
        results = []
        for to_pil, make in ((THEIR_FIRST.ToPILImage, torch.tensor), (T.ToPILImage, rl.tensor)):
            try:
                image = to_pil(mode)(make(array))
                results.append((image.mode, image.size, image.tobytes()))
            except (TypeError, ValueError) as error:
                results.append(type(error))
        assert results[0] == results[1], mode


@pytest.mark.parametrize(
    "name, args, kwargs",
    [
        ("RandomCrop", ((100, 100),), {}),
        ("Resize", ([1, 2, 3],), {}),
        ("Resize", (20,), {"max_size": 10}),
        ("CenterCrop", ([1, 2, 3],), {}),
        ("RandomHorizontalFlip", (1.5,), {}),
        ("RandomRotation", (-3,), {}),
        ("RandomRotation", ((1, 2, 3),), {}),
        ("RandomAffine", (3,), {"translate": (2.0, 0.0)}),
        ("RandomAffine", (3,), {"scale": (0.0, 1.0)}),
        ("RandomPerspective", (2.0,), {}),
        ("GaussianBlur", (4,), {}),
        ("GaussianBlur", (3, (2.0, 1.0)), {}),
        ("ColorJitter", (-1,), {}),
        ("ColorJitter", (), {"hue": 0.7}),
        ("Pad", ("a",), {}),
        ("Pad", ((1, 2, 3),), {}),
        ("Pad", (1,), {"padding_mode": "wrong"}),
        ("RandomErasing", (), {"scale": (0.5, 2.0)}),
        ("RandomErasing", (), {"value": "wrong"}),
        ("RandomPosterize", (9, 1.0), {}),
        ("FiveCrop", (100,), {}),
        ("RandomResizedCrop", (3,), {"scale": 0.5}),
        ("JPEG", (0,), {}),
        ("JPEG", (True,), {}),
        ("RandomZoomOut", (), {"side_range": (0.5, 2.0)}),
        ("SanitizeBoundingBoxes", (), {"min_size": 0}),
        ("AugMix", (11,), {}),
        ("RandAugment", (-1,), {}),
        ("Compose", ([],), {}),
        ("Compose", (3,), {}),
        ("RandomApply", ([T.ToTensor()], 2.0), {}),
        ("RandomChoice", ([T.ToTensor()], [0.5, 0.5]), {}),
        ("ToDtype", ("float",), {}),
        ("CutMix", (), {"labels_getter": 3}),
    ],
    ids=str,
)  # fmt: skip
def test_refusals(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    for theirs, ours in (SECOND,):
        outcomes = []
        for module, image in ((theirs, torch.tensor(PLANES)), (ours, rl.tensor(PLANES))):
            try:
                getattr(module, name)(*args, **kwargs)(image)
                outcomes.append(None)
            except (TypeError, ValueError) as error:
                outcomes.append(type(error))
        assert outcomes[0] is not None
        assert outcomes[0] is outcomes[1]


@pytest.mark.parametrize("row", TABLE, ids=named)
def test_transforms_can_be_sent_to_other_processes(
    row: tuple[str, tuple[Any, ...], dict[str, Any], bool],
) -> None:
    name, args, kwargs, both = row
    for module in (T, v2) if both else (v2,):
        transform = getattr(module, name)(*args, **kwargs)
        copied = pickle.loads(pickle.dumps(module.Compose([transform])))
        assert repr(copied) == repr(module.Compose([transform]))


@pytest.mark.parametrize("name", ["AutoAugment", "RandAugment", "AugMix", "MixUp", "CutMix",
                                  "SanitizeBoundingBoxes", "SanitizeKeyPoints"])  # fmt: skip
def test_these_can_be_sent_too(name: str) -> None:
    transform = getattr(v2, name)()
    assert repr(pickle.loads(pickle.dumps(transform))) == repr(transform)


@pytest.mark.parametrize("module", [T, v2], ids=["v1", "v2"])
def test_what_a_draw_decides_is_computed_at_once(module: Any) -> None:
    """Else each batch would be a graph of its own, since each image had another history."""
    image = rl.tensor(PLANES)
    for p in (0.0, 1.0):
        for transform in (
            module.RandomHorizontalFlip(p),
            module.RandomApply([module.RandomInvert(1.0)], p=p),
            module.RandomResizedCrop(8),
        ):
            waiting = T.ConvertImageDtype(rl.float32)(image)
            assert waiting.node.buffer is None
            assert transform(waiting).node.buffer is not None
            tracked = rl.rand(3, 9, 9, requires_grad=True) * 2
            transform(tracked)
            assert tracked.node.buffer is None
