"""What pruning methods share: masks of a tensor, one on top of the other, and the hook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import rushlight as rl
from rushlight.nn.module import Module
from rushlight.tensor.tensor import Tensor


class BasePruningMethod(ABC):
    """A way to choose what is pruned, and the hook that prunes it.

    A subclass gives ``compute_mask`` and says in ``PRUNING_TYPE`` what it looks at when something
    is pruned already: ``"unstructured"`` (the elements that are left), ``"structured"`` (the
    channels of ``self.dim`` that are left) or ``"global"`` (everything).
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask, 0 for what is pruned, from how important elements are and the mask before."""

    def apply_mask(self, module: Module) -> Tensor:
        """The pruned tensor."""
        original = getattr(module, f"{self._tensor_name}_orig")
        pruned: Tensor = getattr(module, f"{self._tensor_name}_mask").to(original.dtype) * original
        return pruned

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> BasePruningMethod:  # fmt: skip
        """Prunes a tensor of a module, also on top of what was done before.

        Args:
            importance_scores: how important each element is; its own value when None.
            args, kwargs: of the constructor.
        Raises:
            AssertionError: the scores have another shape.
        """
        method = cls._with_earlier(module, name, cls(*args, **kwargs))
        before = getattr(module, name)
        scores = before if importance_scores is None else importance_scores
        if scores.shape != before.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module},"
                f" got {scores.shape} vs {before.shape}"
            )
        is_first = not isinstance(method, PruningContainer)
        if is_first:
            module.register_parameter(f"{name}_orig", before)
            del module._parameters[name]
            mask = rl.ones_like(before).detach()
        else:
            mask = getattr(module, f"{name}_mask").detach().clone()
        try:
            made = method.compute_mask(scores.detach(), default_mask=mask)
            module.register_buffer(f"{name}_mask", made)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if is_first:
                del module._parameters[f"{name}_orig"]
                module.register_parameter(name, before)
            raise
        return method

    @classmethod
    def _with_earlier(
        cls, module: Module, name: str, method: BasePruningMethod
    ) -> BasePruningMethod:
        """A method together with what has been done to the tensor before, whose hook is taken."""
        method._tensor_name = name
        for key, hook in list(module._forward_pre_hooks.items()):
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
                del module._forward_pre_hooks[key]
                earlier = hook if isinstance(hook, PruningContainer) else PruningContainer(hook)
                earlier.add_pruning_method(method)
                return earlier
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """A pruned copy of a tensor that belongs to no module."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError(
                "importance_scores should have the same shape as tensor t,"
                f" got {scores.shape} vs {t.shape}"
            )
        mask = rl.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=mask)

    def remove(self, module: Module) -> None:
        """Makes the pruned tensor an ordinary parameter; what is zero can be trained again."""
        pruned = self.apply_mask(module)
        if hasattr(module, self._tensor_name):
            delattr(module, self._tensor_name)
        original = module._parameters.pop(f"{self._tensor_name}_orig")
        original.data = pruned.detach()
        del module._buffers[f"{self._tensor_name}_mask"]
        setattr(module, self._tensor_name, original)


class PruningContainer(BasePruningMethod):
    """Several methods, one after the other, on one tensor."""

    PRUNING_TYPE = "global"

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Adds a method.

        Raises:
            TypeError: it is none.
            ValueError: it is for another tensor.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}'"
                f" to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last method, which looks at what the others have left."""
        method: Any = self._pruning_methods[-1]
        mask = default_mask.to(t.dtype)
        where = _left(method, t, mask)
        part = method.compute_mask(t[where], default_mask=mask[where])
        made = mask.clone()
        made[where] = part.to(mask.dtype)
        return made


def _left(method: Any, t: Tensor, mask: Tensor) -> Any:
    """The index of what a method looks at."""
    if method.PRUNING_TYPE == "unstructured":
        return mask == 1
    if method.PRUNING_TYPE == "global":
        return (slice(None),) * t.ndim
    if method.PRUNING_TYPE != "structured":
        raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
    if not hasattr(method, "dim"):
        raise AttributeError(
            'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
        )
    if method.dim < -t.ndim:
        raise IndexError(f"Index is out of bounds for tensor with dimensions {t.ndim}")
    dim = method.dim % t.ndim
    kept = mask.sum([d for d in range(t.ndim) if d != dim]) != 0
    return tuple(kept if d == dim else slice(None) for d in range(t.ndim))
