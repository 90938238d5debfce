"""Photographs of flowers."""

from __future__ import annotations

from pathlib import Path

from rushlight import fetch

from .folder import default_loader
from .listed import ListedImages, Loader
from .matlab import read_mat
from .utils import are_there, check_there, verify_str_arg
from .vision import FilePath, Transform

NAMES = [
    "pink primrose", "hard-leaved pocket orchid", "canterbury bells", "sweet pea",
    "english marigold", "tiger lily", "moon orchid", "bird of paradise", "monkshood",
    "globe thistle", "snapdragon", "colt's foot", "king protea", "spear thistle", "yellow iris",
    "globe-flower", "purple coneflower", "peruvian lily", "balloon flower",
    "giant white arum lily", "fire lily", "pincushion flower", "fritillary", "red ginger",
    "grape hyacinth", "corn poppy", "prince of wales feathers", "stemless gentian", "artichoke",
    "sweet william", "carnation", "garden phlox", "love in the mist", "mexican aster",
    "alpine sea holly", "ruby-lipped cattleya", "cape flower", "great masterwort", "siam tulip",
    "lenten rose", "barbeton daisy", "daffodil", "sword lily", "poinsettia", "bolero deep blue",
    "wallflower", "marigold", "buttercup", "oxeye daisy", "common dandelion", "petunia",
    "wild pansy", "primula", "sunflower", "pelargonium", "bishop of llandaff", "gaura", "geranium",
    "orange dahlia", "pink-yellow dahlia?", "cautleya spicata", "japanese anemone",
    "black-eyed susan", "silverbush", "californian poppy", "osteospermum", "spring crocus",
    "bearded iris", "windflower", "tree poppy", "gazania", "azalea", "water lily", "rose",
    "thorn apple", "morning glory", "passion flower", "lotus", "toad lily", "anthurium",
    "frangipani", "clematis", "hibiscus", "columbine", "desert-rose", "tree mallow", "magnolia",
    "cyclamen", "watercress", "canna lily", "hippeastrum", "bee balm", "ball moss", "foxglove",
    "bougainvillea", "camellia", "mallow", "mexican petunia", "bromelia", "blanket flower",
    "trumpet creeper", "blackberry lily",
]  # fmt: skip


class Flowers102(ListedImages):
    """8,189 photographs of 102 kinds of flowers, ten of each to learn from and ten to validate.

    Args:
        root: holds ``flowers-102``.
        split: ``"train"``, ``"val"`` or ``"test"``.
        transform: called with each image.
        target_transform: called with each class, an int.
        download: brings the files and unpacks the archive.
        loader: called with a path, returns the image.
    Attributes:
        classes: names.
    Raises:
        RuntimeError: files are missing or damaged, or cannot be downloaded.
    Reference:
        Nilsback & Zisserman 2008, "Automated flower classification over a large number of classes".
    """

    _download_url_prefix = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
    _file_dict = {
        "image": ("102flowers.tgz", "52808999861908f626f3c1f4e79d11fa"),
        "label": ("imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"),
        "setid": ("setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c"),
    }
    _splits_map = {"train": "trnid", "val": "valid", "test": "tstid"}
    classes = NAMES

    def __init__(
        self,
        root: FilePath,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ("train", "val", "test"))
        self._base_folder = Path(self.root) / "flowers-102"
        self._begin(download)
        try:
            labels = read_mat(self._base_folder / self._file_dict["label"][0])["labels"].ravel()
            sets = read_mat(self._base_folder / self._file_dict["setid"][0])
            chosen = sets[self._splits_map[split]].ravel()
            self._labels = [int(labels[number - 1]) - 1 for number in chosen]
        except (fetch.FormatError, KeyError, IndexError) as error:
            raise RuntimeError(f"Dataset corrupted: {error}") from error
        jpg = self._base_folder / "jpg"
        self._image_files = [jpg / f"image_{number:05d}.jpg" for number in chosen]

    def _files(self) -> list[tuple[Path, str | None]]:
        listed = [self._file_dict[key] for key in ("label", "setid")]
        files: list[tuple[Path, str | None]] = [(self._base_folder / "jpg", None)]
        return files + [(self._base_folder / name, md5) for name, md5 in listed]

    def _begin(self, download: bool) -> None:
        if download:
            self.download()
        check_there(self._files())

    def download(self) -> None:
        """Brings the files, and unpacks the archive, unless they are there."""
        if are_there(self._files()):
            return
        paths = [
            fetch.download(self._download_url_prefix + name, self._base_folder, md5=md5)
            for name, md5 in self._file_dict.values()
        ]
        fetch.extract(paths[0])

    def extra_repr(self) -> str:
        return f"split={self._split}"
