"""Data sets wrapped for the transforms of v2, and COCO's outlines as masks."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import miniatures as mini
import numpy as np
import pytest

import rushlight as rl
from peers import torchvision
from rushlight.vision import datasets, tv_tensors
from rushlight.vision.datasets.coco_masks import mask_of

theirs = torchvision.datasets
wrap = datasets.wrap_dataset_for_transforms_v2
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # theirs leaves files open


# Masks. The texts of the first two were written by pycocotools 2.0.11.

RUNS = [
    ((9, 12), [[1, 1, 10, 2.5, 6, 8.3]], ":181O2O0O2N00N2O1Nb0"),
    ((7, 7), [[0, 0, 7, 0, 7, 7, 0, 7]], "0a1"),
    ((20, 15), [[3.2, 4.1, -2, 18, 11, 25.5, 14.9, 0.3], [8, 2, 13, 2, 13, 9, 8, 9]],
     "<7:4L3N200O10000O10000O10L4J6I6"),
    ((6, 5), [[2, 2, 2, 2, 2, 2]], "n0"),
]  # fmt: skip


@pytest.mark.parametrize("size, polygons, text", RUNS)
def test_polygons_and_compressed_runs(size: Any, polygons: Any, text: str) -> None:
    mask = mask_of(polygons, size)
    assert mask.shape == size and mask.dtype == np.uint8
    for counts in (text, text.encode()):
        assert np.array_equal(mask_of({"counts": counts, "size": list(size)}, size), mask)
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *([0] if flat[0] else []), *edges, flat.size]).tolist()
    assert np.array_equal(mask_of({"counts": runs}, size), mask)


def test_a_rectangle_and_nothing() -> None:
    mask = mask_of([[2, 1, 6, 1, 6, 4, 2, 4]], (5, 8))
    wanted = np.zeros((5, 8), np.uint8)
    wanted[1:4, 2:6] = 1
    assert np.array_equal(mask, wanted)
    assert mask_of([], (3, 4)).sum() == 0
    for bad in ({"counts": [3, 4]}, {"counts": [-1, 13]}, {"counts": "abc"}):
        with pytest.raises(ValueError, match="runs of"):
            mask_of(bad, (3, 4))
    with pytest.raises(ValueError, match="expected to be a dict or a list, got"):
        mask_of("abc", (3, 4))


# Wrapping.


def same_value(our: Any, their: Any) -> None:
    assert type(our).__name__ == type(their).__name__
    if hasattr(their, "canvas_size"):
        assert our.format.value == their.format.value and our.canvas_size == their.canvas_size
    if hasattr(their, "numpy"):
        assert str(our.dtype) == str(their.dtype) and np.array_equal(our.numpy(), their.numpy())
    elif isinstance(their, dict):
        assert list(our) == list(their)
        for name, value in their.items():
            same_value(our[name], value)
    elif isinstance(their, tuple | list):
        for one, other in zip(our, their, strict=True):
            same_value(one, other)
    elif hasattr(their, "mode"):
        assert np.array_equal(np.asarray(our), np.asarray(their))
    else:
        assert our == their


def same_wrapped(our: Any, their: Any, keys: Any = None) -> None:
    a, b = wrap(our, keys), theirs.wrap_dataset_for_transforms_v2(their, keys)
    assert isinstance(a, type(our)) and type(a).__name__ == type(b).__name__ and len(a) == len(b)
    for i in range(len(a)):
        same_value(a[i], b[i])


@pytest.mark.parametrize("keys", [None, "all", ["boxes"], ["annotation", "labels"]], ids=str)
def test_voc_boxes(tmp_path: Path, keys: Any) -> None:
    mini.write(tmp_path, mini.voc_files("VOCdevkit/VOC2012"))
    same_wrapped(datasets.VOCDetection(tmp_path), theirs.VOCDetection(tmp_path), keys)


def test_voc_masks(tmp_path: Path) -> None:
    mini.write(tmp_path, mini.voc_files("VOCdevkit/VOC2012"))
    same_wrapped(datasets.VOCSegmentation(tmp_path), theirs.VOCSegmentation(tmp_path))
    with pytest.raises(ValueError, match="`target_keys` is currently only supported for"):
        wrap(datasets.VOCSegmentation(tmp_path), "all")


@pytest.mark.parametrize("types", ["category", "segmentation", ["segmentation", "category"], []])
def test_pets(tmp_path: Path, types: Any) -> None:
    files = {"images/a_1.jpg": mini.picture("jpg"), "annotations/trainval.txt": b"a_1 1 1 1\n",
             "annotations/trimaps/a_1.png": mini.picture(mode="L")}  # fmt: skip
    mini.write(tmp_path / "oxford-iiit-pet", files)
    same_wrapped(*(one.OxfordIIITPet(tmp_path, target_types=types) for one in (datasets, theirs)))


def test_classes_stay(tmp_path: Path) -> None:
    mini.write(tmp_path, {"a/1.png": mini.picture(), "b/2.png": mini.picture()})
    same_wrapped(datasets.ImageFolder(tmp_path), theirs.ImageFolder(tmp_path))
    mini.write(tmp_path / "MNIST" / "raw", mini.mnist_files())
    same_wrapped(datasets.MNIST(tmp_path), theirs.MNIST(tmp_path))
    assert len(wrap(datasets.FakeData(3, (3, 4, 4)))) == 3


def test_coco(tmp_path: Path) -> None:
    found = datasets.CocoDetection(*mini.write_coco(tmp_path))
    raw = [found[i][1] for i in range(3)]
    image, target = wrap(copy.copy(found))[0]
    assert sorted(target) == ["boxes", "image_id", "labels"] and target["image_id"] == 3
    assert isinstance(target["boxes"], tv_tensors.BoundingBoxes)
    assert target["boxes"].canvas_size == (5, 7) and target["boxes"].format.value == "XYXY"
    assert target["boxes"].tolist() == [[1, 1, 4, 3]] * 2 and target["labels"].tolist() == [18, 1]
    assert image.size == (7, 5)
    everything = wrap(copy.copy(found), "all")[0][1]
    assert sorted(everything) == ["area", "bbox", "boxes", "category_id", "image_id", "iscrowd",
                                  "labels", "masks", "segmentation"]  # fmt: skip
    assert isinstance(everything["masks"], tv_tensors.Mask)
    assert everything["masks"].shape == (2, 5, 7) and everything["masks"][0].sum().item() == 6
    assert everything["area"] == [6.0, 6.0] and everything["bbox"] == [[1, 1, 3, 2]] * 2
    assert wrap(copy.copy(found))[1][1] == {"image_id": 5}
    assert np.array_equal(found.coco.annToMask(raw[0][0]), everything["masks"][0].numpy())
    captions = wrap(datasets.CocoCaptions(*mini.write_coco(tmp_path)))
    assert captions[0][1] == ["words 0", "words 2"]
    with pytest.raises(ValueError, match=r"Target keys \['height'\] are not available"):
        wrap(copy.copy(found), ["boxes", "height"])


def test_transforms_come_after_wrapping(tmp_path: Path) -> None:
    mini.write(tmp_path, mini.voc_files("VOCdevkit/VOC2012"))
    seen = []

    def both(image: Any, target: Any) -> Any:
        seen.append(type(target["boxes"]).__name__)
        return image, target

    wrapped = wrap(datasets.VOCDetection(tmp_path, transforms=both))
    wrapped[0]
    assert seen == ["BoundingBoxes"] and wrapped.transforms is both
    assert wrapped.images is wrapped._dataset.images and wrapped.year == "2012"
    with pytest.raises(AttributeError):
        wrapped.no_such_thing


def test_a_wrapped_set_travels_to_workers(tmp_path: Path) -> None:
    mini.write(tmp_path, mini.voc_files("VOCdevkit/VOC2012"))
    wrapped = wrap(datasets.VOCDetection(tmp_path, transform=np.asarray), ["boxes"])
    again = pickle.loads(pickle.dumps(wrapped))
    assert isinstance(again, datasets.VOCDetection) and list(again[1][1]) == ["boxes"]
    assert np.array_equal(again[1][0], wrapped[1][0]) and isinstance(again[1][0], np.ndarray)


def test_what_cannot_be_wrapped(tmp_path: Path) -> None:
    class Own(datasets.VisionDataset):
        pass

    with pytest.raises(TypeError, match="No wrapper exists for dataset class Own"):
        wrap(Own("x"))
    with pytest.raises(TypeError, match="meant for subclasses of"):
        wrap([1, 2])
    for keys in (3, "boxes", [1]):
        with pytest.raises(ValueError, match="`target_keys` can be None, 'all', or a collection"):
            wrap(datasets.FakeData(3), keys)
    mini.write(tmp_path / "caltech101", {"101_ObjectCategories/ant/image_0001.jpg": b""})
    outlines = datasets.Caltech101(tmp_path, target_type="annotation")
    with pytest.raises(RuntimeError, match="not supported by this wrapper"):
        wrap(outlines)
    assert rl.is_tensor(wrap(datasets.FakeData(3, (3, 4, 4), transform=_tensor))[0][0])


def _tensor(image: Any) -> rl.Tensor:
    return rl.tensor(np.asarray(image))
