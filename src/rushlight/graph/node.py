"""Node: one immutable value of the recorded program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from rushlight.base import site as sites
from rushlight.base.buffer import Buffer
from rushlight.base.device import CPU, device
from rushlight.base.dtypes import ALL, DType, bool_, complex128, float64, int64
from rushlight.base.shapes import Shape

from .spec import Spec, Specs

if TYPE_CHECKING:
    from .op import Op

Number = bool | int | float | complex


class Watch(Protocol):
    """Somebody who sees a node's gradient arrive and its inputs' go on, and may replace them."""

    def receive(self, gradient: Any) -> Any: ...

    def passed(self, node: Node, given: Any, gradient: Any) -> Any: ...


class Node:
    """One value: an operation applied to nodes, or memory that exists already.

    A node's value never changes. What does change is what is known about it: ``buffer`` is None
    while the node is pending and holds the value afterwards, when ``inputs`` are dropped unless a
    gradient may still ask for them. Equal means identical.

    Attributes:
        op: the operation; ``DATA`` for memory and ``NUMBER`` for a Python scalar.
        inputs: the nodes it is applied to.
        attrs: what else decides the result, hashable, in the order of ``op.attrs``.
        spec: shape, dtype and device; a tuple of them when the operation has several results.
        buffer: the value once it is there (a plain number for ``NUMBER``, a tuple for several).
        requires_grad: whether a gradient flows through this node.
        site: the user's line that recorded it.
        released: whether ``backward`` has freed what it would need to pass here again.
        watch: hooks on this node's gradient, or None.
    """

    __slots__ = (
        "__weakref__", "attrs", "buffer", "inputs", "op", "released", "requires_grad", "site",
        "spec", "watch",
    )  # fmt: skip

    def __init__(
        self,
        op: Op,
        inputs: tuple[Node, ...],
        attrs: tuple[object, ...],
        spec: Specs,
        requires_grad: bool,
        site: sites.Site | None,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        # Several results make a tuple; whoever reads the spec of such a node knows it.
        self.spec: Spec = spec  # type: ignore[assignment]
        self.buffer: Buffer | Number | tuple[Buffer, ...] | None = None
        self.requires_grad = requires_grad
        self.site = site
        self.released = False
        self.watch: Watch | None = None

    @property
    def shape(self) -> Shape:
        """Sizes of the dimensions."""
        return self.spec.shape

    @property
    def dtype(self) -> DType:
        """Type of the elements."""
        return self.spec.dtype

    @property
    def device(self) -> device:
        """Where the value lives."""
        return self.spec.device

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.spec.ndim

    @property
    def keywords(self) -> dict[str, object]:
        """The attributes by name."""
        return dict(zip(self.op.attrs, self.attrs, strict=True))

    def __repr__(self) -> str:
        state = "pending" if self.buffer is None else "known"
        return f"<{state} {self.op.name}: {self.spec}>"

    # Gradient rules are written with operators; ``rushlight.ops`` fills them in at import.
    if TYPE_CHECKING:

        def __add__(self, other: Node | Number) -> Node: ...
        def __radd__(self, other: Number) -> Node: ...
        def __sub__(self, other: Node | Number) -> Node: ...
        def __rsub__(self, other: Number) -> Node: ...
        def __mul__(self, other: Node | Number) -> Node: ...
        def __rmul__(self, other: Number) -> Node: ...
        def __truediv__(self, other: Node | Number) -> Node: ...
        def __rtruediv__(self, other: Number) -> Node: ...
        def __pow__(self, other: Node | Number) -> Node: ...
        def __neg__(self) -> Node: ...
        def __matmul__(self, other: Node) -> Node: ...
        def __gt__(self, other: Node | Number) -> Node: ...
        def __ge__(self, other: Node | Number) -> Node: ...
        def __lt__(self, other: Node | Number) -> Node: ...
        def __le__(self, other: Node | Number) -> Node: ...


def known(buffer: Buffer, *, outside: bool = False) -> Node:
    """A node for memory that exists; ``outside`` if others can write to it."""
    spec = Spec.of(buffer.shape, buffer.dtype, buffer.device)
    node = Node(op.OUTSIDE if outside else op.DATA, (), (), spec, False, None)
    node.buffer = buffer
    return node


_NUMBER_SPECS: dict[object, Spec] = {
    **{dtype: Spec.of((), dtype, CPU) for dtype in ALL},
    bool: Spec.of((), bool_, CPU),
    int: Spec.of((), int64, CPU),
    float: Spec.of((), float64, CPU),
    complex: Spec.of((), complex128, CPU),
}


def number(value: Number, dtype: DType | None = None) -> Node:
    """A node for a Python scalar: an input whose value is no part of a graph's identity."""
    node = Node(op.NUMBER, (), (), _NUMBER_SPECS[dtype or type(value)], False, None)
    node.buffer = value
    return node


from . import op  # noqa: E402 - Op needs Node first; here only the instances in it are used
