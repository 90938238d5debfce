"""What a profiler found: events, and their averages by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rushlight.base import site as sites
from rushlight.execute.timeline import Span, Timeline

from .profiler_table import lasting, table
from .profiler_trace import write_trace


class Interval(NamedTuple):
    """A stretch of time, in microseconds from the profiler's start."""

    start: float
    end: float

    def elapsed_us(self) -> float:
        """How long it is."""
        return self.end - self.start


class _Times:
    """Times as text, and PyTorch's names for devices that there are none of."""

    count: int
    cpu_time_total: float
    self_cpu_time_total: float
    node_id, use_device, device_type = -1, None, "CPU"
    is_async = is_remote = is_legacy = False
    overload_name = ""
    device_time_total = self_device_time_total = cuda_time_total = self_cuda_time_total = 0.0
    device_time = cuda_time = 0.0
    device_memory_usage = self_device_memory_usage = 0

    @property
    def cpu_time(self) -> float:
        """Microseconds of one call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    cpu_time_str = property(lambda self: lasting(self.cpu_time))
    cpu_time_total_str = property(lambda self: lasting(self.cpu_time_total))
    self_cpu_time_total_str = property(lambda self: lasting(self.self_cpu_time_total))


class FunctionEvent(_Times):
    """One thing that took time.

    Attributes:
        id: its number in the order in which events began.
        name, key: what it is called; ``name`` is the same.
        kind: ``record`` (an operation), ``cut`` (a graph), ``prepare`` (a program), ``run`` (one),
            ``kernel``, ``reference`` (an operation run by NumPy), ``user``
            (``record_function``) or ``profiler`` (its own work, which is in no table).
        time_range: its :class:`Interval`.
        thread: of the operating system.
        cpu_parent, cpu_children: the event that it lies in, and those that lie in it.
        input_shapes: with ``record_shapes``; for a kernel the extents of its loops.
        stack: with ``with_stack`` the user's functions, the innermost first.
        ops: the operations that a kernel holds.
        bytes: that it read and wrote.
        flops: arithmetic operations, about.
        source: the user's lines.
        cpu_memory_usage: bytes of memory that its results took.
    """

    count = 1

    def __init__(self, number: int, span: Span, began: int) -> None:
        about = span.about
        self.id, self.name, self.kind = number, span.name, span.kind
        self.thread = span.thread
        self.time_range = Interval((span.start - began) / 1e3, (span.end - began) / 1e3)
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.kernels: list[Any] = []  # of other devices
        self.input_shapes: Any = about.get("shapes", [])
        self.stack: list[str] = about.get("stack", [])
        ops = about.get("ops", ())
        self.ops: tuple[str, ...] = ops if isinstance(ops, tuple) else ()
        self.bytes: int = about.get("reads", 0) + about.get("writes", 0)
        self.flops: int = about.get("flops", 0)
        self.source = _source(about)
        self.self_cpu_memory_usage: int = about.get("memory", 0)
        self.is_user_annotation = span.kind == "user"

    key = property(lambda self: self.name)

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        """Microseconds from its start to its end."""
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        """Microseconds outside of the events that lie in it."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def cpu_memory_usage(self) -> int:
        """Bytes that its results and those of the events in it took."""
        return self.self_cpu_memory_usage + sum(x.cpu_memory_usage for x in self.cpu_children)

    def __repr__(self) -> str:
        return f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str}>"


def _source(about: dict[str, Any]) -> str:
    if "lines" in about:
        return str(about["lines"])
    found = about.get("sites") or ([about["site"]] if about.get("site") else [])
    return sites.ranges(found)


class FunctionEventAvg(_Times):
    """Events of one name, together."""

    def __init__(self) -> None:
        self.key = self.kind = self.source = ""
        self.count, self.flops, self.bytes = 0, 0, 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.input_shapes: Any = ""
        self.stack: list[str] = []
        self.ops: tuple[str, ...] = ()
        self.is_user_annotation = False

    def add(self, other: FunctionEvent | FunctionEventAvg) -> FunctionEventAvg:
        """Takes in an event, or all those of another average."""
        if not self.count:
            self.key, self.kind, self.ops = other.key, other.kind, other.ops
            self.source, self.stack = other.source, other.stack
            self.input_shapes = str(other.input_shapes)
            self.is_user_annotation = other.is_user_annotation
        elif other.source not in self.source:
            self.source += f", {other.source}" if self.source else other.source
        self.count += other.count
        for name in (
            "flops", "bytes", "cpu_time_total", "self_cpu_time_total", "cpu_memory_usage",
            "self_cpu_memory_usage",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str}"
            f" cpu_time={self.cpu_time_str} calls={self.count}>"
        )


