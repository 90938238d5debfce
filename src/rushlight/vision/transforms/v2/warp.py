"""Transforms that turn, shear and deform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.transforms import draws

from . import functional as F
from .checks import as_angles, as_fills, as_pair, check_sequence, fill_of
from .functional.modes import Interpolation
from .functional.projection import perspective_coefficients
from .queries import query_size
from .transform import RandomTransform, Transform


class RandomRotation(Transform):
    """Turns by an angle that is drawn.

    Args:
        degrees: least and greatest angle, or one number for the range from its negative to it.
        expand: whether the result is as large as the turned image.
        center: x and y of the centre in pixels; None is the middle.
        fill: the value beyond the image, one for each channel, or these by class of input.
    Raises:
        TypeError, ValueError: arguments that are none.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: Interpolation = "nearest",
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = as_angles(degrees, "degrees")
        self.interpolation = interpolation
        self.expand = expand
        self.fill = fill
        self._fill = as_fills(fill)
        if center is not None:
            check_sequence(center, "center")
        self.center = center

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """An angle."""
        return draws.uniform(degrees[0], degrees[1])

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"angle": self.get_params(self.degrees)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.rotate,
            inpt,
            **params,
            interpolation=self.interpolation,
            expand=self.expand,
            center=self.center,
            fill=fill_of(self._fill, inpt),
        )


class RandomAffine(Transform):
    """Turns, moves, scales and shears by what is drawn.

    Args:
        degrees: least and greatest angle, or one number for the range from its negative to it.
        translate: greatest moves, as shares of width and height; None for none.
        scale: least and greatest factor; None for 1.
        shear: a range of degrees along x, two of them for x and y, or one number; None for none.
        fill: the value beyond the image, one for each channel, or these by class of input.
        center: x and y of the centre in pixels; None is the middle.
    Raises:
        TypeError, ValueError: arguments that are none.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: Interpolation = "nearest",
        fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.degrees = as_angles(degrees, "degrees")
        if translate is not None:
            check_sequence(translate, "translate")
            if not all(0.0 <= share <= 1.0 for share in translate):
                raise ValueError("translation values should be between 0 and 1")
        self.translate = translate
        if scale is not None:
            check_sequence(scale, "scale")
            if not all(factor > 0 for factor in scale):
                raise ValueError("scale values should be positive")
        self.scale = scale
        self.shear = None if shear is None else as_angles(shear, "shear", (2, 4))
        self.interpolation = interpolation
        self.fill = fill
        self._fill = as_fills(fill)
        if center is not None:
            check_sequence(center, "center")
        self.center = center

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Angle, move, factor and shears for an image of ``img_size``, width before height."""
        angle = draws.uniform(degrees[0], degrees[1])
        right = down = 0
        if translate is not None:
            most = translate[0] * img_size[0], translate[1] * img_size[1]
            right, down = (round(draws.uniform(-far, far)) for far in most)
        scale = 1.0 if scale_ranges is None else draws.uniform(*scale_ranges)
        along_x = along_y = 0.0
        if shears is not None:
            along_x = draws.uniform(shears[0], shears[1])
            along_y = draws.uniform(shears[2], shears[3]) if len(shears) == 4 else 0.0
        return angle, (right, down), scale, (along_x, along_y)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        ranges = self.degrees, self.translate, self.scale, self.shear
        found = self.get_params(*ranges, (width, height))
        return dict(zip(("angle", "translate", "scale", "shear"), found, strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.affine,
            inpt,
            **params,
            interpolation=self.interpolation,
            fill=fill_of(self._fill, inpt),
            center=self.center,
        )


class RandomPerspective(RandomTransform):
    """Moves each corner inwards, with probability ``p``.

    Args:
        distortion_scale: how far at most, as a share of half the width and height.
        fill: the value beyond the image, one for each channel, or these by class of input.
    Raises:
        ValueError: a scale or probability that is not from 0 to 1.
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Interpolation = "bilinear",
        fill: Any = 0,
    ) -> None:
        super().__init__(p=p)
        if not 0 <= distortion_scale <= 1:
            raise ValueError("Argument distortion_scale value should be between 0 and 1")
        self.distortion_scale = distortion_scale
        self.interpolation = interpolation
        self.fill = fill
        self._fill = as_fills(fill)

    @staticmethod
    def get_params(
        width: int, height: int, distortion_scale: float
    ) -> tuple[list[list[int]], list[list[int]]]:
        """The corners of an image, and where they go."""
        across = int(distortion_scale * (width // 2)) + 1
        down = int(distortion_scale * (height // 2)) + 1
        left, right = (0, across), (width - across, width)
        top, bottom = (0, down), (height - down, height)
        ranges = ((left, top), (right, top), (right, bottom), (left, bottom))
        ends = [[draws.whole(*x), draws.whole(*y)] for x, y in ranges]
        edge, floor = width - 1, height - 1
        return [[0, 0], [edge, 0], [edge, floor], [0, floor]], ends

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        corners = self.get_params(width, height, self.distortion_scale)
        return {"coefficients": perspective_coefficients(*corners)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.perspective,
            inpt,
            startpoints=None,
            endpoints=None,
            fill=fill_of(self._fill, inpt),
            interpolation=self.interpolation,
            **params,
        )


class ElasticTransform(Transform):
    """Moves each pixel by a smooth random field.

    Args:
        alpha: how far in x and y, in half pixels, or one number for both.
        sigma: how smooth: the standard deviation of a blur, in pixels.
        fill: the value beyond the image, one for each channel, or these by class of input.
    Reference:
        Simard et al. 2003, "Best practices for convolutional neural networks", section 2.
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 50.0,
        sigma: float | Sequence[float] = 5.0,
        interpolation: Interpolation = "bilinear",
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.alpha = as_pair(alpha, "alpha")
        self.sigma = as_pair(sigma, "sigma")
        self.interpolation = interpolation
        self.fill = fill
        self._fill = as_fills(fill)

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Tensor:
        """A displacement (1, H, W, 2) for an image of ``size``, height before width."""
        height, width = size
        fields = []
        for far, smooth, length in zip(alpha, sigma, (width, height), strict=True):
            field = rl.rand(1, 1, height, width) * 2 - 1
            if smooth > 0.0:
                extent = int(8 * smooth + 1) | 1
                field = F.gaussian_blur(field, [extent, extent], list(sigma))
            fields.append(field * far / length)
        return rl.cat(fields, 1).permute(0, 2, 3, 1)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        size = query_size(flat_inputs)
        return {"displacement": self.get_params(self.alpha, self.sigma, size)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.elastic,
            inpt,
            **params,
            fill=fill_of(self._fill, inpt),
            interpolation=self.interpolation,
        )
