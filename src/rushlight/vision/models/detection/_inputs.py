"""What every detector asks of its images and targets."""

from __future__ import annotations

from rushlight import Tensor

Target = dict[str, Tensor]


def check_targets(targets: list[Target] | None) -> None:
    """Refuses training without boxes of the right form."""
    if targets is None:
        raise AssertionError("targets should not be none when in training mode")
    for target in targets:
        boxes = target["boxes"]
        if not isinstance(boxes, Tensor):
            raise AssertionError(f"Expected target boxes to be of type Tensor, got {type(boxes)}.")
        if boxes.dim() != 2 or boxes.shape[-1] != 4:
            raise AssertionError(
                f"Expected target boxes to be a tensor of shape [N, 4], got {boxes.shape}."
            )


def sizes_of(images: list[Tensor]) -> list[tuple[int, int]]:
    """Height and width of each."""
    for image in images:
        if image.dim() < 2:
            raise AssertionError(
                "expecting the last two dimensions of the Tensor to be H and W instead got "
                f"{image.shape[-2:]}"
            )
    return [(image.shape[-2], image.shape[-1]) for image in images]


def check_boxes(targets: list[Target] | None) -> None:
    """Refuses boxes without an area."""
    for i, target in enumerate(targets or ()):
        boxes = target["boxes"]
        bad = (boxes[:, 2:] <= boxes[:, :2]).any(dim=1)
        if bad.any():
            raise AssertionError(
                "All bounding boxes should have positive height and width. Found invalid box "
                f"{boxes[bad][0].tolist()} for target at index {i}."
            )
