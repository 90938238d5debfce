"""Transforms of the first generation that change how an image looks: warps and colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import v2
from .single import SingleImage, described
from .v2.functional.modes import Interpolation, InterpolationMode, as_mode

# Warps -------------------------------------------------------------------------------------------


class RandomPerspective(SingleImage, v2.RandomPerspective):
    """Moves each corner inwards, with probability ``p``."""

    _shown = ("p",)

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Interpolation = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__(distortion_scale, p, as_mode(interpolation), 0 if fill is None else fill)


class RandomRotation(SingleImage, v2.RandomRotation):
    """Turns by an angle that is drawn."""

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: Interpolation = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Any = 0,
    ) -> None:
        fill = 0 if fill is None else fill
        super().__init__(degrees, as_mode(interpolation), expand, center, fill)

    def __repr__(self) -> str:
        center = {} if self.center is None else {"center": self.center}
        how = {"interpolation": self.interpolation, "expand": self.expand}
        return described(self, degrees=self.degrees, **how, **center, fill=self.fill)


class RandomAffine(SingleImage, v2.RandomAffine):
    """Turns, moves, scales and shears by what is drawn."""

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: Interpolation = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        fill, mode = 0 if fill is None else fill, as_mode(interpolation)
        super().__init__(degrees, translate, scale, shear, mode, fill, center)

    def __repr__(self) -> str:
        usual = {"interpolation": InterpolationMode.NEAREST, "fill": 0}
        names = ("degrees", "translate", "scale", "shear", "interpolation", "fill", "center")
        shown = {n: getattr(self, n) for n in names if getattr(self, n) != usual.get(n)}
        return described(self, **shown)


class ElasticTransform(SingleImage, v2.ElasticTransform):
    """Moves each pixel by a smooth random field."""

    def __init__(
        self,
        alpha: float | Sequence[float] = 50.0,
        sigma: float | Sequence[float] = 5.0,
        interpolation: Interpolation = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        values = [float(fill)] if isinstance(fill, int | float) else [float(v) for v in fill]
        super().__init__(alpha, sigma, as_mode(interpolation), values)

    def __repr__(self) -> str:
        how = {"interpolation": str(self.interpolation), "fill": self.fill}
        return described(self, alpha=self.alpha, sigma=self.sigma, **how)


# Colour ------------------------------------------------------------------------------------------


class ColorJitter(SingleImage, v2.ColorJitter):
    """Brightness, contrast, saturation and hue by factors that are drawn."""

    _shown = ("brightness", "contrast", "saturation", "hue")

    def __init__(
        self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0
    ) -> None:
        super().__init__(brightness, contrast, saturation, hue)


class Grayscale(SingleImage, v2.Grayscale):
    """Coloured images to grey ones of one or three channels."""

    _shown = ("num_output_channels",)


class RandomGrayscale(SingleImage, v2.RandomGrayscale):
    """Grey, of as many channels as before, with probability ``p``."""

    _shown = ("p",)


class GaussianBlur(SingleImage, v2.GaussianBlur):
    """Blurs with a Gaussian whose deviation is drawn."""

    _shown = ("kernel_size", "sigma")

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__(kernel_size, sigma)
        self.sigma = (sigma, sigma) if isinstance(sigma, int | float) else sigma


class RandomErasing(SingleImage, v2.RandomErasing):
    """Writes over a rectangle of a tensor, with probability ``p``."""

    _shown = ("p", "scale", "ratio", "value", "inplace")

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__(p, scale, ratio, value, inplace)
        self._written = self.value
        self.value = value

    def _what(self) -> list[float] | None:
        return self._written


class _Sometimes(SingleImage):
    """A change that happens with probability ``p``. Abstract."""

    def __repr__(self) -> str:
        pairs = [f"{name}={getattr(self, name)}" for name in self._shown]
        return f"{type(self).__name__}({','.join(pairs)})"


class RandomInvert(_Sometimes, v2.RandomInvert):
    """Black for white, with probability ``p``."""

    _shown = ("p",)


class RandomPosterize(_Sometimes, v2.RandomPosterize):
    """Only the highest ``bits`` of each value, with probability ``p``."""

    _shown = ("bits", "p")


class RandomSolarize(_Sometimes, v2.RandomSolarize):
    """Inverts all values from ``threshold`` on, with probability ``p``."""

    _shown = ("threshold", "p")


class RandomAdjustSharpness(_Sometimes, v2.RandomAdjustSharpness):
    """Sharper or softer by a factor, with probability ``p``."""

    _shown = ("sharpness_factor", "p")


class RandomAutocontrast(_Sometimes, v2.RandomAutocontrast):
    """Values from black to white, with probability ``p``."""

    _shown = ("p",)


class RandomEqualize(_Sometimes, v2.RandomEqualize):
    """Equalised histograms, with probability ``p``."""

    _shown = ("p",)
