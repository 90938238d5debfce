"""Where the time goes: recording, cutting graphs, making programs, running them, and each kernel.

Work is lazy, so a block of :class:`record_function` tells what was *recorded* in it and what was
*computed* while it ran. What it records and somebody else looks at later counts there; the kernel
still names the lines that asked for it. Kernels of a profiled program run one by one, so what a
whole program takes is a little more than without a profiler.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from rushlight.base.errors import MissingError, OperationError
from rushlight.execute import observed
from rushlight.execute.timeline import Span, Timeline

from .profiler_util import EventList, FunctionEvent, FunctionEventAvg, Interval

__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "Interval",
    "emit_itt",
    "emit_nvtx",
    "kineto_available",
    "profile",
    "record_function",
]

F = TypeVar("F", bound=Callable[..., Any])


def kineto_available() -> bool:
    """Whether timelines can be recorded, which needs no library here."""
    return True


class profile:
    """Notes what happens in a block.

    Args:
        enabled: False makes it do nothing.
        use_cuda, use_device: devices other than the CPU, which there are none of.
        record_shapes: whether events know the shapes of what they worked on.
        with_flops: arithmetic is always counted; PyTorch's name for asking for it.
        profile_memory: whether the table tells of the memory that results took.
        with_stack: whether events know the user's functions that they were called by.
        with_modules: PyTorch says nothing of eager modules here, and neither do we.
        use_kineto, use_cpu, experimental_config, acc_events: of PyTorch's recorders.
    Raises:
        NotImplementedError: another device is asked for.
    Example:
        >>> import rushlight as rl
        >>> with rl.autograd.profiler.profile() as prof:
        ...     _ = (rl.ones(8, 8) @ rl.ones(8, 8)).sum().item()
        >>> [event.count for event in prof.key_averages() if event.key == "cut"]
        [1]
    """

    def __init__(
        self, enabled: bool = True, *, use_cuda: bool = False, use_device: str | None = None,
        record_shapes: bool = False, with_flops: bool = False, profile_memory: bool = False,
        with_stack: bool = False, with_modules: bool = False, use_kineto: bool = False,
        use_cpu: bool = True, experimental_config: Any = None, acc_events: bool = False,
    ) -> None:  # fmt: skip
        if use_cuda or use_device not in (None, "cpu"):
            device = use_device or "cuda"
            raise MissingError("profile", f"there is no device {device} to profile")
        self.enabled, self.entered = enabled, False
        self.profile_memory = profile_memory
        self._shapes, self._stacks = record_shapes, with_stack
        self._observer: observed.Observer | None = None
        self._events: EventList | None = None

    def __enter__(self) -> profile:
        if self.entered:
            raise OperationError("profile", "Profiler context manager is not reentrant")
        self.entered = True
        if self.enabled:
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.enabled:
            self.stop()

    def start(self) -> None:
        """Begins to observe, from nothing."""
        self._observer = observed.Observer(shapes=self._shapes, stacks=self._stacks)
        self._observer.start()
        self._events = None

    def stop(self) -> None:
        """Ends it."""
        if self._observer is not None:
            self._observer.stop()

    def pause(self) -> None:
        """Notes nothing until :meth:`resume`."""
        self.stop()

    def resume(self) -> None:
        """Goes on after :meth:`pause`."""
        if self._observer is not None:
            self._observer.start()

    @property
    def timeline(self) -> Timeline:
        """What was noted.

        Raises:
            RuntimeError: nothing was yet.
        """
        if self._observer is None:
            raise OperationError("profile", "Profiler didn't finish running")
        return self._observer.timeline

    @property
    def function_events(self) -> EventList:
        """All events, in the order in which they began."""
        if self._events is None:
            self._events = EventList.of(self.timeline, profile_memory=self.profile_memory)
        return self._events

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all events."""
        return self.function_events.self_cpu_time_total

    def key_averages(
        self,
        group_by_input_shape: bool = False,
        group_by_stack_n: int = 0,
        group_by_overload_name: bool = False,
    ) -> EventList:
        """The events together by name; see :meth:`EventList.key_averages`."""
        return self.function_events.key_averages(
            group_by_input_shape, group_by_stack_n, group_by_overload_name
        )

    def total_average(self) -> FunctionEventAvg:
        """All events as one."""
        return self.function_events.total_average()

    def table(self, *args: Any, **kwargs: Any) -> str:
        """Every event as a row; see :meth:`EventList.table`."""
        return self.function_events.table(*args, **kwargs)

    def export_chrome_trace(self, path: str) -> None:
        """Writes a timeline file."""
        self.function_events.export_chrome_trace(path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Writes call stacks with their times, as flame graphs are drawn from."""
        self.function_events.export_stacks(path, metric)

    def __str__(self) -> str:
        return "<unfinished profile>" if self._observer is None else str(self.function_events)

    __repr__ = __str__


class record_function:
    """Gives a block, or a function that it decorates, a row in the profile.

    Example:
        >>> import rushlight as rl
        >>> with rl.profiler.profile() as prof, rl.profiler.record_function("forward"):
        ...     y = rl.ones(3) * 2
        >>> [event.name for event in prof.events()]
        ['forward', 'record full', 'record mul']
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._open: list[tuple[Timeline, Span]] = []

    def __enter__(self) -> record_function:
        observer = observed.current
        if observer is not None:
            timeline = observer.timeline
            self._open.append((timeline, timeline.begin(self.name, "user")))
        return self

    def __exit__(self, *error: object) -> None:
        if self._open:
            timeline, span = self._open.pop()
            timeline.finish(span)

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return recorded  # type: ignore[return-value]


class _Emit:
    """Ranges for another program's timeline. Abstract."""

    library = ""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self) -> Any:
        if self.enabled:
            raise MissingError(
                type(self).__name__,
                f"{self.library} functions not installed",
                hint="Use rushlight.profiler.profile, which writes timelines itself.",
            )
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was begun."""


class emit_nvtx(_Emit):
    """Ranges for NVIDIA's profilers, which see no work of the CPU's."""

    library = "NVTX"


class emit_itt(_Emit):
    """Ranges for Intel's VTune, whose library is not part of rushlight."""

    library = "ITT"
