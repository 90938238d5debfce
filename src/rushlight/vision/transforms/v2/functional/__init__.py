"""Functions on PIL images, tensors and TVTensors; ``<name>_image`` and the like are their kernels.

Each function takes images (..., C, H, W), videos (..., T, C, H, W), masks (..., H, W), bounding
boxes, key points and PIL images, as far as that makes sense, and returns what it was given.
"""

from .blur import (
    gaussian_blur,
    gaussian_blur_image,
    gaussian_blur_video,
    gaussian_noise,
    gaussian_noise_image,
    gaussian_noise_video,
)  # fmt: skip
from .boxes import (
    clamp_bounding_boxes,
    clamp_keypoints,
    convert_bounding_box_format,
    sanitize_bounding_boxes,
    sanitize_keypoints,
)  # fmt: skip
from .crop import (
    center_crop,
    center_crop_bounding_boxes,
    center_crop_image,
    center_crop_keypoints,
    center_crop_mask,
    center_crop_video,
    crop,
    crop_bounding_boxes,
    crop_image,
    crop_keypoints,
    crop_mask,
    crop_video,
    five_crop,
    five_crop_image,
    five_crop_video,
    resized_crop,
    resized_crop_bounding_boxes,
    resized_crop_image,
    resized_crop_keypoints,
    resized_crop_mask,
    resized_crop_video,
    ten_crop,
    ten_crop_image,
    ten_crop_video,
)  # fmt: skip
from .flip import (
    hflip,
    horizontal_flip,
    horizontal_flip_bounding_boxes,
    horizontal_flip_image,
    horizontal_flip_keypoints,
    horizontal_flip_mask,
    horizontal_flip_video,
    vertical_flip,
    vertical_flip_bounding_boxes,
    vertical_flip_image,
    vertical_flip_keypoints,
    vertical_flip_mask,
    vertical_flip_video,
    vflip,
)  # fmt: skip
from .modes import InterpolationMode
from .pad import (
    pad,
    pad_bounding_boxes,
    pad_image,
    pad_keypoints,
    pad_mask,
    pad_video,
)  # fmt: skip
from .pictures import pil_to_tensor, to_image, to_pil_image, to_tensor
from .registry import is_pure_tensor, register_kernel
from .resize import (
    resize,
    resize_bounding_boxes,
    resize_image,
    resize_keypoints,
    resize_mask,
    resize_video,
)  # fmt: skip
from .sizes import (
    get_dimensions,
    get_dimensions_image,
    get_dimensions_video,
    get_image_num_channels,
    get_image_size,
    get_num_channels,
    get_num_channels_image,
    get_num_channels_video,
    get_num_frames,
    get_num_frames_video,
    get_size,
    get_size_bounding_boxes,
    get_size_image,
    get_size_keypoints,
    get_size_mask,
    get_size_video,
)  # fmt: skip
from .values import (
    convert_image_dtype,
    normalize,
    normalize_image,
    normalize_video,
    to_dtype,
    to_dtype_image,
    to_dtype_video,
)  # fmt: skip
