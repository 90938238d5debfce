"""Handwritten characters of 28 x 28 pixels: MNIST and the sets that share its format."""

from __future__ import annotations

import os
import shutil
import string
import warnings
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight import Tensor, fetch
from rushlight.vision.pillow import from_array

from .utils import are_there, check_there, verify_str_arg
from .vision import FilePath, Transform, VisionDataset

DIGITS = ["0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six",
          "7 - seven", "8 - eight", "9 - nine"]  # fmt: skip


class MNIST(VisionDataset):
    """Handwritten digits: 60,000 images to learn from and 10,000 for tests.

    Args:
        root: holds ``MNIST/raw/train-images-idx3-ubyte`` and the other files.
        train: the 60,000, or the 10,000.
        transform: called with each PIL image.
        target_transform: called with each class, an int.
        download: brings what is not in ``root``.
    Attributes:
        data: (N, 28, 28) uint8. targets: (N,) int64. classes: names. class_to_idx: their numbers.
    Raises:
        RuntimeError: files are missing or damaged, or cannot be downloaded.
    Reference:
        LeCun et al. 1998, "Gradient-based learning applied to document recognition".
    """

    mirrors = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ]
    resources: Any = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    training_file = "training.pt"
    test_file = "test.pt"
    classes = DIGITS

    def __init__(
        self,
        root: FilePath,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        self._arrays: dict[str, tuple[Any, Any]] = {}
        if self._has_older_files():
            self.data, self.targets = self._older_data()
            return
        if download:
            self.download()
        check_there(self._raw_files())
        try:
            self.data, self.targets = self._load_data()
        except fetch.FormatError as error:
            raise RuntimeError(f"Dataset corrupted: {error}") from error

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = from_array(self._array("data")[index])
        return self.transformed(image, int(self._array("targets")[index]))

    def __len__(self) -> int:
        return len(self.data)

    def _array(self, name: str) -> Any:
        """The array of ``data`` or ``targets``, asked for once for all items of one tensor."""
        values, (of, array) = getattr(self, name), self._arrays.get(name, (None, None))
        if of is not values:
            array = values.numpy() if isinstance(values, Tensor) else values
            self._arrays[name] = values, array
        return array

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": {}}  # they would travel twice

    @property
    def raw_folder(self) -> str:
        """Where the unpacked files are."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self) -> str:
        """Where releases of torchvision before 0.9 put tensors, which are still read."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.classes)}

    def download(self) -> None:
        """Brings the files that are missing.

        Raises:
            RuntimeError: no mirror delivers one; the sentence says what to put where.
        """
        for name, md5 in self.resources:
            if not are_there([(self._raw(name), None)]):
                urls = [mirror + name for mirror in self.mirrors]
                fetch.extract(fetch.download(urls, self.raw_folder, name, md5=md5))

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train is True else 'Test'}"

    def _raw(self, name: str) -> str:
        return os.path.join(self.raw_folder, os.path.splitext(os.path.basename(name))[0])

    def _raw_files(self) -> list[tuple[FilePath, str | None]]:
        return [(self._raw(name), None) for name, _ in self.resources]

    def _check_exists(self) -> bool:
        return are_there(self._raw_files())

    def _has_older_files(self) -> bool:
        names = (self.training_file, self.test_file)
        return all(os.path.isfile(os.path.join(self.processed_folder, name)) for name in names)

    def _older_data(self) -> tuple[Tensor, Tensor]:
        name = self.training_file if self.train else self.test_file
        data, targets = rl.load(os.path.join(self.processed_folder, name))
        return data, targets

    def _load_data(self) -> tuple[Tensor, Tensor]:
        start = "train" if self.train else "t10k"
        return self._read(f"{start}-images-idx3-ubyte", f"{start}-labels-idx1-ubyte")

    def _read(self, images: str, labels: str) -> tuple[Tensor, Tensor]:
        paths = [os.path.join(self.raw_folder, name) for name in (images, labels)]
        data, targets = read_image_file(paths[0]), read_label_file(paths[1])
        if len(data) != len(targets):
            raise fetch.FormatError(
                f"{paths[0]} has {len(data)} images and {paths[1]} {len(targets)} labels"
            )
        return data, targets


