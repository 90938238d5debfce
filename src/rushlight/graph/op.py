"""Op: the whole meaning of one operation, in one place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from rushlight.base import site as sites
from rushlight.base.errors import InternalError

from .node import Node
from .spec import Spec

Fails = tuple[Callable[[], object], type[Exception], str]
"""A call that must fail, the exception's type, and a pattern that its text matches."""


class Recording(threading.local):
    """What recording does in this thread.

    Attributes:
        grad: whether gradients flow through what is recorded (``no_grad`` turns it off).
        inference: whether ``inference_mode`` is on.
        site: the line to note instead of the caller's; gradients note their forward line.
    """

    grad = True
    inference = False
    site: sites.Site | None = None


recording = Recording()
_spec = attrgetter("spec")

table: dict[str, Op] = {}
"""Every operation by name."""


class Op:
    """One operation. Subclasses say what it means; the single instance is called to record it.

    Attributes:
        name: the name in graphs, logs and the table.
        torch: PyTorch's signature, or several; the public function and method come from it.
        attrs: names of the attributes, in the order of ``Node.attrs``.
        module: where the public function lives: ``""`` for ``rushlight.f``, else a submodule's
            name such as ``"nn.functional"``.
        backward: what ``grad_fn`` prints, ``<this>Backward0``; from ``name`` when empty.
        differentiable: whether gradients flow through it at all.
        transparent: the value is that of the first input, so nothing has to be computed.
        draws: whether the value comes from random numbers.
        joint: whether PyTorch has one operation for all the gradients, so that they can be
            differentiated as soon as an input can, even where that gives only zeros.
        batched: how it takes one dimension more in front of its inputs, which
            ``func.batching`` knows: ``"dims"`` that attributes name move on by one, ``"front"``
            says that there may be any number of them, and so on; none for each by itself.
        autocast: what an autocast region converts its inputs to: ``"lower"`` for the region's type,
            ``"wide"`` for float32, ``"widest"`` for the wider of the two that there is, ``"first"``
            for that of the first input; none to leave them as they are.
        onnx: what it is in ONNX: the name of an operator with the same inputs, or a method that is
            called with the export's writer, values for the inputs, and attributes (see
            ``rushlight.onnx.writer``); None where it is written by its elements or its parts.
        ulp: distance allowed from the reference, in units of the last place; 0 where a kernel gives
            the same bits.
    """

    name: ClassVar[str] = ""
    torch: ClassVar[str | tuple[str, ...]] = ()
    attrs: ClassVar[tuple[str, ...]] = ()
    module: ClassVar[str] = ""
    backward: ClassVar[str] = ""
    differentiable: ClassVar[bool] = True
    transparent: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    joint: ClassVar[bool] = False
    batched: ClassVar[str] = ""
    autocast: ClassVar[str] = ""
    onnx: ClassVar[Any] = None
    ulp: ClassVar[int] = 2

    def __init__(self) -> None:
        self.rules: dict[object, Any] = {}
        if not self.name:
            raise InternalError(f"{type(self).__name__} has no name")
        if table.setdefault(self.name, self) is not self:
            raise InternalError(f"two operations are called {self.name}")

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    # What a subclass says --------------------------------------------------------------------

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        """Records the operation on nodes with PyTorch's arguments. Attributes are canonical."""
        return self.record(inputs, *(attrs[name] for name in self.attrs))

    def infer(self, *specs: Any, **attrs: Any) -> Any:
        """The result's type, or a fault that says why there is none."""
        raise NotImplementedError

    def vjp(self, g: Any, y: Node, *inputs: Any, **attrs: Any) -> tuple[Node | None, ...]:
        """The gradients of the inputs from the result's gradient ``g``.

        Args:
            g: a Node; for several results a tuple with None where no gradient arrives.
            y: this node's own value, to use instead of computing it again.
        """
        raise NotImplementedError(f"{self.name} has no gradient rule")

    def ref(self, *arrays: Any, **attrs: Any) -> Any:
        """The value in NumPy; half types arrive as float32. The result's dtype is mended after."""
        raise NotImplementedError

    def lowers(self, spec: Any, *inputs: Any) -> bool:
        """Whether ``element``, ``lower`` or ``expand`` cover these types of result and inputs."""
        specs = (
            each for one in (spec, *inputs) for each in (one if type(one) is tuple else (one,))
        )
        return not any(each.dtype.is_complex for each in specs)

    def expand(self, *inputs: Any, **attrs: Any) -> Any:
        """The same recorded as simpler operations: a Node, or one for each of several results."""
        raise NotImplementedError(f"{self.name} is not made of others")

    def element(self, b: Any, index: Any, *inputs: Any, **attrs: Any) -> Any:
        """How a kernel computes one element of the result.

        Args:
            b: the compiler's Body, which makes expressions.
            index: the element's place, an integer expression for each dimension.
            inputs: their elements are read with ``x.at(i, j)``; they have ``shape`` and ``dtype``.
        """
        raise NotImplementedError(f"{self.name} has no kernel")

    def scattered(self, *inputs: Any, **attrs: Any) -> tuple[int, ...]:
        """The shape of what :meth:`scatter` brings to places of the first input."""
        raise NotImplementedError(f"{self.name} scatters nothing")

    def scatter(self, b: Any, place: Any, *inputs: Any, **attrs: Any) -> tuple[str, Any, Any]:
        """How a kernel changes a copy of the first input, one element after the other.

        Args:
            b, inputs: as for :meth:`element`.
            place: which element of what is scattered, an index for each of its dimensions.
        Returns:
            ``"set"`` or the name of a reduction, the element of the copy that is changed as an
            index for each dimension, and the number that it becomes or is brought together with.
        """
        raise NotImplementedError(f"{self.name} scatters nothing")

    def reads(self, node: Node) -> tuple[bool, ...] | None:
        """Which of (itself, *inputs) the gradient rule reads; None to find out by following it."""
        return None

    def samples(self, make: Any) -> Iterator[object]:
        """Inputs that tests run: a Tensor, or a tuple of arguments that may end with a dict."""
        return iter(())

    def errors(self, make: Any) -> Iterator[Fails]:
        """Uses that must fail, and how."""
        return iter(())

    def grad_name(self, node: Node) -> str:
        """What ``grad_fn`` of ``node`` prints."""
        stem = self.backward or "".join(part.title() for part in self.name.split("_"))
        return f"{stem}Backward0"

    # What every operation shares -------------------------------------------------------------

    def record(self, inputs: tuple[Node, ...], *attrs: Any) -> Node:
        """A new node; its type comes from ``infer``, once for each combination of types."""
        key = (*map(_spec, inputs), *attrs)
        spec = self.rules.get(key)
        if spec is None:
            spec = self.rules[key] = self.typed(inputs, attrs)
        site = recording.site or sites.current(2)
        tracked = recording.grad and self.tracks(inputs, spec)  # most gradients are not tracked
        return Node(self, inputs, attrs, spec, tracked, site)

    def typed(self, inputs: tuple[Node, ...], attrs: tuple[Any, ...]) -> Any:
        """``infer`` on the inputs' types."""
        return self.infer(*(x.spec for x in inputs), **dict(zip(self.attrs, attrs, strict=True)))

    def node(self, inputs: tuple[Node, ...], attrs: tuple[Any, ...], spec: Any) -> Node:
        """A new node of a known type."""
        # This method, the operation's call and the public function are never the user's line.
        site = recording.site or sites.current(3)
        return Node(self, inputs, attrs, spec, self.tracks(inputs, spec), site)

    def forget(self) -> None:
        """Drops the types worked out so far; they depend on the default dtype."""
        self.rules.clear()

    def tracks(self, inputs: tuple[Node, ...], spec: Any) -> bool:
        """Whether a gradient flows from a result of this type to any of ``inputs``."""
        if recording.grad and self.differentiable:
            for x in inputs:
                if x.requires_grad:
                    if spec.__class__ is Spec:
                        return spec.dtype.is_differentiable
                    return any(each.dtype.is_differentiable for each in spec)
        return False

    def evaluate(self, arrays: tuple[np.ndarray, ...], attrs: tuple[Any, ...]) -> Any:
        """``ref`` with positional attributes."""
        return self.ref(*arrays, **dict(zip(self.attrs, attrs, strict=True)))


