"""Transforms of samples: images, videos, masks, boxes and points that belong together.

Example:
    >>> import rushlight as rl
    >>> from rushlight.vision import tv_tensors
    >>> from rushlight.vision.transforms import v2
    >>> sample = {
    ...     "image": tv_tensors.Image(rl.zeros(3, 8, 8)),
    ...     "boxes": tv_tensors.BoundingBoxes([0, 0, 4, 2], format="XYXY", canvas_size=(8, 8)),
    ...     "label": 3,
    ... }
    >>> v2.Resize(4)(sample)["boxes"].tolist()
    [[0, 0, 2, 1]]
"""

from . import functional
from .augment import JPEG, CutMix, MixUp, RandomErasing
from .auto import AugMix, AutoAugment, RandAugment, TrivialAugmentWide
from .boxes import (
    ClampBoundingBoxes,
    ClampKeyPoints,
    ConvertBoundingBoxFormat,
    SanitizeBoundingBoxes,
    SanitizeKeyPoints,
    SetClampingMode,
)  # fmt: skip
from .color import (
    RGB,
    ColorJitter,
    GaussianBlur,
    GaussianNoise,
    Grayscale,
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomChannelPermutation,
    RandomEqualize,
    RandomGrayscale,
    RandomInvert,
    RandomPhotometricDistort,
    RandomPosterize,
    RandomSolarize,
)  # fmt: skip
from .container import Compose, RandomApply, RandomChoice, RandomOrder
from .crop import (
    CenterCrop,
    FiveCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
    TenCrop,
)  # fmt: skip
from .detection import (
    RandomIoUCrop,
    RandomResize,
    RandomShortestSize,
    RandomZoomOut,
    ScaleJitter,
)  # fmt: skip
from .functional.modes import InterpolationMode
from .policies import AutoAugmentPolicy
from .queries import (
    check_type,
    get_bounding_boxes,
    get_keypoints,
    has_all,
    has_any,
    query_chw,
    query_size,
)  # fmt: skip
from .transform import Transform
from .values import (
    ConvertImageDtype,
    Identity,
    Lambda,
    LinearTransformation,
    Normalize,
    PILToTensor,
    ToDtype,
    ToImage,
    ToPILImage,
    ToPureTensor,
    ToTensor,
    UniformTemporalSubsample,
)  # fmt: skip
from .warp import ElasticTransform, RandomAffine, RandomPerspective, RandomRotation
