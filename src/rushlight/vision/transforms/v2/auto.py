"""Augmentation by operations that are drawn: AutoAugment, RandAugment, TrivialAugment, AugMix."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.vision import tv_tensors
from rushlight.vision.transforms import draws
from rushlight.vision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video

from . import functional as F
from .checks import as_fills, fill_of
from .functional.modes import Interpolation
from .functional.pictures import is_pil_image
from .functional.values import max_value
from .policies import AutoAugmentPolicy, policies_of
from .queries import IMAGES, check_type, leaves, rebuilt
from .transform import Transform, settled

# One of so many strengths of an operation, for an image of that height and width; and whether its
# sign is drawn.
Strength = Callable[[int, int, int, int], float]
Space = dict[str, tuple[Strength | None, bool]]


def _between(start: float, end: float, count: int, index: int) -> float:
    """One of ``count`` numbers at equal distances, with the rounding of ``linspace`` in float32."""
    first, last = float(np.float32(start)), float(np.float32(end))
    step = float(np.float32(last - first) / np.float32(max(count - 1, 1)))
    near = index < count // 2 or count == 1
    value = first + step * index if near else last - step * (count - 1 - index)
    return float(np.float32(value))


def _ramp(start: float, end: float) -> Strength:
    return lambda count, index, height, width: _between(start, end, count, index)


def _across(share: float) -> Strength:
    return lambda count, index, height, width: _between(0.0, share * width, count, index)


def _down(share: float) -> Strength:
    return lambda count, index, height, width: _between(0.0, share * height, count, index)


def _bits(most: int, fewer: int) -> Strength:
    return lambda count, index, height, width: round(most - index / ((count - 1) / fewer))


def _space(
    shear: float, across: Strength, down: Strength, angle: float, bits: Strength, color: float
) -> Space:
    """Operations with the greatest strength of each."""
    colors = ("Brightness", "Color", "Contrast", "Sharpness")
    return {
        "ShearX": (_ramp(0.0, shear), True),
        "ShearY": (_ramp(0.0, shear), True),
        "TranslateX": (across, True),
        "TranslateY": (down, True),
        "Rotate": (_ramp(0.0, angle), True),
        **({name: (_ramp(0.0, color), True) for name in colors} if color else {}),
        "Posterize": (bits, False),
        "Solarize": (_ramp(1.0, 0.0), False),
        "AutoContrast": (None, False),
        "Equalize": (None, False),
    }


_LEARNED = _space(0.3, _across(150.0 / 331.0), _down(150.0 / 331.0), 30.0, _bits(8, 4), 0.9)
_PIXELS = _ramp(0.0, 32.0)
_NOTHING: Space = {"Identity": (None, False)}


class _Automatic(Transform):
    """Applies operations by name to the one image or video of a sample. Abstract."""

    def __init__(self, *, interpolation: Interpolation = "nearest", fill: Any = None) -> None:
        super().__init__()
        self.interpolation = interpolation
        self.fill = fill
        self._fill = as_fills(fill)

    def forward(self, *inputs: Any) -> Any:
        """The sample with its image augmented."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        parts = leaves(sample)
        place = self._image_of(parts)
        parts[place] = self._augmented(parts[place])
        return rebuilt(sample, iter(parts))

    def _image_of(self, parts: list[Any]) -> int:
        """Where the image is.

        Raises:
            TypeError: there is none, or more than one, or something that would have to move too.
        """
        for part in parts:
            if isinstance(part, BoundingBoxes | Mask | KeyPoints):
                raise TypeError(
                    f"Inputs of type {type(part).__name__} are not supported by"
                    f" {type(self).__name__}()"
                )
        wanted = self._needs_transform_list(parts)
        places = [i for i, part in enumerate(parts) if wanted[i] and check_type(part, IMAGES)]
        if not places:
            raise TypeError("Found no image in the sample.")
        if len(places) > 1:
            raise TypeError(
                "Auto augment transformations are only properly defined for a single image or"
                f" video, but found {len(places)}."
            )
        return places[0]

    def _augmented(self, image: Any) -> Any:
        raise NotImplementedError

    def _applied(self, image: Any, name: str, magnitude: float) -> Any:
        """What one operation makes of an image."""
        if name in _MOVES:
            how = {"interpolation": self.interpolation, "fill": fill_of(self._fill, image)}
            return settled(_MOVES[name](image, magnitude, how))
        if name not in _CHANGES:
            raise ValueError(f"No transform available for {name}")
        return settled(_CHANGES[name](image, magnitude))

    def _drawn(
        self, space: Space, bins: int, index: Callable[[], int], image: Any
    ) -> tuple[str, float]:
        """An operation and its strength."""
        names = list(space)
        name = names[draws.whole(0, len(names))]
        return name, _signed(space[name], bins, index, image)


