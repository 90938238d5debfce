"""How much memory a training step will need, told before the first one."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight import nn, optim
from rushlight.base.buffer import Buffer
from rushlight.execute import value
from rushlight.execute.rehearsal import Rehearsal, untouched
from rushlight.graph.node import known
from rushlight.graph.spec import Spec

from .seeding import isolate_rng
from .trees import over_tensors

MEMORY = Path("/proc/meminfo")
GROUPS = Path("/sys/fs/cgroup")
MOST_TRIES = 8
Step = Callable[[Any, list[Any], Any], None]
"""Takes a step of training: a model, its optimizers, and a batch."""


@dataclass(frozen=True)
class MemoryForecast:
    """The peak of a training step, in bytes.

    Not counted are the interpreter and its libraries (about 60 MB before the first step), LLVM
    while it compiles, the data set, what data loaders fetch ahead, and packed weights that programs
    keep (at most 256 MB). Counted is memory as it is asked for; the system may give some of it
    later, or never if it is not touched.

    Attributes:
        parameters: weights, and the model's buffers.
        gradients: as they are after ``backward``.
        optimizer: what the optimizers remember.
        batch: the batch.
        activations: all that is there beside these at the peak: values for the backward pass,
            memory of programs and threads.
        batch_size: the first dimension of the batch.
    """

    parameters: int
    gradients: int
    optimizer: int
    batch: int
    activations: int
    batch_size: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.parameters + self.gradients + self.optimizer + self.batch + self.activations

    def __str__(self) -> str:
        parts = (
            (self.parameters, "parameters"), (self.gradients, "gradients"),
            (self.optimizer, "optimizer"), (self.activations, "activations"),
            (self.batch, "batch"),
        )  # fmt: skip
        told = ", ".join(f"{megabytes(size)} {name}" for size, name in parts)
        return f"a training step needs {megabytes(self.total)} at its peak: {told}"


def megabytes(size: float) -> str:
    """A size in words, in powers of ten."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def memory_forecast(
    model: nn.Module, loss: Callable[..., rl.Tensor], optimizer: optim.Optimizer, *batch: Any
) -> MemoryForecast:
    """The peak memory of a training step: forward, backward, and the optimizer's step.

    Nothing is computed. Two steps are recorded with a copy of the model that has untouched memory
    for its parameters, and planned as they would be before they run. The forecast is of the
    compiled tier, which computes training.

    Args:
        model: of which a copy is recorded; a step may not depend on values, which are zeros in it.
        loss: ``loss(model, *batch)``, a tensor with one element.
        optimizer: of the model's parameters.
        batch: what ``loss`` takes beside the model.
    Raises:
        RuntimeError: a profiler is running.
    Example:
        >>> model = nn.Linear(1000, 1000)
        >>> optimizer = optim.Adam(model.parameters())
        >>> def loss(model, x):
        ...     return model(x).square().mean()
        >>> memory_forecast(model, loss, optimizer, rl.zeros(8, 1000)).optimizer >= 8_008_000
        True
    """

    def step(model: Any, optimizers: list[Any], batch: Any) -> None:
        optimizers[0].zero_grad()
        loss(model, *batch).backward()
        optimizers[0].step()

    return forecast(model, [optimizer], step, batch)


def forecast(
    model: nn.Module, optimizers: Iterable[Any], step: Step, batch: Any, same: Iterable[Any] = ()
) -> MemoryForecast:
    """As :func:`memory_forecast`, of any step.

    Args:
        same: objects that the copy of the model shares with it, such as its Trainer.
    """
    optimizers = list(optimizers)
    with isolate_rng(), _unchecked(), Rehearsal() as rehearsal:
        memo: dict[int, Any] = {id(one): one for one in same}
        for tensor in _tensors(model, optimizers):
            memo.setdefault(id(tensor), _untouched(tensor, rehearsal))
        twin, twins = copy.deepcopy(model, memo), copy.deepcopy(optimizers, memo)
        del memo
        rehearsal.peak = 0
        for _ in range(2):  # the second finds what the optimizer remembers of the first
            step(twin, twins, batch)
        held = [*twin.parameters(), *twin.buffers()]
        states = [tensor for one in twins for tensor in remembered(one)]
        gradients = [one.grad for one in twin.parameters() if one.grad is not None]
        # What optimizers begin with is memory that they made themselves.
        there = [*held, *gradients, *states]
        counted = sum(_nbytes(one) for one in there if rehearsal.counts(value(one.node)))
        return MemoryForecast(
            parameters=sum(map(_nbytes, held)),
            gradients=sum(map(_nbytes, gradients)),
            optimizer=sum(map(_nbytes, states)),
            batch=sum(map(_nbytes, tensors_of(batch))),
            activations=max(rehearsal.peak - counted, 0),
            batch_size=batch_size(batch),
        )


