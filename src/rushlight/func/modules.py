"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.nn.module import Module
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
    own = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    if strict:
        _check_names(given, own)
    if tie_weights:
        given = _tied(given, own)
    with _Replaced(module, {name: x for name, x in given.items() if name in own}):
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


def _check_names(given: Named, own: Named) -> None:
    unknown = sorted(given.keys() - own.keys())
    missing = sorted(own.keys() - given.keys())
    if unknown or missing:
        raise OperationError(
            "functional_call",
            f"Unexpected key(s): {', '.join(unknown) or 'none'}; Missing key(s):"
            f" {', '.join(missing) or 'none'}.",
        )


def _tied(given: Named, own: Named) -> Named:
    """The same tensors under all the names of what they replace."""
    names: dict[int, list[str]] = {}
    for name, x in own.items():
        names.setdefault(id(x), []).append(name)
    found = dict(given)
    for group in names.values():
        present = [name for name in group if name in given]
        if len({id(given[name]) for name in present}) > 1:
            raise ValueError(
                "functional_call got multiple values for keys "
                f"{sorted(present)}, which are tied. Consider using tie_weights=False"
            )
        for name in group if present else ():
            found[name] = given[present[0]]
    return found


class _Replaced:
    """Modules whose parameters and buffers are others for a while."""

    def __init__(self, module: Module, given: Named) -> None:
        self._module, self._given = module, given
        self._before: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> None:
        for name, x in self._given.items():
            path, _, last = name.rpartition(".")
            owner = self._module.get_submodule(path)
            registry: Any = owner._parameters if last in owner._parameters else owner._buffers
            self._before.append((registry, last, registry[last]))
            registry[last] = x

    def __exit__(self, *_: object) -> None:
        for registry, name, x in reversed(self._before):
            registry[name] = x


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
