"""The first generation of transforms: one PIL image or tensor in, one out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from rushlight import Tensor

from . import functional as F
from . import v2
from .v2.transform import Transform


class _Image(Transform):
    """A transform of one image, which a sample is not taken apart for. Abstract."""

    # Arguments in ``repr``.
    _shown: tuple[str, ...] = ()

    def forward(self, img: Any) -> Any:
        """The image, transformed."""
        if not self._happens():
            return img
        return self.transform(img, self.make_params([img]))

    def _call_kernel(self, functional: Any, inpt: Any, *args: Any, **kwargs: Any) -> Any:
        return functional(inpt, *args, **kwargs)  # which refuses what it does not know

    def __repr__(self) -> str:
        pairs = [f"{name}={_text(getattr(self, name))}" for name in self._shown]
        return f"{type(self).__name__}({', '.join(pairs)})"


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


class Compose:
    """One transform after the other.

    Example:
        >>> from rushlight.vision import transforms
        >>> transforms.Compose([transforms.CenterCrop(10), transforms.ToTensor()])
        Compose(
            CenterCrop(size=(10, 10))
            ToTensor()
        )
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(self, self.transforms)


def _listed(owner: Any, parts: Any) -> str:
    lines = "".join(f"\n    {part}" for part in parts)
    return f"{type(owner).__name__}({lines}\n)"


class _Function:
    """A transform without arguments that is a function. Abstract."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToTensor(_Function):
    """A PIL image or an array (H, W, C) as a tensor; bytes become numbers from 0 to 1."""

    def __call__(self, pic: Any) -> Tensor:
        return F.to_tensor(pic)


class Resize(_Image, v2.Resize):
    _shown = ("size", "interpolation", "max_size", "antialias")


class CenterCrop(_Image, v2.CenterCrop):
    _shown = ("size",)


class Normalize(_Image, v2.Normalize):
    _shown = ("mean", "std")