@contextmanager
def _unchecked() -> Iterator[None]:
    """Distributions take the zeros that a rehearsal works with, such as for a scale."""
    from rushlight.distributions import Distribution

    before = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(before)


def _tensors(model: nn.Module, optimizers: list[Any]) -> Iterator[rl.Tensor]:
    yield from model.parameters()
    yield from model.buffers()
    for one in optimizers:
        for group in one.param_groups:
            yield from group["params"]
        yield from remembered(one)


def remembered(optimizer: Any) -> list[rl.Tensor]:
    """The tensors in an optimizer's state."""
    values = [one for state in optimizer.state.values() for one in state.values()]
    return [one for one in values if isinstance(one, rl.Tensor)]


def _untouched(tensor: rl.Tensor, rehearsal: Rehearsal) -> rl.Tensor:
    """A tensor like another, in memory that nobody touches."""
    plain = rl.Tensor(rehearsal.node(_spec(tensor)))
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(plain, tensor.requires_grad)
    return plain.requires_grad_(tensor.requires_grad)


def _spec(tensor: rl.Tensor) -> Spec:
    return Spec.of(tuple(tensor.shape), tensor.dtype)


def _nbytes(tensor: rl.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


# Batches of other sizes ---------------------------------------------------------------------------


def tensors_of(batch: Any) -> list[rl.Tensor]:
    """All tensors in a batch."""
    found: list[rl.Tensor] = []
    over_tensors(batch, lambda one: found.append(one) or one)
    return found


def batch_size(batch: Any) -> int:
    """The first dimension of the first tensor that has one; 0 if there is none."""
    return next((one.shape[0] for one in tensors_of(batch) if one.dim()), 0)


def resized(batch: Any, size: int) -> Any:
    """A batch of zeros with another number of samples; what has no sample axis stays."""
    before = batch_size(batch)

    def other(tensor: rl.Tensor) -> rl.Tensor:
        if not tensor.dim() or tensor.shape[0] != before:
            return tensor
        spec = Spec.of((size, *tensor.shape[1:]), tensor.dtype)
        return rl.Tensor(known(Buffer(untouched(spec), tensor.dtype)))

    return over_tensors(batch, other)


def largest_batch(peak: Callable[[int], int], size: int, peak_of_size: int, allowed: float) -> int:
    """The largest batch below ``size``, to 2%, whose ``peak`` is allowed; 0 if there is none.

    The peak grows almost in proportion to the batch, so a line through two sizes tells where to
    look, and what it tells is tried.
    """
    low, high = 0, size  # fits, does not fit
    peaks = {size: peak_of_size}
    guess = max(size // 2, 1)
    while high - low > max(1, size // 50) and len(peaks) < MOST_TRIES and guess not in peaks:
        peaks[guess] = peak(guess)
        low, high = (guess, high) if peaks[guess] <= allowed else (low, guess)
        first, second = sorted(peaks, key=lambda each: abs(peaks[each] - allowed))[:2]
        slope = (peaks[first] - peaks[second]) / (first - second) or 1.0
        guess = int(first + (allowed - peaks[first]) / slope)
        guess = min(max(guess, low + 1), high - 1)
    return low


# What is there ------------------------------------------------------------------------------------


def available_memory() -> int | None:
    """Bytes that this process can still have: the machine's, or its group's; None if unknown."""
    found = [_of_machine(), _of_group("memory.max", "memory.current"),
             _of_group("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")]  # fmt: skip
    told = [one for one in found if one is not None]
    return min(told) if told else None


def _of_machine() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in MEMORY.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _of_group(limit: str, usage: str) -> int | None:
    with suppress(OSError, ValueError):
        most = int((GROUPS / limit).read_text())
        used = int((GROUPS / usage).read_text())
        return max(most - used, 0)
    return None
