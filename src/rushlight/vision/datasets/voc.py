"""Pascal VOC: photographs with outlines or boxes of twenty kinds of things."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import Any
from xml.etree import ElementTree

from rushlight import fetch
from rushlight.vision.pillow import opened

from .utils import check_there, verify_str_arg
from .vision import FilePath, Transform, Transforms, VisionDataset

_HOME = "https://thor.robots.ox.ac.uk/pascal/VOC/"


def _year(url: str, filename: str, md5: str, *base: str) -> dict[str, str]:
    return {
        "url": _HOME + url,
        "filename": filename,
        "md5": md5,
        "base_dir": os.path.join(*base),
    }


DATASET_YEAR_DICT = {
    "2012": _year("voc2012/VOCtrainval_11-May-2012.tar", "VOCtrainval_11-May-2012.tar",
                  "6cd6e144f989b92b3379bac3b3de84fd", "VOCdevkit", "VOC2012"),
    "2011": _year("voc2011/VOCtrainval_25-May-2011.tar", "VOCtrainval_25-May-2011.tar",
                  "6c3384ef61512963050cb5d687e5bf1e", "TrainVal", "VOCdevkit", "VOC2011"),
    "2010": _year("voc2010/VOCtrainval_03-May-2010.tar", "VOCtrainval_03-May-2010.tar",
                  "da459979d0c395079b5c75ee67908abb", "VOCdevkit", "VOC2010"),
    "2009": _year("voc2009/VOCtrainval_11-May-2009.tar", "VOCtrainval_11-May-2009.tar",
                  "a3e00b113cfcfebf17e343f59da3caa1", "VOCdevkit", "VOC2009"),
    # torchvision keeps this archive under 2012's name; its own cannot be taken for that one.
    "2008": _year("voc2008/VOCtrainval_14-Jul-2008.tar", "VOCtrainval_14-Jul-2008.tar",
                  "2629fa636546599198acfcfbfcf1904a", "VOCdevkit", "VOC2008"),
    "2007": _year("voc2007/VOCtrainval_06-Nov-2007.tar", "VOCtrainval_06-Nov-2007.tar",
                  "c52e279531787c972589f7e41ab4ae64", "VOCdevkit", "VOC2007"),
    "2007-test": _year("voc2007/VOCtest_06-Nov-2007.tar", "VOCtest_06-Nov-2007.tar",
                       "b6e924de25625d8de591ea690078ad9f", "VOCdevkit", "VOC2007"),
}  # fmt: skip


class _VOCBase(VisionDataset):
    """What the two tasks share."""

    _SPLITS_DIR: str
    _TARGET_DIR: str
    _TARGET_FILE_EXT: str

    def __init__(
        self,
        root: FilePath,
        year: str = "2012",
        image_set: str = "train",
        download: bool = False,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: Transforms | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.year = verify_str_arg(year, "year", [str(one) for one in range(2007, 2013)])
        sets = ["train", "trainval", "val", *(["test"] if year == "2007" else [])]
        self.image_set = verify_str_arg(image_set, "image_set", sets)
        tested = year == "2007" and image_set == "test"
        facts = DATASET_YEAR_DICT["2007-test" if tested else year]
        self.url, self.filename, self.md5 = facts["url"], facts["filename"], facts["md5"]
        home = os.path.join(self.root, facts["base_dir"])
        names = os.path.join(home, "ImageSets", self._SPLITS_DIR, f"{image_set}.txt")
        if download and not os.path.isfile(names):
            fetch.extract(fetch.download(self.url, self.root, self.filename, md5=self.md5))
        check_there([(names, None)])
        with open(names, encoding="utf-8") as file:
            stems = [line.strip() for line in file]
        self.images = [os.path.join(home, "JPEGImages", f"{stem}.jpg") for stem in stems]
        self.targets = [
            os.path.join(home, self._TARGET_DIR, stem + self._TARGET_FILE_EXT) for stem in stems
        ]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = opened(self.images[index]), self._target(self.targets[index])
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def __len__(self) -> int:
        return len(self.images)

    def _target(self, path: str) -> Any:
        raise NotImplementedError


class VOCSegmentation(_VOCBase):
    """Photographs with an image of the class of each pixel (255 is the edge).

    Args:
        root: holds ``VOCdevkit/VOC2012`` and the like.
        year: ``"2007"`` to ``"2012"``.
        image_set: ``"train"``, ``"val"``, ``"trainval"``, or of 2007 ``"test"``.
        download: brings and unpacks the archive.
        transform: called with each PIL image.
        target_transform: called with each target, a PIL image.
        transforms: called with both instead.
    Raises:
        RuntimeError: files are missing, or cannot be downloaded.
    Reference:
        Everingham et al. 2010, "The PASCAL Visual Object Classes (VOC) Challenge".
    """

    _SPLITS_DIR = "Segmentation"
    _TARGET_DIR = "SegmentationClass"
    _TARGET_FILE_EXT = ".png"

    @property
    def masks(self) -> list[str]:
        """The paths of the targets."""
        return self.targets

    def _target(self, path: str) -> Any:
        return opened(path, None)


class VOCDetection(_VOCBase):
    """Photographs with what is in them: a dictionary of the XML file, with a list ``object``.

    Arguments and errors are those of :class:`VOCSegmentation`.
    """

    _SPLITS_DIR = "Main"
    _TARGET_DIR = "Annotations"
    _TARGET_FILE_EXT = ".xml"

    @property
    def annotations(self) -> list[str]:
        """The paths of the XML files."""
        return self.targets

    def _target(self, path: str) -> Any:
        try:
            return self.parse_voc_xml(ElementTree.parse(path).getroot())
        except ElementTree.ParseError as error:
            raise RuntimeError(f"Dataset corrupted: {path} is damaged ({error})") from error

    @staticmethod
    def parse_voc_xml(node: ElementTree.Element) -> dict[str, Any]:
        """A node as a dictionary; what comes once is a value, what comes often a list.

        >>> node = ElementTree.fromstring("<size><width>3</width><depth>1</depth></size>")
        >>> VOCDetection.parse_voc_xml(node)
        {'size': {'width': '3', 'depth': '1'}}
        """
        children = list(node)
        if not children:
            return {node.tag: node.text.strip()} if node.text else {}
        parts: dict[str, Any] = defaultdict(list)
        for child in children:
            for name, value in VOCDetection.parse_voc_xml(child).items():
                parts[name].append(value)
        if node.tag == "annotation":
            parts["object"] = [parts["object"]]
        return {node.tag: {name: one[0] if len(one) == 1 else one for name, one in parts.items()}}
