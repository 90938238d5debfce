"""Turning gradients off and on: ``no_grad``, ``enable_grad``, ``inference_mode``."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from rushlight.graph.op import recording
from rushlight.tensor.tensor import INFERRING

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """A context manager that also decorates functions and generators. Abstract."""

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return self._generator(function)

        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self._copy():
                return function(*args, **kwargs)

        return decorated

    def _generator(self, function: F) -> F:
        """A generator in the mode while it runs, and not while its caller does."""

        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            running = function(*args, **kwargs)
            step, given = running.send, None
            try:
                while True:
                    with self._copy():
                        item = step(given)
                    try:
                        step, given = running.send, (yield item)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step, given = running.throw, error
            except StopIteration as stop:
                return stop.value
            finally:
                with self._copy():
                    running.close()

        return decorated  # type: ignore[return-value]

    def _copy(self) -> Any:
        return type(self)()

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *error: object) -> None:
        raise NotImplementedError


class _GradMode(_Mode):
    """Sets whether gradients are recorded. Abstract."""

    _wanted = True

    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        return mode if function is None else mode(function)

    def __enter__(self) -> None:
        self._before = recording.grad
        # Nothing made in inference mode has gradients, whatever is asked for inside.
        recording.grad = self._wanted and not recording.inference

    def __exit__(self, *error: object) -> None:
        recording.grad = self._before


class no_grad(_GradMode):
    """Nothing recorded inside requires gradients. A context manager and a decorator.

    Example:
        >>> import rushlight as rl
        >>> x = rl.ones(2, requires_grad=True)
        >>> with rl.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    _wanted = False


class enable_grad(_GradMode):
    """Gradients are recorded inside, also within ``no_grad``."""

    _wanted = True


class set_grad_enabled(_Mode):
    """Turns gradients on or off: at once, or for a block when used in ``with``."""

    def __init__(self, mode: bool) -> None:
        self._before = recording.grad
        self._wanted = bool(mode)
        recording.grad = self._wanted

    def __call__(self, function: F) -> F:
        recording.grad = self._before
        return super().__call__(function)

    def _copy(self) -> set_grad_enabled:
        return set_grad_enabled(self._wanted)

    def __enter__(self) -> None:
        recording.grad = self._wanted

    def __exit__(self, *error: object) -> None:
        recording.grad = self._before


class inference_mode(_Mode):
    """As ``no_grad``; ``is_inference_mode_enabled()`` tells of it."""

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return super().__new__(cls)(mode)
        return super().__new__(cls)

    def __init__(self, mode: Any = True) -> None:
        self._mode = bool(mode)

    def _copy(self) -> inference_mode:
        return inference_mode(getattr(self, "_mode", True))

    def __enter__(self) -> None:
        self._before = recording.grad, recording.inference
        recording.grad = not self._mode
        recording.inference = self._mode
        INFERRING.append(threading.get_ident())

    def __exit__(self, *error: object) -> None:
        recording.grad, recording.inference = self._before
        INFERRING.remove(threading.get_ident())


def is_grad_enabled() -> bool:
    """Whether gradients are being recorded in this thread."""
    return recording.grad


def is_inference_mode_enabled() -> bool:
    """Whether ``inference_mode`` is on in this thread."""
    return recording.inference