def _signed(entry: Any, count: int, index: Callable[[], int], image: Any) -> float:
    """The strength of that number; of either sign where the operation has two."""
    strength, signed = entry
    if strength is None:
        return 0.0
    value: float = strength(count, index(), *F.get_size(image))
    return -value if signed and draws.chance(0.5) else value


def _sheared(image: Any, x: float, y: float, how: dict[str, Any]) -> Any:
    """Sheared by degrees with the upper left corner where it is, as in PIL."""
    return F.affine(
        image, angle=0.0, translate=[0, 0], scale=1.0, shear=[x, y], center=[0, 0], **how
    )


def _moved(image: Any, x: float, y: float, how: dict[str, Any]) -> Any:
    move = [int(x), int(y)]
    return F.affine(image, angle=0.0, translate=move, scale=1.0, shear=[0.0, 0.0], **how)


def _solarized(image: Any, m: float) -> Any:
    white = max_value(image.dtype) if isinstance(image, Tensor) else 255.0
    return F.solarize(image, threshold=white * m)


_MOVES: dict[str, Callable[[Any, float, dict[str, Any]], Any]] = {
    "ShearX": lambda image, m, how: _sheared(image, math.degrees(math.atan(m)), 0.0, how),
    "ShearY": lambda image, m, how: _sheared(image, 0.0, math.degrees(math.atan(m)), how),
    "TranslateX": lambda image, m, how: _moved(image, m, 0, how),
    "TranslateY": lambda image, m, how: _moved(image, 0, m, how),
    "Rotate": lambda image, m, how: F.rotate(image, angle=m, **how),
}
_CHANGES: dict[str, Callable[[Any, float], Any]] = {
    "Identity": lambda image, m: image,
    "Brightness": lambda image, m: F.adjust_brightness(image, brightness_factor=1.0 + m),
    "Color": lambda image, m: F.adjust_saturation(image, saturation_factor=1.0 + m),
    "Contrast": lambda image, m: F.adjust_contrast(image, contrast_factor=1.0 + m),
    "Sharpness": lambda image, m: F.adjust_sharpness(image, sharpness_factor=1.0 + m),
    "Posterize": lambda image, m: F.posterize(image, bits=int(m)),
    "Solarize": _solarized,
    "AutoContrast": lambda image, m: F.autocontrast(image),
    "Equalize": lambda image, m: F.equalize(image),
    "Invert": lambda image, m: F.invert(image),
}


class AutoAugment(_Automatic):
    """One of the pairs of operations that were learned on a set of images.

    Args:
        policy: what it was learned on.
        fill: the value beyond the image, one for each channel, or these by class of input.
    Raises:
        ValueError: no such policy.
        TypeError: a sample without exactly one image or video, or with boxes, points or masks.
    Reference:
        Cubuk et al. 2018, arXiv:1805.09501.
    """

    _AUGMENTATION_SPACE: Space = {**_LEARNED, "Invert": (None, False)}

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Interpolation = "nearest",
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.policy = policy
        self._policies = policies_of(policy)

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Tensor, Tensor]:
        """A pair's number; for both operations a number from 0 to 1, and a sign, 0 or 1."""
        chances = rl.tensor([draws.uniform(0.0, 1.0) for _ in range(2)])
        signs = rl.tensor([draws.whole(0, 2) for _ in range(2)])
        return draws.whole(0, transform_num), chances, signs

    def _augmented(self, image: Any) -> Any:
        number, chances, signs = self.get_params(len(self._policies))
        size = F.get_size(image)
        for step, chance, sign in zip(
            self._policies[number], chances.tolist(), signs.tolist(), strict=True
        ):
            name, probability, index = step
            if chance <= probability:
                image = self._applied(image, name, self._magnitude(name, index, size, sign))
        return image

    def _magnitude(self, name: str, index: int | None, size: list[int], sign: int) -> float:
        strength, signed = self._AUGMENTATION_SPACE[name]
        if strength is None or index is None:
            return 0.0
        value = strength(10, index, *size)
        return -value if signed and not sign else value


class RandAugment(_Automatic):
    """Operations that are drawn, all of one strength.

    Args:
        num_ops: how many.
        magnitude: the number of their strength.
        num_magnitude_bins: how many strengths there are.
        fill: the value beyond the image, one for each channel, or these by class of input.
    Raises:
        ValueError: ``num_ops`` is no number or negative.
        TypeError: a sample without exactly one image or video, or with boxes, points or masks.
    Reference:
        Cubuk et al. 2019, arXiv:1909.13719.
    """

    _AUGMENTATION_SPACE: Space = {**_NOTHING, **_LEARNED}

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Interpolation = "nearest",
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        if not isinstance(num_ops, int) or num_ops < 0:
            raise ValueError(
                f"num_ops should be a non-negative integer, but got {num_ops} instead."
            )
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def _augmented(self, image: Any) -> Any:
        bins = self.num_magnitude_bins
        for _ in range(self.num_ops):
            drawn = self._drawn(self._AUGMENTATION_SPACE, bins, lambda: self.magnitude, image)
            image = self._applied(image, *drawn)
        return image


