"""Files in folders, one folder a class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from rushlight.vision.pillow import opened

from .vision import FilePath, Transform, VisionDataset

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

Extensions = str | tuple[str, ...]
Loader = Callable[[str], Any]
Check = Callable[[str], bool]


def has_file_allowed_extension(filename: str, extensions: Extensions) -> bool:
    """Whether ``filename`` ends with one of the (lower case) ``extensions``, in any case."""
    ends = extensions if isinstance(extensions, str) else tuple(extensions)
    return filename.lower().endswith(ends)


def is_image_file(filename: str) -> bool:
    """Whether ``filename`` ends like an image's.

    >>> is_image_file("a.JPG"), is_image_file("a.txt")
    (True, False)
    """
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: FilePath) -> tuple[list[str], dict[str, int]]:
    """The names of the folders in ``directory``, sorted, and their numbers.

    Raises:
        FileNotFoundError: there is none.
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(
    directory: FilePath,
    class_to_idx: dict[str, int] | None = None,
    extensions: Extensions | None = None,
    is_valid_file: Check | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """Paths with their class numbers, sorted, of the files below each class's folder.

    Args:
        class_to_idx: folders and their numbers; None is all of :func:`find_classes`.
        extensions: which files count, by their end.
        is_valid_file: which files count, by a function of the path.
        allow_empty: a class may have no file.

    Raises:
        ValueError: not exactly one of ``extensions`` and ``is_valid_file`` is given, or no class.
        FileNotFoundError: a class has no file.
    """
    place = os.path.expanduser(directory)
    if class_to_idx is None:
        class_to_idx = find_classes(place)[1]
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError(
            "Both extensions and is_valid_file cannot be None or not None at the same time"
        )
    counts = is_valid_file or (lambda path: has_file_allowed_extension(path, extensions or ()))
    found = {
        name: [path for path in _files_below(os.path.join(place, name)) if counts(path)]
        for name in sorted(class_to_idx)
    }
    empty = [name for name, paths in found.items() if not paths]
    if empty and not allow_empty:
        known = extensions if isinstance(extensions, str) else ", ".join(extensions or ())
        raise FileNotFoundError(
            f"Found no valid file for the classes {', '.join(empty)}. "
            + (f"Supported extensions are: {known}" if extensions is not None else "")
        )
    return [(path, class_to_idx[name]) for name, paths in found.items() for path in paths]


def _files_below(folder: str) -> list[str]:
    walk = sorted(os.walk(folder, followlinks=True))
    return [os.path.join(here, name) for here, _, names in walk for name in sorted(names)]


def pil_loader(path: FilePath) -> Any:
    """The PIL image in a file, in RGB.

    Raises:
        OSError: it is damaged or no image; the message names the file.
    """
    return opened(path)


def default_loader(path: FilePath) -> Any:
    """How data sets read an image file unless told otherwise: :func:`pil_loader`."""
    return pil_loader(path)


class DatasetFolder(VisionDataset):
    """Files in folders, one folder a class.

    Args:
        root: the folder of the classes' folders.
        loader: called with a path, returns the sample.
        extensions: which files count, by their end, or
        is_valid_file: by a function of the path.
        transform: called with each sample.
        target_transform: called with each class, an int.
        allow_empty: a class may have no file.
    Attributes:
        classes: the folders' names, sorted. class_to_idx: their numbers.
        samples: pairs of path and class. targets: the classes alone.
    Raises:
        FileNotFoundError: there is no class, or a class has no file.
    """

    def __init__(
        self,
        root: FilePath,
        loader: Loader,
        extensions: tuple[str, ...] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Check | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.loader = loader
        self.extensions = extensions
        self.samples = self.make_dataset(
            self.root,
            class_to_idx=self.class_to_idx,
            extensions=extensions,
            is_valid_file=is_valid_file,
            allow_empty=allow_empty,
        )
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: FilePath,
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Check | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """The samples; a child may find them elsewhere. See :func:`make_dataset`."""
        if class_to_idx is None:  # a child may have overridden find_classes
            raise ValueError("The class_to_idx parameter cannot be None.")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: FilePath) -> tuple[list[str], dict[str, int]]:
        """The classes and their numbers; a child may choose. See :func:`find_classes`."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self.transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in folders, one folder a class: ``root/dog/1.png``, ``root/cat/more/2.jpg``.

    Args:
        root: the folder of the classes' folders.
        transform: called with each PIL image.
        target_transform: called with each class, an int.
        loader: reads an image, by default as RGB.
        is_valid_file: which files count, instead of those that end like an image's.
        allow_empty: a class may have no image.
    Attributes:
        imgs: as ``samples`` of :class:`DatasetFolder`.
    """

    def __init__(
        self,
        root: FilePath,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Loader = default_loader,
        is_valid_file: Check | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform=transform,
            target_transform=target_transform,
            is_valid_file=is_valid_file,
            allow_empty=allow_empty,
        )
        self.imgs = self.samples
