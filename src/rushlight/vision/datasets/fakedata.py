"""Random images, for programs that have no data yet."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight.vision.pillow import from_array

from .vision import Transform, VisionDataset


class FakeData(VisionDataset):
    """Images of random bytes with random classes, the same each time.

    Args:
        size: how many.
        image_size: (C, H, W) with C of 1 or 3.
        num_classes: classes are below.
        transform: called with each PIL image.
        target_transform: called with each class, a 0-d int64 tensor.
        random_offset: added to an image's index to make its seed.
    Example:
        >>> image, target = FakeData(size=8, image_size=(3, 4, 5))[7]
        >>> image.size, image.mode
        ((5, 4), 'RGB')
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        generator = rl.Generator().manual_seed(index + self.random_offset)
        C, H, W = self.image_size
        shape = (H, W) if C == 1 else (H, W, C)
        pixels = rl.randint(0, 256, shape, generator=generator, dtype=rl.uint8)
        target = rl.randint(0, self.num_classes, (), generator=generator)
        image, label = self.transformed(from_array(pixels.numpy()), target)
        return image, label.item() if isinstance(label, rl.Tensor) else label

    def __len__(self) -> int:
        return self.size
