"""MNIST with its history: where each digit came from, and 50,000 test digits more."""

from __future__ import annotations

import os
from typing import Any

import rushlight as rl
from rushlight import Tensor, fetch
from rushlight.vision.pillow import from_array

from .mnist import MNIST, _read_idx, read_image_file
from .utils import verify_str_arg
from .vision import FilePath

_HOME = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"


class QMNIST(MNIST):
    """Handwritten digits with what NIST knows of each; see :class:`MNIST`.

    Args:
        what: ``"train"``, ``"test"`` (60,000), ``"test10k"`` (those of MNIST), ``"test50k"`` (the
            others) or ``"nist"`` (all there are); None goes by ``train``.
        compat: targets are classes; False gives rows of eight numbers, the class first.
        kwargs: as for :class:`MNIST`.
    Attributes:
        targets: (N, 8) int64.
    Reference:
        Yadav & Bottou 2019, "Cold Case: The Lost MNIST Digits", arXiv:1905.10498.
    """

    subsets = {"train": "train", "test": "test", "test10k": "test", "test50k": "test",
               "nist": "nist"}  # fmt: skip
    resources: Any = {
        "train": [
            (_HOME + "qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            (_HOME + "qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        ],
        "test": [
            (_HOME + "qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            (_HOME + "qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ],
        "nist": [
            (_HOME + "xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
            (_HOME + "xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d"),
        ],
    }

    def __init__(
        self,
        root: FilePath,
        what: str | None = None,
        compat: bool = True,
        train: bool = True,
        **kwargs: Any,
    ) -> None:
        what = ("train" if train else "test") if what is None else what
        self.what = verify_str_arg(what, "what", tuple(self.subsets))
        self.compat = compat
        self.data_file = self.training_file = self.test_file = f"{what}.pt"
        super().__init__(root, train, **kwargs)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        target = int(self._array("targets")[index][0]) if self.compat else self.targets[index]
        return self.transformed(from_array(self._array("data")[index]), target)

    @property
    def images_file(self) -> str:
        return self._raw(self._needed[0][0])

    @property
    def labels_file(self) -> str:
        return self._raw(self._needed[1][0])

    def download(self) -> None:
        """Brings the files of ``what`` alone."""
        for url, md5 in self._needed:
            if not os.path.isfile(self._raw(url)):
                fetch.extract(fetch.download(url, self.raw_folder, md5=md5))

    def extra_repr(self) -> str:
        return f"Split: {self.what}"

    @property
    def _needed(self) -> list[tuple[str, str]]:
        needed: list[tuple[str, str]] = self.resources[self.subsets[self.what]]
        return needed

    def _raw_files(self) -> list[tuple[FilePath, str | None]]:
        return [(self.images_file, None), (self.labels_file, None)]

    def _load_data(self) -> tuple[Tensor, Tensor]:
        data = read_image_file(self.images_file)
        targets = rl.tensor(_read_idx(self.labels_file, "int32", 2)).long()
        if self.what == "test10k":
            return data[:10000], targets[:10000]
        if self.what == "test50k":
            return data[10000:], targets[10000:]
        return data, targets
