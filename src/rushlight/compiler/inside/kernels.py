"""Kernels as text that reads like loops.

for i < 64:
    for j < 10:
        v0 max= t0[10*i + j]
    for j < 10:
        v1 sum= exp(t0[10*i + j] - v0)
    for j < 10:
        y0[10*i + j] = exp(t0[10*i + j] - v0) / v1
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rushlight.base.dtypes import bool_
from rushlight.graph.spec import short

from ..contraction import Contraction, Operand
from ..convolution import Convolution
from ..epilogue import Products
from ..expr import LEAVES, Expr
from ..index import Atom, Axis, Index, Looked, Quotient
from ..integer import IntegerSums
from ..kernel import Kernel, Loop, Root
from ..scatter import Scatter

WIDE = 72
"""Characters of an expression beyond which a part of it gets a name and a line."""

INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "eq": "==", "ne": "!=", "and_": "and", "or_": "or", "xor": "^", "shl": "<<", "shr": ">>",
}  # fmt: skip
BITS = {"and_": "&", "or_": "|"}

Names = Mapping[int, str]


def show_call(call: Any, names: Names) -> str:
    """A call of a schedule as text.

    Args:
        names: of buffers.
    """
    if isinstance(call, Kernel):
        return _Kernel(call, names).text()
    if isinstance(call, Products):
        return _products(call, names)
    if isinstance(call, Scatter):
        return _scatter(call, names)
    inputs = ", ".join(_named(each, names) for each in call.inputs)
    attrs = "".join(f" {name}={value!r}" for name, value in call.step.keywords.items())
    outputs = ", ".join(names[b] for b in call.outputs)
    return f"{outputs} = {call.step.op.name}({inputs}){attrs}"


def _named(buffers: Any, names: Names) -> str:
    if isinstance(buffers, tuple):
        return f"({', '.join(names[b] for b in buffers)})"
    return names[buffers]


class _Lines:
    """Lines of text and how far the next one is indented; what axes and values are called."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.lines: list[str] = []
        self.depth = 0
        self.known: dict[Expr, str] = {}
        self.notes: dict[int, str] = {}  # on what is written to a buffer
        self._axes: dict[Axis, str] = {}

    def add(self, text: str) -> None:
        """One more line."""
        self.lines.append("    " * self.depth + text)

    def axis(self, axis: Axis) -> str:
        """What an axis is called: i, j, k, ... in the order in which they come."""
        if axis not in self._axes:
            k = len(self._axes)
            self._axes[axis] = "ijklmnpqr"[k] if k < 9 else f"i{k}"
        return self._axes[axis]

    def open(self, axes: Sequence[Axis]) -> None:
        """Begins a loop over some axes, one line each."""
        for axis in axes:
            self.add(f"for {self.axis(axis)} < {axis.extent}:")
            self.depth += 1

    def close(self, axes: Sequence[Axis]) -> None:
        """Ends it."""
        self.depth -= len(axes)

    # Expressions -----------------------------------------------------------------------------

    def statements(self, bodies: Sequence[Expr]) -> list[str]:
        """Expressions as text; what they share, and what is long, has lines of its own before."""
        uses: Counter[Expr] = Counter()
        order: list[Expr] = []
        seen: set[Expr] = set()
        stack = [(body, False) for body in reversed(bodies)]
        while stack:
            x, ready = stack.pop()
            if ready:
                order.append(x)
            elif x not in seen:
                seen.add(x)
                stack.append((x, True))
                if x not in self.known:
                    uses.update(x.args)
                    stack.extend((arg, False) for arg in reversed(x.args))
        before = dict(self.known)
        for x in order:
            text = self.expression(x)
            own = x.op not in LEAVES and x not in bodies
            if x not in self.known and own and (uses[x] > 1 or len(text) > WIDE):
                name = f"a{len(self.known)}"
                self.add(f"{name} = {text}")
                self.known[x] = name
        found = [self.expression(body) for body in bodies]
        self.known = before | {x: n for x, n in self.known.items() if not x.axes or x in before}
        return found

    def expression(self, x: Expr, inside: bool = False) -> str:
        """An expression as text; in brackets if it is ``inside`` of another and needs them."""
        if x in self.known:
            return self.known[x]
        if x.op == "const":
            return _number(x.attrs[0])
        if x.op == "load":
            found = self.place(*x.attrs)
            return f"({found} if {self.expression(x.args[0])})" if x.args else found
        if x.op == "index":
            return self.index(x.attrs[0], inside)
        args = x.args
        if x.op in INFIX and len(args) == 2:
            sign = INFIX[x.op] if x.dtype is bool_ else BITS.get(x.op, INFIX[x.op])
            text = f" {sign} ".join(self.expression(arg, True) for arg in args)
            return f"({text})" if inside else text
        if x.op == "select":
            c, a, b = (self.expression(arg, True) for arg in args)
            text = f"{a} if {c} else {b}"
            return f"({text})" if inside else text
        name = x.op
        if name in ("cast", "bits"):
            name = short(x.dtype)
        elif name == "reduce":
            name = f"{x.attrs[0]}[{', '.join(map(self.axis, x.attrs[1]))}]"
        elif name == "product":
            return "product"
        return f"{name}({', '.join(self.expression(arg) for arg in args)})"

    def place(self, buffer: int, index: Index) -> str:
        """An element of a buffer."""
        return f"{self.names[buffer]}[{self.index(index)}]"

    def index(self, index: Index, inside: bool = False) -> str:
        """An index as text."""
        terms = [f"{_factor(f)}{self._atom(a)}" for a, f in index.terms]
        if index.constant or not terms:
            terms.append(str(index.constant))
        text = " + ".join(terms).replace("+ -", "- ")
        return f"({text})" if inside and len(terms) > 1 else text

    def _atom(self, atom: Atom) -> str:
        if isinstance(atom, Axis):
            return self.axis(atom)
        if isinstance(atom, Looked):
            return self.expression(atom.value, True)
        sign = "//" if isinstance(atom, Quotient) else "%"
        return f"({self.index(atom.whole, True)} {sign} {atom.by})"

    def write(self, roots: Sequence[Root], kept: set[int]) -> None:
        """Lines for results."""
        for root, text in zip(roots, self.statements([r.body for r in roots]), strict=True):
            note = self.notes.get(root.buffer, "") if root.buffer in kept else "stays in registers"
            note = f"   # {note}" if note else ""
            self.add(f"{self.place(root.buffer, root.place)} = {text}{note}")


