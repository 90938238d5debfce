"""Modules whose shapes are found at the first call."""

from __future__ import annotations

from itertools import chain
from typing import Any, ClassVar

from .parameter import is_lazy


class LazyModuleMixin:
    """For modules that find sizes when they are first called, and then become another class.

    A subclass names it before the module's class, makes ``UninitializedParameter`` objects and
    gives ``initialize_parameters``, which takes the inputs of the call.

    Attributes:
        cls_to_become: the class of the module once all is known; None to stay.
    Raises:
        RuntimeError: some parameters still have no shape after the first call's look.
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.LazyLinear(3)
        >>> layer(rl.zeros(2, 5)).shape
        torch.Size([2, 3])
        >>> layer
        Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become: ClassVar[type[Any] | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        this: Any = self
        this._load_hook = this._register_load_state_dict_pre_hook(self._lazy_load_hook)
        this._initialize_hook = this.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Gives the parameters their shapes, from the inputs of the first call."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether any parameter or buffer has no shape yet."""
        this: Any = self
        return any(map(is_lazy, chain(this._parameters.values(), this._buffers.values())))

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        """Gives parameters the shapes of those that are about to be loaded."""
        this: Any = self
        for name, param in chain(this._parameters.items(), this._buffers.items()):
            loaded = state_dict.get(prefix + name)
            if is_lazy(param) and loaded is not None and not is_lazy(loaded):
                param.materialize(loaded.shape)

    def _infer_parameters(
        self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
    ) -> None:
        """What is done before the first call."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become
