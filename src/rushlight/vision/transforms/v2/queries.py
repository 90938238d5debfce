"""What is in a sample: kinds of inputs, their size, their labels."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rushlight import Tensor
from rushlight.vision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video

from .functional.pictures import is_pil_image
from .functional.registry import is_pure_tensor
from .functional.sizes import get_dimensions, get_size

Check = type | Callable[[Any], bool]
IMAGES: tuple[Check, ...] = (is_pure_tensor, Image, is_pil_image, Video)


# Nested samples ----------------------------------------------------------------------------------


def leaves(sample: Any) -> list[Any]:
    """What lies in dictionaries, lists and tuples, in order."""
    return list(_leaves(sample))


def _leaves(sample: Any) -> Iterator[Any]:
    kind = type(sample)
    if kind in (dict, OrderedDict, defaultdict):
        for value in sample.values():
            yield from _leaves(value)
    elif kind in (list, tuple, deque) or _is_named(sample):
        for value in sample:
            yield from _leaves(value)
    else:
        yield sample


def rebuilt(sample: Any, values: Iterator[Any]) -> Any:
    """The same dictionaries, lists and tuples with other leaves."""
    kind = type(sample)
    if kind in (dict, OrderedDict):
        return kind((key, rebuilt(value, values)) for key, value in sample.items())
    if kind is defaultdict:
        pairs = [(key, rebuilt(value, values)) for key, value in sample.items()]
        return defaultdict(sample.default_factory, pairs)
    if kind in (list, tuple):
        return kind([rebuilt(value, values) for value in sample])
    if kind is deque:
        return deque([rebuilt(value, values) for value in sample], sample.maxlen)
    if _is_named(sample):
        return kind(*[rebuilt(value, values) for value in sample])
    return next(values)


def _is_named(sample: Any) -> bool:
    return isinstance(sample, tuple) and hasattr(sample, "_fields")


# Kinds -------------------------------------------------------------------------------------------


def check_type(obj: Any, types_or_checks: tuple[Check, ...]) -> bool:
    """Whether an object is of one of the types, or passes one of the checks."""
    return any(
        isinstance(obj, check) if isinstance(check, type) else check(obj)
        for check in types_or_checks
    )


def has_any(flat_inputs: list[Any], *types_or_checks: Check) -> bool:
    """Whether one of the inputs is of one of the kinds."""
    return any(check_type(inpt, types_or_checks) for inpt in flat_inputs)


def has_all(flat_inputs: list[Any], *types_or_checks: Check) -> bool:
    """Whether there is an input of each of the kinds."""
    return all(has_any(flat_inputs, check) for check in types_or_checks)


def get_bounding_boxes(flat_inputs: list[Any]) -> BoundingBoxes:
    """The first boxes.

    Raises:
        ValueError: there are none.
    """
    return _first(flat_inputs, BoundingBoxes, "bounding boxes")


def get_keypoints(flat_inputs: list[Any]) -> KeyPoints:
    """The first key points.

    Raises:
        ValueError: there are none.
    """
    return _first(flat_inputs, KeyPoints, "keypoints")


def _first(flat_inputs: list[Any], kind: type, name: str) -> Any:
    for inpt in flat_inputs:
        if isinstance(inpt, kind):
            return inpt
    raise ValueError(f"No {name} were found in the sample")


def query_chw(flat_inputs: list[Any]) -> tuple[int, int, int]:
    """Channels, height and width that all images and videos have.

    Raises:
        TypeError: there are none.
        ValueError: they differ.
    """
    found = {tuple(get_dimensions(inpt)) for inpt in flat_inputs if check_type(inpt, IMAGES)}
    channels, height, width = _common(found, "No image or video was found", "CxHxW")
    return channels, height, width


def query_size(flat_inputs: list[Any]) -> tuple[int, int]:
    """Height and width that all images, videos, masks and canvases have.

    Raises:
        TypeError: there are none.
        ValueError: they differ.
    """
    kinds = (*IMAGES, Mask, BoundingBoxes, KeyPoints)
    found = {tuple(get_size(inpt)) for inpt in flat_inputs if check_type(inpt, kinds)}
    height, width = _common(
        found, "No image, video, mask, bounding box of keypoint was found", "HxW"
    )
    return height, width


def _common(found: set[tuple[int, ...]], none: str, what: str) -> tuple[int, ...]:
    if not found:
        raise TypeError(f"{none} in the sample")
    if len(found) > 1:
        all_of_them = ", ".join(str(sizes) for sizes in sorted(found))
        raise ValueError(f"Found multiple {what} dimensions in the sample: {all_of_them}")
    return found.pop()


# Labels ------------------------------------------------------------------------------------------


def labels_getter_of(labels_getter: Any) -> Callable[[Any], Any]:
    """How labels are found in a sample.

    Raises:
        ValueError: neither ``"default"`` nor a function nor None.
    """
    if labels_getter == "default":
        return find_labels
    if labels_getter is None:
        return no_labels
    if callable(labels_getter):
        return labels_getter  # type: ignore[no-any-return]
    raise ValueError(
        f"labels_getter should either be 'default', a callable, or None, but got {labels_getter}."
    )


def no_labels(inputs: Any) -> None:
    """Finds none."""


def find_labels(inputs: Any) -> Any:
    """The labels of a sample: the tensor, or the entry called so, in it or in its second part.

    Raises:
        ValueError: there is nothing like that.
    """
    part = inputs[1] if isinstance(inputs, tuple | list) else inputs
    if is_pure_tensor(part):
        return part
    if not isinstance(part, Mapping):
        raise ValueError(
            "When using the default labels_getter, the input passed to forward must be a dictionary"
            " or a two-tuple whose second item is a dictionary or a tensor, but got"
            f" {inputs} instead."
        )
    names = [key for key in part if "label" in key.lower()]
    exact = [key for key in names if key.lower() == "labels"]
    if not names:
        raise ValueError(
            "Could not infer where the labels are in the sample. Try passing a callable as the"
            " labels_getter parameter?If there are no labels in the sample by design, pass"
            " labels_getter=None."
        )
    return part[(exact or names)[0]]


def label_tensors(labels: Any) -> tuple[Tensor, ...] | None:
    """Labels as they may be given: a tensor, several, or None.

    Raises:
        ValueError: anything else.
    """
    if labels is None:
        return None
    several = labels if isinstance(labels, tuple | list) else (labels,)
    for label in several:
        if not isinstance(label, Tensor):
            raise ValueError(
                "The labels in the input to forward() must be a tensor or None, got"
                f" {type(label)} instead."
            )
    return tuple(several)