class EventList(list[Any]):
    """Events, or averages of them.

    Args:
        events: what it holds.
        profile_memory: whether its table tells of memory.
    """

    def __init__(self, events: Iterable[Any] = (), *, profile_memory: bool = False) -> None:
        super().__init__(events)
        self._profile_memory = profile_memory
        self._by_shape = self._by_stack = False

    @staticmethod
    def of(timeline: Timeline, *, profile_memory: bool = False) -> EventList:
        """The events of a timeline."""
        found = {
            id(span): FunctionEvent(number, span, timeline.began)
            for number, span in enumerate(timeline.spans)
        }
        for span in timeline.spans:
            if span.parent is not None and id(span.parent) in found:
                event, parent = found[id(span)], found[id(span.parent)]
                event.cpu_parent = parent
                parent.cpu_children.append(event)
        return EventList(found.values(), profile_memory=profile_memory)

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all events together, none counted twice; without the profiler's own."""
        return sum(event.self_cpu_time_total for event in self if event.kind != "profiler")

    def key_averages(
        self,
        group_by_input_shapes: bool = False,
        group_by_stack_n: int = 0,
        group_by_overload_name: bool = False,
    ) -> EventList:
        """One :class:`FunctionEventAvg` for each name.

        Args:
            group_by_input_shapes: tells events of different shapes apart.
            group_by_stack_n: tells events apart by so many of the functions that called them.
            group_by_overload_name: operations have no overloads here.
        """
        rows: dict[tuple[Any, ...], FunctionEventAvg] = {}
        for event in self:
            key: tuple[Any, ...] = (event.key, event.is_user_annotation)
            if group_by_input_shapes:
                key += (str(event.input_shapes),)
            row = rows.setdefault((*key, *event.stack[:group_by_stack_n]), FunctionEventAvg())
            row.add(event)
        found = EventList(rows.values(), profile_memory=self._profile_memory)
        for row in found:
            row.stack = row.stack[:group_by_stack_n]
            row.input_shapes = row.input_shapes if group_by_input_shapes else ""
        found._by_shape, found._by_stack = group_by_input_shapes, group_by_stack_n > 0
        return found

    def total_average(self) -> FunctionEventAvg:
        """All events as one."""
        total = FunctionEventAvg()
        for event in self:
            if event.kind != "profiler":
                total.add(event)
        total.key, total.source = "Total", ""
        return total

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
        max_name_column_width: int = 55, max_shapes_column_width: int = 80,
        header: str | None = None, top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:  # fmt: skip
        """The events as rows of text, which fit 120 columns where names and sources do.

        Args:
            sort_by: an attribute of the events, such as ``"self_cpu_time_total"``, ``"count"`` or
                ``"flops"``; the largest comes first. In the order of first events when None.
            row_limit: how many rows there are at most; all for -1.
            max_src_column_width, max_name_column_width, max_shapes_column_width: of columns.
            header: a line above the table.
            top_level_events_only: leaves out what lies in other events.
            time_unit: ``"us"``, ``"ms"`` or ``"s"``; what fits best when None.
        Raises:
            AttributeError: events have no such attribute.
        """
        rows = [row for row in self if row.kind != "profiler"]
        if top_level_events_only:
            rows = [row for row in rows if getattr(row, "cpu_parent", None) is None]
        if sort_by is not None:
            name = sort_by.replace("cuda", "device").replace("xpu", "device")
            rows.sort(key=lambda row: getattr(row, name), reverse=True)
        return table(
            rows if row_limit < 0 else rows[:row_limit], self.self_cpu_time_total,
            memory=self._profile_memory, shapes=self._by_shape, stacks=self._by_stack,
            widths=(max_name_column_width, max_shapes_column_width, max_src_column_width),
            header=header, unit=time_unit,
        )  # fmt: skip

    def __str__(self) -> str:
        return self.table()

    def export_chrome_trace(self, path: str) -> None:
        """Writes a timeline for ``chrome://tracing`` or ui.perfetto.dev; packed if ``.gz``."""
        write_trace(self, path)

    def supported_export_stacks_metrics(self) -> list[str]:
        """What :meth:`export_stacks` can write."""
        return ["self_cpu_time_total", "self_cuda_time_total", "self_xpu_time_total"]

    def export_stacks(self, path: str, metric: str) -> None:
        """Writes call stacks with their microseconds, as flame graphs are drawn from.

        Raises:
            ValueError: there is no such metric.
        """
        known = self.supported_export_stacks_metrics()
        if metric not in known:
            raise ValueError(f"metric should be one of: {known}")
        plain = str.maketrans(" ;\t\n", "____")
        name = metric.replace("cuda", "device").replace("xpu", "device")
        with open(path, "w", encoding="utf-8") as file:
            for event in self:
                taken = int(getattr(event, name))
                if event.stack and taken > 0:
                    frames = ";".join(frame.translate(plain) for frame in reversed(event.stack))
                    file.write(f"{frames} {taken}\n")
