"""The profiler that follows a program's steps."""

from __future__ import annotations

import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from rushlight.autograd import profiler as autograd_profiler
from rushlight.autograd.profiler_trace import write_trace
from rushlight.autograd.profiler_util import EventList
from rushlight.base.errors import MissingError

from .steps import ProfilerAction, Schedule, always

Ready = Callable[["profile"], Any]
_RECORDS = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class ProfilerActivity(Enum):
    """Kinds of devices."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


def supported_activities() -> set[ProfilerActivity]:
    """What can be profiled."""
    return {ProfilerActivity.CPU}


class profile:
    """Profiles a block, or the steps of it that a schedule names.

    Args:
        activities: devices; the CPU when None. Others are left out with a warning.
        schedule: the action of each step by its number, such as :func:`schedule` makes; call
            :meth:`step` at the end of each.
        on_trace_ready: called with the profiler whenever the steps of a cycle were recorded.
        record_shapes, profile_memory, with_stack, with_flops, with_modules: as for
            :class:`rushlight.autograd.profiler.profile`.
        acc_events: whether events of earlier cycles stay.
        experimental_config, use_cuda, custom_trace_id_callback, post_processing_timeout_s: of
            PyTorch's recorder.
    Raises:
        ValueError: there is no activity that can be profiled.
        NotImplementedError: an execution trace is asked for.
    Example:
        >>> import rushlight as rl
        >>> plan = rl.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
        >>> def ready(prof):
        ...     print(prof.step_num, len(prof.events()) > 0)
        >>> with rl.profiler.profile(schedule=plan, on_trace_ready=ready) as prof:
        ...     for _ in range(5):
        ...         _ = rl.ones(3).sum().item()
        ...         prof.step()
        4 True
    """

    def __init__(
        self, *, activities: Iterable[Any] | None = None, schedule: Schedule | None = None,
        on_trace_ready: Ready | None = None, record_shapes: bool = False,
        profile_memory: bool = False, with_stack: bool = False, with_flops: bool = False,
        with_modules: bool = False, experimental_config: Any = None,
        execution_trace_observer: Any = None, acc_events: bool = False,
        use_cuda: bool | None = None, custom_trace_id_callback: Callable[[], str] | None = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:  # fmt: skip
        self.activities = _chosen(activities, use_cuda)
        if execution_trace_observer is not None:
            raise MissingError("profile", "execution traces cannot be recorded here")
        self.schedule = schedule or always
        self.on_trace_ready = on_trace_ready
        self.record_shapes, self.with_stack = record_shapes, with_stack
        self.profile_memory, self.with_flops = profile_memory, with_flops
        self.with_modules, self.acc_events = with_modules, acc_events
        self.custom_trace_id_callback = custom_trace_id_callback
        self.record_steps = schedule is not None
        self.step_num = 0
        self.current_action = self.schedule(0)
        self.profiler: autograd_profiler.profile | None = None
        self._step: autograd_profiler.record_function | None = None
        self._earlier: list[Any] = []
        self._about: dict[str, Any] = {}

    # A block, and its steps ------------------------------------------------------------------

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins with the action of the first step."""
        self._turn(ProfilerAction.NONE, self.current_action)
        self._begin_step()

    def stop(self) -> None:
        """Ends; what was recorded since the last trace is one more."""
        self._end_step()
        if self.profiler is not None and self.current_action in _RECORDS:
            self.stop_trace()
            self._trace_ready()
        self.stop_trace()

    def step(self) -> None:
        """Tells that the next step begins."""
        self._end_step()
        before, self.step_num = self.current_action, self.step_num + 1
        self.current_action = self.schedule(self.step_num)
        self._turn(before, self.current_action)
        self._begin_step()

    def _turn(self, before: ProfilerAction, after: ProfilerAction) -> None:
        """Does what lies between two steps."""
        if before is ProfilerAction.RECORD_AND_SAVE:
            self.stop_trace()
            self._trace_ready()
        elif before is not ProfilerAction.NONE and after is ProfilerAction.NONE:
            warnings.warn(f"Incorrect schedule: {before.name} followed by NONE", stacklevel=3)
            self.stop_trace()
        elif before is ProfilerAction.RECORD and after is ProfilerAction.WARMUP:
            warnings.warn("Incorrect schedule: RECORD followed by WARMUP", stacklevel=3)
            self.stop_trace()
        recording = before is ProfilerAction.RECORD
        if after is ProfilerAction.WARMUP and before is not ProfilerAction.WARMUP:
            self.prepare_trace()
        elif after in _RECORDS and not recording:
            self.start_trace()

    def _begin_step(self) -> None:
        if self.record_steps and self.current_action is not ProfilerAction.NONE:
            self._step = autograd_profiler.record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None

    def _trace_ready(self) -> None:
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)

    # A trace ---------------------------------------------------------------------------------

    def prepare_trace(self) -> None:
        """Turns the profiler on, so that its first use is over when recording begins."""
        self._begin()

    def start_trace(self) -> None:
        """Records from now on; what was found before is dropped."""
        if self.acc_events and self.profiler is not None:
            self._earlier = list(self.events())
        self._begin()

    def stop_trace(self) -> None:
        """Ends recording."""
        if self.profiler is not None:
            self.profiler.stop()

    def _begin(self) -> None:
        self.stop_trace()
        self.profiler = autograd_profiler.profile(
            record_shapes=self.record_shapes, profile_memory=self.profile_memory,
            with_stack=self.with_stack, with_flops=self.with_flops,
        )  # fmt: skip
        self.profiler.start()

    def toggle_collection_dynamic(self, enable: bool, activities: Iterable[Any]) -> None:
        """Pauses or goes on within a step."""
        if self.profiler is not None and ProfilerActivity.CPU in set(activities):
            (self.profiler.resume if enable else self.profiler.pause)()

    # What was found --------------------------------------------------------------------------

    def events(self) -> EventList:
        """All events of the trace, in order.

        Raises:
            AssertionError: nothing was recorded.
        """
        if self.profiler is None:
            raise AssertionError("Profiler must be initialized before accessing events")
        found = [*self._earlier, *self.profiler.function_events]
        return EventList(found, profile_memory=self.profile_memory)

    def key_averages(
        self,
        group_by_input_shape: bool = False,
        group_by_stack_n: int = 0,
        group_by_overload_name: bool = False,
    ) -> EventList:
        """The events together by name; see :meth:`EventList.key_averages`."""
        return self.events().key_averages(
            group_by_input_shape, group_by_stack_n, group_by_overload_name
        )

    def export_chrome_trace(self, path: str, use_python_export: bool = False) -> None:
        """Writes a timeline for ``chrome://tracing`` or ui.perfetto.dev; packed if ``.gz``."""
        more: dict[str, Any] = dict(self._about)
        for name in ("record_shapes", "profile_memory", "with_stack", "with_flops"):
            if getattr(self, name):
                more[name] = 1
        if self.custom_trace_id_callback is not None:
            more["trace_id"] = self.custom_trace_id_callback()
        write_trace(self.events(), path, more)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Writes call stacks with their times, as flame graphs are drawn from."""
        self.events().export_stacks(path, metric)

    def export_memory_timeline(self, path: str, device: str | None = None) -> None:
        """PyTorch draws memory by category.

        Raises:
            NotImplementedError: always; ``profile_memory`` tells what each result took.
        """
        raise MissingError(
            "export_memory_timeline",
            "there is no timeline of memory",
            hint="Use profile_memory=True and key_averages().table().",
        )

    def add_metadata(self, key: str, value: str) -> None:
        """Says something of the trace in its file."""
        self._about[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Says something of the trace in its file, given as JSON."""
        self._about[key] = json.loads(value)

    preset_metadata_json = add_metadata_json


