"""Loading one module's own tensors from a state dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rushlight.autograd.mode import no_grad
from rushlight.tensor.tensor import Tensor

from .parameter import Parameter, is_lazy


def load_own_state(
    module: Any,
    own: Mapping[str, Tensor],
    state: Mapping[str, Any],
    prefix: str,
    assign: bool,
    messages: list[str],
) -> list[str]:
    """Loads ``own``, the tensors of ``module``, and returns the keys that ``state`` lacks.

    What does not fit is told in ``messages``, in PyTorch's words.
    """
    missing = []
    for name, tensor in own.items():
        key = prefix + name
        if key not in state:
            missing.append(key)
            continue
        try:
            message = _load_one(module, name, key, tensor, state[key], assign)
        except Exception as error:
            message = (
                f'While copying the parameter named "{key}", whose dimensions in the model are'
                f" {tensor.size()} and whose dimensions in the checkpoint are"
                f" {state[key].size()}, an exception occurred : {error.args}."
            )
        if message:
            messages.append(message)
    return missing


def _load_one(module: Any, name: str, key: str, tensor: Tensor, value: Any, assign: bool) -> str:
    """Copies or assigns one tensor; what does not fit is returned as a sentence."""
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like'
            f" object from checkpoint but received {type(value)}"
        )
    if is_lazy(tensor) and is_lazy(value):  # there is nothing to load
        return ""
    if tensor.dim() == 0 and value.shape == (1,):  # PyTorch before 0.4 had no 0-d tensors
        value = value[0]
    if value.shape != tensor.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint,"
            f" the shape in current model is {tensor.shape}."
        )
    with no_grad():
        if assign:
            setattr(module, name, _as_kind_of(tensor, value))
        else:
            tensor.copy_(value)
    return ""


def _as_kind_of(tensor: Tensor, value: Tensor) -> Tensor:
    """``value`` as a Parameter where ``tensor`` is one."""
    if not isinstance(tensor, Parameter):
        return value
    if not isinstance(value, Parameter):
        return Parameter(value, requires_grad=tensor.requires_grad)
    return value.requires_grad_(tensor.requires_grad)
