"""Steps of further optimizers whose rule looks at one element at a time, as single operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .update import Update


class AdadeltaStep(Update):
    """Adadelta: the gradient times the ratio of the root mean squares of changes and gradients."""

    name = "adadelta_step"
    attrs = ("count", "decays", "maximize")
    scalars = ("lr", "rho", "weight", "eps", "decay")

    def rule(
        self, xp: Any, p: Any, g: Any, square: Any, changes: Any, *,
        lr: Any, rho: Any, weight: Any, eps: Any, decay: Any, decays: bool, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        g = g + decay * p if decays else g
        square = square * rho + weight * g * g
        change = xp.sqrt(changes + eps) / xp.sqrt(square + eps) * g
        changes = changes * rho + weight * change * change
        return p + -lr * change, square, changes

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (1.0, 0.9, 0.1, 1e-6, 0.5)
        plain = {"decays": False, "maximize": False}
        squares = make(3, 4, low=0), make(3, 4, low=0)
        yield *numbers, make(3, 4), make(3, 4), *squares, {"count": 1, **plain}
        full = {"decays": True, "maximize": True}
        two = make(2, low=0), make(low=0), make(2, low=0), make(low=0)
        yield *numbers, make(2), make(), make(2), make(), *two, {"count": 2, **full}
        yield *numbers, *(make(0) for _ in range(4)), {"count": 1, **full}


class AdamaxStep(Update):
    """Adamax: the mean gradient over the largest one, which is forgotten by and by."""

    name = "adamax_step"
    attrs = ("count", "decays", "maximize")
    scalars = ("step_size", "weight1", "beta2", "eps", "decay")

    def rule(
        self, xp: Any, p: Any, g: Any, average: Any, largest: Any, *,
        step_size: Any, weight1: Any, beta2: Any, eps: Any, decay: Any,
        decays: bool, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        g = g + decay * p if decays else g
        average = xp.lerp(average, g, weight1)
        largest = xp.maximum(largest * beta2, xp.abs(g) + eps)
        return p + -step_size * average / largest, average, largest

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.01, 0.1, 0.999, 1e-8, 0.5)
        plain = {"decays": False, "maximize": False}
        state = make(3, 4), make(3, 4, low=0)
        yield *numbers, make(3, 4), make(3, 4), *state, {"count": 1, **plain}
        full = {"decays": True, "maximize": True}
        two = make(2), make(), make(2, low=0), make(low=0)
        yield *numbers, make(2), make(), make(2), make(), *two, {"count": 2, **full}
        yield *numbers, *(make(0) for _ in range(4)), {"count": 1, **full}


class NAdamStep(Update):
    """NAdam: Adam with Nesterov's look ahead. ``decays`` is as for Adam.

    ``of_gradient`` and ``of_average`` are the rates of the gradient and of its mean, in which the
    momentum of this step and of the next one are.
    """

    name = "nadam_step"
    attrs = ("count", "decays", "maximize")
    scalars = (
        "of_gradient", "of_average", "correction", "weight1", "beta2", "weight2", "eps", "decay",
    )  # fmt: skip

    def rule(
        self, xp: Any, p: Any, g: Any, average: Any, square: Any, *,
        of_gradient: Any, of_average: Any, correction: Any, weight1: Any, beta2: Any,
        weight2: Any, eps: Any, decay: Any, decays: str, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        if decays == "weight":
            p = p * decay
        elif decays == "gradient":
            g = g + decay * p
        average = xp.lerp(average, g, weight1)
        square = square * beta2 + weight2 * g * g
        scale = xp.sqrt(square / correction) + eps
        p = p + -of_gradient * g / scale
        return p + -of_average * average / scale, average, square

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.01, 0.02, 0.5, 0.1, 0.999, 0.001, 1e-8, 0.5)
        for decays, maximize in (("", False), ("weight", True)):
            form = {"count": 1, "decays": decays, "maximize": maximize}
            yield *numbers, make(3, 4), make(3, 4), make(3, 4), make(3, 4, low=0), form
        squares = make(2, low=0), make(0)
        form = {"count": 2, "decays": "gradient", "maximize": True}
        yield *numbers, *(make(2), make(0)) * 3, *squares, form


class RAdamStep(Update):
    """RAdam: Adam once the variance can be told (``rectified``), momentum before that."""

    name = "radam_step"
    attrs = ("count", "decays", "rectified", "maximize")
    scalars = ("step_size", "weight1", "beta2", "weight2", "eps", "decay")

    def rule(
        self, xp: Any, p: Any, g: Any, average: Any, square: Any, *,
        step_size: Any, weight1: Any, beta2: Any, weight2: Any, eps: Any, decay: Any,
        decays: str, rectified: bool, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        if decays == "weight":
            p = p * decay
        elif decays == "gradient":
            g = g + decay * p
        average = xp.lerp(average, g, weight1)
        square = square * beta2 + weight2 * g * g
        change = step_size * average
        if rectified:
            change = change / (xp.sqrt(square) + eps)
        return p - change, average, square

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.01, 0.1, 0.999, 0.001, 1e-8, 0.5)
        for decays, rectified in (("", False), ("weight", True)):
            form = {"count": 1, "decays": decays, "rectified": rectified, "maximize": rectified}
            yield *numbers, make(3, 4), make(3, 4), make(3, 4), make(3, 4, low=0), form
        squares = make(2, low=0), make(0)
        form = {"count": 2, "decays": "gradient", "rectified": True, "maximize": False}
        yield *numbers, *(make(2), make(0)) * 3, *squares, form


class ASGDStep(Update):
    """Gradient descent, and with it the mean of the values of all steps.

    Unless ``averages``, the mean starts anew and is the value.
    """

    name = "asgd_step"
    attrs = ("count", "decays", "averages", "maximize")
    scalars = ("eta", "shrink", "mu", "decay")

    def rule(
        self, xp: Any, p: Any, g: Any, average: Any, *,
        eta: Any, shrink: Any, mu: Any, decay: Any,
        decays: bool, averages: bool, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        g = g + decay * p if decays else g
        p = p * shrink + -eta * g
        # A mean that starts anew is an array of its own, since both are written over later.
        return p, average + (p - average) * mu if averages else p * 1.0

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.01, 0.999, 0.5, 0.25)
        plain = {"decays": False, "averages": False, "maximize": False}
        yield *numbers, make(3, 4), make(3, 4), make(3, 4), {"count": 1, **plain}
        full = dict.fromkeys(plain, True)
        yield *numbers, *(make(2), make(0)) * 3, {"count": 2, **full}


class RpropStep(Update):
    """Rprop: steps whose size grows while the gradient keeps its sign and shrinks when it turns."""

    name = "rprop_step"
    attrs = ("count", "maximize")
    scalars = ("shrink", "grow", "smallest", "largest")

    def rule(
        self, xp: Any, p: Any, g: Any, before: Any, size: Any, *,
        shrink: Any, grow: Any, smallest: Any, largest: Any, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        product = g * before
        turned = product < 0
        changed = xp.where(turned, size * shrink, xp.where(product > 0, size * grow, size))
        size = xp.clip(changed, smallest, largest)
        g = xp.where(turned, 0.0, g)
        return p - xp.sign(g) * size, g, size

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.5, 1.2, 1e-3, 2.0)
        sizes = make(3, 4, low=0.1)
        yield *numbers, make(3, 4), make(3, 4), make(3, 4), sizes, {"count": 1, "maximize": False}
        state = *(make(2), make(0)) * 3, make(2, low=0.1), make(0)
        yield *numbers, *state, {"count": 2, "maximize": True}


adadelta_step = AdadeltaStep()
adamax_step = AdamaxStep()
nadam_step = NAdamStep()
radam_step = RAdamStep()
asgd_step = ASGDStep()
rprop_step = RpropStep()
