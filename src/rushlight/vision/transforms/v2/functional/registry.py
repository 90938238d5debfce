"""Which kernel serves which kind of input."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from rushlight import Tensor
from rushlight.vision import tv_tensors
from rushlight.vision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video

from .pictures import is_pil_image

Kernel = Callable[..., Any]

# What ``resize`` and the others do, by kind. ``Picture`` stands for PIL's images.
_KERNELS: dict[Kernel, dict[type, Kernel]] = {}
_OWN = (Image, Video, Mask, BoundingBoxes, KeyPoints)
_METADATA = ("format", "canvas_size", "clamping_mode")


class Picture:
    """Stands for ``PIL.Image.Image``, so that Pillow need not be imported."""


PIXELS = (Tensor, Image, Video)
"""Kinds whose last dimensions are (C, H, W)."""


def is_pure_tensor(inpt: Any) -> bool:
    """Whether ``inpt`` is a tensor of no particular meaning."""
    return isinstance(inpt, Tensor) and not isinstance(inpt, TVTensor)


def serves(functional: Kernel, *kinds: type, rewrap: bool = True) -> Callable[[Kernel], Kernel]:
    """Makes a kernel what ``functional`` does with some kinds of input.

    A kernel for a TVTensor gets those keyword arguments that it has parameters for, and ``format``,
    ``canvas_size`` and ``clamping_mode`` of its input in the same way. Its result gets the class of
    the input back; boxes and points may return another canvas size beside it.

    Args:
        rewrap: False where the result is no tensor of that kind.
    """

    def register(kernel: Kernel) -> Kernel:
        table = _KERNELS.setdefault(functional, {})
        for kind in kinds:
            table[kind] = _for_tv_tensors(kernel, rewrap) if issubclass(kind, TVTensor) else kernel
        return kernel

    return register


def _for_tv_tensors(kernel: Kernel, rewrap: bool) -> Kernel:
    names = frozenset(inspect.signature(kernel).parameters)
    metadata = [name for name in _METADATA if name in names]

    @functools.wraps(kernel)
    def serve(inpt: Any, **given: Any) -> Any:
        known = {name: getattr(inpt, name) for name in metadata}
        taken = {name: value for name, value in given.items() if name in names}
        result = kernel(inpt.as_subclass(Tensor), **known, **taken)
        return _rewrapped(result, inpt) if rewrap else result

    return serve


def _rewrapped(result: Any, like: TVTensor) -> Any:
    if not isinstance(result, tuple):
        return tv_tensors.wrap(result, like=like)
    if isinstance(like, BoundingBoxes | KeyPoints):
        return tv_tensors.wrap(result[0], like=like, canvas_size=result[1])
    return tuple(tv_tensors.wrap(part, like=like) for part in result)


def find_kernel(functional: Kernel, inpt: Any) -> Kernel | None:
    """The kernel for an input; None when there is none."""
    table = _KERNELS[functional]
    for kind in type(inpt).__mro__:
        if kind in table:
            return table[kind]
        if kind is TVTensor:  # a new kind of tensor is not treated as a plain one
            return None
    return table.get(Picture) if is_pil_image(inpt) else None


def kernel(functional: Kernel, inpt: Any) -> Kernel:
    """The kernel for an input.

    Raises:
        TypeError: there is none.
    """
    found = find_kernel(functional, inpt)
    if found is None:
        names = [kind.__name__ for kind in _KERNELS[functional]]
        raise TypeError(
            f"Functional F.{functional.__name__} supports inputs of type {names},"
            f" but got {type(inpt)} instead."
        )
    return found


def register_kernel(functional: Kernel | str, tv_tensor_cls: type) -> Callable[[Kernel], Kernel]:
    """Decorates the kernel that a functional uses for a user's own TVTensor class.

    Args:
        functional: a function of this package or its name, such as ``"resize"``.
        tv_tensor_cls: a subclass of TVTensor that is none of ours.
    Raises:
        ValueError: no such functional, no such class, or one that has its kernel.
    """
    if isinstance(functional, str):
        from rushlight.vision.transforms.v2 import functional as namespace

        found = getattr(namespace, functional, None)
        if found is None:
            raise ValueError(
                f"Could not find functional with name '{functional}' in"
                " torchvision.transforms.v2.functional."
            )
        functional = found
    if functional not in _KERNELS:
        raise ValueError(
            "Kernels can only be registered on functionals from the"
            f" torchvision.transforms.v2.functional namespace, but got {functional}."
        )
    if not (isinstance(tv_tensor_cls, type) and issubclass(tv_tensor_cls, TVTensor)):
        raise ValueError(
            "Kernels can only be registered for subclasses of torchvision.tv_tensors.TVTensor, but"
            f" got {tv_tensor_cls}."
        )
    if tv_tensor_cls in _OWN:
        raise ValueError(
            "Kernels cannot be registered for the builtin tv_tensor classes, but got"
            f" {tv_tensor_cls}"
        )
    if tv_tensor_cls in _KERNELS[functional]:
        raise ValueError(
            f"Functional {functional} already has a kernel registered for type {tv_tensor_cls}."
        )

    def register(function: Kernel) -> Kernel:
        _KERNELS[functional][tv_tensor_cls] = function
        return function

    return register


def on_planes(kernel: Kernel, mask: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """What a kernel for images (..., C, H, W) does to a mask, which may be (H, W)."""
    if mask.ndim < 3:
        result: Tensor = kernel(mask[None], *args, **kwargs)[0]
        return result
    whole: Tensor = kernel(mask, *args, **kwargs)
    return whole
