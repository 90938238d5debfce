"""Sums of products in Einstein's notation, as products of two matrices at a time."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, ArgValueError, Fault, OperationError
from rushlight.base.shapes import prod
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .join import together

Labels = tuple[Any, ...]
Term = tuple[Node, Labels]


def _wrong(problem: str) -> Fault:
    return OperationError("einsum", f"einsum(): {problem}")


class Einsum(Composite):
    """``einsum("bij,bjk->bik", x, y)``: labels that are not in the result are summed over.

    A label twice in one operand takes its diagonal; ``...`` stands for dimensions that broadcast.
    Instead of an equation, each operand may be followed by a list of numbers as its labels.

    Example:
        >>> import rushlight as rl
        >>> rl.einsum("ij,j->i", rl.tensor([[1, 2], [3, 4]]), rl.tensor([1, 1]))
        tensor([3, 7])
        >>> rl.einsum("ii", rl.eye(3))
        tensor(3.)
    """

    name = "einsum"
    torch = "einsum(Any equation, Any *operands) -> Tensor"
    ulp = 64

    def __call__(self, equation: Any, operands: tuple[Any, ...]) -> Node:
        if isinstance(equation, str):
            nodes, inputs, output = _from_text(equation, operands)
        else:
            nodes, inputs, output = _from_lists((equation, *operands))
        terms, result = _labelled(together(nodes), inputs, output)
        _check_sizes(terms)
        for label in result:
            if not any(label in labels for _, labels in terms):
                raise _wrong(
                    f"output subscript {label} does not appear in the equation for any input"
                    " operand"
                )
        return _contracted(terms, result)

    def samples(self, make: Any) -> Any:
        yield "ij,jk->ik", make(3, 4), make(4, 2)
        yield "bij, bjk", make(2, 3, 4), make(2, 4, 5)
        yield "i,j->ij", make(3), make(4)
        yield "ij->ji", make(3, 4)
        yield "ij->", make(3, 4)
        yield "ii->i", make(3, 3)
        yield "iij,j->i", make(3, 3, 4), make(4)
        yield "...ij,...jk->...ik", make(2, 3, 4), make(4, 5)
        yield "i...->...", make(3, 4)
        yield "...", make(3)
        yield "ij,kj,kl->il", make(2, 3), make(4, 3), make(4, 5)
        yield "ij,ij->i", make(3, 1), make(3, 4)
        yield "ij,kl->", make(2, 3), make(2, 2)
        yield ",i->i", make(), make(3)
        yield make(3, 4), [0, 1], make(4, 2), [1, 2], [0, 2]
        yield make(3, 4), [Ellipsis, 1], [1, Ellipsis]

    def errors(self, make: Any) -> Any:
        x = make(3, 4)
        yield lambda: make.call("ij,jk", x, x), RuntimeError, "subscript j has size 3 for operand 1"
        yield lambda: make.call("ij,jk->il", x, x.T), RuntimeError, "output subscript l does not"
        yield lambda: make.call("ij", x, x), RuntimeError, "more operands were provided"
        yield lambda: make.call("ij,jk", x), RuntimeError, "fewer operands were provided"
        yield lambda: make.call("i", x), RuntimeError, r"subscripts in the equation \(1\)"
        yield lambda: make.call("ij->ii", x), RuntimeError, "appears more than once in the output"
        yield lambda: make.call("i$", x), RuntimeError, "subscripts must be in"
        yield lambda: make.call("ij"), ValueError, "at least one operand"


# Reading the equation -----------------------------------------------------------------------------


def _from_text(equation: str, operands: tuple[Any, ...]) -> tuple[Any, list[Labels], Any]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    inputs = [_letters(part, equation) for part in left.split(",")]
    if not operands:
        raise ArgValueError("einsum", "einsum(): must provide at least one operand")
    if len(inputs) != len(operands):
        more = len(operands) > len(inputs)
        raise _wrong(
            f"{'more' if more else 'fewer'} operands were provided than specified in the equation"
        )
    for place, operand in enumerate(operands):
        if not isinstance(operand, Node):
            kind = type(operand).__name__
            raise ArgTypeError(
                "einsum", f"expected Tensor as element {place} in argument 1, but got {kind}"
            )
    return operands, inputs, _letters(right, equation) if arrow else None


def _letters(text: str, equation: str) -> Labels:
    labels: list[Any] = []
    for position, letter in enumerate(text.replace("...", "\0")):
        if letter == "\0":
            labels.append(Ellipsis)
        elif letter.isascii() and letter.isalpha():
            labels.append(letter)
        else:
            raise _wrong(
                f"invalid subscript given at index {position} in the equation string, subscripts"
                f" must be in [a-zA-Z]: {equation}"
            )
    if labels.count(Ellipsis) > 1:
        raise _wrong("found '...' for which an ellipsis was already found in the equation")
    return tuple(labels)


def _from_lists(items: tuple[Any, ...]) -> tuple[Any, list[Labels], Any]:
    count = len(items) // 2
    output = tuple(items[-1]) if len(items) % 2 else None
    return items[: 2 * count : 2], [tuple(labels) for labels in items[1 : 2 * count : 2]], output


def _labelled(
    nodes: tuple[Node, ...], inputs: list[Labels], output: Labels | None
) -> tuple[list[Term], Labels]:
    """Each operand with a label per dimension, and the labels of the result.

    The dimensions that an ellipsis stands for are labelled -1, -2, ... from the last.
    """
    terms, widest = [], 0
    for position, (x, labels) in enumerate(zip(nodes, inputs, strict=True)):
        named = len(labels) - (Ellipsis in labels)
        more = x.ndim - named
        if more < 0 or (more and Ellipsis not in labels):
            raise _wrong(
                f"the number of subscripts in the equation ({named})"
                f" {'is more than' if more < 0 else 'does not match'} the number of dimensions"
                f" ({x.ndim}) for operand {position}"
                f"{'' if more < 0 else ' and no ellipsis was given'}"
            )
        widest = max(widest, more)
        terms.append(_diagonals(x, _spelled(labels, more)))
    if output is None:
        seen = [label for labels in inputs for label in labels if label is not Ellipsis]
        once = sorted(label for label in set(seen) if seen.count(label) == 1)
        return terms, (*range(-widest, 0), *once)
    for label in output:
        if output.count(label) > 1:
            raise _wrong(f"output subscript {label} appears more than once in the output")
    return terms, _spelled(output, widest)


def _spelled(labels: Labels, more: int) -> Labels:
    """Labels with the ellipsis replaced by numbers for so many dimensions."""
    return tuple(
        each for label in labels for each in (range(-more, 0) if label is Ellipsis else (label,))
    )


def _diagonals(x: Node, labels: Labels) -> Term:
    """An operand without repeated labels: the diagonal of their dimensions, as the last one."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            if x.shape[first] != x.shape[second]:
                raise _wrong(
                    f"subscript {label} is repeated for operand but the sizes don't match,"
                    f" {x.shape[second]} != {x.shape[first]}"
                )
            x = ops.diagonal(x, 0, first, second)
            rest = [each for d, each in enumerate(labels) if d not in (first, second)]
            labels = (*rest, label)
    return x, labels


