"""Samples: nested structures, drawn operations, mixed batches, a user's own transforms."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import peers
import rushlight as rl
from rushlight.vision import transforms as T
from rushlight.vision import tv_tensors
from rushlight.vision.transforms import draws, v2
from rushlight.vision.transforms.v2 import functional as F

THEIRS = importlib.import_module("torchvision.transforms.v2")
THEIR_FIRST = peers.torchvision.transforms
PIXELS = np.random.default_rng(0).integers(0, 256, (18, 22, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
PLANES = np.ascontiguousarray(PIXELS.transpose(2, 0, 1))


pytestmark = pytest.mark.usefixtures("by_reference")


POINTS = tv_tensors.KeyPoints([[1.0, 2.0]], canvas_size=(18, 22))


def boxes(*rows: list[float], format: str = "XYXY") -> tv_tensors.BoundingBoxes:
    return tv_tensors.BoundingBoxes(list(rows), format=format, canvas_size=(18, 22))


# Nested samples ----------------------------------------------------------------------------------


def test_all_parts_of_a_sample_get_the_same_parameters() -> None:
    Pair = namedtuple("Pair", "first second")
    ramp = rl.arange(18 * 22).view(1, 18, 22)
    sample = {
        "image": tv_tensors.Image(ramp),
        "more": [tv_tensors.Mask(ramp), Pair(tv_tensors.Video(ramp[None]), "text"), 3, None],
        "ordered": OrderedDict(boxes=boxes([1.0, 2.0, 9.0, 8.0])),
        "default": defaultdict(
            list, points=tv_tensors.KeyPoints([[1.0, 2.0]], canvas_size=(18, 22))
        ),
        "plain": rl.zeros(3),
    }
    result = v2.RandomCrop(8)(sample)
    image = result["image"]
    assert type(image) is tv_tensors.Image and image.shape == (1, 8, 8)
    top, left = divmod(int(image[0, 0, 0].item()), 22)
    mask, pair, three, nothing = result["more"]
    assert rl.equal(mask.as_subclass(rl.Tensor), image.as_subclass(rl.Tensor))
    assert type(pair) is Pair and type(pair.first) is tv_tensors.Video and pair.second == "text"
    assert (three, nothing) == (3, None)
    assert type(result["ordered"]) is OrderedDict
    moved = result["ordered"]["boxes"]
    assert moved.canvas_size == (8, 8)
    assert moved.tolist() == [[
        min(max(v - off, 0.0), 8.0) for v, off in zip((1.0, 2.0, 9.0, 8.0), (left, top) * 2)
    ]]  # fmt: skip
    assert result["default"].default_factory is list
    assert result["default"]["points"].tolist() == [[1.0 - left, 2.0 - top]]
    assert result["plain"] is sample["plain"]  # there is an image


def test_of_plain_tensors_only_the_first_is_an_image() -> None:
    image, label = rl.ones(3, 4, 4), rl.ones(2, 2)
    flipped, kept = v2.Resize(2)((image, label))
    assert flipped.shape == (3, 2, 2)
    assert kept is label
    alone = v2.Resize(2)(image, label)
    assert isinstance(alone, tuple) and alone[0].shape == (3, 2, 2)


def test_a_sample_of_different_sizes_is_refused() -> None:
    sample = [tv_tensors.Image(rl.ones(3, 4, 4)), tv_tensors.Mask(rl.ones(5, 5))]
    with pytest.raises(ValueError, match="multiple HxW"):
        v2.RandomCrop(2)(sample)
    with pytest.raises(TypeError, match="No image"):
        v2.RandomCrop(2)("nothing")


def test_own_transforms_and_kernels() -> None:
    class Shift(v2.Transform):
        def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
            return {"by": v2.query_size(flat_inputs)[0]}

        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            return inpt + params["by"]

    image, label = Shift()((tv_tensors.Image(rl.zeros(1, 4, 4)), 7))
    assert (image[0, 0, 0].item(), label) == (4.0, 7)

    class Labels(tv_tensors.TVTensor):
        pass

    labels = rl.tensor([1, 2]).as_subclass(Labels)
    assert v2.RandomHorizontalFlip(1.0)(labels) is labels  # nobody has said what to do
    with pytest.raises(TypeError, match="supports inputs"):
        F.horizontal_flip(labels)

    @F.register_kernel("horizontal_flip", Labels)
    def flip(inpt: Any) -> Any:
        return inpt.flip(0)

    assert v2.RandomHorizontalFlip(1.0)(labels).tolist() == [2, 1]
    for functional, kind in (("none", Labels), (F.resize, rl.Tensor), (F.resize, tv_tensors.Mask),
                             (print, Labels), (F.horizontal_flip, Labels)):  # fmt: skip
        with pytest.raises(ValueError):
            F.register_kernel(functional, kind)


# Containers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("module, theirs", [(T, THEIR_FIRST), (v2, THEIRS)], ids=["v1", "v2"])
def test_containers_read_alike(module: Any, theirs: Any) -> None:
    def made(m: Any) -> list[Any]:
        parts = [m.CenterCrop(4), m.RandomHorizontalFlip()]
        return [
            m.Compose(parts), m.RandomApply(parts, p=0.3), m.RandomOrder(parts),
            m.RandomChoice(parts), m.Compose([m.Compose(parts), m.RandomApply(parts)]),
        ]  # fmt: skip

    assert [repr(one) for one in made(module)] == [repr(one) for one in made(theirs)]


def test_containers_apply_what_they_hold() -> None:
    plus, twice = T.Lambda(lambda x: x + 1), T.Lambda(lambda x: x * 2)
    for module in (T, v2):
        assert module.Compose([plus, twice])(1) == 4
        assert module.RandomApply([plus, twice], p=1.0)(1) == 4
        assert module.RandomApply([plus, twice], p=0.0)(1) == 1
        assert {module.RandomChoice([plus, twice])(3) for _ in range(40)} == {4, 6}
        assert {module.RandomOrder([plus, twice])(3) for _ in range(40)} == {7, 8}
    assert v2.RandomChoice([plus, twice], p=[0.0, 1.0])(3) == 6
    assert v2.Compose([v2.Identity()])(1, 2) == (1, 2)
    with pytest.raises(TypeError, match="callable"):
        T.Lambda(3)  # type: ignore[arg-type]
    assert v2.Lambda(lambda x: x + 1, int)([1, 2.0]) == [2, 2.0]


# Operations that are drawn -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"])
@pytest.mark.parametrize("pair", [(T, THEIR_FIRST), (v2, THEIRS)], ids=["v1", "v2"])
def test_automatic_augmentation(name: str, pair: Any) -> None:
    ours, theirs = (getattr(module, name) for module in pair)
    assert repr(ours()) == repr(theirs())
    for image in (PICTURE, rl.tensor(PLANES), tv_tensors.Image(PLANES)):
        for seed in range(4):
            rl.manual_seed(seed)
            result = ours()(image)
            assert type(result) is type(image)
            assert v2.functional.get_dimensions(result) == [3, 18, 22]
    for wrong in ("text", [1, 2]):
        with pytest.raises(TypeError, match="no image"):
            ours()(wrong)


SPACES = [
    ("AutoAugment", "_AUGMENTATION_SPACE", 10),
    ("RandAugment", "_AUGMENTATION_SPACE", 31),
    ("TrivialAugmentWide", "_AUGMENTATION_SPACE", 31),
    ("AugMix", "_AUGMENTATION_SPACE", 10),
    ("AugMix", "_PARTIAL_AUGMENTATION_SPACE", 10),
]


@pytest.mark.parametrize("name, space, bins", SPACES, ids=str)
def test_strengths_are_theirs(name: str, space: str, bins: int) -> None:
    ours, theirs = getattr(getattr(v2, name), space), getattr(getattr(THEIRS, name), space)
    assert set(ours) == set(theirs)
    for operation, (values, signed) in theirs.items():
        strength, both = ours[operation]
        assert both is signed
        wanted = values(bins, 30, 50)
        if wanted is None:
            assert strength is None
        else:
            assert [strength(bins, i, 30, 50) for i in range(bins)] == wanted.tolist()


@pytest.mark.parametrize("policy", list(T.AutoAugmentPolicy), ids=str)
def test_policies_are_theirs(policy: T.AutoAugmentPolicy) -> None:
    theirs = THEIRS.AutoAugment(THEIRS.AutoAugmentPolicy[policy.name])._policies
    assert v2.AutoAugment(policy)._policies == theirs


@pytest.mark.parametrize("operation", list(THEIRS.AutoAugment._AUGMENTATION_SPACE))
def test_drawn_operations_do_the_same(operation: str) -> None:
    strength = 3.0 if operation in ("TranslateX", "TranslateY", "Posterize") else 0.3
    theirs = THEIRS.AutoAugment()
    for image, counterpart in ((PICTURE, PICTURE), (rl.tensor(PLANES), torch.tensor(PLANES))):
        wanted = theirs._apply_image_or_video_transform(
            counterpart, operation, strength, "bilinear", {"others": [1.0, 2.0, 3.0]}
        )
        ours = v2.AutoAugment(interpolation="bilinear", fill=[1.0, 2.0, 3.0])
        found = np.asarray(ours._applied(image, operation, strength)).astype(int)
        assert np.abs(found - np.asarray(wanted)).max() <= 1


def test_boxes_are_not_augmented_automatically() -> None:
    with pytest.raises(TypeError, match="not supported"):
        v2.RandAugment()([tv_tensors.Image(PLANES), boxes([1.0, 1.0, 2.0, 2.0])])
    with pytest.raises(TypeError, match="single image"):
        v2.RandAugment()([tv_tensors.Image(PLANES), tv_tensors.Image(PLANES)])


# Batches -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [np.array([0, 2, 1, 2]), np.eye(4, 3, dtype=np.float32)])
@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_mixing(name: str, classes: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = np.random.default_rng(1).random((4, 3, 8, 6), np.float32)
    ours, theirs = (getattr(m, name)(num_classes=3, alpha=0.5) for m in (v2, THEIRS))
    params = ours.make_params([rl.tensor(batch)])
    for module in (ours, theirs):
        monkeypatch.setattr(module, "make_params", lambda flat: params)
    found = ours(rl.tensor(batch), rl.tensor(classes))
    wanted = theirs(torch.tensor(batch), torch.tensor(classes))
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_what_cannot_be_mixed(name: str) -> None:
    with pytest.raises(ValueError, match="num_classes"):
        getattr(v2, name)()(rl.ones(2, 3, 4, 4), rl.tensor([0, 1]))
    with pytest.raises(ValueError, match="batched input"):
        getattr(v2, name)(num_classes=2)(rl.ones(3, 4, 4), rl.tensor([0, 1]))
    with pytest.raises(ValueError, match="PIL images"):
        getattr(v2, name)(num_classes=2)(PICTURE, rl.tensor([0, 1]))


@pytest.mark.parametrize("module", [T, v2], ids=["v1", "v2"])
@pytest.mark.parametrize("value", [0, 3.5, [1.0, 2.0, 3.0], "random"], ids=str)
def test_erasing(module: Any, value: Any) -> None:
    image = rl.full((3, 40, 30), 9.0)
    erasing = module.RandomErasing(1.0, value=value)
    for seed in range(5):
        rl.manual_seed(seed)
        result = erasing(image).numpy()
        where = (result != 9.0).any(0)
        rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        share = len(rows) * len(columns) / 1200
        assert 0.01 < share < 0.36  # edges are rounded
        part = result[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if value != "random":
            assert (part == np.reshape(value, (-1, 1, 1))).all()
    assert module.RandomErasing(0.0)(image) is image
    kept = image.clone()
    assert module.RandomErasing(1.0, inplace=True)(kept) is kept


def test_objects_in_drawn_parts() -> None:
    sample = (tv_tensors.Image(PLANES), boxes([1.0, 1.0, 9.0, 9.0], [15.0, 10.0, 20.0, 17.0]))
    clean = v2.SanitizeBoundingBoxes(labels_getter=None)
    for seed in range(10):
        rl.manual_seed(seed)
        image, found = v2.RandomIoUCrop()(sample)
        height, width = image.shape[-2:]
        assert found.canvas_size == (height, width)
        assert 1 <= clean((image, found))[1].shape[0] <= 2
    with pytest.raises(TypeError, match="bounding boxes"):
        v2.RandomIoUCrop()(sample[0])


def test_sanitizing_takes_labels_and_masks_along() -> None:
    sample = {
        "image": tv_tensors.Image(PLANES),
        "boxes": boxes([1.0, 1.0, 9.0, 9.0], [3.0, 3.0, 3.5, 9.0], [2.0, 2.0, 30.0, 9.0]),
        "masks": tv_tensors.Mask(rl.zeros(3, 18, 22)),
        "other": tv_tensors.Mask(rl.zeros(1, 18, 22)),
        "labels": rl.tensor([5, 6, 7]),
    }
    result = v2.SanitizeBoundingBoxes()(sample)
    assert result["boxes"].tolist() == [[1.0, 1.0, 9.0, 9.0]]
    assert result["labels"].tolist() == [5]
    assert (result["masks"].shape[0], result["other"].shape[0]) == (1, 1)
    with pytest.raises(ValueError, match="labels"):
        v2.SanitizeBoundingBoxes()({**sample, "labels": rl.tensor([1])})
    with pytest.raises(ValueError, match="where the labels are"):
        v2.SanitizeBoundingBoxes()({"boxes": sample["boxes"]})
    points = tv_tensors.KeyPoints([[1.0, 1.0], [30.0, 1.0]], canvas_size=(18, 22))
    kept, labels = v2.SanitizeKeyPoints(labels_getter=lambda s: s[1])((points, rl.tensor([1, 2])))
    assert (kept.tolist(), labels.tolist()) == ([[1.0, 1.0]], [1])


def test_dtypes_by_kind() -> None:
    sample = [tv_tensors.Image(PLANES), tv_tensors.Mask(PLANES[0]), boxes([1.0, 1.0, 2.0, 2.0])]
    by_kind = {tv_tensors.Image: rl.float32, tv_tensors.Mask: rl.int64, "others": None}
    image, mask, kept = v2.ToDtype(by_kind, scale=True)(sample)
    assert (image.dtype, mask.dtype, kept.dtype) == (rl.float32, rl.int64, rl.float32)
    assert image.max().item() <= 1.0 < mask.max().item()
    assert v2.ToDtype(rl.float16)(sample)[1].dtype is rl.uint8
    with pytest.raises(ValueError, match="No dtype"):
        v2.ToDtype({tv_tensors.Mask: rl.int64})(sample)


@pytest.mark.parametrize("to", ["uint8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("given", ["uint8", "int8", "int16", "int32", "float32", "float64"])
def test_converting_dtypes(given: str, to: str) -> None:
    array = (np.linspace(0, 1, 40) * (1 if "float" in given else np.iinfo(given).max)).astype(given)
    outcomes = []
    for convert, make, module in (
        (THEIR_FIRST.functional.convert_image_dtype, torch.tensor, torch),
        (T.functional.convert_image_dtype, rl.tensor, rl),
    ):
        try:
            outcomes.append(convert(make(array), getattr(module, to)).numpy().astype(np.float64))
        except RuntimeError as error:
            outcomes.append(type(error))
    if isinstance(outcomes[0], type):
        assert outcomes[0] is outcomes[1]
    else:
        # The first generation of torchvision's divides where ours multiplies, as its second does.
        np.testing.assert_allclose(outcomes[1], outcomes[0], rtol=1e-6)


# TVTensors ---------------------------------------------------------------------------------------


def test_tv_tensors_keep_and_lose_their_class() -> None:
    image = tv_tensors.Image(PICTURE)
    assert (image.shape, image.dtype) == ((3, 18, 22), rl.uint8)
    for kept in (
        image.clone(),
        image.to(rl.float32),
        image.detach(),
        pickle.loads(pickle.dumps(image)),
    ):
        assert type(kept) is tv_tensors.Image
    assert type(image + 1) is rl.Tensor
    assert type(image.float()) is rl.Tensor
    with tv_tensors.set_return_type("TVTensor"):
        assert type(image + 1) is tv_tensors.Image
        assert type(boxes([1.0, 1.0, 2.0, 2.0]) * 2) is tv_tensors.BoundingBoxes
    assert type(image + 1) is rl.Tensor
    with pytest.raises(ValueError, match="return_type"):
        tv_tensors.set_return_type("other")
    plain = rl.zeros(3, 2, 2)
    shared = tv_tensors.Image(plain)
    plain += 1
    assert shared.sum().item() == 12.0
    copied = pickle.loads(pickle.dumps(boxes([1.0, 1.0, 2.0, 2.0])))
    assert (copied.canvas_size, copied.format.name) == ((18, 22), "XYXY")


def test_tv_tensors_read_like_theirs() -> None:
    theirs = importlib.import_module("torchvision.tv_tensors")
    for kind, data, metadata in (
        ("Mask", np.ones((2, 2), np.uint8), {}),
        ("BoundingBoxes", np.ones((1, 4)), {"format": "xyxy", "canvas_size": (3, 4)}),
        ("KeyPoints", np.ones((1, 2)), {"canvas_size": (3, 4)}),
    ):
        ours = repr(getattr(tv_tensors, kind)(rl.tensor(data), **metadata))
        wanted = repr(getattr(theirs, kind)(torch.tensor(data), **metadata))
        assert "".join(ours.split()) == "".join(wanted.split())


@pytest.mark.parametrize(
    "make",
    [
        lambda m, t: m.Image(t([1.0])),
        lambda m, t: m.Video(t([[[1.0]]])),
        lambda m, t: m.BoundingBoxes(t([[[1.0]]]), format="XYXY", canvas_size=(1, 1)),
        lambda m, t: m.BoundingBoxes(t([[1, 2, 3, 4, 5]]), format="XYWHR", canvas_size=(1, 1)),
        lambda m, t: m.BoundingBoxes(
            t([1.0] * 4), format="XYXY", canvas_size=(1, 1), clamping_mode="no"
        ),
        lambda m, t: m.KeyPoints(t([[1.0, 2.0, 3.0]]), canvas_size=(1, 1)),
    ],
)
def test_tv_tensors_refuse(make: Any) -> None:
    theirs = importlib.import_module("torchvision.tv_tensors")
    with pytest.raises(ValueError):
        make(theirs, torch.tensor)
    with pytest.raises(ValueError):
        make(tv_tensors, rl.tensor)


# Draws and gradients -----------------------------------------------------------------------------


def test_draws_follow_the_seed_and_their_distribution() -> None:
    rl.manual_seed(5)
    first = [draws.uniform(2.0, 4.0), draws.whole(3, 9), draws.chance(0.5)]
    rl.manual_seed(5)
    assert [draws.uniform(2.0, 4.0), draws.whole(3, 9), draws.chance(0.5)] == first
    numbers = np.array([draws.uniform(2.0, 4.0) for _ in range(4000)])
    assert numbers.min() >= 2.0 and numbers.max() < 4.0
    assert abs(numbers.mean() - 3.0) < 0.05
    counts = np.bincount([draws.whole(0, 5) for _ in range(5000)], minlength=5)
    assert (np.abs(counts - 1000) < 150).all()
    assert not any(draws.chance(0.0) for _ in range(100))
    assert all(draws.chance(1.0) for _ in range(100))
    with pytest.raises(RuntimeError):
        draws.whole(3, 3)


def test_gradients_flow_through_transforms() -> None:
    image = rl.rand(3, 12, 12, requires_grad=True)
    out = F.rotate(F.resize(F.adjust_brightness(image, 0.9), 8), 20.0, "bilinear")
    F.normalize(F.gaussian_blur(out, 3), [0.5] * 3, [0.5] * 3).sum().backward()
    assert image.grad is not None and bool((image.grad != 0).any())


def test_gradients_flow_into_what_images_are_made_of() -> None:
    pixels = rl.rand(3, 6, 6, requires_grad=True)
    image = tv_tensors.Image(pixels)
    assert image.requires_grad
    F.normalize(image, [0.5] * 3, [0.5] * 3).sum().backward()
    assert pixels.grad is not None
    assert pixels.grad.tolist() == [[[2.0] * 6] * 6] * 3
    middle = pixels * 2
    F.horizontal_flip(tv_tensors.Image(middle)).sum().backward()
    assert pixels.grad[0, 0, 0].item() == 4.0
    with pytest.raises(TypeError):
        pixels.as_subclass(int)


def test_jpeg_is_pillow_s() -> None:
    wanted = THEIRS.functional.jpeg(PICTURE, quality=30)
    assert F.jpeg(PICTURE, quality=30).tobytes() == wanted.tobytes()
    planes = F.jpeg(rl.tensor(np.stack([PLANES, PLANES])), 30)
    assert np.array_equal(planes[1].numpy(), np.asarray(wanted).transpose(2, 0, 1))


def test_noise() -> None:
    rl.manual_seed(0)
    image = rl.full((3, 50, 50), 0.5)
    noisy = v2.GaussianNoise(0.1, 0.05)(image) - image
    assert abs(noisy.mean().item() - 0.1) < 0.01 and abs(noisy.std().item() - 0.05) < 0.01
    dark = F.gaussian_noise(rl.zeros(1, 20, 20, dtype=rl.uint8), -0.5, 0.1)
    assert dark.dtype is rl.uint8 and dark.sum().item() == 0
    with pytest.raises(ValueError, match="negative"):
        F.gaussian_noise(image, sigma=-1.0)
    with pytest.raises(ValueError, match="PIL"):
        F.gaussian_noise(PICTURE)


@pytest.mark.parametrize("name", ["resize", "crop", "pad", "rotate", "gaussian_blur", "invert"])
def test_empty_batches(name: str) -> None:
    kwargs = {
        "resize": {"size": [4, 5]}, "crop": {"top": 1, "left": 1, "height": 3, "width": 2},
        "pad": {"padding": 1}, "rotate": {"angle": 30, "expand": True},
        "gaussian_blur": {"kernel_size": 3}, "invert": {},
    }[name]  # fmt: skip
    wanted = getattr(THEIRS.functional, name)(torch.zeros(0, 3, 8, 9), **kwargs)
    assert getattr(F, name)(rl.zeros(0, 3, 8, 9), **kwargs).shape == tuple(wanted.shape)


# Pillow ------------------------------------------------------------------------------------------


def test_pillow_is_not_needed_for_tensors() -> None:
    program = (
        "import sys; import rushlight as rl; from rushlight.vision.transforms import v2;"
        "v2.Compose([v2.Resize(4), v2.RandomHorizontalFlip()])(rl.ones(3, 8, 8)).sum().item();"
        "sys.exit('PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_needs_pillow_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ModuleNotFoundError, match=r"rushlight\[vision\]"):
        F.to_pil_image(rl.ones(3, 2, 2))
    with pytest.raises(TypeError, match="PIL Image"):
        F.pil_to_tensor("no image")
