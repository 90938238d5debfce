"""The names of the categories that models tell apart, in the order of their outputs."""

from __future__ import annotations

import functools
from pathlib import Path

DATA = Path(__file__).parent / "data"

_NAMES = {
    "_IMAGENET_CATEGORIES": "imagenet",
    "_COCO_CATEGORIES": "coco",
    "_COCO_PERSON_CATEGORIES": "coco_person",
    "_COCO_PERSON_KEYPOINT_NAMES": "coco_keypoints",
    "_VOC_CATEGORIES": "voc",
}


@functools.cache
def names(which: str) -> list[str]:
    """The lines of ``data/WHICH.txt``."""
    return (DATA / f"{which}.txt").read_text(encoding="utf-8").splitlines()


def __getattr__(name: str) -> list[str]:
    if name in _NAMES:
        return names(_NAMES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
