"""Profiling a program over its steps.

>>> import rushlight as rl
>>> with rl.profiler.profile() as prof:
...     y = (rl.ones(64, 64) @ rl.ones(64, 64)).relu().sum().item()
>>> table = prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=10)
>>> prof.export_chrome_trace("trace.json")  # doctest: +SKIP

See :mod:`rushlight.autograd.profiler` for what the rows are.
"""

from rushlight.autograd.profiler import kineto_available, record_function

from .profile import (
    ExecutionTraceObserver,
    ProfilerActivity,
    profile,
    supported_activities,
    tensorboard_trace_handler,
)
from .steps import ProfilerAction, schedule

__all__ = [
    "ExecutionTraceObserver",
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
