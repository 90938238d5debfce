"""Images: datasets, transforms, operations, models. The place of torchvision.

Submodules load when they are first used, so ``import rushlight.vision`` costs nothing.

Example:
    >>> from rushlight import vision
    >>> vision.transforms.CenterCrop(4)
    CenterCrop(size=(4, 4))
"""

from __future__ import annotations

import importlib as _importlib
from typing import Any as _Any

# The release of torchvision whose interface this is; scripts compare it with others.
__version__ = "0.28.0+rushlight"

_SUBMODULES = frozenset({"datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils"})

_image_backend = "PIL"


def set_image_backend(backend: str) -> None:
    """Chooses how image files are read; Pillow is the only one there is.

    Raises:
        ValueError: another backend.
    """
    if backend != "PIL":
        raise ValueError(f"Invalid backend '{backend}'. Options are 'PIL'")


def get_image_backend() -> str:
    """The name of the library that reads image files."""
    return _image_backend


def disable_beta_transforms_warning() -> None:
    """Does nothing: there is no such warning. Scripts for older releases call it."""


def __getattr__(name: str) -> _Any:
    if name in _SUBMODULES:
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})
