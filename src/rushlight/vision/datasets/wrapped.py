"""Data sets whose targets are boxes and masks that the transforms of ``v2`` know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from copy import copy
from typing import Any

import numpy as np

import rushlight as rl
from rushlight.vision import tv_tensors
from rushlight.vision.ops import box_convert

from .caltech import Caltech101, Caltech256
from .cifar import CIFAR10
from .coco import CocoCaptions, CocoDetection
from .coco_masks import mask_of
from .fakedata import FakeData
from .folder import DatasetFolder
from .listed import ListedImages
from .mnist import MNIST
from .oxford_iiit_pet import OxfordIIITPet
from .stl10 import STL10
from .svhn import SVHN
from .usps import USPS
from .vision import VisionDataset
from .voc import VOCDetection, VOCSegmentation

Sample = tuple[Any, Any]
Wrapper = Callable[[int, Sample], Sample]

VOC_CLASSES = [
    "__background__", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat",
    "chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep",
    "sofa", "train", "tvmonitor",
]  # fmt: skip
COCO_KEYS = {"segmentation", "area", "iscrowd", "image_id", "bbox", "category_id", "boxes", "masks",
             "labels"}  # fmt: skip


def wrap_dataset_for_transforms_v2(
    dataset: VisionDataset, target_keys: str | Collection[str] | None = None
) -> Any:
    """The data set with masks and boxes as ``tv_tensors``, before its transforms are applied.

    Targets of ``CocoDetection`` and ``VOCDetection`` become dictionaries with ``boxes`` (x1, y1,
    x2, y2), ``labels`` and, of COCO, ``masks``; those of ``VOCSegmentation`` and outlines of
    ``OxfordIIITPet`` become masks; classes stay as they are. The result is an instance of the data
    set's class too.

    Args:
        target_keys: which entries a dictionary has: None for the usual, ``"all"``, or names.
    Raises:
        TypeError: no data set of images, or one that nobody knows how to wrap.
        ValueError: keys that there are not.
    """
    named = isinstance(target_keys, Collection) and all(isinstance(k, str) for k in target_keys)
    if not (target_keys is None or named) or (
        isinstance(target_keys, str) and target_keys != "all"
    ):
        raise ValueError(
            "`target_keys` can be None, 'all', or a collection of strings denoting the keys to be "
            f"returned, but got {target_keys}"
        )
    kind = type(f"Wrapped{type(dataset).__name__}", (_Wrapped, type(dataset)), {})
    return kind(dataset, target_keys)


def _means_keys(keys: Any) -> bool:
    if keys is None or isinstance(keys, str):
        return keys in (None, "all")
    return isinstance(keys, Collection) and all(isinstance(key, str) for key in keys)


class _Wrapped:
    """Stands before the data set's class, and keeps its transforms until targets are wrapped."""

    def __init__(self, dataset: VisionDataset, target_keys: Any) -> None:
        self._dataset = dataset
        self._target_keys = target_keys
        self._wrapper = _wrapper_for(dataset, target_keys)
        for name in ("transform", "target_transform", "transforms"):
            setattr(self, name, getattr(dataset, name))
            setattr(dataset, name, None)

    def __getattr__(self, name: str) -> Any:
        if name == "_dataset":  # not there yet, as when a copy is made
            raise AttributeError(name)
        return getattr(self._dataset, name)

    def __getitem__(self, index: int) -> Any:
        sample = self._wrapper(index, self._dataset[index])
        return self.transforms(*sample) if self.transforms is not None else sample

    def __len__(self) -> int:
        return len(self._dataset)

    def __reduce__(self) -> Any:
        dataset = copy(self._dataset)
        for name in ("transform", "target_transform", "transforms"):
            setattr(dataset, name, getattr(self, name))
        return wrap_dataset_for_transforms_v2, (dataset, self._target_keys)


def _wrapper_for(dataset: VisionDataset, target_keys: Any) -> Wrapper:
    if not isinstance(dataset, VisionDataset):
        raise TypeError(
            "This wrapper is meant for subclasses of `torchvision.datasets.VisionDataset`, but got "
            f"a '{type(dataset).__name__}' instead."
        )
    for kind in type(dataset).mro():
        made = _WRAPPERS.get(kind)
        if made is None:
            continue
        if target_keys is not None and kind not in (CocoDetection, VOCDetection):
            raise ValueError(
                "`target_keys` is currently only supported for `CocoDetection` and `VOCDetection`, "
                f"but got {kind.__name__}."
            )
        return made(dataset, target_keys)
    raise TypeError(
        f"No wrapper exists for dataset class {type(dataset).__name__}. Please wrap the output "
        "yourself."
    )


