"""Checkpointing: parts of a network are computed again for their gradients instead of being kept.

Memory for training grows with everything that gradients read. A part that is checkpointed keeps
what it was given; when its gradients are due, it is computed once more.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from rushlight import nn, ops
from rushlight.autograd.region import rematerialised, there
from rushlight.graph.op import recording
from rushlight.tensor.history import without_history
from rushlight.tensor.tensor import Tensor

__all__ = [
    "CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn",
    "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
]  # fmt: skip

CHECKS = ("default", "none")


class CheckpointError(RuntimeError):
    """What is computed again is not what was computed; here that cannot happen."""


def noop_context_fn() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Two contexts that do nothing."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default", debug: bool = False, early_stop: bool = True,
    **kwargs: Any,
) -> Any:  # fmt: skip
    """Calls a function, whose intermediate results are computed again for gradients.

    The function itself is called once. What it recorded is computed once more when its gradients
    are, with the same random numbers, and behind the gradient that arrives, so that no more than
    one checkpointed part is there at a time. Results and gradients are those of a plain call, to
    the bit unless a parameter is used by several parts or kernels are cut otherwise.
    What the function changes, such as the running statistics of batch norm, changes once; values
    that it looks at are kept.

    Args:
        use_reentrant: ``False`` is recommended. ``True`` (also when it is not given, with a
            warning) gives no gradients unless one of ``args`` requires them, as PyTorch's.
        context_fn: returns two context managers: for the call, and for recording it again.
        determinism_check, debug, early_stop: taken and without effect, since nothing runs twice;
            so is ``preserve_rng_state``.
    Raises:
        ValueError: keywords or contexts are given with ``use_reentrant=True``, or
            ``determinism_check`` is neither ``"default"`` nor ``"none"``.
    Reference:
        Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.utils.checkpoint import checkpoint
        >>> x = rl.tensor(2.0, requires_grad=True)
        >>> checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False).backward()
        >>> x.grad
        tensor(3.3129)
    """
    if use_reentrant is None:
        use_reentrant = _undecided("checkpoint")
    kwargs.pop("preserve_rng_state", None)
    if use_reentrant:
        if kwargs:
            raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
        if context_fn is not noop_context_fn or debug:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return _reentrant(function, args)
    if determinism_check not in CHECKS:
        raise ValueError(
            f"determinism_check should be one of {list(CHECKS)} but got {determinism_check}"
        )
    first, second = context_fn()
    with first:
        return _recorded(function, args, kwargs, lambda: second)


def _undecided(name: str) -> bool:
    warnings.warn(
        f"torch.utils.checkpoint.{name}: the use_reentrant parameter should be passed explicitly."
        " use_reentrant=False is recommended, but if you need to preserve the current default"
        " behavior, you can pass use_reentrant=True.",
        stacklevel=3,
    )
    return True


def _reentrant(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    if any(isinstance(x, Tensor) and x.requires_grad for x in args) or not recording.grad:
        return _recorded(function, args, {}, nullcontext)
    warnings.warn(
        "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=3
    )
    result = function(*args)
    return _exchanged(result, {id(x): x.detach() for x in _tensors(result)})


def _recorded(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], around: Any
) -> Any:
    """A call of a function, with its results in place of which gradients compute it again."""
    if not recording.grad:
        return function(*args, **kwargs)
    before = there()
    before.update(x.node for x in _tensors((args, kwargs)))
    result = function(*args, **kwargs)
    tracked = [x for x in _tensors(result) if x.requires_grad and x.node not in before]
    tracked = list({id(x): x for x in tracked}.values())
    if not tracked:
        return result
    histories = rematerialised([x.node for x in tracked], before, around)
    made = {
        id(x): Tensor(ops.graft(without_history(x.node), history))
        for x, history in zip(tracked, histories, strict=True)
    }
    return _exchanged(result, made)


def _tensors(x: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and dictionaries."""
    if isinstance(x, Tensor):
        yield x
    elif isinstance(x, (tuple, list)):
        for each in x:
            yield from _tensors(each)
    elif isinstance(x, dict):
        for each in x.values():
            yield from _tensors(each)


def _exchanged(x: Any, made: dict[int, Tensor]) -> Any:
    """The same nested containers with other tensors in them."""
    if isinstance(x, Tensor):
        return made.get(id(x), x)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(_exchanged(each, made) for each in x))
    if isinstance(x, (tuple, list)):
        return type(x)(_exchanged(each, made) for each in x)
    if isinstance(x, dict):
        return {name: _exchanged(each, made) for name, each in x.items()}
    return x


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Calls functions one after the other, in segments of which all but the last are checkpointed.

    With about the square root of the number of functions as segments, memory grows like that root.

    Args:
        functions: a ``Sequential``, or functions that each take what the one before returns.
        segments: how many parts there are, as equal as can be.
        use_reentrant: as for :func:`checkpoint`.
    Raises:
        ValueError: for keywords other than ``preserve_rng_state``.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.utils.checkpoint import checkpoint_sequential
        >>> layers = [rl.sin, rl.exp, rl.cos, rl.tanh]
        >>> x = rl.zeros(1, requires_grad=True)
        >>> checkpoint_sequential(layers, 2, x, use_reentrant=False)
        tensor([0.4932], grad_fn=<TanhBackward0>)
    """
    if use_reentrant is None:
        use_reentrant = _undecided("checkpoint_sequential")
    kwargs.pop("preserve_rng_state", None)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
    layers = list(functions.children()) if isinstance(functions, nn.Sequential) else functions
    size = len(layers) // segments
    last = size * (segments - 1)
    for start in range(0, last, size or 1):
        part = _Chain(layers[start : start + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant)
    return _Chain(layers[last:])(input)


class _Chain:
    """Functions one after the other."""

    def __init__(self, functions: Sequence[Callable[[Any], Any]]) -> None:
        self.functions = functions

    def __call__(self, x: Any) -> Any:
        for function in self.functions:
            x = function(x)
        return x


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether computing again stops where nothing more is needed, which it always does."""
    yield


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Whether faults in what is computed again are explained; there are none of their own."""
    yield
