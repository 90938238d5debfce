"""Blur and noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.nn.functional import pad as pad_tensor

from .pictures import through_tensor
from .registry import PIXELS, Picture, kernel, serves


def gaussian_blur(
    inpt: Any, kernel_size: Sequence[int] | int, sigma: Sequence[float] | float | None = None
) -> Any:
    """Blurs with a Gaussian; beyond the edge, the image is reflected.

    Args:
        kernel_size: odd widths in x and y, or one for both.
        sigma: standard deviations in x and y, in pixels, or one for both; when None they follow
            from the widths, ``0.15 * width + 0.35``.
    Raises:
        ValueError: even widths, or deviations that are not positive.
        TypeError: deviations that are no numbers.
    Example:
        >>> import rushlight as rl
        >>> gaussian_blur(rl.zeros(1, 3, 3), 3).sum()
        tensor(0.)
    """
    return kernel(gaussian_blur, inpt)(inpt, kernel_size=kernel_size, sigma=sigma)


@serves(gaussian_blur, *PIXELS)
def gaussian_blur_image(
    image: Tensor,
    kernel_size: Sequence[int] | int,
    sigma: Sequence[float] | float | None = None,
) -> Tensor:
    """:func:`gaussian_blur` for tensors (..., C, H, W)."""
    widths = _widths(kernel_size)
    deviations = _deviations(widths, sigma)
    if not image.numel():
        return image
    floats = image if image.is_floating_point() else image.float()
    x, y = (width // 2 for width in widths)
    flat = pad_tensor(floats.reshape(-1, *image.shape[-3:]), [x, x, y, y], mode="reflect")
    # The Gaussian is one along x times one along y.
    for dim, width, deviation in zip((-1, -2), widths, deviations, strict=True):
        windows = flat.unfold(dim, width, 1)
        flat = (windows * _gaussian(width, deviation, floats.dtype)).sum(-1)
    blurred = flat.reshape(image.shape)
    return blurred if image.is_floating_point() else blurred.round().to(image.dtype)


def _widths(kernel_size: Sequence[int] | int) -> list[int]:
    widths = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(widths) != 2:
        raise ValueError(f"If kernel_size is a sequence its length should be 2. Got {len(widths)}")
    if any(width % 2 == 0 or width < 0 for width in widths):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {widths}")
    return widths


def _deviations(widths: list[int], sigma: Any) -> list[float]:
    if sigma is None:
        return [width * 0.15 + 0.35 for width in widths]
    if isinstance(sigma, int | float):
        sigma = [float(sigma)]
    if not isinstance(sigma, list | tuple):
        raise TypeError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    if len(sigma) not in (1, 2):
        raise ValueError(f"If sigma is a sequence, its length should be 2. Got {len(sigma)}")
    if any(deviation <= 0 for deviation in sigma):
        raise ValueError(f"sigma should have positive values. Got {sigma}")
    return [sigma[0], sigma[-1]]


def _gaussian(width: int, deviation: float, dtype: Any) -> Tensor:
    """Weights at whole pixels; their sum is 1."""
    edge = (width - 1) / (2.0 * math.sqrt(2.0))
    x = rl.linspace(-edge, edge, width, dtype=dtype)
    return rl.softmax(-x.div(deviation).pow(2), dim=0)


@serves(gaussian_blur, Picture)
def _gaussian_blur_pil(image: Any, kernel_size: Any, sigma: Any = None) -> Any:
    return through_tensor(gaussian_blur_image, image, kernel_size, sigma)


def gaussian_noise(inpt: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    """Adds normal noise.

    Args:
        inpt: floating from 0 to 1, or bytes; no PIL image.
        mean, sigma: of the noise, where white is 1.
        clip: whether values stay between black and white; bytes wrap around where they do not.
    Raises:
        ValueError: a negative deviation, or another dtype or kind of image.
    """
    return kernel(gaussian_noise, inpt)(inpt, mean=mean, sigma=sigma, clip=clip)


@serves(gaussian_noise, *PIXELS)
def gaussian_noise_image(
    image: Tensor, mean: float = 0.0, sigma: float = 0.1, clip: bool = True
) -> Tensor:
    """:func:`gaussian_noise` for tensors."""
    if sigma < 0:
        raise ValueError(f"sigma shouldn't be negative. Got {sigma}")
    if image.is_floating_point():
        noisy = image + (mean + rl.randn_like(image) * sigma)
        return noisy.clamp(0, 1) if clip else noisy
    if image.dtype is not rl.uint8:
        raise ValueError(
            f"Input tensor is expected to be in uint8 or float dtype, got dtype={image.dtype}"
        )
    noise = mean * 255 + rl.randn(image.shape) * (sigma * 255)
    levels = image + noise.to(rl.int16)
    return (levels.clamp(0, 255) if clip else levels).to(rl.uint8)


@serves(gaussian_noise, Picture)
def _gaussian_noise_pil(image: Any, **_: Any) -> Any:
    raise ValueError("Gaussian Noise is not implemented for PIL images.")


gaussian_blur_video = gaussian_blur_image
gaussian_noise_video = gaussian_noise_image