def _factor(number: int) -> str:
    return {1: "", -1: "-"}.get(number, f"{number}*")


def _number(number: Any) -> str:
    return f"{number:.9g}" if isinstance(number, float) else repr(number)


class _Kernel(_Lines):
    """A kernel of template ``loops``."""

    def __init__(self, kernel: Kernel, names: Names) -> None:
        super().__init__(names)
        self.kernel = kernel
        self.notes = dict.fromkeys(kernel.local, "one row of memory")

    def text(self) -> str:
        """All of it."""
        self.open(self.kernel.rows)
        for phase in self.kernel.phases():
            self.write(phase.numbers, self.kernel.kept)
            for loop in phase.loops:
                self._loop(loop)
        return "\n".join(self.lines)

    def _loop(self, loop: Loop) -> None:
        self.open(loop.axes)
        self.write(loop.roots, self.kernel.kept)
        bodies = self.statements([x.args[0] for x in loop.reductions])
        for x, text in zip(loop.reductions, bodies, strict=True):
            name = f"v{sum(known.op == 'reduce' for known in self.known)}"
            self.add(f"{name} {x.attrs[0]}= {text}")
            self.known[x] = name
        self.close(loop.axes)


def _products(call: Products, names: Names) -> str:
    """Sums of products, and what is made of them while they are in registers."""
    text = _Lines(names)
    axes = [axis for axis in (call.batch, call.m, call.n) if axis.extent > 1]
    text.open(axes)
    if isinstance(call, Contraction):
        k = Axis(call.sizes[2])
        a, b = _element(call, call.a, call.m, k), _element(call, call.b, k, call.n)
        over = f"{text.axis(k)} < {k.extent}"
        text.add(f"product = sum[{over}]({text.place(*a)} * {text.place(*b)})")
    elif isinstance(call, (Convolution, IntegerSums)):
        operands = ", ".join(names[b] for b in (call.source.buffer, call.other.buffer))
        text.add(f"product = {call.op.name}({operands})")
    text.write(call.roots, call.kept)
    return "\n".join(text.lines)


def _scatter(call: Scatter, names: Names) -> str:
    """Changes that follow each other."""
    text = _Lines(names)
    text.open((*call.rows, *call.turns))
    (body,) = text.statements([call.body])
    text.add(f"{text.place(call.outputs[0], call.place)} = {body}")
    return "\n".join(text.lines)


def _element(call: Contraction, x: Operand, row: Axis, column: Axis) -> tuple[int, Index]:
    """The element of an operand in a row and a column of this matrix of the batch."""
    rows, columns = x.strides
    place = Index.of(row) * rows + Index.of(column) * columns + x.offset
    rest = Index.of(call.batch)
    for extent, step in zip(reversed(call.extents), reversed(x.batch), strict=True):
        place, rest = place + rest % extent * step, rest // extent
    return x.buffer, place