def _renamed(old: str, new: str) -> property:
    def value(self: MNIST) -> Any:
        warnings.warn(f"{old} has been renamed {new}")
        return getattr(self, new)

    return property(value)


for _part in ("train", "test"):
    setattr(MNIST, f"{_part}_data", _renamed(f"{_part}_data", "data"))
    setattr(MNIST, f"{_part}_labels", _renamed(f"{_part}_labels", "targets"))


class FashionMNIST(MNIST):
    """Articles of clothing in MNIST's form; see :class:`MNIST`.

    Reference:
        Xiao et al. 2017, "Fashion-MNIST", arXiv:1708.07747.
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
               "Bag", "Ankle boot"]  # fmt: skip


class KMNIST(MNIST):
    """Ten cursive Japanese characters in MNIST's form; see :class:`MNIST`.

    Reference:
        Clanuwat et al. 2018, "Deep Learning for Classical Japanese Literature", arXiv:1812.01718.
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class EMNIST(MNIST):
    """Handwritten letters and digits in six splits; see :class:`MNIST`.

    Args:
        split: ``"byclass"``, ``"bymerge"``, ``"balanced"``, ``"letters"``, ``"digits"`` or
            ``"mnist"``.
        kwargs: as for :class:`MNIST`.
    Reference:
        Cohen et al. 2017, "EMNIST: an extension of MNIST to handwritten letters",
        arXiv:1702.05373.
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    # Letters whose small and capital forms look alike count as one class.
    _merged_classes = set("cijklmopsuvwxyz")
    _all_classes = set(string.digits + string.ascii_letters)
    classes_split_dict = {
        "byclass": sorted(_all_classes),
        "bymerge": sorted(_all_classes - _merged_classes),
        "balanced": sorted(_all_classes - _merged_classes),
        "letters": ["N/A", *string.ascii_lowercase],  # its labels begin at 1
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root: FilePath, split: str, **kwargs: Any) -> None:
        self.split = verify_str_arg(split, "split", self.splits)
        self.training_file = f"training_{split}.pt"
        self.test_file = f"test_{split}.pt"
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[self.split]

    @property
    def images_file(self) -> str:
        return os.path.join(self.raw_folder, f"{self._start}-images-idx3-ubyte")

    @property
    def labels_file(self) -> str:
        return os.path.join(self.raw_folder, f"{self._start}-labels-idx1-ubyte")

    def download(self) -> None:
        if self._check_exists():
            return
        fetch.extract(fetch.download(self.url, self.raw_folder, md5=self.md5))
        packed = Path(self.raw_folder) / "gzip"
        for path in sorted(packed.glob("*.gz")):
            fetch.extract(path, self.raw_folder)
        shutil.rmtree(packed, ignore_errors=True)

    @property
    def _start(self) -> str:
        return f"emnist-{self.split}-{'train' if self.train else 'test'}"

    def _raw_files(self) -> list[tuple[FilePath, str | None]]:
        return [(self.images_file, None), (self.labels_file, None)]

    def _load_data(self) -> tuple[Tensor, Tensor]:
        return self._read(os.path.basename(self.images_file), os.path.basename(self.labels_file))


def read_image_file(path: str) -> Tensor:
    """The (N, H, W) uint8 images of an IDX file.

    Raises:
        FormatError: it is damaged or holds something else.
    """
    return rl.tensor(_read_idx(path, "uint8", 3))


def read_label_file(path: str) -> Tensor:
    """The (N,) labels of an IDX file of bytes, as int64; see :func:`read_image_file`."""
    return rl.tensor(_read_idx(path, "uint8", 1)).long()


def _read_idx(path: str, dtype: str, rank: int) -> Any:
    array = fetch.read_idx(path)
    if array.dtype != dtype or array.ndim != rank:
        raise fetch.FormatError(
            f"{path} should hold {dtype} of {rank} dimensions, and holds {array.dtype} of "
            f"{array.ndim}"
        )
    return array
