"""Parameter and Buffer: the tensors that a module knows as its own, with or without a shape."""

from __future__ import annotations

from typing import Any, NoReturn

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.base.errors import GradError
from rushlight.graph.node import Node
from rushlight.tensor.creation import empty
from rushlight.tensor.place import Storage
from rushlight.tensor.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module trains: assigned to an attribute, it is in ``parameters()``.

    Args:
        data: the values, whose memory it shares; empty when None.
        requires_grad: whether it gets a gradient.

    Raises:
        RuntimeError: ``requires_grad`` is True and the dtype cannot have gradients.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.Parameter(rl.zeros(2))
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        source = empty(0) if data is None else data.detach()
        if requires_grad and not source.dtype.is_differentiable:
            raise GradError(
                "Parameter",
                "Only Tensors of floating point and complex dtype can require gradients",
                rule=f"The data is {source.dtype}.",
                hint="Pass requires_grad=False for values that are not trained.",
            )
        super().__init__(source.node)
        self._settle_in(source.place)
        if requires_grad:
            self.requires_grad_()

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]


class _BufferMeta(type):
    """Lets ``isinstance`` know the tensors that ``Buffer`` made."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that belongs to a module's state: assigned to an attribute, it is in ``buffers()``.

    Args:
        data: the values, whose memory it shares; empty when None.
        persistent: whether ``state_dict`` has it.

    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.Identity()
        >>> layer.steps = rl.nn.Buffer(rl.tensor(0))
        >>> layer.state_dict()["steps"]
        tensor(0)
    """

    __slots__ = ()

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        source = empty(0) if data is None else data
        buffer = source.detach().requires_grad_(source.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


class UninitializedTensorMixin:
    """What parameters and buffers without a shape share. Abstract.

    Nothing can be computed with them; modules can convert them to another dtype.
    """

    __slots__ = ()
    grad_fn = None
    is_leaf = True

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
