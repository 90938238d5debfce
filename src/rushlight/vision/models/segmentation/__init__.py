# ruff: noqa: F403 - a family lists its public names in __all__
"""Networks that give each pixel a class."""

from .deeplabv3 import *
from .fcn import *
from .lraspp import *
