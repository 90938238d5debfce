# ruff: noqa: F403 - a family lists its public names in __all__
"""Networks that find objects in images."""

from .faster_rcnn import *
from .fcos import *
from .keypoint_rcnn import *
from .mask_rcnn import *
from .retinanet import *
from .ssd import *
from .ssdlite import *
