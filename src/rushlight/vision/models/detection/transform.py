"""Images of any size on their way into a detector, and its results on their way out."""

from __future__ import annotations

import math
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from ._masks import paste_masks_in_image
from .image_list import ImageList

Target = dict[str, Tensor]
Size = tuple[int, int]


class GeneralizedRCNNTransform(nn.Module):
    """Normalises and resizes images and their targets, and puts them into one batch.

    Args:
        min_size: the shorter side; of several, one is drawn while training and the last is used
            afterwards.
        max_size: what the longer side may reach.
        size_divisible: the batch's sides are multiples of it.
        fixed_size: width and height in place of ``min_size`` and ``max_size``.
    """

    def __init__(
        self,
        min_size: Any,
        max_size: int,
        image_mean: list[float],
        image_std: list[float],
        size_divisible: int = 32,
        fixed_size: Size | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.min_size = min_size if isinstance(min_size, (list, tuple)) else (min_size,)
        self.max_size = max_size
        self.image_mean, self.image_std = image_mean, image_std
        self.size_divisible, self.fixed_size = size_divisible, fixed_size
        self._skip_resize = kwargs.pop("_skip_resize", False)

    def forward(
        self, images: list[Tensor], targets: list[Target] | None = None
    ) -> tuple[ImageList, list[Target] | None]:
        """The batch, and targets in its pixels; those given are not changed."""
        new = [self._one(i, image, targets) for i, image in enumerate(images)]
        resized = [image for image, _ in new]
        sizes = [(image.shape[-2], image.shape[-1]) for image in resized]
        batch = self.batch_images(resized, size_divisible=self.size_divisible)
        aims = None if targets is None else [target for _, target in new]
        return ImageList(batch, sizes), aims

    def _one(self, i: int, image: Tensor, targets: list[Target] | None) -> tuple[Tensor, Any]:
        if image.dim() != 3:
            raise ValueError(
                "images is expected to be a list of 3d tensors of shape [C, H, W], got "
                f"{image.shape}"
            )
        return self.resize(self.normalize(image), None if targets is None else dict(targets[i]))

    def normalize(self, image: Tensor) -> Tensor:
        """(image - mean) / std by channel."""
        if not image.is_floating_point():
            raise TypeError(
                "Expected input images to be of floating type (in range [0, 1]), "
                f"but found type {image.dtype} instead"
            )
        mean = rl.as_tensor(self.image_mean, dtype=image.dtype)
        std = rl.as_tensor(self.image_std, dtype=image.dtype)
        return (image - mean[:, None, None]) / std[:, None, None]

    def torch_choice(self, k: list[int]) -> int:
        """One of several, drawn from the generator of tensors."""
        return k[int(rl.empty(1).uniform_(0.0, float(len(k))).item())]

    def resize(self, image: Tensor, target: Target | None = None) -> tuple[Tensor, Target | None]:
        """One image and its target."""
        before = image.shape[-2:]
        if self.training and self._skip_resize:
            return image, target
        shorter = self.torch_choice(self.min_size) if self.training else self.min_size[-1]
        settings = self._new_size(before, shorter)
        image = F.interpolate(image[None], mode="bilinear", align_corners=False, **settings)[0]
        if target is None:
            return image, None
        after = image.shape[-2:]
        if "masks" in target:
            masks = target["masks"][:, None].float()
            target["masks"] = F.interpolate(masks, **settings)[:, 0].byte()
        target["boxes"] = resize_boxes(target["boxes"], before, after)
        if "keypoints" in target:
            target["keypoints"] = resize_keypoints(target["keypoints"], before, after)
        return image, target

    def _new_size(self, before: Any, shorter: float) -> dict[str, Any]:
        if self.fixed_size is not None:
            return {"size": (self.fixed_size[1], self.fixed_size[0])}
        scale = min(shorter / min(before), self.max_size / max(before))
        return {"scale_factor": scale, "recompute_scale_factor": True}

    def batch_images(self, images: list[Tensor], size_divisible: int = 32) -> Tensor:
        """One tensor, with zeros to the right and below."""
        height, width = (
            math.ceil(max(image.shape[d] for image in images) / size_divisible) * size_divisible
            for d in (1, 2)
        )
        padded = [
            F.pad(image, (0, width - image.shape[2], 0, height - image.shape[1]))
            for image in images
        ]
        return rl.stack(padded)

    def postprocess(
        self, result: list[Target], image_shapes: list[Size], original_image_sizes: list[Size]
    ) -> list[Target]:
        """Detections in pixels of the images that were given."""
        if self.training:
            return result
        for one, size, original in zip(result, image_shapes, original_image_sizes):
            one["boxes"] = resize_boxes(one["boxes"], size, original)
            if "masks" in one:
                one["masks"] = paste_masks_in_image(one["masks"], one["boxes"], original)
            if "keypoints" in one:
                one["keypoints"] = resize_keypoints(one["keypoints"], size, original)
        return result

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}(\n"
            f"    Normalize(mean={self.image_mean}, std={self.image_std})\n"
            f"    Resize(min_size={self.min_size}, max_size={self.max_size}, mode='bilinear')\n)"
        )


def _ratios(before: Any, after: Any) -> list[Tensor]:
    """Of heights and widths, in float32 whatever the boxes are."""
    return [
        rl.tensor(new, dtype=rl.float32) / rl.tensor(old, dtype=rl.float32)
        for new, old in zip(after, before)
    ]


def resize_keypoints(keypoints: Tensor, original_size: Any, new_size: Any) -> Tensor:
    """Points (..., 3) as x, y and visibility, in an image of another size."""
    high, wide = _ratios(original_size, new_size)
    x, y, seen = keypoints.unbind(-1)
    return rl.stack((x * wide, y * high, seen), dim=-1)


def resize_boxes(boxes: Tensor, original_size: Any, new_size: Any) -> Tensor:
    """Boxes (N, 4) in an image of another size."""
    high, wide = _ratios(original_size, new_size)
    left, top, right, bottom = boxes.unbind(1)
    return rl.stack((left * wide, top * high, right * wide, bottom * high), dim=1)
