"""Images, videos and masks."""

from __future__ import annotations

from typing import Any

from rushlight import Tensor

from .base import TVTensor, as_data


class Image(TVTensor):
    """A picture or a batch of pictures.

    Args:
        data: (..., C, H, W), or (H, W) for a single channel; a tensor, whose memory is shared, a
            PIL image, or whatever ``as_tensor`` takes.
    Raises:
        ValueError: fewer than two dimensions.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.vision import tv_tensors
        >>> tv_tensors.Image(rl.zeros(2, 2)).shape
        torch.Size([1, 2, 2])
    """

    def __init__(
        self,
        data: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> None:
        tensor = as_data(_from_pil(data), dtype, device, requires_grad)
        if tensor.ndim < 2:
            raise ValueError(f"Tensor must be 2D or higher, got {tensor.ndim}D tensor.")
        self._share(tensor[None] if tensor.ndim == 2 else tensor, None, None, None)


class Video(TVTensor):
    """A film or a batch of films.

    Args:
        data: (..., T, C, H, W).
    Raises:
        ValueError: fewer than four dimensions.
    """

    def __init__(
        self,
        data: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> None:
        tensor = as_data(data, dtype, device, requires_grad)
        if tensor.ndim < 4:
            raise ValueError(f"Tensor must be 4D or higher, got {tensor.ndim}D tensor.")
        self._share(tensor, None, None, None)


class Mask(TVTensor):
    """Masks of objects, or classes of pixels.

    Args:
        data: (..., H, W), or a PIL image.
    """

    def __init__(
        self,
        data: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> None:
        self._share(_from_pil(data), dtype, device, requires_grad)


def _from_pil(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data
    from rushlight.vision.transforms.v2.functional.pictures import is_pil_image, pil_to_tensor

    return pil_to_tensor(data) if is_pil_image(data) else data
