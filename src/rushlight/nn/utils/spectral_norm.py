"""Weights over their largest singular value, by a hook; ``parametrizations`` has a newer form."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import rushlight as rl
from rushlight.autograd.mode import no_grad
from rushlight.base.errors import OperationError
from rushlight.nn import functional as F
from rushlight.nn.conv import _Transposed
from rushlight.nn.module import Module
from rushlight.nn.parameter import Parameter, is_lazy
from rushlight.tensor.tensor import Tensor

Kind = TypeVar("Kind", bound=Module)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """A weight with one dimension as rows and all others as columns."""
    if dim:
        weight = weight.permute(dim, *(d for d in range(weight.ndim) if d != dim))
    return weight.reshape(weight.shape[0], -1)


class SpectralNorm:
    """The hook: computes the weight of a module before each call."""

    _version: ClassVar[int] = 1

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got"
                f" n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Tensor:
        """The weight over its largest singular value, which one more look makes more exact."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(rl.mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(rl.mv(matrix, v), dim=0, eps=self.eps))
        # Later calls change the vectors; gradients of this one keep theirs.
        u, v = u.clone(), v.clone()
        return weight / rl.dot(u, rl.mv(matrix, v))

    @staticmethod
    def apply(
        module: Module, name: str, n_power_iterations: int, dim: int, eps: float
    ) -> SpectralNorm:
        """Puts the hook on a module, whose weight becomes a parameter and two buffers.

        Raises:
            RuntimeError: it has one already.
            ValueError: the weight is None, or has no shape yet.
        """
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise OperationError(
                    "spectral_norm",
                    f"Cannot register two spectral_norm hooks on the same parameter {name}",
                )
        made = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make"
                " sure to run the dummy forward before applying spectral normalization"
            )
        with no_grad():
            rows, columns = as_matrix(weight, dim).shape
            u = F.normalize(weight.new_empty(rows).normal_(0, 1), dim=0, eps=eps)
            v = F.normalize(weight.new_empty(columns).normal_(0, 1), dim=0, eps=eps)
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        setattr(module, name, weight.data)
        module.register_buffer(f"{name}_u", u)
        module.register_buffer(f"{name}_v", v)
        module.register_forward_pre_hook(made)
        module._register_state_dict_hook(_NoteVersion(made))
        return made

    def remove(self, module: Module) -> None:
        """Makes the weight an ordinary parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for part in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + part)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


class _NoteVersion:
    """Writes the version into a state dictionary, as PyTorch does."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(self, module: Module, state: Any, prefix: str, metadata: dict[str, Any]) -> None:
        key = f"{self.fn.name}.version"
        metadata.setdefault("spectral_norm", {})[key] = self.fn._version


def spectral_norm(
    module: Kind, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Kind:  # fmt: skip
    """Divides a weight by its largest singular value, which each call in training tells better.

    Args:
        name: the parameter's name; ``name_orig`` takes its place.
        n_power_iterations: how many steps of the power iteration a call does.
        eps: the smallest length that vectors are divided by.
        dim: the dimension that is the matrix's rows; by default that of the output.
    Raises:
        RuntimeError: it is done already.
    Reference:
        Miyato et al. 2018, Algorithm 1, arXiv:1802.05957.
    """
    SpectralNorm.apply(module, name, n_power_iterations, output_dim(module, dim), eps)
    return module


def output_dim(module: Module, dim: int | None) -> int:
    """The dimension of a layer's weight that is its output's."""
    if dim is not None:
        return dim
    return 1 if isinstance(module, _Transposed) else 0


def remove_spectral_norm(module: Kind, name: str = "weight") -> Kind:
    """Undoes :func:`spectral_norm`, and keeps the weight.

    Raises:
        ValueError: there is nothing to undo.
    """
    for key, hook in list(module._forward_pre_hooks.items()):
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            break
    else:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    for key, hook in list(module._state_dict_hooks.items()):
        if isinstance(hook, _NoteVersion) and hook.fn.name == name:
            del module._state_dict_hooks[key]
    return module
