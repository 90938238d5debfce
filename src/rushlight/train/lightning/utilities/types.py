"""Lightning's names of types, for annotations."""

from collections.abc import Mapping
from typing import Any

from rushlight import Tensor

from ...optimizers import LRSchedulerConfig

__all__ = ["LRSchedulerConfig"]

STEP_OUTPUT = Tensor | Mapping[str, Any] | None
EVALUATE_OUTPUT = list[Mapping[str, float]]
PREDICT_OUTPUT = list[Any] | list[list[Any]]
TRAIN_DATALOADERS = Any
EVAL_DATALOADERS = Any
LRSchedulerTypeUnion = Any
OptimizerLRScheduler = Any
OptimizerLRSchedulerConfig = dict[str, Any]