class TrivialAugmentWide(_Automatic):
    """One operation, of a strength that is drawn.

    Args:
        num_magnitude_bins: how many strengths there are.
        fill: the value beyond the image, one for each channel, or these by class of input.
    Raises:
        TypeError: a sample without exactly one image or video, or with boxes, points or masks.
    Reference:
        Mueller & Hutter 2021, arXiv:2103.10158.
    """

    _AUGMENTATION_SPACE: Space = {
        **_NOTHING,
        **_space(0.99, _PIXELS, _PIXELS, 135.0, _bits(8, 6), 0.99),
    }

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: Interpolation = "nearest",
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.num_magnitude_bins = num_magnitude_bins

    def _augmented(self, image: Any) -> Any:
        bins = self.num_magnitude_bins
        space = self._AUGMENTATION_SPACE
        return self._applied(image, *self._drawn(space, bins, lambda: draws.whole(0, bins), image))


class AugMix(_Automatic):
    """A weighted mean of the image and of what chains of operations make of it.

    Args:
        severity: how many of the ten strengths are drawn from, weakest first.
        mixture_width: how many chains.
        chain_depth: how long they are; up to three when not positive.
        alpha: of the distributions of the weights.
        all_ops: whether brightness, colour, contrast and sharpness are among the operations.
        fill: the value beyond the image, one for each channel, or these by class of input.
    Raises:
        ValueError: a severity that is not from 1 to 10.
        TypeError: a sample without exactly one image or video, or with boxes, points or masks.
    Reference:
        Hendrycks et al. 2020, Algorithm 1, arXiv:1912.02781.
    """

    _PARAMETER_MAX = 10
    _PARTIAL_AUGMENTATION_SPACE: Space = _space(
        0.3, _across(1 / 3.0), _down(1 / 3.0), 30.0, _bits(4, 4), 0.0
    )
    _AUGMENTATION_SPACE: Space = _space(
        0.3, _across(1 / 3.0), _down(1 / 3.0), 30.0, _bits(4, 4), 0.9
    )

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Interpolation = "bilinear",
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        if not 1 <= severity <= self._PARAMETER_MAX:
            raise ValueError(
                f"The severity must be between [1, {self._PARAMETER_MAX}]. Got {severity} instead."
            )
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def _sample_dirichlet(self, params: Tensor) -> Tensor:
        """Weights (N, K) whose sum is 1."""
        from rushlight.distributions import Dirichlet

        return Dirichlet(params).sample()

    def _augmented(self, image: Any) -> Any:
        tensor = F.pil_to_tensor(image) if is_pil_image(image) else image.as_subclass(Tensor)
        dims = 5 if isinstance(image, Video) else 4
        batch = tensor.reshape([1] * max(dims - tensor.ndim, 0) + list(tensor.shape))
        parts = zip(self._weights(batch), self._chains(batch, image), strict=True)
        mixed = sum(weight * part for weight, part in parts)
        result = mixed.reshape(tensor.shape).to(tensor.dtype)
        if is_pil_image(image):
            return F.to_pil_image(result)
        return tv_tensors.wrap(result, like=image) if isinstance(image, Image | Video) else result

    def _weights(self, batch: Tensor) -> list[Tensor]:
        """How much of each sample of a batch is itself, and how much each chain."""
        count, shape = batch.shape[0], [batch.shape[0]] + [1] * (batch.ndim - 1)
        own = self._sample_dirichlet(rl.full((count, 2), float(self.alpha)))
        chains = self._sample_dirichlet(rl.full((count, self.mixture_width), float(self.alpha)))
        weights = rl.cat((own[:, :1], chains * own[:, 1:]), dim=1)
        return [weight.reshape(shape) for weight in weights.unbind(1)]

    def _chains(self, batch: Tensor, image: Any) -> Iterator[Tensor]:
        """The batch, and what each chain of operations makes of it."""
        yield batch
        space = self._AUGMENTATION_SPACE if self.all_ops else self._PARTIAL_AUGMENTATION_SPACE
        for _ in range(self.mixture_width):
            part = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else draws.whole(1, 4)):
                drawn = self._drawn(
                    space, self._PARAMETER_MAX, lambda: draws.whole(0, self.severity), image
                )
                part = self._applied(part, *drawn)
            yield part
