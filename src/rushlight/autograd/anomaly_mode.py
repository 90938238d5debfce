"""Finding where a gradient stops being a number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from rushlight.base import site as sites
from rushlight.base.errors import GradError
from rushlight.execute import realize, value
from rushlight.graph.node import Node
from rushlight.tensor.function_hooks import counts, inputs_of

from . import core

AT_ONCE = 64
"""Operations whose gradients are computed together, by one program."""


class Search:
    """Looks at the gradients of a walk, in its order.

    Args:
        check_nan: whether NaN is looked for; faults of rules are explained in any case.
    """

    def __init__(self, check_nan: bool) -> None:
        self.check_nan = check_nan
        self._seen: list[tuple[Node, Any, tuple[Node | None, ...]]] = []

    def rule(self, node: Node, g: Any) -> tuple[Node | None, ...]:
        """The gradients of a node's inputs, noted; a fault is told the line of the node."""
        try:
            given = core.rule(node, g)
        except Exception as error:
            self._seen.clear()
            if node.site is not None:
                error.add_note(
                    f"Error detected in {node.op.grad_name(node)}, recorded at"
                    f" {sites.line(node.site)}"
                )
            raise
        if self.check_nan:
            self._seen.append((node, g, given))
            if len(self._seen) >= AT_ONCE:
                self.finish()
        return given

    def finish(self) -> None:
        """Computes what was noted, and refuses the first that is NaN."""
        seen, self._seen = self._seen, []
        realize([x for _, _, given in seen for x in given if x is not None])
        for node, g, given in seen:
            places = [k for k, x in enumerate(inputs_of(node)) if counts(x)]
            for number, place in enumerate(places):
                if given[place] is not None and _has_nan(given[place]):
                    raise _fault(node, g, number)


def _array(x: Any) -> np.ndarray[Any, Any]:
    found: Any = value(x)
    return np.asarray(getattr(found, "values", found))


def _has_nan(x: Any) -> bool:
    return x.dtype.is_differentiable and bool(np.isnan(_array(x)).any())


def _fault(node: Node, g: Any, number: int) -> GradError:
    arrived = [x for x in (g if isinstance(g, tuple) else (g,)) if x is not None]
    had = "was nan" if any(map(_has_nan, arrived)) else "was not"
    shown = [_told(x) for x in inputs_of(node) if isinstance(x.spec.shape, tuple)]
    return GradError(
        "backward",
        f"Function '{node.op.grad_name(node)}' returned nan values in its {number}th output.",
        rule=f"The gradient that arrived {had}. It was computed from {', '.join(shown)}.",
        site=node.site,
    )


def _told(x: Node) -> str:
    """What there is to say of a value."""
    array = _array(x)
    if not array.ndim:
        return f"{array.item():.4g}" if array.dtype.kind in "fiu" else str(array.item())
    if array.dtype.kind not in "fiu" or not np.isfinite(array).any():
        return f"{array.shape}"
    finite = array[np.isfinite(array)]
    nans = int(np.isnan(array).sum())
    return f"{array.shape} from {finite.min():.4g} to {finite.max():.4g}" + (
        f" with {nans} nan" if nans else ""
    )


class set_detect_anomaly:
    """Turns the search on or off: at once, or for a block when used in ``with``.

    Args:
        mode: whether to search.
        check_nan: whether NaN is looked for; without it only faults of rules are explained.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = core.inspect
        core.inspect = Search(check_nan) if mode else None

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        core.inspect = self._before


class detect_anomaly:
    """Refuses NaN among the gradients of a block, at the line of the operation that made it.

    Only ``backward`` has to be in the block: where an operation was written is always known. All
    gradients are computed and looked at, some dozens by one program, in either tier. An exception
    in a rule of the user's own gets a note with the line that recorded the operation.

    Raises:
        RuntimeError: on leaving ``backward``, when a gradient is NaN; no ``grad`` has changed.
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
    """Whether gradients are looked at."""
    return core.inspect is not None


def is_anomaly_check_nan_enabled() -> bool:
    """Whether NaN among them is refused; True as long as nobody said otherwise."""
    return core.inspect is None or bool(core.inspect.check_nan)
