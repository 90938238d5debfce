"""Callbacks: what is done beside the training itself."""

from .callback import Callback, Checkpoint
from .early_stopping import EarlyStopping
from .model_checkpoint import ModelCheckpoint
from .model_summary import ModelSummary, RichModelSummary
from .prediction_writer import BasePredictionWriter
from .progress import ProgressBar, RichProgressBar, TQDMProgressBar
from .timer import Timer
