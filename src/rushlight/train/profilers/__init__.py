"""Profilers: how long the parts of a run take."""

from .advanced import AdvancedProfiler
from .profiler import PassThroughProfiler, Profiler, chosen_profiler
from .simple import SimpleProfiler
