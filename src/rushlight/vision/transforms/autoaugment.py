"""Augmentation by operations that are drawn, of one PIL image or tensor."""

from __future__ import annotations

from typing import Any

from . import v2
from .single import SingleImage, described
from .v2.functional.modes import Interpolation, InterpolationMode, as_mode
from .v2.policies import AutoAugmentPolicy

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]


class _Automatic(SingleImage):
    """Applies operations by name. Abstract."""

    def forward(self, img: Any) -> Any:
        """The image, augmented.

        Raises:
            TypeError: neither a PIL image nor a tensor.
        """
        self._image_of([img])
        return self._augmented(img)

    def __repr__(self) -> str:
        shown = {name: str(getattr(self, name)) for name in self._shown}
        return described(self, **shown)


class AutoAugment(_Automatic, v2.AutoAugment):
    """One of the pairs of operations that were learned on a set of images."""

    _shown = ("policy", "fill")

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Interpolation = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        super().__init__(policy, as_mode(interpolation), fill)


class RandAugment(_Automatic, v2.RandAugment):
    """Operations that are drawn, all of one strength."""

    _shown = ("num_ops", "magnitude", "num_magnitude_bins", "interpolation", "fill")

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Interpolation = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        super().__init__(num_ops, magnitude, num_magnitude_bins, as_mode(interpolation), fill)


class TrivialAugmentWide(_Automatic, v2.TrivialAugmentWide):
    """One operation, of a strength that is drawn."""

    _shown = ("num_magnitude_bins", "interpolation", "fill")

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: Interpolation = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        super().__init__(num_magnitude_bins, as_mode(interpolation), fill)


class AugMix(_Automatic, v2.AugMix):
    """A weighted mean of the image and of what chains of operations make of it."""

    _shown = (
        "severity", "mixture_width", "chain_depth", "alpha", "all_ops", "interpolation", "fill",
    )  # fmt: skip

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Interpolation = InterpolationMode.BILINEAR,
        fill: Any = None,
    ) -> None:
        super().__init__(
            severity, mixture_width, chain_depth, alpha, all_ops, as_mode(interpolation), fill
        )
