"""Parameters and modules whose shapes are found at the first call."""

from __future__ import annotations

from itertools import chain
from typing import Any, ClassVar, NoReturn

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.graph.node import Node
from rushlight.tensor.creation import empty
from rushlight.tensor.place import Storage
from rushlight.tensor.tensor import Tensor

from .parameter import Parameter


class UninitializedTensorMixin:
    """What parameters and buffers without a shape share. Abstract.

    Nothing can be computed with them; modules can convert them to another dtype.
    """

    __slots__ = ()
    grad_fn = None

    def _set_up(self, requires_grad: bool, device: Any, dtype: DType | None) -> None:
        this: Any = self
        Tensor.__init__(this, empty(0, device=device, dtype=dtype).node)
        # A tensor with a place is always asked for its node, which this one refuses.
        this._place = Storage(this._node)
        this._is_trained = requires_grad

    def materialize(
        self, shape: tuple[int, ...], device: Device | str | None = None, dtype: DType | None = None
    ) -> None:
        """Gives the tensor a shape, and memory whose values are not defined.

        Args:
            device, dtype: what they are from now on; as before when None.
        """
        this: Any = self
        made = empty(tuple(shape), device=device, dtype=dtype or this.dtype)
        this.__class__ = Parameter if isinstance(self, Parameter) else Tensor
        this.data = made
        if this._is_trained:
            this.requires_grad_()

    def refer(self, made: Tensor) -> None:
        """Takes over the dtype and the device of another tensor."""
        this: Any = self
        self._set_up(this._is_trained, made.device, made.dtype)

    @property
    def data(self) -> Tensor:
        """An empty tensor of its dtype."""
        this: Any = self
        made: Tensor = empty(0, device=this.device, dtype=this.dtype)
        return made

    @property
    def requires_grad(self) -> bool:
        """Whether it will get a gradient."""
        this: Any = self
        return bool(this._is_trained)

    @property
    def node(self) -> Node:
        """Refused: there is no value."""
        raise ValueError(
            "Attempted to use an uninitialized parameter. This error happens when you are using a"
            " `LazyModule` or explicitly manipulating"
            f" `torch.nn.parameter.{type(self).__name__}` objects. When using LazyModules Call"
            " `forward` with a dummy batch to initialize the parameters before calling torch"
            " functions"
        )

    @property
    def shape(self) -> NoReturn:
        """Refused: there is none."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually"
            " happens in `load_state_dict` when trying to load an uninitialized parameter into an"
            " initialized one. Call `forward` to initialize the parameters before accessing their"
            " attributes."
        )

    def share_memory_(self) -> NoReturn:
        """Refused: there is no memory."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to"
            " initialize the parameters before calling `module.share_memory()`."
        )

    def detach(self) -> Any:
        """Itself: there is no history."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            this: Any = self
            memo[id(self)] = type(this)(this._is_trained, dtype=this.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        this: Any = self
        return type(self), (this._is_trained, None, this.dtype)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet.

    Args:
        requires_grad: whether it will get a gradient.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.UninitializedParameter()
        >>> weight.materialize((2, 3))
        >>> weight.shape
        torch.Size([2, 3])
    """

    __slots__ = ()

    def __init__(
        self, requires_grad: bool = True, device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        self._set_up(requires_grad, device, dtype)


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet.

    Args:
        requires_grad: whether it will get a gradient.
        persistent: whether ``state_dict`` has it.
    """

    __slots__ = ()

    def __init__(
        self, requires_grad: bool = False, device: Device | str | None = None,
        dtype: DType | None = None, persistent: bool = True,
    ) -> None:  # fmt: skip
        self._set_up(requires_grad, device, dtype)
        self.persistent = persistent
        self._is_buffer = True


def is_lazy(param: object) -> bool:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)


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
