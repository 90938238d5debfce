"""Lightning's names: what ``import pytorch_lightning`` and ``import lightning`` resolve to under
``rushlight run``."""

import sys
from typing import Any

from .. import callbacks, loggers, profilers, tuner
from ..callbacks import Callback
from ..datamodule import LightningDataModule
from ..module import LightningModule
from ..notes import MisconfigurationException
from ..seeding import seed_everything
from ..trainer import Trainer
from . import utilities

__version__ = "2.6.6"


class Fabric:
    """Refused: a Fabric script is a loop of its own, which needs no wrapper here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "lightning.Fabric is not part of rushlight: a run is one process on the CPU, so a loop"
            " written with rushlight's modules and optimizers alone does the same"
        )


def __getattr__(name: str) -> Any:
    if name == "pytorch":  # lightning.pytorch is the same names
        return sys.modules[__name__]
    raise AttributeError(f"module 'lightning' has no attribute {name!r} in rushlight")
