"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.nn.module import Module
from rushlight.nn.utils.stateless import own_tensors, replaced
from rushlight.tensor.tensor import Tensor

Named = dict[str, Tensor]


def functional_call(
    module: Module, parameter_and_buffer_dicts: Named | Sequence[Named], args: Any = None,
    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """Calls a module with other parameters and buffers in the place of its own.

    Args:
        parameter_and_buffer_dicts: tensors by the names of ``state_dict``, in one dictionary or
            several.
        args: the arguments; one that is no tuple counts as the only one.
        tie_weights: whether a parameter that the module has under two names is replaced under both.
        strict: whether every parameter and buffer has to be given.
    Raises:
        ValueError: a name is in two dictionaries, or tied names have different tensors.
        RuntimeError: ``strict`` and a name is missing or unknown.
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.Linear(2, 1)
        >>> weights = {"weight": rl.ones(1, 2), "bias": rl.zeros(1)}
        >>> rl.func.functional_call(layer, weights, rl.tensor([[1.0, 2.0]]))
        tensor([[3.]])
    """
    given = _together(parameter_and_buffer_dicts)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    if not strict:
        names = dict(own_tensors(module)).keys()
        given = {name: x for name, x in given.items() if name in names}
    with replaced(module, given, tie_weights=tie_weights, strict=strict):
        return module(*arguments, **(kwargs or {}))


def _together(given: Named | Sequence[Named]) -> Named:
    if isinstance(given, dict):
        return dict(given)
    if not isinstance(given, Sequence):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got"
            f" {type(given)}"
        )
    found: Named = {}
    for each in given:
        for name, x in each.items():
            if name in found:
                raise ValueError(f"{name} appears in multiple dictionaries; behavior is ambiguous")
            found[name] = x
    return found


def stack_module_state(models: Any) -> tuple[Named, Named]:
    """The parameters and the buffers of several models, stacked by name.

    Args:
        models: modules of one class and form, in the same mode.
    Returns:
        Two dictionaries, the parameters with gradients turned on; for :func:`vmap` over
        :func:`functional_call`.
    Raises:
        RuntimeError: there is no model, or they differ in mode or class.
    Example:
        >>> import rushlight as rl
        >>> parameters, _ = rl.func.stack_module_state([rl.nn.Linear(2, 3) for _ in range(4)])
        >>> parameters["weight"].shape
        torch.Size([4, 3, 2])
    """
    each = list(models)
    if not each:
        raise OperationError(
            "stack_module_state", "stack_module_state: Expected at least one model, got 0."
        )
    if not (all(m.training for m in each) or all(not m.training for m in each)):
        raise OperationError(
            "stack_module_state",
            "stack_module_state: Expected all models to have the same training/eval mode.",
        )
    if any(type(m) is not type(each[0]) for m in each):
        raise OperationError(
            "stack_module_state",
            "stack_module_state: Expected all models to be of the same class.",
        )
    parameters = {
        name: _stacked([dict(m.named_parameters())[name] for m in each]).requires_grad_(
            parameter.requires_grad
        )
        for name, parameter in each[0].named_parameters()
    }
    buffers = {
        name: _stacked([dict(m.named_buffers())[name] for m in each])
        for name, _ in each[0].named_buffers()
    }
    return parameters, buffers


def _stacked(tensors: list[Tensor]) -> Tensor:
    return Tensor(ops.stack(tuple([ops.detach(x.node) for x in tensors]), 0))
