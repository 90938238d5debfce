"""Transform: draws parameters once for a sample, and applies them to all of its parts."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.vision.transforms import draws
from rushlight.vision.tv_tensors import Image, Video

from .checks import check_probability
from .functional.pictures import is_pil_image
from .functional.registry import find_kernel, is_pure_tensor
from .queries import check_type, has_any, leaves, rebuilt


class Transform(nn.Module):
    """The base of all transforms; a subclass gives :meth:`transform`, often :meth:`make_params`.

    A sample is a nest of dictionaries, lists and tuples. What is no image, video, mask, box or
    point passes through. Of plain tensors, only the first counts as an image, and only where there
    is no other image or video.

    Example:
        >>> import rushlight as rl
        >>> from rushlight.vision.transforms import v2
        >>> class Half(v2.Transform):
        ...     def transform(self, inpt, params):
        ...         return inpt / 2
        >>> Half()({"image": rl.ones(1, 1, 1), "label": 3})
        {'image': tensor([[[0.5000]]]), 'label': 3}
    """

    # Whether a draw decides what is computed, or in which shapes: the result is settled then.
    _varies = False
    # Types, or questions, that tell what the transform is for.
    _transformed_types: tuple[Any, ...] = (Tensor, is_pil_image)

    def __init__(self) -> None:
        super().__init__()

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuses samples that the transform cannot be applied to."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The parameters for a sample, drawn once.

        Args:
            flat_inputs: what will be transformed.
        """
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part of a sample, transformed.

        Raises:
            NotImplementedError: a subclass does not say how.
        """
        raise NotImplementedError

    def _call_kernel(
        self, functional: Callable[..., Any], inpt: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Calls a functional; inputs that it knows nothing about stay as they are."""
        known = find_kernel(functional, inpt) is not None
        return functional(inpt, *args, **kwargs) if known else inpt

    def _happens(self) -> bool:
        """Whether anything is done this time."""
        return True

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        parts = leaves(sample)
        self.check_inputs(parts)
        if not self._happens():
            self._settle(parts)
            return sample
        wanted = self._needs_transform_list(parts)
        params = self.make_params([part for part, want in zip(parts, wanted, strict=True) if want])
        pairs = zip(parts, wanted, strict=True)
        results = [self.transform(p, params) if w else p for p, w in pairs]
        self._settle(results)
        return rebuilt(sample, iter(results))

    def _settle(self, results: list[Any]) -> None:
        if self._varies:
            settled(*results)

    def _needs_transform_list(self, flat_inputs: list[Any]) -> list[bool]:
        plain_wanted = not has_any(flat_inputs, Image, Video, is_pil_image)
        wanted = []
        for inpt in flat_inputs:
            takes = check_type(inpt, self._transformed_types)
            if takes and is_pure_tensor(inpt):
                takes, plain_wanted = plain_wanted, False
            wanted.append(takes)
        return wanted

    def extra_repr(self) -> str:
        """The arguments, as far as they are plain values."""
        plain = (bool, int, float, str, tuple, list, enum.Enum)
        shown = [
            f"{name}={value}"
            for name, value in self.__dict__.items()
            if not name.startswith("_") and name != "training" and isinstance(value, plain)
        ]
        return ", ".join(shown)


def settled(*images: Any) -> Any:
    """Computes what images wait for, unless gradients may be asked for; returns the first.

    Where it is drawn which operations follow each other, their graphs would differ from image to
    image and from batch to batch, and no program would serve twice. Settled in between, each
    operation has its own.
    """
    waiting = [one for one in images if isinstance(one, Tensor) and not one.requires_grad]
    if waiting:
        rl.realize(*waiting)
    return images[0] if images else None


class RandomTransform(Transform):
    """A transform that is applied with probability ``p``."""

    _varies = True

    def __init__(self, p: float = 0.5) -> None:
        check_probability(p)
        super().__init__()
        self.p = p

    def _happens(self) -> bool:
        return draws.chance(self.p)
