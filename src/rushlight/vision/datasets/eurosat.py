"""Satellite pictures of Europe."""

from __future__ import annotations

import os

from rushlight import fetch

from .folder import ImageFolder, Loader, default_loader
from .utils import check_there
from .vision import FilePath, Transform


class EuroSAT(ImageFolder):
    """27,000 pictures of 64 x 64 pixels in ten classes of land use.

    Args:
        root: holds ``eurosat``.
        transform: called with each image.
        target_transform: called with each class, an int.
        download: brings and unpacks the archive.
        loader: called with a path, returns the image.
    Raises:
        RuntimeError: files are missing, or cannot be downloaded.
    Reference:
        Helber et al. 2019, "EuroSAT: A Novel Dataset and Deep Learning Benchmark for Land Use and
        Land Cover Classification", arXiv:1709.00029.
    """

    _URL = (
        "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
        "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip"
    )
    _MD5 = "c8fa014336c82ac7804f0398fcb19387"

    def __init__(
        self,
        root: FilePath,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        self.root = os.path.expanduser(root)
        self._base_folder = os.path.join(self.root, "eurosat")
        self._data_folder = os.path.join(self._base_folder, "2750")
        if download:
            self.download()
        check_there([(self._data_folder, None)])
        super().__init__(self._data_folder, transform, target_transform, loader)
        self.root = os.path.expanduser(root)

    def download(self) -> None:
        """Brings and unpacks the archive unless its folder is there."""
        if not os.path.exists(self._data_folder):
            fetch.extract(fetch.download(self._URL, self._base_folder, md5=self._MD5))
