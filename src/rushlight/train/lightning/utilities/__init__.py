"""Lightning's small functions that scripts import."""

from ...combined import CombinedLoader
from . import combined_loader, exceptions, model_summary, rank_zero, seed, types
from .rank_zero import rank_zero_debug, rank_zero_info, rank_zero_only, rank_zero_warn