class Variadic(Op):
    """An operation on any number of inputs: ``infer``, ``vjp``, ``ref`` take them as one tuple."""

    def typed(self, inputs: tuple[Node, ...], attrs: tuple[Any, ...]) -> Any:
        specs: Any = tuple(x.spec for x in inputs)
        return self.infer(specs, **dict(zip(self.attrs, attrs, strict=True)))

    def evaluate(self, arrays: tuple[np.ndarray, ...], attrs: tuple[Any, ...]) -> Any:
        return self.ref(arrays, **dict(zip(self.attrs, attrs, strict=True)))


class Composite(Op):
    """A function made of other operations: ``__call__`` records those, never a node of its own."""


class View(Op):
    """An operation whose result is part of its first input, in another arrangement."""

    def put(self, whole: Node, part: Node, *rest: Any, **attrs: Any) -> Node:
        """``whole`` with the elements that this view shows replaced by ``part``."""
        raise NotImplementedError

    def strides(
        self, old: tuple[int, ...], strides: tuple[int, ...], offset: int, *rest: Any, **attrs: Any
    ) -> tuple[tuple[int, ...], int]:
        """The strides and the offset of the view in its input's memory."""
        raise NotImplementedError


class Data(Op):
    """Memory that exists."""

    name = "data"


class OutsideData(Op):
    """Memory that others can write to: its value is that of this moment and is not passed on."""

    name = "outside"


class NumberInput(Op):
    """A Python scalar."""

    name = "number"


DATA = Data()
OUTSIDE = OutsideData()
NUMBER = NumberInput()
