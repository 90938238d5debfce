"""Observing: everything between recording an operation and its value becomes a span.

Nothing is asked while nobody observes, and recording has no hook: the three functions that make
nodes are replaced for as long as somebody does.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from rushlight.base import site as sites
from rushlight.base.errors import OperationError
from rushlight.graph.graph import Graph, Step
from rushlight.graph.op import NUMBER, Op
from rushlight.ops.elementwise import Elementwise

from .cut import Cut
from .effort import flops, types_of
from .realize import Kept, Programs, observe
from .reference import ReferenceProgram
from .timeline import Span, Timeline, Times, now

if TYPE_CHECKING:
    from .timed import TimedProgram

_RECORDING: tuple[tuple[type[Op], str], ...] = (
    (Op, "record"), (Op, "node"), (Elementwise, "pair"),
)  # fmt: skip
_MOST_FRAMES = 32

current: Observer | None = None
"""Who observes."""


class Observer:
    """Fills a timeline from :meth:`start` to :meth:`stop`.

    Args:
        shapes: whether spans know the shapes of what they worked on.
        stacks: whether spans know the user's functions that they were called by.
    """

    def __init__(self, *, shapes: bool = False, stacks: bool = False) -> None:
        self.timeline = Timeline()
        self.shapes, self.stacks = shapes, stacks
        self._numbers: dict[int, tuple[int, Graph]] = {}  # the graph, so that its id stays its own
        self._originals: list[Callable[..., Any]] = []

    def start(self) -> None:
        """Begins to observe.

        Raises:
            RuntimeError: somebody else does.
        """
        global current
        if current is not None:
            raise OperationError("profiler", "Profiler is already enabled on this thread")
        current = self
        observe(self)
        for owner, name in _RECORDING:
            self._originals.append(getattr(owner, name))
            setattr(owner, name, self._noting(self._originals[-1]))

    def stop(self) -> None:
        """Ends it; does nothing when it has ended."""
        global current
        if current is not self:
            return
        for (owner, name), original in zip(_RECORDING, self._originals, strict=True):
            setattr(owner, name, original)
        self._originals.clear()
        observe(None)
        current = None

    # Recording -------------------------------------------------------------------------------

    def _noting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        timeline = self.timeline

        @functools.wraps(call)
        def noted(op: Op, *args: Any) -> Any:
            around = timeline.innermost
            if around is not None and around.kind != "user":  # part of what is noted already
                return call(op, *args)
            with timeline.span(f"record {op.name}", "record") as span:
                node = call(op, *args)
            if node.site is not None:
                span.about["site"] = node.site
            if self.shapes:
                given = [x for x in node.inputs if x.op is not NUMBER]
                span.about["shapes"] = [_shape(x.spec) for x in given]
            self._place(span)
            return node

        return noted

    def _place(self, span: Span) -> None:
        if self.stacks:
            span.about["stack"] = list(user_frames())

    # Computing -------------------------------------------------------------------------------

    def cut(self, cut: Callable[[Any], Cut], wanted: Any) -> Cut:
        """Cuts a graph."""
        with self.timeline.span("cut", "cut") as span:
            found = cut(wanted)
        span.about["ops"] = len(found.nodes)
        self._place(span)
        return found

    def find(self, programs: Programs, cut: Cut, comes_back: bool) -> Kept:
        """Finds a program, or makes it."""
        made = programs.made
        with self.timeline.span("find program", "prepare") as span:
            kept = programs.find(cut, comes_back)
        if programs.made > made:
            compiled = not isinstance(kept.program, ReferenceProgram)
            span.name = "compile" if compiled else "list references"
        self._place(span)
        return kept

    def program(self, program: Any) -> Any:
        """A program that notes what it does."""
        new = len(self._numbers) + 1, program.graph
        number, _ = self._numbers.setdefault(id(program.graph), new)
        if isinstance(program, ReferenceProgram):
            return _References(self, number, program.graph)
        with self.timeline.span("time kernels apart", "profiler"):
            timed = _timed(program)
        return _Compiled(self, number, timed)


_known: WeakKeyDictionary[Any, TimedProgram] = WeakKeyDictionary()


def _timed(program: Any) -> TimedProgram:
    """A compiled program with its calls timed; made once for each."""
    from rushlight.compiler.llvm.machine import host
    from rushlight.compiler.program import stages

    from .timed import TimedProgram

    if isinstance(program, TimedProgram):
        return program
    if program not in _known:
        _known[program] = TimedProgram(stages(program.graph, host()))
    return _known[program]


class _Compiled:
    """A run of a compiled program."""

    def __init__(self, observer: Observer, number: int, timed: TimedProgram) -> None:
        self.observer, self.number, self.timed = observer, number, timed

    def run(self, inputs: list[Any], unseen: Any = None) -> list[Any]:
        observer, timed = self.observer, self.timed
        with observer.timeline.span(f"run program {self.number}", "run") as span:
            results = timed.run(inputs, unseen)
            for account, times in zip(timed.accounts, timed.times, strict=True):
                kind = "reference" if account.why else "kernel"
                name = f"{account.name} (ref)" if account.why else account.name
                part = observer.timeline.add(name, kind, *times)
                part.about.update(
                    ops=account.ops, reads=account.reads, writes=account.writes,
                    flops=account.flops, lines=account.lines, loops=account.loops,
                )  # fmt: skip
                if observer.shapes:
                    part.about["shapes"] = account.loops
        specs, made = timed.program.specs, timed.program.made
        _finished(span, timed.graph, sum(specs[b].nbytes for b in made))
        observer._place(span)
        return results


class _References(ReferenceProgram):
    """A run of a graph's references, timed one by one."""

    def __init__(self, observer: Observer, number: int, graph: Graph) -> None:
        super().__init__(graph)
        self.observer, self.number = observer, number

    def run(self, inputs: Any, unseen: object = None) -> list[Any]:
        name = f"run program {self.number}"
        with self.observer.timeline.span(name, "run") as span:
            results = super().run(inputs, unseen)
        _finished(span, self.graph, 0)
        self.observer._place(span)
        return results

    def _call(self, k: int, step: Step, values: list[Any]) -> Any:
        start = now()
        result = super()._call(k, step, values)
        self._noted(step, (start, now()), result)
        return result

    def _noted(self, step: Step, times: Times, result: Any) -> None:
        part = self.observer.timeline.add(f"{step.op.name} (ref)", "reference", *times)
        given = types_of(self.graph, step)
        several = result if isinstance(result, tuple) else (result,)
        part.about.update(
            ops=(step.op.name,), site=step.site, flops=flops(step, given),
            reads=sum(spec.nbytes for spec in given), writes=sum(x.nbytes for x in several),
            memory=sum(x.nbytes for x in several if x.base is None),
        )  # fmt: skip
        if self.observer.shapes:
            part.about["shapes"] = [list(spec.shape) for spec in given]


def _finished(span: Span, graph: Graph, memory: int) -> None:
    span.about["ops"] = len(graph.steps)
    span.about["memory"] = memory
    span.about["sites"] = [step.site for step in graph.steps if step.site is not None]


def _shape(spec: Any) -> list[Any]:
    return [_shape(each) for each in spec] if isinstance(spec, tuple) else list(spec.shape)


def user_frames() -> Iterator[str]:
    """The user's functions that are running, the innermost first, as ``file.py(12): f``."""
    frame = sys._getframe(1)
    found = 0
    while frame is not None and found < _MOST_FRAMES:
        name = frame.f_code.co_filename
        if not sites.is_ours(name):
            found += 1
            yield f"{name}({frame.f_lineno}): {frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
