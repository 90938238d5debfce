"""Erased rectangles, traces of JPEG, mixed batches."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.nn.functional import one_hot
from rushlight.vision import tv_tensors
from rushlight.vision.transforms import draws
from rushlight.vision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video

from . import functional as F
from .checks import check_sequence
from .crop import warn_of_passing
from .functional.augment import rectangle
from .functional.pictures import is_pil_image
from .functional.registry import is_pure_tensor
from .queries import has_any, labels_getter_of, leaves, query_chw, query_size, rebuilt
from .transform import RandomTransform, Transform


class RandomErasing(RandomTransform):
    """Writes over a rectangle, with probability ``p``.

    Args:
        scale: least and greatest share of the image's area.
        ratio: least and greatest height by width; its logarithm is drawn uniformly.
        value: what is written, or one value for each channel; ``"random"`` for normal noise.
        inplace: whether the input itself is changed.
    Raises:
        TypeError, ValueError: arguments that are none.
    Reference:
        Zhong et al. 2017, Algorithm 1, arXiv:1708.04896.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0.0,
        inplace: bool = False,
    ) -> None:
        super().__init__(p=p)
        if not isinstance(value, numbers.Number | str | tuple | list):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        for name, given in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(given, Sequence):
                raise TypeError(f"{name} should be a sequence")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=2)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        self.scale = scale
        self.ratio = ratio
        self.value = _values(value)
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Any,
        scale: Sequence[float],
        ratio: Sequence[float],
        value: Sequence[float] | None = None,
    ) -> tuple[int, int, int, int, Any]:
        """Top, left, height, width and what to write; after ten draws that do not fit, the image.

        Args:
            value: numbers for the channels; None for noise.
        """
        channels, height, width = F.get_dimensions(img)
        for _ in range(10):
            h, w = draws.rectangle((height, width), scale, draws.logarithms(ratio))
            if h < height and w < width:
                written = rl.randn(channels, h, w) if value is None else _columns(value)
                top, left = draws.whole(0, height - h + 1), draws.whole(0, width - w + 1)
                return top, left, h, w, written
        return 0, 0, height, width, img

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        channels, value = query_chw(flat_inputs)[0], self._what()
        if value is not None and len(value) not in (1, channels):
            raise ValueError(
                "If value is a sequence, it should have either a single value or"
                f" {channels} (number of inpt channels)"
            )
        image = next(inpt for inpt in flat_inputs if has_any([inpt], *_IMAGES))
        found = self.get_params(image, self.scale, self.ratio, value)
        params = dict(zip("ijhwv", found, strict=True))
        return {**params, "v": None} if params["v"] is image else params

    def _what(self) -> list[float] | None:
        """What is written, by channel; None for noise."""
        return self.value

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if params["v"] is None:
            return inpt
        return self._call_kernel(F.erase, inpt, **params, inplace=self.inplace)

    def _call_kernel(
        self, functional: Callable[..., Any], inpt: Any, *args: Any, **kwargs: Any
    ) -> Any:
        warn_of_passing(self, inpt)
        return super()._call_kernel(functional, inpt, *args, **kwargs)


_IMAGES = (is_pure_tensor, Image, Video, is_pil_image)


def _values(value: Any) -> list[float] | None:
    """What is written, by channel; None for noise."""
    if isinstance(value, str):
        return None
    return [float(v) for v in value] if isinstance(value, tuple | list) else [float(value)]


def _columns(value: Sequence[float]) -> Tensor:
    return rl.tensor(list(value))[:, None, None]


class JPEG(Transform):
    """The image after it was a JPEG file.

    Args:
        quality: least and greatest quality, from 1 to 100, or one number.
    Raises:
        TypeError, ValueError: qualities that are none.
    """

    def __init__(self, quality: int | Sequence[int]) -> None:
        super().__init__()
        if isinstance(quality, bool):
            raise TypeError("quality can't be bool")
        if isinstance(quality, int):
            quality = [quality, quality]
        check_sequence(quality, "quality")
        low, high = quality
        if not (isinstance(low, int) and isinstance(high, int) and 1 <= low <= high <= 100):
            raise ValueError(f"quality must be an integer from 1 to 100, got quality ={quality!r}")
        self.quality = quality

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"quality": draws.whole(self.quality[0], self.quality[1] + 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.jpeg, inpt, quality=params["quality"])


# Mixed batches -----------------------------------------------------------------------------------


