"""Transforms of kinds, dtypes and values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.vision import tv_tensors
from rushlight.vision.tv_tensors import Image, TVTensor, Video

from . import functional as F
from .functional.pictures import is_pil_image
from .functional.registry import is_pure_tensor
from .queries import has_any
from .transform import Transform


class Identity(Transform):
    """Changes nothing."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt


class Lambda(Transform):
    """Applies a function.

    Args:
        lambd: the function of one argument.
        types: what it is applied to; everything when none is given.
    """

    _transformed_types = (object,)

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd = lambd
        self.types = types or self._transformed_types

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.lambd(inpt) if isinstance(inpt, self.types) else inpt

    def extra_repr(self) -> str:
        name = getattr(self.lambd, "__name__", None)
        types = f"types={[kind.__name__ for kind in self.types]}"
        return f"{name}, {types}" if name else types


class PILToTensor(Transform):
    """PIL images to tensors (C, H, W) of the same values."""

    _transformed_types = (is_pil_image,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        return F.pil_to_tensor(inpt)


class ToImage(Transform):
    """Tensors, arrays (H, W, C) and PIL images to ``tv_tensors.Image``; values stay."""

    _transformed_types = (is_pure_tensor, is_pil_image, np.ndarray)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Image:
        return F.to_image(inpt)


class ToPILImage(Transform):
    """Tensors (C, H, W) and arrays (H, W, C) to PIL images; see ``functional.to_pil_image``."""

    _transformed_types = (is_pure_tensor, Image, np.ndarray)

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_pil_image(inpt, mode=self.mode)


class ToPureTensor(Transform):
    """Images, videos, masks, boxes and points to plain tensors."""

    _transformed_types = (TVTensor,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        result: Tensor = inpt.as_subclass(Tensor)
        return result


class ToTensor(Transform):
    """PIL images and arrays to tensors from 0 to 1; ``ToImage`` and ``ToDtype`` succeed it."""

    _transformed_types = (is_pil_image, np.ndarray)

    def __init__(self) -> None:
        warnings.warn(
            "The transform `ToTensor()` is deprecated and will be removed in a future release."
            " Instead, please use `v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32,"
            " scale=True)])`.Output is equivalent up to float precision.",
            stacklevel=2,
        )
        super().__init__()

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:
        return F.pictures.to_tensor(inpt)


class ConvertImageDtype(Transform):
    """Another dtype, scaled to its range; see ``functional.convert_image_dtype``."""

    def __init__(self, dtype: Any = rl.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.to_dtype, inpt, dtype=self.dtype, scale=True)


class ToDtype(Transform):
    """Another dtype.

    Args:
        dtype: for images and videos; or by class of input, None where it stays, with ``"others"``
            for classes that are not named.
        scale: whether images and videos are scaled to the range of the dtype.
    Raises:
        ValueError: neither dtype nor dictionary; later, an input that the dictionary leaves out.
    """

    _transformed_types = (Tensor,)

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, dict | rl.dtype):
            raise ValueError(f"dtype must be a dict or a torch.dtype, got {type(dtype)} instead")
        if isinstance(dtype, dict) and Tensor in dtype and (Image in dtype or Video in dtype):
            warnings.warn(
                "Got `dtype` values for `torch.Tensor` and either `tv_tensors.Image` or"
                " `tv_tensors.Video`. Note that a plain `torch.Tensor` will *not* be transformed by"
                " this (or any other transformation) in case a `tv_tensors.Image` or"
                " `tv_tensors.Video` is present in the input.",
                stacklevel=2,
            )
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        dtype, pixels = self._wanted(inpt), is_pure_tensor(inpt) or isinstance(inpt, Image | Video)
        if dtype is not None:
            return self._call_kernel(F.to_dtype, inpt, dtype=dtype, scale=self.scale)
        if self.scale and pixels and isinstance(self.dtype, dict):
            warnings.warn(
                "scale was set to True but no dtype was specified for images or videos: no scaling"
                " will be done.",
                stacklevel=2,
            )
        return inpt

    def _wanted(self, inpt: Any) -> Any:
        if not isinstance(self.dtype, dict):
            pixels = is_pure_tensor(inpt) or isinstance(inpt, Image | Video)
            return self.dtype if pixels else None
        for key in (type(inpt), "others"):
            if key in self.dtype:
                return self.dtype[key]
        raise ValueError(
            f"No dtype was specified for type {type(inpt)}. If you only need to convert the dtype"
            " of images or videos, you can just pass e.g. dtype=torch.float32. If you're passing a"
            ' dict as dtype, you can use "others" as a catch-all key e.g.'
            ' dtype={tv_tensors.Mask: torch.int64, "others": None} to pass-through the rest of the'
            " inputs."
        )


class _OfTensors(Transform):
    """A transform that has no meaning for PIL images. Abstract."""

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if has_any(flat_inputs, is_pil_image):
            raise TypeError(f"{type(self).__name__}() does not support PIL images.")


class Normalize(_OfTensors):
    """``(input - mean) / std`` by channel; see ``functional.normalize``.

    Args:
        mean, std: one number for each channel.
        inplace: whether the input itself is changed.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.inplace = inplace

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.normalize, inpt, mean=self.mean, std=self.std, inplace=self.inplace
        )


class LinearTransformation(_OfTensors):
    """``(input - mean) @ matrix`` of all pixels in a row, such as whitening.

    Args:
        transformation_matrix: (D, D), where D = C * H * W.
        mean_vector: (D,), of the same dtype.
    Raises:
        ValueError: shapes or dtypes do not fit; later, inputs of another size.
    """

    _transformed_types = (is_pure_tensor, Image, Video)

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        rows, columns = tuple(transformation_matrix.shape)
        if rows != columns:
            raise ValueError(
                f"transformation_matrix should be square. Got {(rows, columns)} rectangular matrix."
            )
        if mean_vector.shape[0] != rows:
            raise ValueError(
                f"mean_vector should have the same length {mean_vector.shape[0]} as any one of the"
                f" dimensions of the transformation_matrix [{(rows, columns)}]"
            )
        if transformation_matrix.dtype != mean_vector.dtype:
            raise ValueError(
                "Input tensors should have the same dtype. Got"
                f" {transformation_matrix.dtype} and {mean_vector.dtype}"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        channels, height, width = inpt.shape[-3:]
        length = self.transformation_matrix.shape[0]
        if channels * height * width != length:
            raise ValueError(
                "Input tensor and transformation matrix have incompatible shape."
                f"[{channels} x {height} x {width}] != {length}"
            )
        flat = inpt.reshape(-1, length) - self.mean_vector
        result = (flat @ self.transformation_matrix.to(flat.dtype)).reshape(inpt.shape)
        return result if is_pure_tensor(inpt) else tv_tensors.wrap(result, like=inpt)


class UniformTemporalSubsample(Transform):
    """Frames at equal distances in time.

    Args:
        num_samples: how many.
    """

    _transformed_types = (Tensor,)

    def __init__(self, num_samples: int) -> None:
        super().__init__()
        self.num_samples = num_samples

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.uniform_temporal_subsample, inpt, num_samples=self.num_samples)
