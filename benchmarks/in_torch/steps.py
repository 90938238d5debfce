"""The plain loops that everybody writes: a training step, and a model's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..work import Step, Work
from .framework import compiled, torch

Arrays = tuple[np.ndarray, ...]


def training(
    model: Any, optimizer: Any, loss: Callable[..., Any], batch: Arrays, other: Arrays
) -> Work:
    """A step of training.

    Args:
        loss: what is made smaller, given a batch's tensors.
        batch: what the step is timed on.
        other: a batch of another size.
    """
    loss = compiled(loss)
    last: list[Any] = [None]

    def step_on(arrays: Arrays) -> Step:
        tensors = [torch.tensor(array) for array in arrays]

        def step() -> None:
            optimizer.zero_grad()
            value = loss(*tensors)
            value.backward()
            optimizer.step()
            last[0] = value

        return step

    return Work(
        step_on(batch), lambda: last[0].item(), parameters=_count(model), again=step_on(other)
    )


def inference(model: Any, inputs: np.ndarray) -> Work:
    """A model's answer to one batch."""
    work = results(model.eval(), inputs)
    return Work(work.step, work.look, parameters=_count(model))


def results(function: Callable[..., Any], *arrays: np.ndarray) -> Work:
    """Results of a function of tensors, computed when the step returns."""
    function = compiled(function)
    tensors = [torch.tensor(array) for array in arrays]
    last: list[np.ndarray] = []

    def step() -> None:
        with torch.inference_mode():
            values = function(*tensors)
            last[:] = [value.numpy() for value in _every(values)]

    return Work(step, lambda: float(sum(array.sum() for array in last)))


def _every(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else (values,)


def _count(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
