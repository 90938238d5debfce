"""House numbers from photographs of streets."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from rushlight import fetch
from rushlight.vision.pillow import from_array

from .matlab import read_mat
from .utils import check_there, verify_str_arg
from .vision import FilePath, Transform, VisionDataset


class SVHN(VisionDataset):
    """Digits of 32 x 32 pixels; the file's label 10, for the digit 0, becomes 0.

    Args:
        root: holds ``train_32x32.mat``, ``test_32x32.mat`` or ``extra_32x32.mat``.
        split: ``"train"`` (73,257 images), ``"test"`` (26,032) or ``"extra"`` (531,131).
        transform: called with each PIL image.
        target_transform: called with each class, an int.
        download: brings the file.
    Attributes:
        data: (N, 3, 32, 32) uint8 NumPy array. labels: (N,) int64.
    Raises:
        RuntimeError: the file is missing or damaged, or cannot be downloaded.
    Reference:
        Netzer et al. 2011, "Reading Digits in Natural Images with Unsupervised Feature Learning".
    """

    split_list = {
        name: [f"http://ufldl.stanford.edu/housenumbers/{name}_32x32.mat", f"{name}_32x32.mat", md5]
        for name, md5 in (
            ("train", "e26dedcc434d2e4c54c9b2d4a06d8373"),
            ("test", "eb5a983be6a315427106f1b164d9cef3"),
            ("extra", "a93ce644f1a588dc4d68dda5feec44a7"),
        )
    }

    def __init__(
        self,
        root: FilePath,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", tuple(self.split_list))
        self.url, self.filename, self.file_md5 = self.split_list[split]
        if download:
            self.download()
        path = os.path.join(self.root, self.filename)
        check_there([(path, self.file_md5)])
        try:
            arrays = read_mat(path)
            self.data, self.labels = _checked(arrays, path)
        except fetch.FormatError as error:
            raise RuntimeError(f"Dataset corrupted: {error}") from error

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = from_array(self.data[index].transpose(1, 2, 0))
        return self.transformed(image, int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def download(self) -> None:
        """Brings the file unless it is there."""
        fetch.download(self.url, self.root, self.filename, md5=self.file_md5)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"


def _checked(arrays: dict[str, np.ndarray], path: str) -> tuple[np.ndarray, np.ndarray]:
    pixels, labels = arrays.get("X"), arrays.get("y")
    if pixels is None or labels is None or pixels.shape != (32, 32, 3, labels.size):
        raise fetch.FormatError(f"{path} has no images X of 32 x 32 x 3 with as many labels y")
    numbers = labels.astype(np.int64).reshape(-1)
    numbers[numbers == 10] = 0
    return pixels.transpose(3, 2, 0, 1), numbers
