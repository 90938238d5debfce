"""Callbacks: what is done beside the training itself."""

from .batch_size_finder import BatchSizeFinder
from .callback import Callback, Checkpoint
from .device_stats_monitor import DeviceStatsMonitor
from .early_stopping import EarlyStopping
from .finetuning import BackboneFinetuning, BaseFinetuning
from .gradient_accumulation_scheduler import GradientAccumulationScheduler
from .lambda_function import LambdaCallback
from .lr_finder import LearningRateFinder
from .lr_monitor import LearningRateMonitor
from .memory_check import MemoryCheck
from .model_checkpoint import ModelCheckpoint
from .model_summary import ModelSummary, RichModelSummary
from .on_exception_checkpoint import OnExceptionCheckpoint
from .prediction_writer import BasePredictionWriter
from .progress import ProgressBar, RichProgressBar, TQDMProgressBar
from .stochastic_weight_avg import StochasticWeightAveraging
from .timer import Timer
from .update_ratios import UpdateRatios
from .weight_averaging import EMAWeightAveraging, WeightAveraging
