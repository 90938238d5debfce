"""Pruning: weights that are held at zero by a mask.

A pruned parameter ``weight`` becomes a parameter ``weight_orig`` and a buffer ``weight_mask``, and
their product is computed before each call. Pruning it again makes the mask smaller.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, TypeVar

import rushlight as rl
from rushlight.nn.module import Module
from rushlight.tensor.tensor import Tensor

from .convert_parameters import parameters_to_vector
from .pruning import BasePruningMethod, PruningContainer

Kind = TypeVar("Kind", bound=Module)


class Identity(BasePruningMethod):
    """Prunes nothing; the parameter gets a mask of ones."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class _ByAmount(BasePruningMethod):
    """Prunes a number, or a share, of elements or channels. Abstract.

    Raises:
        TypeError: the amount is no number.
        ValueError: it is negative, or a share above 1.
    """

    def __init__(self, amount: float) -> None:
        if not isinstance(amount, Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        share = not isinstance(amount, Integral)
        if amount < 0 or (share and not float(amount) <= 1.0):
            raise ValueError(
                f"amount={amount} should either be a float in the range [0, 1] or a non-negative"
                " integer"
            )
        self.amount = amount

    def _count(self, size: int) -> int:
        """How many of ``size`` are pruned."""
        if not isinstance(self.amount, Integral):
            return round(self.amount * size)
        if self.amount > size:
            raise ValueError(
                f"amount={self.amount} should be smaller than the number of parameters to"
                f" prune={size}"
            )
        return int(self.amount)


class _Unstructured(_ByAmount):
    """Prunes the elements with the lowest scores. Abstract."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = self._count(t.numel())
        if not count:
            return default_mask.clone()
        lowest = self._scores(t).reshape(-1).topk(count, largest=False).indices
        return default_mask.reshape(-1).index_fill(0, lowest, 0).reshape(t.shape)

    @abstractmethod
    def _scores(self, t: Tensor) -> Tensor:
        """How much each element counts."""


class RandomUnstructured(_Unstructured):
    """Prunes elements at random.

    Args:
        amount: how many; or what share, a float.
    """

    def _scores(self, t: Tensor) -> Tensor:
        scores: Tensor = rl.rand_like(t)
        return scores


class L1Unstructured(_Unstructured):
    """Prunes the elements that are smallest.

    Args:
        amount: how many; or what share, a float.
    """

    def _scores(self, t: Tensor) -> Tensor:
        return t.abs()


class _Structured(_ByAmount):
    """Prunes the channels of a dimension with the lowest scores. Abstract."""

    PRUNING_TYPE = "structured"
    dim: int

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if t.ndim <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor"
                f" of shape {t.shape} with {t.ndim} dims"
            )
        if self.dim >= t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        dim = self.dim % t.ndim
        highest = self._scores(t, dim).topk(size - count).indices
        kept = rl.zeros(size, dtype=t.dtype).index_fill(0, highest, 1)
        shape = [size if d == dim else 1 for d in range(t.ndim)]
        return kept.reshape(shape) * default_mask.to(t.dtype)

    @abstractmethod
    def _scores(self, t: Tensor, dim: int) -> Tensor:
        """How much each channel counts."""


class RandomStructured(_Structured):
    """Prunes channels at random.

    Args:
        amount: how many; or what share, a float.
        dim: the channels' dimension.
    """

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t: Tensor, dim: int) -> Tensor:
        scores: Tensor = rl.rand(t.shape[dim])
        return scores


class LnStructured(_Structured):
    """Prunes the channels with the smallest norm.

    Args:
        amount: how many; or what share, a float.
        n: which norm.
        dim: the channels' dimension.
    """

    def __init__(self, amount: float, n: float | str, dim: int = -1) -> None:
        super().__init__(amount)
        self.n = n
        self.dim = dim

    def _scores(self, t: Tensor, dim: int) -> Tensor:
        scores: Tensor = rl.norm(t, p=self.n, dim=[d for d in range(t.ndim) if d != dim])
        return scores


class CustomFromMask(BasePruningMethod):
    """Prunes where a given mask is 0."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape"
                f" {self.mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: Kind, name: str) -> Kind:
    """Gives a parameter a mask of ones; see :class:`Identity`."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Kind, name: str, amount: float) -> Kind:
    """Prunes elements at random; see :class:`RandomUnstructured`."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Kind, name: str, amount: float, importance_scores: Tensor | None = None
) -> Kind:
    """Prunes the elements that are smallest, or count least.

    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.Linear(4, 3)
        >>> layer = rl.nn.utils.prune.l1_unstructured(layer, "weight", amount=0.5)
        >>> int((layer.weight == 0).sum()), sorted(layer.state_dict())
        (6, ['bias', 'weight_mask', 'weight_orig'])
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Kind, name: str, amount: float, dim: int) -> Kind:
    """Prunes channels at random; see :class:`RandomStructured`."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Kind, name: str, amount: float, n: float | str, dim: int,
    importance_scores: Tensor | None = None,
) -> Kind:  # fmt: skip
    """Prunes the channels with the smallest norm; see :class:`LnStructured`."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Kind, name: str, mask: Tensor) -> Kind:
    """Prunes where a mask is 0."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]], pruning_method: Any,
    importance_scores: dict[tuple[Module, str], Tensor] | None = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Prunes several parameters as if they were one.

    Args:
        parameters: pairs of a module and a name.
        pruning_method: a class whose ``PRUNING_TYPE`` is ``"unstructured"``.
        importance_scores: how important the elements are, by pair.
        kwargs: of the method's constructor.
    Raises:
        TypeError: another kind of method, or arguments of the wrong kind.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    given = {} if importance_scores is None else importance_scores
    if not isinstance(given, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = list(parameters)
    tensors = [getattr(module, name) for module, name in pairs]
    scores = parameters_to_vector([given.get(p, t) for p, t in zip(pairs, tensors, strict=True)])
    masks = [
        getattr(module, f"{name}_mask", rl.ones_like(tensor))
        for (module, name), tensor in zip(pairs, tensors, strict=True)
    ]
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method'
            f" {pruning_method} of type {method.PRUNING_TYPE}"
        )
    made = PruningContainer(method).compute_mask(scores.detach(), parameters_to_vector(masks))
    pieces = made.split([math.prod(tensor.shape) for tensor in tensors])
    for (module, name), piece, tensor in zip(pairs, pieces, tensors, strict=True):
        custom_from_mask(module, name, mask=piece.reshape(tensor.shape))


def remove(module: Kind, name: str) -> Kind:
    """Makes a pruned tensor an ordinary parameter, which keeps its zeros until it is trained.

    Raises:
        ValueError: it is not pruned.
    """
    for key, hook in list(module._forward_pre_hooks.items()):
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )


def is_pruned(module: Module) -> bool:
    """Whether anything of a module, or below it, is pruned."""
    return any(
        isinstance(hook, BasePruningMethod)
        for _, inner in module.named_modules()
        for hook in inner._forward_pre_hooks.values()
    )