class _Mix(Transform):
    """Mixes each sample of a batch with the one before it, and their labels. Abstract."""

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        num_classes: int | None = None,
        labels_getter: Callable[[Any], Any] | str | None = "default",
    ) -> None:
        super().__init__()
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self._labels_getter = labels_getter_of(labels_getter)

    def _share(self) -> float:
        """How much of a sample stays, from Beta(alpha, alpha)."""
        from rushlight.distributions import Beta

        alpha = rl.tensor([self.alpha])
        return float(Beta(alpha, alpha).sample().item())

    def forward(self, *inputs: Any) -> Any:
        """The batch, mixed."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        parts = leaves(sample)
        if has_any(parts, is_pil_image, BoundingBoxes, Mask, KeyPoints):
            raise ValueError(
                f"{type(self).__name__}() does not support PIL images, bounding boxes, keypoints"
                " and masks."
            )
        labels = self._checked(self._labels_getter(sample))
        wanted = self._needs_transform_list(parts)
        chosen = [part for part, want in zip(parts, wanted, strict=True) if want]
        size = {"labels": labels, "batch_size": labels.shape[0]}
        params = {**size, **self.make_params(chosen)}
        done = [
            self.transform(part, params) if want or part is labels else part
            for part, want in zip(parts, wanted, strict=True)
        ]
        return rebuilt(sample, iter(done))

    def _checked(self, labels: Any) -> Tensor:
        if not isinstance(labels, Tensor):
            raise ValueError(f"The labels must be a tensor, but got {type(labels)} instead.")
        if labels.ndim not in (1, 2):
            raise ValueError(
                "labels should be index based with shape (batch_size,) or probability based with"
                f" shape (batch_size, num_classes), but got a tensor of shape {labels.shape}"
                " instead."
            )
        if labels.ndim == 1 and self.num_classes is None:
            raise ValueError("num_classes must be passed if the labels are index-based (1D)")
        if labels.ndim == 2 and self.num_classes not in (None, labels.shape[-1]):
            raise ValueError(
                "When passing 2D labels, the number of elements in last dimension must match"
                f" num_classes: {labels.shape[-1]} != {self.num_classes}. You can Leave num_classes"
                " to None."
            )
        return labels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if inpt is params["labels"]:
            share = params.get("lam", params.get("lam_adjusted"))
            return _mixed(self._likelihoods(inpt), share)
        if not (is_pure_tensor(inpt) or isinstance(inpt, Image | Video)):
            return inpt
        dims = 5 if isinstance(inpt, Video) else 4
        if inpt.ndim != dims:
            raise ValueError(
                f"Expected a batched input with {dims} dims, but got {inpt.ndim} dimensions"
                " instead."
            )
        if inpt.shape[0] != params["batch_size"]:
            raise ValueError(
                "The batch size of the image or video does not match the batch size of the labels:"
                f" {inpt.shape[0]} != {params['batch_size']}."
            )
        output = self._mix(inpt.as_subclass(Tensor), params)
        return output if is_pure_tensor(inpt) else tv_tensors.wrap(output, like=inpt)

    def _likelihoods(self, labels: Tensor) -> Tensor:
        if labels.ndim == 1:
            labels = one_hot(labels, num_classes=self.num_classes)
        return labels if labels.dtype.is_floating_point else labels.float()

    def _mix(self, batch: Tensor, params: dict[str, Any]) -> Tensor:
        raise NotImplementedError


def _mixed(batch: Tensor, share: float) -> Tensor:
    return batch.roll(1, 0) * (1.0 - share) + batch * share


class MixUp(_Mix):
    """Averages each sample of a batch with the one before it, with weights that are drawn.

    Args:
        alpha: of the Beta distribution of the weights.
        num_classes: for labels that are numbers of classes, which become likelihoods.
        labels_getter: a function that finds the labels in the batch; ``"default"`` for the tensor
            or the entry called so.
    Raises:
        ValueError: images or labels that are no batches.
    Reference:
        Zhang et al. 2018, equation 1, arXiv:1710.09412.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"lam": self._share()}

    def _mix(self, batch: Tensor, params: dict[str, Any]) -> Tensor:
        return _mixed(batch, params["lam"])


class CutMix(_Mix):
    """Puts a rectangle of the sample before it into each sample of a batch.

    Args:
        alpha: of the Beta distribution of the share that stays.
        num_classes, labels_getter: as for :class:`MixUp`.
    Raises:
        ValueError: images or labels that are no batches.
    Reference:
        Yun et al. 2019, equations 1 and 2, arXiv:1905.04899.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        share = self._share()
        height, width = query_size(flat_inputs)
        x, y = draws.whole(0, width), draws.whole(0, height)
        half = 0.5 * math.sqrt(1.0 - share)
        across, down = int(half * width), int(half * height)
        x1, x2 = max(x - across, 0), min(x + across, width)
        y1, y2 = max(y - down, 0), min(y + down, height)
        rest = 1.0 - (x2 - x1) * (y2 - y1) / (width * height)
        return {"box": (x1, y1, x2, y2), "lam_adjusted": rest}

    def _mix(self, batch: Tensor, params: dict[str, Any]) -> Tensor:
        x1, y1, x2, y2 = params["box"]
        return rl.where(rectangle(batch, y1, x1, y2 - y1, x2 - x1), batch.roll(1, 0), batch)
