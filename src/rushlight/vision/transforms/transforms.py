"""The first generation of transforms: one PIL image or tensor in, one out.

They are those of :mod:`~rushlight.vision.transforms.v2` without the search for images in a sample.
Only what differs is said here; see there for the arguments.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from rushlight import Tensor, nn

from . import draws, v2
from . import functional as F
from .appearance import (  # noqa: F401 - this module names them all
    ColorJitter,
    ElasticTransform,
    GaussianBlur,
    Grayscale,
    RandomAdjustSharpness,
    RandomAffine,
    RandomAutocontrast,
    RandomEqualize,
    RandomErasing,
    RandomGrayscale,
    RandomInvert,
    RandomPerspective,
    RandomPosterize,
    RandomRotation,
    RandomSolarize,
)  # fmt: skip
from .single import SingleImage, described
from .v2.functional.modes import Interpolation, InterpolationMode, as_mode
from .v2.transform import settled


class _Listed:
    """What shows the transforms that it holds, a line each. Abstract."""

    transforms: Any

    def _lines(self, *before: str) -> str:
        lines = "".join(f"\n    {line}" for line in (*before, *self.transforms))
        return f"{type(self).__name__}({lines}\n)"


class Compose(_Listed):
    """One transform after the other.

    Example:
        >>> from rushlight.vision import transforms
        >>> transforms.Compose([transforms.CenterCrop(10), transforms.ToTensor()])
        Compose(
            CenterCrop(size=(10, 10))
            ToTensor()
        )
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return self._lines()


class RandomTransforms(_Listed):
    """Several transforms of which an order or one is drawn. Abstract.

    Raises:
        TypeError: no sequence.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._lines()


class RandomApply(nn.Module, _Listed):
    """All of the transforms, with probability ``p``; else none."""

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        """The image, transformed or not."""
        if draws.chance(self.p):
            for transform in self.transforms:
                img = transform(img)
        return settled(img)

    def __repr__(self) -> str:
        return self._lines(f"p={self.p}")


class RandomOrder(RandomTransforms):
    """All of the transforms in an order that Python's ``random`` draws each time."""

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for number in order:
            img = settled(self.transforms[number](img))
        return img


class RandomChoice(RandomTransforms):
    """One of the transforms, which Python's ``random`` draws.

    Args:
        p: their weights; equal ones when None.
    """

    def __init__(self, transforms: Sequence[Any], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return settled(random.choices(self.transforms, weights=self.p)[0](*args))

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


# Kinds and values --------------------------------------------------------------------------------


class ToTensor:
    """A PIL image or an array (H, W, C) as a tensor (C, H, W); bytes become 0 to 1."""

    def __call__(self, pic: Any) -> Tensor:
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return described(self)


class PILToTensor:
    """A PIL image as a tensor (C, H, W) of the same values."""

    def __call__(self, pic: Any) -> Tensor:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return described(self)


class ToPILImage:
    """A tensor (C, H, W) or an array (H, W, C) as a PIL image."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return described(self, **({} if self.mode is None else {"mode": self.mode}))


class Lambda:
    """A function as a transform.

    Raises:
        TypeError: it is none.
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return described(self)


class ConvertImageDtype(nn.Module):
    """Another dtype, scaled to its range."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        """The image in that dtype."""
        return F.convert_image_dtype(image, self.dtype)


class Normalize(SingleImage, v2.Normalize):
    """``(input - mean) / std`` by channel."""

    _shown = ("mean", "std")

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        nn.Module.__init__(self)
        self.mean, self.std, self.inplace = mean, std, inplace

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        if not isinstance(inpt, Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(inpt)}")
        return F.normalize(inpt, self.mean, self.std, self.inplace)


class LinearTransformation(SingleImage, v2.LinearTransformation):
    """``(input - mean) @ matrix`` of all pixels in a row."""

    def __repr__(self) -> str:
        matrix, mean = self.transformation_matrix.tolist(), self.mean_vector.tolist()
        return described(self, transformation_matrix=f"{matrix}", mean_vector=mean)


# Sizes -------------------------------------------------------------------------------------------


class Resize(SingleImage, v2.Resize):
    """Another size.

    Raises:
        TypeError, ValueError: sizes that are none.
    """

    _shown = ("size", "interpolation", "max_size", "antialias")

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: Interpolation = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        if not isinstance(size, int | Sequence):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        super().__init__(size, as_mode(interpolation), max_size, antialias)
        self.size = size  # type: ignore[assignment]


class CenterCrop(SingleImage, v2.CenterCrop):
    """The middle."""

    _shown = ("size",)


class Pad(SingleImage, v2.Pad):
    """Borders."""

    _shown = ("padding", "fill", "padding_mode")

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        if not isinstance(padding, int | float | tuple | list):
            raise TypeError("Got inappropriate padding arg")
        if not isinstance(fill, int | float | tuple | list):
            raise TypeError("Got inappropriate fill arg")
        super().__init__(padding, fill, padding_mode)
        self.padding = padding


class RandomCrop(SingleImage, v2.RandomCrop):
    """A part of the image, which is padded before."""

    _shown = ("size", "padding")

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__(size, padding, pad_if_needed, fill, padding_mode)
        self.size = tuple(self.size)
        self._sides = self.padding
        self.padding = padding  # type: ignore[assignment]

    def _padding(self) -> list[int]:
        return self._sides or [0, 0, 0, 0]


class RandomResizedCrop(SingleImage, v2.RandomResizedCrop):
    """A part of the image, resized."""

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Interpolation = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__(size, scale, ratio, as_mode(interpolation), antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(v, 4) for v in given) for given in (self.scale, self.ratio))
        how = {"interpolation": self.interpolation, "antialias": self.antialias}
        return described(self, size=self.size, scale=scale, ratio=ratio, **how)


class FiveCrop(SingleImage, v2.FiveCrop):
    """The four corners and the middle."""

    _shown = ("size",)


class TenCrop(SingleImage, v2.TenCrop):
    """The four corners and the middle, of the image and its mirror image."""

    _shown = ("size", "vertical_flip")


class RandomHorizontalFlip(SingleImage, v2.RandomHorizontalFlip):
    """Mirrors left and right with probability ``p``."""

    _shown = ("p",)


class RandomVerticalFlip(SingleImage, v2.RandomVerticalFlip):
    """Mirrors top and bottom with probability ``p``."""

    _shown = ("p",)