def _chosen(keys: Any, there: set[str], usual: set[str]) -> set[str]:
    wanted = usual if keys is None else there if keys == "all" else set(keys)
    if wanted - there:
        raise ValueError(f"Target keys {sorted(wanted - there)} are not available")
    return wanted


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            found[name].append(value)
    return found


def _plain(dataset: VisionDataset, keys: Any) -> Wrapper:
    return lambda index, sample: sample


def _caltech(dataset: Any, keys: Any) -> Wrapper:
    if "annotation" in dataset.target_type:
        raise RuntimeError(
            "Caltech101 dataset with `target_type=['annotation', ...]` is currently not supported "
            "by this wrapper."
        )
    return _plain(dataset, keys)


def _segmentation(dataset: VisionDataset, keys: Any) -> Wrapper:
    return lambda index, sample: (sample[0], tv_tensors.Mask(sample[1]))


def _coco(dataset: Any, keys: Any) -> Wrapper:
    wanted = _chosen(keys, COCO_KEYS, {"image_id", "boxes", "labels"})

    def wrapper(index: int, sample: Sample) -> Sample:
        image, rows = sample
        id = dataset.ids[index]
        if not rows:
            return image, {"image_id": id}
        columns, size = _columns(rows), (image.height, image.width)
        own = {
            "image_id": lambda: id,
            "boxes": lambda: _boxes(columns["bbox"], "xywh", size),
            "masks": lambda: _masks(columns["segmentation"], size),
            "labels": lambda: rl.tensor(columns["category_id"]),
        }
        order = [*(key for key in own if key in wanted), *sorted(wanted - set(own))]
        return image, {key: own[key]() if key in own else columns[key] for key in order}

    return wrapper


def _boxes(rows: Any, format: str, size: tuple[int, int]) -> Any:
    corners = box_convert(rl.tensor(rows), format, "xyxy")
    return tv_tensors.BoundingBoxes(corners, format="XYXY", canvas_size=size)


def _masks(segmentations: list[Any], size: tuple[int, int]) -> Any:
    return tv_tensors.Mask(rl.tensor(np.stack([mask_of(one, size) for one in segmentations])))


def _voc(dataset: VisionDataset, keys: Any) -> Wrapper:
    wanted = _chosen(keys, {"annotation", "boxes", "labels"}, {"boxes", "labels"})

    def wrapper(index: int, sample: Sample) -> Sample:
        image, facts = sample
        columns = _columns(facts["annotation"]["object"])
        target = facts if "annotation" in wanted else {}
        if "boxes" in wanted:
            sides = ("xmin", "ymin", "xmax", "ymax")
            rows = [[int(box[side]) for side in sides] for box in columns["bndbox"]]
            target["boxes"] = _boxes(rows, "xyxy", (image.height, image.width))
        if "labels" in wanted:
            target["labels"] = rl.tensor([VOC_CLASSES.index(name) for name in columns["name"]])
        return image, target

    return wrapper


def _pet(dataset: Any, keys: Any) -> Wrapper:
    def wrapper(index: int, sample: Sample) -> Sample:
        image, target = sample
        if target is None:
            return image, None
        several = target if isinstance(target, tuple) else (target,)
        wrapped = tuple(
            tv_tensors.Mask(one) if kind == "segmentation" else one
            for kind, one in zip(dataset._target_types, several)
        )
        return image, wrapped if len(wrapped) > 1 else wrapped[0]

    return wrapper


_WRAPPERS: dict[type, Callable[[Any, Any], Wrapper]] = {
    **dict.fromkeys(
        (Caltech256, CIFAR10, MNIST, DatasetFolder, ListedImages, STL10, SVHN, USPS, FakeData),
        _plain,
    ),
    CocoCaptions: _plain,
    Caltech101: _caltech,
    CocoDetection: _coco,
    OxfordIIITPet: _pet,
    VOCDetection: _voc,
    VOCSegmentation: _segmentation,
}
