"""Tensor: what a user holds."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from rushlight import ops
from rushlight.base.device import device
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError, DTypeError, GradError, ShapeError
from rushlight.base.promotion import can_cast
from rushlight.execute import pending
from rushlight.graph.node import Node
from rushlight.graph.op import OUTSIDE, View, recording

from .history import after, without_history
from .place import LeafPlace, Place, Storage, ViewPlace, chain, descend
from .size import Size
from .watch import Watch

_note, _reference, _live = pending.note, weakref.ref, pending._live
_NOTHING: Any = object()
INFERRING: list[int] = []
"""One entry for each ``inference_mode`` that is on in any thread; only then somebody has to ask."""


class Tensor:
    """A mutable handle on a recorded value.

    Operations on tensors are recorded, not executed; the value is computed when it is looked at.
    Everything about identity and change is here: views that see each other's writes, in-place
    operations, ``grad``, hooks. What lies below is immutable.

    Made by :func:`rushlight.tensor` and the other functions. As in PyTorch, calling the class with
    sizes or with data makes a tensor of the default dtype.
    """

    __slots__ = ("__dict__", "__weakref__", "_node")

    # What most tensors never change needs no memory of its own.
    _place: Place | None = None
    _seen = 0  # the version of the place that the node is of; without one, its own
    _grad: Tensor | None = None
    # Whether it was made in inference mode.
    _inference = False
    # Who a view was made from: what PyTorch calls its base.
    _origin: weakref.ref[Tensor] | None = None

    if TYPE_CHECKING:  # the methods that other files give it

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, node: Any = _NOTHING, *more: Any) -> None:
        if node.__class__ is not Node:
            from .legacy import node_from

            node = node_from(self, () if node is _NOTHING else (node, *more))
        self._node = node
        if INFERRING and recording.inference:
            self._inference = True
        _note(_reference(self))
        if len(_live) > pending._due:
            pending.settle(self)

    # The value now ------------------------------------------------------------------------

    @property
    def node(self) -> Node:
        """The node of the current value."""
        place = self._place
        if place is None:
            return self._node
        storage = place.storage
        if storage.outside is not None:
            storage.refresh()
        if self._seen != storage.version:
            self._node = place.read()
            self._seen = storage.version
        return self._node

    @property
    def place(self) -> Place:
        """Where the value is kept; made the first time that somebody shares it."""
        if self._place is None:
            self._settle_in(Storage(self._node, self._seen))
        assert self._place is not None
        return self._place

    def _settle_in(self, place: Place) -> None:
        self._place = place
        self._node = place.read()
        self._seen = place.storage.version

    def _become(self, other: Tensor) -> Tensor:
        """Shows from now on what ``other`` shows."""
        self._place, self._node, self._seen = other._place, other._node, other._seen
        return self

    def _alias(self, result: Node) -> Tensor:
        """The tensor for a view of this one; a tensor of its own if ``result`` is no view."""
        node = self._node  # as it was read to record ``result``
        if result is node:
            return self
        inputs = result.inputs
        direct = inputs and inputs[0] is node and isinstance(result.op, View)
        views = [result] if direct else chain(node, result)
        if views is None:
            return Tensor(result)
        base = self._place
        if base is None:
            base = self._place = Storage(node, self._seen)
        place = descend(base, views)
        alias = Tensor(result)
        if place is not None:
            alias._place, alias._seen = place, base.storage.version
            if alias._inference and not self._inference:
                alias._inference = False
            if place.__class__ is ViewPlace:
                alias._origin = self._origin or _reference(self)
        return alias

    # Writing ------------------------------------------------------------------------------

    def _write(self, node: Node, operation: str = "") -> Tensor:
        """Gives this tensor, and all that share its memory, another value.

        Raises:
            GradError: gradients would be lost.
            ShapeError: the value has another shape.
            DTypeError: the value's dtype cannot become this one's.
        """
        old = self.node
        if self._inference and not recording.inference:
            raise GradError(
                operation,
                "Inplace update to inference tensor outside InferenceMode is not allowed.You can"
                " make a clone to get a normal tensor before doing inplace update.",
            )
        if recording.grad:
            self._check_writable(operation, node)
        if node.spec is not old.spec:
            node = _fitted(node, old, operation)
        if node.op is OUTSIDE:  # what others can write to is taken as it is now
            node = ops.clone(node)
        place = self._place
        if not recording.grad:
            node = without_history(node)
        if not isinstance(place, ViewPlace | LeafPlace):
            node = after(old, node, operation)
        if place is None:
            self._node = node
            self._seen += 1
        else:
            place.write(node)
            self._node = place.read()
            self._seen = place.storage.version
        if old.watch is not None:
            old.watch.follow(old, self._node)
        if pending._due < 0:
            pending.settle(self)
        return self

    def _check_writable(self, operation: str, node: Node) -> None:
        """Refuses a write that gradients cannot follow."""
        place, kind = self._place, "a leaf Variable"
        while isinstance(place, ViewPlace):
            if not place.tracks and (node.requires_grad or place.parent.read().requires_grad):
                raise GradError(
                    operation,
                    "A view was created in no_grad mode and is being modified inplace with grad"
                    " mode enabled. Given that this use case is ambiguous and error-prone, it is"
                    " forbidden. You can clarify your code by moving both the view and the inplace"
                    " either both inside the no_grad block (if you don't want the inplace to be"
                    " tracked) or both outside (if you want the inplace to be tracked).",
                )
            place = place.parent
            if self._origin is not None:
                kind = "a view of a leaf Variable"
        if isinstance(place, LeafPlace):
            raise GradError(
                operation,
                f"{kind} that requires grad is being used in an in-place operation.",
                hint="Write under `with torch.no_grad():`, or change a copy.",
            )

    # What is known without looking --------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._node.spec.shape)

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._node.spec.dtype

    @property
    def device(self) -> device:
        """Where the value lives."""
        return self._node.spec.device

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._node.spec.ndim

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are computed for this tensor."""
        return self.node.requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not isinstance(wanted, bool):
            raise GradError("requires_grad", "requires_grad must be a bool")
        self._collect(wanted, "floating point and complex")

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Starts or stops collecting gradients in ``self.grad``.

        Raises:
            RuntimeError: the dtype cannot have gradients, or the tensor is not a leaf.
        """
        if not isinstance(requires_grad, bool):
            raise ArgTypeError(
                "requires_grad_",
                "requires_grad_(): argument 'requires_grad' (position 1) must be bool,"
                f" not {type(requires_grad).__name__}",
            )
        return self._collect(requires_grad, "floating point")

    def _collect(self, wanted: bool, kinds: str) -> Tensor:
        node = self.node
        if wanted == node.requires_grad:
            return self
        if wanted and self._inference and not recording.inference:
            raise GradError(
                "requires_grad_",
                "Setting requires_grad=True on inference tensor outside InferenceMode is not"
                " allowed.",
            )
        if not wanted:
            if node.op is not ops.leaf:
                raise GradError(
                    "requires_grad_",
                    "you can only change requires_grad flags of leaf variables. If you want to use"
                    " a computed variable in a subgraph that doesn't require differentiation use"
                    " var_no_grad = var.detach().",
                )
            assert isinstance(self._place, LeafPlace)
            self._settle_in(self._place.parent)
            return self
        if not node.dtype.is_differentiable:
            raise GradError(
                "requires_grad_",
                f"only Tensors of {kinds} dtype can require gradients",
                rule=f"This tensor is {node.dtype}.",
            )
        self._settle_in(LeafPlace(self.place, Watch(self)))
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user rather than by a tracked operation."""
        node = self.node
        return not node.requires_grad or node.op is ops.leaf

    @property
    def _base(self) -> Tensor | None:
        """The tensor that this one is a view of, or None."""
        if self._origin is None:
            return None
        base = self._origin()
        if base is None:  # nobody holds it any more, but what it showed is still there
            place = self.place
            while isinstance(place, ViewPlace):
                place = place.parent
            base = Tensor(place.read())
            base._settle_in(place)
        return base

    def _is_view(self) -> bool:
        return self._origin is not None

    @property
    def _version(self) -> int:
        return self._seen if self._place is None else self._place.storage.version

    def __hash__(self) -> int:
        return id(self)


