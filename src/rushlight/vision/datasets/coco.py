"""COCO: photographs with everything in them outlined, or described in words."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from rushlight.vision.pillow import opened

from .coco_masks import mask_of
from .vision import FilePath, Transform, Transforms, VisionDataset

Facts = dict[str, Any]


class Annotations:
    """A COCO file of annotations, with the attributes and methods that ``pycocotools`` has.

    Attributes:
        dataset: the file. imgs, anns, cats: images, annotations and categories by their id.
        imgToAnns: annotations by an image's id. catToImgs: images' ids by a category's.
    Raises:
        RuntimeError: the file is no such one.
    """

    def __init__(self, path: FilePath) -> None:
        try:
            with open(path, encoding="utf-8") as file:
                self.dataset: Facts = json.load(file)
            self.imgs: dict[int, Facts] = {one["id"]: one for one in self.dataset["images"]}
            annotations = self.dataset.get("annotations", [])
            self.anns: dict[int, Facts] = {one["id"]: one for one in annotations}
            self.cats: dict[int, Facts] = {
                one["id"]: one for one in self.dataset.get("categories", [])
            }
            self.imgToAnns: dict[int, list[Facts]] = defaultdict(list)
            self.catToImgs: dict[int, list[int]] = defaultdict(list)
            for one in annotations:
                self.imgToAnns[one["image_id"]].append(one)
                if "category_id" in one:
                    self.catToImgs[one["category_id"]].append(one["image_id"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RuntimeError(f"{path} is damaged or no file of COCO's: {error!r}") from error

    def getAnnIds(
        self,
        imgIds: Any = (),
        catIds: Any = (),
        areaRng: Any = (),
        iscrowd: bool | None = None,
    ) -> list[int]:
        """The ids of annotations of these images and categories, in this range of area."""
        images, kinds, area = _several(imgIds), set(_several(catIds)), list(areaRng)
        found = (
            [one for image in images for one in self.imgToAnns.get(image, ())]
            if images
            else self.dataset.get("annotations", [])
        )
        return [
            one["id"]
            for one in found
            if (not kinds or one["category_id"] in kinds)
            and (not area or area[0] < one["area"] < area[1])
            and (iscrowd is None or one["iscrowd"] == iscrowd)
        ]

    def getCatIds(
        self,
        catNms: Any = (),
        supNms: Any = (),
        catIds: Any = (),
    ) -> list[int]:
        """The ids of categories of these names, of these groups, among these ids."""
        wanted = (("name", _several(catNms)), ("supercategory", _several(supNms)),
                  ("id", _several(catIds)))  # fmt: skip
        return [
            one["id"]
            for one in self.dataset.get("categories", [])
            if all(not choices or one[key] in choices for key, choices in wanted)
        ]

    def getImgIds(self, imgIds: Any = (), catIds: Any = ()) -> list[int]:
        """The ids of images among these that show all of these categories."""
        found = set(_several(imgIds)) or set(self.imgs)
        for kind in _several(catIds):
            found &= set(self.catToImgs.get(kind, ()))
        return list(found)

    def loadAnns(self, ids: Any = ()) -> list[Facts]:
        """The annotations with these ids."""
        return [self.anns[one] for one in _several(ids)]

    def loadCats(self, ids: Any = ()) -> list[Facts]:
        """The categories with these ids."""
        return [self.cats[one] for one in _several(ids)]

    def loadImgs(self, ids: Any = ()) -> list[Facts]:
        """The images with these ids."""
        return [self.imgs[one] for one in _several(ids)]

    def annToMask(self, ann: Facts) -> np.ndarray:
        """The (height, width) uint8 mask of an annotation."""
        image = self.imgs[ann["image_id"]]
        return mask_of(ann["segmentation"], (image["height"], image["width"]))


def _several(value: Any) -> list[Any]:
    """One or several, as a list; text is one."""
    several = isinstance(value, Iterable) and not isinstance(value, str)
    return list(value) if several else [value]


class CocoDetection(VisionDataset):
    """Photographs with a list of annotations each.

    Args:
        root: the folder of the images.
        annFile: the JSON file of annotations.
        transform: called with each PIL image.
        target_transform: called with each target, a list of dictionaries.
        transforms: called with both instead.
    Attributes:
        coco: the :class:`Annotations`. ids: the images' ids, sorted.
    Raises:
        RuntimeError: ``annFile`` is damaged.
    Reference:
        Lin et al. 2014, "Microsoft COCO: Common Objects in Context", arXiv:1405.0312.
    """

    def __init__(
        self,
        root: FilePath,
        annFile: str,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: Transforms | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.coco = Annotations(annFile)
        self.ids = sorted(self.coco.imgs)

    def _load_image(self, id: int) -> Any:
        return opened(os.path.join(self.root, self.coco.imgs[id]["file_name"]))

    def _load_target(self, id: int) -> list[Any]:
        return self.coco.loadAnns(self.coco.getAnnIds(id))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not isinstance(index, int):
            raise ValueError(f"Index must be of type integer, got {type(index)} instead.")
        id = self.ids[index]
        image, target = self._load_image(id), self._load_target(id)
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def __len__(self) -> int:
        return len(self.ids)


class CocoCaptions(CocoDetection):
    """Photographs with a list of sentences each; see :class:`CocoDetection`."""

    def _load_target(self, id: int) -> list[str]:
        return [one["caption"] for one in super()._load_target(id)]
