"""Finding where a gradient stops being a number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from rushlight.base.errors import GradError
from rushlight.execute import value
from rushlight.graph.node import Node

from . import core


def _check(node: Node, gradients: tuple[Node | None, ...]) -> None:
    """Refuses gradients that are NaN, at the line that recorded the operation."""
    for place, gradient in enumerate(gradients):
        if gradient is None or not gradient.dtype.is_differentiable:
            continue
        found: Any = value(gradient)
        if np.isnan(getattr(found, "values", found)).any():
            raise GradError(
                "backward",
                f"Function '{node.op.grad_name(node)}' returned nan values in its {place}th"
                " output.",
                site=node.site,
            )


class set_detect_anomaly:
    """Turns the search on or off: at once, or for a block when used in ``with``.

    While it is on, every gradient is computed as soon as it is recorded, which is slow.

    Args:
        mode: whether to search.
        check_nan: whether NaN is what to search for; without it there is nothing to find.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = core.inspect
        core.inspect = _check if mode and check_nan else None

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        core.inspect = self._before


class detect_anomaly:
    """Refuses NaN among the gradients of a block, at the line of the operation that made it.

    Raises:
        RuntimeError: on leaving ``backward``, when a gradient is NaN.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([0.0], requires_grad=True)
        >>> with rl.autograd.detect_anomaly():
        ...     try:
        ...         (x / x).sum().backward()
        ...     except RuntimeError as error:
        ...         print(str(error).splitlines()[0])
        [backward] Function 'DivBackward0' returned nan values in its 1th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should"
            " only be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._mode = set_detect_anomaly(True, self._check_nan)

    def __exit__(self, *error: object) -> None:
        self._mode.__exit__(*error)


def is_anomaly_enabled() -> bool:
    """Whether gradients are searched for NaN."""
    return core.inspect is _check
