"""A jitted training step, and a jitted function's results."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..work import Step, Work
from .optim import Optimizer

Arrays = tuple[np.ndarray, ...]
Tree = Any
# Of parameters, what else changes from step to step (statistics, random keys), and a batch: the
# loss and what else changed.
Loss = Callable[..., tuple[jax.Array, Tree]]


def training(
    params: Tree, loss: Loss, optimizer: Optimizer, batch: Arrays, other: Arrays, extra: Tree = ()
) -> Work:
    """A step of training; see ``in_torch.steps.training``."""
    parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
    state = [params, extra, optimizer.start(params)]
    last: list[Any] = [None]

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def update(params: Tree, extra: Tree, moments: Tree, batch: Any) -> tuple[Tree, ...]:
        (value, extra), grads = jax.value_and_grad(loss, has_aux=True)(params, extra, *batch)
        params, moments = optimizer.update(params, grads, moments)
        return params, extra, moments, value

    def step_on(arrays: Arrays) -> Step:
        tensors = tuple(jnp.asarray(array) for array in arrays)

        def step() -> None:
            *state[:], last[0] = update(*state, tensors)
            jax.block_until_ready((state, last))

        return step

    return Work(step_on(batch), lambda: float(last[0]), parameters=parameters, again=step_on(other))


def inference(
    params: Tree, function: Callable[..., Any], inputs: np.ndarray, extra: Tree = ()
) -> Work:
    """A model's answer to one batch.

    Args:
        function: of parameters, a batch, and ``extra``.
    """
    jitted = jax.jit(function)
    work = results(lambda x: jitted(params, x, extra), inputs)
    parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
    return Work(work.step, work.look, parameters)


def results(function: Callable[..., Any], *arrays: np.ndarray) -> Work:
    """Results of a function, jitted or not, computed when the step returns."""
    tensors = [jnp.asarray(array) for array in arrays]
    last: list[Any] = [None]

    def step() -> None:
        last[0] = jax.block_until_ready(function(*tensors))

    return Work(step, lambda: float(sum(leaf.sum() for leaf in jax.tree.leaves(last))))