_T = TypeVar("_T", bound=Callable[..., Any])


def method(function: _T) -> _T:
    """Makes a function a method of Tensor, under its own name."""
    setattr(Tensor, function.__name__, function)
    return function


def _fitted(node: Node, old: Node, operation: str) -> Node:
    """A value that is to be written over ``old``, in the dtype of that."""
    if node.shape != old.shape:
        raise ShapeError(
            operation,
            f"output with shape {list(old.shape)} doesn't match the broadcast shape"
            f" {list(node.shape)}",
            rule="Writing in place keeps the shape.",
        )
    if not can_cast(node.dtype, old.dtype):
        raise DTypeError(
            operation,
            f"result type {_long_name(node.dtype)} can't be cast to the desired output type"
            f" {_long_name(old.dtype)}",
            rule="Writing in place keeps the dtype.",
            hint="Convert first, as in x.float().",
        )
    return ops.cast(node, old.dtype)


_LONG_NAMES = {
    "bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int",
    "int64": "Long", "float16": "Half", "bfloat16": "BFloat16", "float32": "Float",
    "float64": "Double", "complex64": "ComplexFloat", "complex128": "ComplexDouble",
}  # fmt: skip


def _long_name(dtype: DType) -> str:
    """PyTorch's old name of a dtype, as its messages use it."""
    return _LONG_NAMES[dtype.name]
