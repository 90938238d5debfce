"""What an input goes through before a published model sees it: ``weights.transforms()``."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor, nn

from . import functional as F
from .v2.functional.modes import InterpolationMode

__all__ = ["ObjectDetection", "ImageClassification", "SemanticSegmentation"]

# Means and standard deviations of ImageNet's pixels, by channel.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_INPUT = "Accepts ``PIL.Image``, batched ``(B, C, H, W)`` and single ``(C, H, W)`` image tensors."


def _tensor(image: Any) -> Tensor:
    """An image as a tensor with its own integers."""
    return image if isinstance(image, Tensor) else F.pil_to_tensor(image)


class ObjectDetection(nn.Module):
    """Any image to floating point in [0, 1]; the detector itself resizes and normalises."""

    def forward(self, img: Any) -> Tensor:
        return F.convert_image_dtype(_tensor(img), rl.float)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}()"

    def describe(self) -> str:
        """What it does, in a sentence."""
        return f"{_INPUT} The images are rescaled to ``[0.0, 1.0]``."


class _Normalised(nn.Module):
    """Settings in the text, and the last steps of what follows."""

    shown: tuple[str, ...] = ()

    def _finish(self, image: Any) -> Tensor:
        image = F.convert_image_dtype(_tensor(image), rl.float)
        return F.normalize(image, mean=self.mean, std=self.std)

    def _resize(self, image: Any) -> Any:
        return F.resize(
            image, self.resize_size, interpolation=self.interpolation, antialias=self.antialias
        )

    def __repr__(self) -> str:
        lines = "".join(f"\n    {name}={getattr(self, name)}" for name in self.shown)
        return f"{self.__class__.__name__}({lines}\n)"

    def describe(self) -> str:
        """What it does, in a sentence or two."""
        settings = ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)
        return f"{_INPUT} Resized, rescaled to ``[0.0, 1.0]`` and normalised with ``{settings}``."


class ImageClassification(_Normalised):
    """Resizes the shorter side, cuts out the middle and normalises.

    Args:
        crop_size, resize_size: in pixels.
    """

    shown = ("crop_size", "resize_size", "mean", "std", "interpolation")

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: tuple[float, ...] = MEAN,
        std: tuple[float, ...] = STD,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.crop_size, self.resize_size = [crop_size], [resize_size]
        self.mean, self.std = list(mean), list(std)
        self.interpolation, self.antialias = interpolation, antialias

    def forward(self, img: Any) -> Tensor:
        return self._finish(F.center_crop(self._resize(img), self.crop_size))


class SemanticSegmentation(_Normalised):
    """Resizes the shorter side and normalises.

    Args:
        resize_size: in pixels; None leaves the image as large as it is.
    """

    shown = ("resize_size", "mean", "std", "interpolation")

    def __init__(
        self,
        *,
        resize_size: int | None,
        mean: tuple[float, ...] = MEAN,
        std: tuple[float, ...] = STD,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.resize_size = None if resize_size is None else [resize_size]
        self.mean, self.std = list(mean), list(std)
        self.interpolation, self.antialias = interpolation, antialias

    def forward(self, img: Any) -> Tensor:
        return self._finish(self._resize(img) if isinstance(self.resize_size, list) else img)
