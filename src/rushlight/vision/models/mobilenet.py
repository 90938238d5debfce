"""Both generations of MobileNet under their older module name."""

from rushlight import nn

from .mobilenetv2 import *  # noqa: F403
from .mobilenetv2 import __all__ as _second
from .mobilenetv3 import *  # noqa: F403
from .mobilenetv3 import __all__ as _third

__all__ = _second + _third


def stages_of(layers: nn.Sequential) -> list[int]:
    """Where a network changes size: the first layer, the blocks that do, and the last layer."""
    inside = [i for i, layer in enumerate(layers) if getattr(layer, "_is_cn", False)]
    return [0, *inside, len(layers) - 1]
