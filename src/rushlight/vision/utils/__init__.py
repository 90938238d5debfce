"""Pictures of tensors: grids of images, and boxes, masks and points drawn on them."""

from .colors import flow_to_image
from .drawing import draw_bounding_boxes, draw_keypoints, draw_segmentation_masks
from .grid import make_grid, save_image

__all__ = [
    "draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks", "flow_to_image",
    "make_grid", "save_image",
]  # fmt: skip
