"""What all data sets of images share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rushlight.utils.data import Dataset

Transform = Callable[[Any], Any]
Transforms = Callable[[Any, Any], tuple[Any, Any]]
FilePath = str | Path


class VisionDataset(Dataset[Any]):
    """The base of data sets of images: ``__getitem__`` and ``__len__`` are for its children.

    Args:
        root: the folder of the data; shown by ``repr``.
        transforms: called with image and target, returns both.
        transform: called with the image alone.
        target_transform: called with the target alone.

    Raises:
        ValueError: ``transforms`` together with one of the others.
    """

    _repr_indent = 4

    def __init__(
        self,
        root: FilePath | None = None,
        transforms: Transforms | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.root: Any = os.path.expanduser(root) if isinstance(root, str) else root
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError(
                "Only transforms or transform/target_transform can be passed as argument"
            )
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = StandardTransform(transform, target_transform) if separate else transforms

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        """Image and target after ``transform`` and ``target_transform`` of this moment."""
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if getattr(self, "transforms", None) is not None:
            body.append(repr(self.transforms))
        indent = " " * self._repr_indent
        return "\n".join([f"Dataset {type(self).__name__}", *(indent + line for line in body)])

    def extra_repr(self) -> str:
        """Lines that a child adds to ``repr``."""
        return ""


class StandardTransform:
    """Transforms image and target separately."""

    def __init__(
        self, transform: Transform | None = None, target_transform: Transform | None = None
    ) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        body = [type(self).__name__]
        for head, transform in (
            ("Transform: ", self.transform),
            ("Target transform: ", self.target_transform),
        ):
            if transform is not None:
                first, *rest = repr(transform).splitlines()
                body += [head + first, *(" " * len(head) + line for line in rest)]
        return "\n".join(body)
