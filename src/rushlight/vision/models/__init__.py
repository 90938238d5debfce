# ruff: noqa: F403 - a family lists its public names in __all__
"""Networks for images, with torchvision's names, parameters and published weights.

Example:
    >>> from rushlight.vision import models
    >>> model = models.resnet18(num_classes=3)
    >>> model.fc
    Linear(in_features=512, out_features=3, bias=True)
"""

from . import _api, _meta, _utils, detection, feature_extraction, segmentation
from ._api import (
    Weights,
    WeightsEnum,
    get_model,
    get_model_builder,
    get_model_weights,
    get_weight,
    list_models,
    register_model,
)  # fmt: skip
from .alexnet import *
from .convnext import *
from .densenet import *
from .efficientnet import *
from .googlenet import *
from .inception import *
from .maxvit import *
from .mnasnet import *
from .mobilenet import *
from .regnet import *
from .resnet import *
from .shufflenetv2 import *
from .squeezenet import *
from .swin_transformer import *
from .vgg import *
from .vision_transformer import *
