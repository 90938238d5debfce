"""Loggers: where the metrics and settings of runs are written."""

from .csv_logs import CSVLogger
from .logger import DummyLogger, Logger
from .tensorboard import TensorBoardLogger
