"""Calling a module with other tensors for its parameters and buffers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rushlight.nn.module import Module
from rushlight.tensor.tensor import Tensor

__all__ = ["functional_call"]

Tensors = dict[str, Tensor]


def functional_call(
    module: Module, parameters_and_buffers: Tensors, args: Any = None,
    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """The result of a module with some tensors in place of its own, as ``torch.func`` has it.

    Args:
        parameters_and_buffers: tensors by the names of ``named_parameters`` and ``named_buffers``.
        args: the arguments, a tuple or one that is no tuple.
        kwargs: those by name.
        tie_weights: whether a parameter that has two names is replaced under both.
        strict: refuse names that are missing or too many.
    Raises:
        RuntimeError: ``strict``, and names do not fit.
        ValueError: two names of one parameter are given different tensors.
    """
    warnings.warn(
        "This API is deprecated as of PyTorch 2.0 and will be removed in a future version of"
        " PyTorch. Please use torch.func.functional_call instead which is a drop-in replacement for"
        " this API.",
        FutureWarning,
        stacklevel=2,
    )
    given = () if args is None else args if isinstance(args, tuple) else (args,)
    with replaced(module, parameters_and_buffers, tie_weights=tie_weights, strict=strict):
        return module(*given, **(kwargs or {}))


@contextmanager
def replaced(
    module: Module, tensors: Tensors, *, tie_weights: bool = True, strict: bool = False
) -> Iterator[None]:
    """Shows other tensors as a module's parameters and buffers during a block."""
    own = dict(own_tensors(module))
    if strict:
        _check_names(own, tensors)
    wanted = _tied(own, tensors) if tie_weights else dict(tensors)
    kept = {name: own[name] for name in wanted if name in own}
    unknown = [name for name in wanted if name not in own]
    if unknown:
        raise AttributeError(f"{type(module).__name__} has no parameter or buffer {unknown[0]!r}")
    try:
        for name, tensor in wanted.items():
            _put(module, name, tensor)
        yield
    finally:
        for name, tensor in kept.items():
            _put(module, name, tensor)


def own_tensors(module: Module) -> Iterator[tuple[str, Tensor]]:
    """All parameters and buffers under all their names."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _put(module: Module, name: str, tensor: Tensor) -> None:
    """Shows a tensor under the name of a parameter or buffer."""
    path, _, last = name.rpartition(".")
    owner = module.get_submodule(path)
    table: Any = owner._parameters if last in owner._parameters else owner._buffers
    table[last] = tensor


def _tied(own: Tensors, tensors: Tensors) -> Tensors:
    """The tensors under all names of what they replace."""
    names: dict[int, list[str]] = {}
    for name, tensor in own.items():
        names.setdefault(id(tensor), []).append(name)
    wanted = dict(tensors)
    for name, tensor in tensors.items():
        for other in names[id(own[name])] if name in own else ():
            if wanted.setdefault(other, tensor) is not tensor:
                raise ValueError(
                    "functional_call got multiple values for keys"
                    f" {sorted(names[id(own[name])])}, which are tied. Consider using"
                    " tie_weights=False"
                )
    return wanted


def _check_names(own: Tensors, tensors: Tensors) -> None:
    missing = [name for name in own if name not in tensors]
    unexpected = [name for name in tensors if name not in own]
    told = [
        f"{kind} key(s): {', '.join(names)}."
        for kind, names in (("Unexpected", unexpected), ("Missing", missing))
        if names
    ]
    if told:
        raise RuntimeError("Error(s) in functional_call: " + " ".join(told))
