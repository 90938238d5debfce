"""``explain``: what becomes of a function's work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rushlight.compiler.inside.explanation import Explanation
from rushlight.execute import realize
from rushlight.execute.watching import watching

from .tensor import Tensor


def explain(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """Calls a function and tells what its work became: graphs, kernels, memory.

    What the function returns is computed, and what tensors were waiting for before is computed
    first. Programs are compiled for it, whatever ``RUSHLIGHT_TIER`` says.

    Args:
        fn: any function; its result may be a tensor, or tensors in lists, tuples and dictionaries.
        args, kwargs: what it is called with.
    Returns:
        What prints as a report. Its ``programs`` have ``graph``, ``expanded`` and ``schedule`` as
        text; its ``kernels`` and ``references`` are lists with ``name``, ``template``, ``ops``,
        ``loops``, ``reads``, ``writes``, ``flops`` and ``lines``; ``why`` tells why a step is
        run by its reference.
    Example:
        >>> import rushlight as rl
        >>> x = rl.ones(64, 128)
        >>> found = rl.explain(lambda x: (x * 2).clamp(min=0).sum(), x)
        >>> len(found.kernels), found.kernels[0].template, found.references
        (1, 'loops', [])
    """
    realize([x.node for x in tensors_in((args, kwargs))])
    with watching() as watch:
        result = fn(*args, **kwargs)
        realize([x.node for x in tensors_in(result)])
    return Explanation(tuple(ran.explained() for ran in watch.found.values()), result)


def tensors_in(found: Any) -> Iterator[Tensor]:
    """The tensors in lists, tuples and dictionaries, in order."""
    if isinstance(found, Tensor):
        yield found
    elif isinstance(found, (list, tuple)):
        for each in found:
            yield from tensors_in(each)
    elif isinstance(found, dict):
        for each in found.values():
            yield from tensors_in(each)
