"""The images a run learns from, in three parts: training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from rushlight.fetch import FormatError, read_idx

from .faults import RunFault, disk_sentence
from .fetch import default_folder, fetch
from .formats import read_cifar
from .sources import SOURCES, Source

DIGITS_CREDIT = (
    "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning "
    "Repository, https://archive.ics.uci.edu/dataset/80 (CC BY 4.0)."
)
CIFAR_TRAIN = tuple(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6))
CIFAR_TEST = ("cifar-10-batches-bin/test_batch.bin",)


@dataclass(frozen=True)
class Part:
    """Images with their labels.

    Shape:
        images (N, C, H, W) uint8; labels (N,) int64.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: np.ndarray) -> Part:
        """The images that the boolean array ``chosen`` points out."""
        return Part(self.images[chosen], self.labels[chosen])


@dataclass(frozen=True)
class Dataset:
    """Three parts that share no image, and what is known of all of them.

    ``levels`` is the highest value that a pixel can have, 16 for the digits and 255 for others.
    """

    title: str
    train: Part
    validation: Part
    test: Part
    classes: tuple[str, ...]
    levels: int
    credit: str


def load(name: str, folder: str | None = None) -> Dataset:
    """A data set by its name; downloads what is missing.

    Validation is a rule, not a draw: of each class, in file order, the 4th, 14th, 24th ... image
    of what is not for testing. The digits have no test part of their own; theirs is the 5th,
    10th, 15th ... scan of each digit.

    Args:
        name: ``digits``, which is in the package, ``mnist``, ``fashion_mnist`` or ``cifar10``.
        folder: where downloaded files are; None means one in the user's cache.
    Raises:
        RunFault: files are missing and cannot be had, or are not what they should be.
    """
    if name == "digits":
        return digits()
    source = SOURCES[name]
    place = Path(folder).expanduser() if folder else default_folder(name)
    paths = fetch(source, place)
    try:
        learn, test = _cifar(paths) if name == "cifar10" else _mnist(paths)
    except FormatError as error:
        raise RunFault(str(error)) from error
    except OSError as error:
        raise RunFault(disk_sentence(error, f"read {source.title} in {place}")) from error
    return _dataset(source, learn, test)


def digits() -> Dataset:
    with (files(__package__) / "digits" / "digits.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        images, labels = stored["images"][:, None], stored["labels"].astype(np.int64)
    rank = rank_in_class(labels)
    test, validation = rank % 5 == 4, rank % 10 == 3
    scans = Part(images, labels)
    return Dataset(
        title="UCI handwritten digits",
        train=scans.where(~test & ~validation),
        validation=scans.where(validation),
        test=scans.where(test),
        classes=tuple("0123456789"),
        levels=16,
        credit=DIGITS_CREDIT,
    )


def _mnist(paths: dict[str, Path]) -> tuple[Part, Part]:
    parts = []
    for start in ("train", "t10k"):
        images = read_idx(paths[f"{start}-images-idx3-ubyte.gz"])
        labels = read_idx(paths[f"{start}-labels-idx1-ubyte.gz"])
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise FormatError(
                f"the {start} files do not belong together: images {images.shape}, "
                f"labels {labels.shape}"
            )
        parts.append(Part(images[:, None], labels.astype(np.int64)))
    return parts[0], parts[1]


def _cifar(paths: dict[str, Path]) -> tuple[Part, Part]:
    archive = paths["cifar-10-binary.tar.gz"]
    parts = []
    for members in (CIFAR_TRAIN, CIFAR_TEST):
        images, labels = read_cifar(archive, members)
        parts.append(Part(images, labels.astype(np.int64)))
    return parts[0], parts[1]


def _dataset(source: Source, learn: Part, test: Part) -> Dataset:
    validation = rank_in_class(learn.labels) % 10 == 3
    return Dataset(
        title=source.title,
        train=learn.where(~validation),
        validation=learn.where(validation),
        test=test,
        classes=source.classes,
        levels=255,
        credit=source.credit,
    )


def rank_in_class(labels: np.ndarray) -> np.ndarray:
    """For each label, how many equal labels come before it.

    >>> rank_in_class(np.array([7, 1, 7, 7, 1]))
    array([0, 0, 1, 2, 1])
    """
    rank = np.zeros(len(labels), np.int64)
    for one in np.unique(labels):
        same = labels == one
        rank[same] = np.arange(same.sum())
    return rank
