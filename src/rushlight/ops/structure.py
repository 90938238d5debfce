"""Operations that compute nothing: parts of several results, leaves, and what gradients may see."""

from __future__ import annotations

import math
from typing import Any

from rushlight.graph.node import Node
from rushlight.graph.op import Op, View
from rushlight.graph.spec import Spec


class Part(Op):
    """One of the results of an operation that has several."""

    name, attrs = "part", ("index",)

    def __call__(self, several: Node, index: int) -> Node:
        specs: Any = several.spec
        spec = specs[index]
        tracked = several.requires_grad and self.tracks((several,), spec)
        return Node(self, (several,), (index,), spec, tracked, several.site)

    def infer(self, several: Any, *, index: int) -> Spec:
        return several[index]  # type: ignore[no-any-return]

    def ref(self, several: Any, *, index: int) -> Any:
        return several[index]


class Together(Op):
    """Several values as the results of one operation: what leaves a graph as a tuple."""

    name = "together"

    def vjp(self, g: Any, y: Node, *values: Node) -> tuple[Node | None, ...]:
        return tuple(g)

    def ref(self, *values: Any) -> Any:
        return values


class Gradients(Op):
    """Gradients for leaves, which are worked out when a graph is cut: see ``autograd.deferred``.

    The inputs are the results that are differentiated, as many weights, and the leaves.
    """

    name, attrs = "gradients", ("roots",)
    differentiable = False

    def infer(self, *specs: Spec, roots: int) -> tuple[Spec, ...]:
        return specs[2 * roots :]


class Finite(Op):
    """A number that should be finite. Kernels stop where it is not, before anything is written.

    The reference goes on: whoever runs a graph looks at the result and says who made it.
    """

    name = "finite"

    def infer(self, x: Spec) -> Spec:
        return x

    def ref(self, x: Any) -> Any:
        return x

    def lowers(self, spec: Any, *inputs: Any) -> bool:
        return True

    def element(self, b: Any, index: Any, x: Any) -> Any:
        number = x.at(*index)
        b.checked(number, b.lt(b.abs(number), math.inf))
        return number


class Transparent(Op):
    """An operation whose value is that of its first input. Abstract."""

    transparent = True

    def infer(self, x: Spec, *history: Spec) -> Spec:
        return x

    def ref(self, x: Any) -> Any:
        return x


class Leaf(Transparent):
    """A tensor that collects gradients: what lies behind its value is not differentiated."""

    name = "leaf"
    batched = "leaf"

    def __call__(self, value: Node) -> Node:
        return Node(self, (value,), (), value.spec, True, value.site)


class Detach(View, Transparent):
    """The same value with no history. Writing through it leaves the history as it was."""

    name, torch = "detach", "detach(Tensor(a) self) -> Tensor(a)"
    batched = "front"
    differentiable = False

    def put(self, whole: Node, part: Node) -> Node:
        return graft(part, whole) if whole.requires_grad else part

    def strides(
        self, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
    ) -> tuple[tuple[int, ...], int]:
        return strides, offset

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("x"), TypeError, "must be Tensor, not str"


class Clone(Transparent):
    """The same value, in memory of its own: nobody sees writes to it, nor it writes to others."""

    name = "clone"
    batched = "front"
    torch = "clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor"

    def __call__(self, x: Node, *, memory_format: Any = None) -> Node:
        return self.record((x,))

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g,)

    def samples(self, make: Any) -> Any:
        yield make(3, 4)
        yield make(4, 3).T
        yield make()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("x"), TypeError, "must be Tensor, not str"


class Graft(Transparent):
    """The value of one node with the history of another: what ``y.data.zero_()`` leaves behind."""

    name = "graft"

    def vjp(self, g: Node, y: Node, value: Node, history: Node) -> tuple[Node | None, ...]:
        return None, g


class Constant(Transparent):
    """A value that counts as a function of nodes although none of them changes it."""

    name = "constant_in"

    def vjp(self, g: Node, y: Node, value: Node, *nodes: Node) -> tuple[Node | None, ...]:
        return g, *(None for _ in nodes)


part = Part()
gradients = Gradients()
together = Together()
finite = Finite()
leaf = Leaf()
detach = Detach()
clone = Clone()
graft = Graft()
constant_in = Constant()


def joined(gradients: tuple[Node | None, ...], inputs: tuple[Node, ...]) -> tuple[Node | None, ...]:
    """Gradients as results of one operation on ``inputs``, each of which can be differentiated."""
    tracked = tuple(x for x in inputs if x.requires_grad)
    return tuple(
        g if g is None or g.requires_grad else constant_in.record((g, *tracked)) for g in gradients
    )


def parts(several: Node) -> tuple[Node, ...]:
    """All the results of an operation that has several."""
    specs: Any = several.spec
    tracked, site = several.requires_grad, several.site
    return tuple(
        [
            Node(part, (several,), (i,), spec, tracked and spec.dtype.is_differentiable, site)
            for i, spec in enumerate(specs)
        ]
    )