def _chosen(activities: Iterable[Any] | None, use_cuda: bool | None) -> set[ProfilerActivity]:
    if use_cuda is not None:
        warnings.warn(
            "`use_cuda` is deprecated, use `activities` argument instead", FutureWarning,
            stacklevel=4,
        )  # fmt: skip
    found: set[ProfilerActivity] = set()
    for one in supported_activities() if activities is None else activities:
        found.update(one if isinstance(one, dict) else [one])
    if use_cuda:
        found.add(ProfilerActivity.CUDA)
    missing = found - supported_activities()
    for one in sorted(missing, key=lambda each: each.name):
        warnings.warn(f"{one.name} is not available, disabling {one.name} profiling", stacklevel=4)
    if not found - missing:
        raise ValueError("No valid profiler activities found")
    return found - missing


class ExecutionTraceObserver:
    """PyTorch's recorder of programs that can be played again.

    Raises:
        NotImplementedError: always; ``rushlight.show`` and ``rushlight.explain`` tell of graphs.
    """

    def __init__(self) -> None:
        raise MissingError("ExecutionTraceObserver", "execution traces cannot be recorded here")


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False,
    use_python_export: bool = False,
) -> Ready:  # fmt: skip
    """For ``on_trace_ready``: writes each trace to a folder that TensorBoard opens.

    Args:
        dir_name: the folder, made if there is none.
        worker_name: how the files' names begin; ``<host>_<process>`` when None.
        use_gzip: whether the files are packed.
    Raises:
        RuntimeError: the folder cannot be made (when a trace is ready).
    """

    def write(prof: profile) -> None:
        try:
            os.makedirs(dir_name, exist_ok=True)
        except OSError as error:
            raise RuntimeError(f"Can't create directory: {dir_name}") from error
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json{'.gz' if use_gzip else ''}"
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return write