def _check_sizes(terms: list[Term]) -> None:
    sizes: dict[Any, int] = {}
    for position, (x, labels) in enumerate(terms):
        for label, size in zip(labels, x.shape, strict=True):
            known = sizes.setdefault(label, size)
            if known == 1:
                sizes[label] = size
            elif size not in (1, known):
                raise _wrong(
                    f"subscript {label} has size {size} for operand {position} which does not"
                    f" broadcast with previously seen size {known}"
                )


# Multiplying --------------------------------------------------------------------------------------


def _contracted(terms: list[Term], result: Labels) -> Node:
    """The product of all terms from the left, each label summed as soon as nobody needs it."""
    term = terms[0]
    for position, other in enumerate(terms[1:], 1):
        needed = set(result).union(*(labels for _, labels in terms[position + 1 :]))
        term = _product(_summed(term, needed | set(other[1])), other, needed)
    x, labels = _summed(term, set(result))
    return ops.permute(x, [labels.index(label) for label in result])


def _summed(term: Term, needed: set[Any]) -> Term:
    """A term without the labels that nobody needs."""
    x, labels = term
    over = [d for d, label in enumerate(labels) if label not in needed]
    if not over:
        return term
    return ops.sum(x, over), tuple(label for label in labels if label in needed)


def _product(left: Term, right: Term, needed: set[Any]) -> Term:
    """Two terms multiplied, and summed over what both have and nobody else needs."""
    right = _summed(right, needed | set(left[1]))
    shared = [label for label in left[1] if label in right[1]]
    over = [label for label in shared if label not in needed]
    batch = [label for label in shared if label in needed]
    rows = [label for label in left[1] if label not in shared]
    columns = [label for label in right[1] if label not in shared]
    sizes = {
        label: max(left[0].shape[left[1].index(label)], right[0].shape[right[1].index(label)])
        if 0 not in (left[0].shape[left[1].index(label)], right[0].shape[right[1].index(label)])
        else 0
        for label in shared
    }
    x = _arranged(left, [batch, rows, over], sizes)
    y = _arranged(right, [batch, over, columns], sizes)
    product = ops.matmul(x, y)
    outside = [left[0].shape[left[1].index(label)] for label in rows]
    inside = [right[0].shape[right[1].index(label)] for label in columns]
    shape = (*(sizes[label] for label in batch), *outside, *inside)
    return ops.reshape(product, shape), (*batch, *rows, *columns)


def _arranged(term: Term, groups: list[list[Any]], sizes: dict[Any, int]) -> Node:
    """A term as a tensor of one dimension for each group of labels, broadcast to ``sizes``."""
    x, labels = term
    order = [label for group in groups for label in group]
    x = ops.permute(x, [labels.index(label) for label in order])
    full = [sizes.get(label, size) for label, size in zip(order, x.shape, strict=True)]
    x = ops.expand(x, full)
    found = dict(zip(order, full, strict=True))
    return ops.reshape(x, [prod(tuple(found[label] for label in group)) for group in groups])


einsum = Einsum()
