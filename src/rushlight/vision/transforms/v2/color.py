"""Transforms of colour, sharpness and noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.transforms import draws

from . import functional as F
from .checks import as_pair, as_size
from .queries import query_chw
from .transform import RandomTransform, Transform, settled

Range = float | Sequence[float] | None
_FACTORS = ("brightness", "contrast", "saturation", "hue")
_ADJUST = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)


class Grayscale(Transform):
    """Coloured images to grey ones of one or three channels."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.rgb_to_grayscale, inpt, num_output_channels=self.num_output_channels
        )


class RandomGrayscale(RandomTransform):
    """Grey, of as many channels as before, with probability ``p``."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p=p)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"num_input_channels": query_chw(flat_inputs)[0]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        channels = params["num_input_channels"]
        return self._call_kernel(F.rgb_to_grayscale, inpt, num_output_channels=channels)


class RGB(Transform):
    """Grey images to coloured ones that look the same."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.grayscale_to_rgb, inpt)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue by factors that are drawn, in an order that is, too.

    Args:
        brightness, contrast, saturation: least and greatest factor, or how far it is from 1.
        hue: least and greatest turn, from -0.5 to 0.5, or how far it is from 0.
    Raises:
        TypeError, ValueError: ranges that are none.
    """

    def __init__(
        self,
        brightness: Range = None,
        contrast: Range = None,
        saturation: Range = None,
        hue: Range = None,
    ) -> None:
        super().__init__()
        self.brightness = _factors(brightness, "brightness")
        self.contrast = _factors(contrast, "contrast")
        self.saturation = _factors(saturation, "saturation")
        self.hue = _factors(hue, "hue", 0.0, (-0.5, 0.5))

    @staticmethod
    def get_params(
        brightness: Range, contrast: Range, saturation: Range, hue: Range
    ) -> tuple[Tensor, float | None, float | None, float | None, float | None]:
        """The order of the four, and the factor of each; None where there is no range."""
        ranges: Any = (brightness, contrast, saturation, hue)
        order = rl.randperm(4)
        b, c, s, h = (None if one is None else draws.uniform(one[0], one[1]) for one in ranges)
        return order, b, c, s, h

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        found = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        names = ("fn_idx", *(f"{name}_factor" for name in _FACTORS))
        return dict(zip(names, found, strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        order = params["fn_idx"]
        for number in order.tolist() if isinstance(order, Tensor) else order:
            name = f"{_FACTORS[number]}_factor"
            if params[name] is not None:
                inpt = settled(self._call_kernel(_ADJUST[number], inpt, **{name: params[name]}))
        return inpt


def _factors(
    value: Range, name: str, center: float = 1.0, bound: tuple[float, float] = (0, float("inf"))
) -> tuple[float, float] | None:
    """A range of factors; None when it changes nothing."""
    if value is None:
        return None
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be non negative.")
        low = center - value
        value = [max(low, 0.0) if center else low, center + value]
    if not isinstance(value, Sequence) or len(value) != 2:
        raise TypeError(f"{name}={value} should be a single number or a sequence with length 2.")
    low, high = float(value[0]), float(value[1])
    if not bound[0] <= low <= high <= bound[1]:
        raise ValueError(
            f"{name} values should be between {bound} and increasing, but got {[low, high]}."
        )
    return None if low == high == center else (low, high)


class RandomChannelPermutation(Transform):
    """Channels in an order that is drawn."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"permutation": rl.randperm(query_chw(flat_inputs)[0])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.permute_channels, inpt, permutation=params["permutation"])


class RandomPhotometricDistort(Transform):
    """Each of brightness, contrast, saturation, hue and order of channels with probability ``p``.

    Args:
        brightness, contrast, saturation: least and greatest factor.
        hue: least and greatest turn.
    Reference:
        Liu et al. 2016, section 2.2, arXiv:1512.02325.
    """

    def __init__(
        self,
        brightness: tuple[float, float] = (0.875, 1.125),
        contrast: tuple[float, float] = (0.5, 1.5),
        saturation: tuple[float, float] = (0.5, 1.5),
        hue: tuple[float, float] = (-0.05, 0.05),
        p: float = 0.5,
    ) -> None:
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.hue = hue
        self.saturation = saturation
        self.p = p

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        channels = query_chw(flat_inputs)[0]
        params: dict[str, Any] = {
            f"{name}_factor": (
                draws.uniform(*getattr(self, name)) if draws.chance(self.p) else None
            )
            for name in _FACTORS
        }
        params["contrast_before"] = draws.chance(0.5)
        moved = draws.chance(self.p)
        params["channel_permutation"] = rl.randperm(channels) if moved else None
        return params

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        order = (0, 1, 2, 3) if params["contrast_before"] else (0, 2, 3, 1)
        for number in order:
            name = f"{_FACTORS[number]}_factor"
            if params[name] is not None:
                inpt = settled(self._call_kernel(_ADJUST[number], inpt, **{name: params[name]}))
        if params["channel_permutation"] is not None:
            order = params["channel_permutation"]
            inpt = self._call_kernel(F.permute_channels, inpt, permutation=order)
        return inpt


class RandomEqualize(RandomTransform):
    """Equalised histograms, with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.equalize, inpt)


class RandomInvert(RandomTransform):
    """Black for white, with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.invert, inpt)


class RandomAutocontrast(RandomTransform):
    """Values from black to white, with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.autocontrast, inpt)


class RandomPosterize(RandomTransform):
    """Only the highest ``bits`` of each value, with probability ``p``."""

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.bits = bits

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.posterize, inpt, bits=self.bits)


class RandomSolarize(RandomTransform):
    """Inverts all values from ``threshold`` on, with probability ``p``."""

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.threshold = threshold

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.solarize, inpt, threshold=self.threshold)


class RandomAdjustSharpness(RandomTransform):
    """Sharper or softer by a factor, with probability ``p``."""

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.adjust_sharpness, inpt, sharpness_factor=self.sharpness_factor)


class GaussianBlur(Transform):
    """Blurs with a Gaussian whose deviation is drawn.

    Args:
        kernel_size: odd widths in x and y, or one for both.
        sigma: least and greatest standard deviation in pixels, or one number.
    Raises:
        TypeError, ValueError: arguments that are none.
    """

    def __init__(
        self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)
    ) -> None:
        super().__init__()
        self.kernel_size = as_size(
            kernel_size, "Kernel size should be a tuple/list of two integers"
        )
        if any(width <= 0 or width % 2 == 0 for width in self.kernel_size):
            raise ValueError("Kernel size value should be an odd and positive number.")
        self.sigma = as_pair(sigma, "sigma")
        if not 0.0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(
                f"sigma values should be positive and of the form (min, max). Got {self.sigma}"
            )

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """A standard deviation."""
        return draws.uniform(sigma_min, sigma_max)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"sigma": [self.get_params(self.sigma[0], self.sigma[1])] * 2}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.gaussian_blur, inpt, self.kernel_size, **params)


class GaussianNoise(Transform):
    """Adds normal noise; see ``functional.gaussian_noise``."""

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        how = {"mean": self.mean, "sigma": self.sigma, "clip": self.clip}
        return self._call_kernel(F.gaussian_noise, inpt, **how)
