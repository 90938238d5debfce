"""Timing a statement."""

from __future__ import annotations

import ast
import textwrap
import timeit
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any

import rushlight as rl
from rushlight.base.errors import MissingError

from .measurement import Measurement, TaskSpec

_WAIT = "__rushlight_computed"
_LONGEST = 2**31 - 1
_WARM = 3  # what is given may be pending the first time; then references run, then code is made


class Language(Enum):
    """What statements are written in."""

    PYTHON = 0
    CPP = 1


timer = timeit.default_timer
"""The clock, in seconds."""


@contextmanager
def set_torch_threads(n: int) -> Iterator[None]:
    """Uses ``n`` threads in a block."""
    before = rl.get_num_threads()
    rl.set_num_threads(n)
    try:
        yield
    finally:
        rl.set_num_threads(before)


class Timer:
    """Measures how long a statement takes, with what it records computed.

    Work is lazy here, so the tensors that the statement's last line makes are computed within its
    time; without that only recording would be measured.

    Args:
        stmt: the statement, or several lines.
        setup: done once before.
        timer: the clock.
        globals: names that the statement may use; ``torch`` is rushlight if it is not among them.
        label, sub_label, description, env: for tables.
        num_threads: to use.
        language: Python.
    Raises:
        ValueError: the statement is no string, or the language is unknown.
        NotImplementedError: the language is C++.
    Example:
        >>> import rushlight as rl
        >>> x = rl.ones(4, 4)
        >>> found = rl.utils.benchmark.Timer("x @ x", globals={"x": x}).timeit(10)
        >>> found.median > 0
        True
    """

    def __init__(
        self, stmt: str = "pass", setup: str = "pass", global_setup: str = "",
        timer: Callable[[], float] = timer, globals: dict[str, Any] | None = None,
        label: str | None = None, sub_label: str | None = None, description: str | None = None,
        env: str | None = None, num_threads: int = 1, language: Any = Language.PYTHON,
    ) -> None:  # fmt: skip
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        _check_language(language, global_setup)
        stmt, setup = _plain(stmt), _plain(setup)
        names = {"torch": rl, **(globals or {}), _WAIT: _computed}
        self._timer = timeit.Timer(_computing(stmt), setup, timer, names)
        self._task_spec = TaskSpec(
            stmt, setup, global_setup, label, sub_label, description, env, num_threads
        )

    def _timeit(self, number: int) -> float:
        return max(self._timer.timeit(number), 1e-9)  # nothing takes no time

    def timeit(self, number: int = 1000000) -> Measurement:
        """Does the statement ``number`` times, after some that are not measured."""
        with set_torch_threads(self._task_spec.num_threads):
            self._timeit(max(number // 100, _WARM))
            return Measurement(number, [self._timeit(number)], self._task_spec)

    def blocked_autorange(
        self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Measures blocks of statements for ``min_run_time`` seconds.

        Args:
            callback: called with the size of a block and its seconds.
        """
        number = self._block_size(min_run_time)
        times = self._measured(number, min_run_time, None, callback, lambda times: True)
        return Measurement(number, times, self._task_spec)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> Measurement:  # fmt: skip
        """Measures blocks until their interquartile range is below that share of the median."""
        number = self._block_size(0.05)

        def settled(times: list[float]) -> bool:
            found = Measurement(number, times, self._task_spec)
            return len(times) > 3 and found.meets_confidence(threshold)

        times = self._measured(number, min_run_time, max_run_time, callback, settled)
        return Measurement(number, times, self._task_spec)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Use :meth:`blocked_autorange`."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback: Any = None) -> None:
        """Use :meth:`blocked_autorange`."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def collect_callgrind(self, *args: Any, **kwargs: Any) -> None:
        """Counts of instructions, which Valgrind takes from compiled libraries.

        Raises:
            NotImplementedError: always; ``rushlight.profiler`` tells of kernels.
        """
        raise MissingError("Timer.collect_callgrind", "instructions cannot be counted here")

    def _measured(
        self, number: int, least: float, most: float | None,
        callback: Callable[[int, float], Any] | None, enough: Callable[[list[float]], bool],
    ) -> list[float]:  # fmt: skip
        times: list[float] = []
        with set_torch_threads(self._task_spec.num_threads):
            while not times or sum(times) < least or not enough(times):
                times.append(self._timeit(number))
                if callback is not None:
                    callback(number, times[-1])
                if most is not None and sum(times) > most:
                    break
        return times

    def _block_size(self, min_run_time: float) -> int:
        """How many statements make what the clock itself takes not matter; warms up as well."""
        with set_torch_threads(self._task_spec.num_threads):
            idle = sorted(self._timeit(0) for _ in range(5))[2]
            number = 1
            while True:
                taken = self._timeit(number)
                long = idle <= 1e-4 * taken and taken >= min_run_time / 1000
                if long or taken > min_run_time or number * 10 > _LONGEST:
                    return number
                number *= 10


def _check_language(language: Any, global_setup: str) -> None:
    if language in (Language.CPP, "cpp", "c++"):
        raise MissingError("Timer", "statements in C++ cannot be timed: there is no compiler")
    if language not in (Language.PYTHON, "py", "python"):
        raise ValueError(f"Invalid language `{language}`.")
    if global_setup:
        raise ValueError(f"global_setup is C++ only, got `{global_setup}`. Move it to `setup`.")


def _plain(code: str) -> str:
    return textwrap.dedent(code).removeprefix("\n").rstrip()


def _computing(code: str) -> str:
    """A statement whose last line has what it makes computed."""
    tree = ast.parse(code)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        last.value = _call(last.value)
    elif isinstance(last, ast.Assign | ast.AugAssign):
        target = last.targets[0] if isinstance(last, ast.Assign) else last.target
        named = ast.parse(ast.unparse(target), mode="eval").body  # as something to be read
        tree.body.append(ast.Expr(_call(named)))
    return ast.unparse(ast.fix_missing_locations(tree))


def _call(value: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(_WAIT, ast.Load()), [value], [])


def _computed(result: Any) -> Any:
    """The same, with the tensors in it computed."""
    rl.realize(*_tensors(result))
    return result


def _tensors(result: Any) -> Iterator[rl.Tensor]:
    if isinstance(result, rl.Tensor):
        yield result
    elif isinstance(result, Mapping):
        for each in result.values():
            yield from _tensors(each)
    elif isinstance(result, tuple | list):
        for each in result:
            yield from _tensors(each)
