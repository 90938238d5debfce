"""Functions that compute the derivatives of functions.

They nest: what they return is recorded work that can be differentiated, or batched, again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from rushlight import ops
from rushlight.autograd.core import tape
from rushlight.autograd.functional import stacked
from rushlight.autograd.mode import enable_grad
from rushlight.autograd.walk import grad as gradients
from rushlight.base.errors import ArgTypeError, ArgValueError, GradError, OperationError
from rushlight.tensor.creation import zeros_like
from rushlight.tensor.tensor import Tensor

from . import tree

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """A function that computes the gradient of ``func``, which returns one number.

    Args:
        argnums: which arguments to differentiate for; several give a tuple.
        has_aux: whether ``func`` returns a pair, whose second part is passed on.
    Raises:
        RuntimeError: the result is not one number; ``argnums`` are out of range.
    Example:
        >>> import rushlight as rl
        >>> rl.func.grad(rl.func.grad(lambda x: x ** 3))(rl.tensor(2.0))
        tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func, updated=())
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        found, returned = both(*args, **kwargs)
        return (found, returned[1]) if has_aux else found

    return differentiated


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """As :func:`grad`, with what ``func`` returned besides: ``(gradient, value)``."""

    @functools.wraps(func, updated=())
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            point = _Point(args, argnums, "grad_and_value")
            returned = func(*point.args, **kwargs)
            value = _value_of(returned, has_aux, "grad_and_value")
            if not isinstance(value, Tensor) or value.numel() != 1 or value.ndim:
                shown = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value)
                raise OperationError(
                    "grad",
                    "Expected f(*args) to return a scalar tensor: the function to differentiate"
                    f" must return one number, got {shown}",
                )
            found = point.gradients([value], None)
        return point.shown(found), point.outside(returned)

    return differentiated


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """What ``func`` returns, and a function from weights of that to gradients of ``primals``.

    Returns:
        ``(output, vjp_fn)``, and what ``func`` returned second with ``has_aux``.
    Example:
        >>> import rushlight as rl
        >>> output, pull = rl.func.vjp(lambda x: x ** 2, rl.tensor([1.0, 3.0]))
        >>> pull(rl.ones(2))
        (tensor([2., 6.]),)
    """
    with enable_grad():
        point = _Point(primals, tuple(range(len(primals))), "vjp")
        returned = func(*point.args)
        output = _value_of(returned, has_aux, "vjp")
    outputs = tree.leaves(output)
    _check_tensors("vjp", outputs)

    def pull(*cotangents: Any) -> Any:
        given = tree.leaves(cotangents[0] if len(cotangents) == 1 else cotangents)
        if [tuple(x.shape) for x in given] != [tuple(x.shape) for x in outputs]:
            raise OperationError(
                "vjp",
                "Expected pytree structure of cotangents to be the same as pytree structure of"
                " outputs to the function.",
            )
        with enable_grad():
            found = point.gradients(outputs, given)
        return tree.mapped(point.outside, point.in_place_of_arguments(found))

    if has_aux:
        return point.outside(output), pull, point.outside(returned[1])
    return point.outside(output), pull


def jvp(
    func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """What ``func`` returns, and how that changes when the arguments move along ``tangents``.

    Returns:
        ``(output, change)``, and what ``func`` returned second with ``has_aux``.
    Raises:
        RuntimeError: ``tangents`` do not have the form of ``primals``.
    Example:
        >>> import rushlight as rl
        >>> rl.func.jvp(lambda x: x ** 2, (rl.tensor(3.0),), (rl.tensor(1.0),))
        (tensor(9.), tensor(6.))
    """
    for given, what in ((primals, "primals"), (tangents, "tangents")):
        if not isinstance(given, tuple):
            raise OperationError(
                "jvp",
                f"jvp: Expected {what} to be a tuple. E.g. it should be valid to call f(*primals).",
            )
    directions = tree.leaves(tangents)
    if [tuple(x.shape) for x in directions] != [tuple(x.shape) for x in tree.leaves(primals)]:
        raise OperationError(
            "jvp",
            "jvp: Expected primals and tangents to have the same python structure and shapes.",
        )
    with enable_grad():
        point = _Point(primals, tuple(range(len(primals))), "jvp")
        returned = func(*point.args)
        output = _value_of(returned, has_aux, "jvp")
        outputs = tree.leaves(output)
        _check_tensors("jvp", outputs)
        change = iter(_pushed(point, outputs, directions))
        moved = tree.mapped(lambda _: point.outside(next(change)), output)
    if has_aux:
        return point.outside(output), moved, point.outside(returned[1])
    return point.outside(output), moved


def _pushed(point: _Point, outputs: list[Tensor], directions: list[Tensor]) -> list[Tensor]:
    """How outputs change: gradients are linear in their weights, and this is the transpose."""
    weights = [zeros_like(output).requires_grad_() for output in outputs]
    first = point.gradients(outputs, weights)
    pairs = [(g, d) for g, d in zip(first, directions, strict=True) if g.requires_grad]
    if not pairs:
        return [zeros_like(output) for output in outputs]
    found = gradients(
        [g for g, _ in pairs], weights, [d for _, d in pairs], create_graph=True,
        allow_unused=True, materialize_grads=True,
    )  # fmt: skip
    return [_apart(each, weights) for each in found]


def linearize(func: Function, *primals: Any) -> tuple[Any, Function]:
    """What ``func`` returns, and a function from directions to changes, as :func:`jvp` at a point.

    Example:
        >>> import rushlight as rl
        >>> output, push = rl.func.linearize(lambda x: x ** 2, rl.tensor(3.0))
        >>> push(rl.tensor(2.0))
        tensor(12.)
    """
    output, _ = vjp(func, *primals)

    def push(*tangents: Any) -> Any:
        return jvp(func, primals, tangents)[1]

    return output, push


def jacrev(
    func: Function, argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Function:  # fmt: skip
    """A function that computes the Jacobian of ``func``, output by output.

    Args:
        chunk_size: accepted and checked; the rows are one graph in any case.
    Returns:
        For each output a tensor of shape (\\*output, \\*argument); tuples where ``argnums`` is one.
    Example:
        >>> import rushlight as rl
        >>> rl.func.jacrev(rl.sin)(rl.zeros(2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ArgValueError("jacrev", "jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func, updated=())
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            point = _Point(args, argnums, "jacrev")
            returned = func(*point.args, **kwargs)
            output = _value_of(returned, has_aux, "jacrev")
            _check_tensors("jacrev", tree.leaves(output))
            found = tree.mapped(lambda y: point.shown(_rows(point, y)), output)
        return (found, point.outside(returned[1])) if has_aux else found

    return differentiated


def _rows(point: _Point, output: Tensor) -> list[Tensor]:
    flat = output.reshape(-1)
    rows = [point.gradients([flat[k]], None) for k in range(flat.shape[0])]
    return [
        stacked([row[k] for row in rows], x, (*output.shape, *x.shape))
        for k, x in enumerate(point.tensors)
    ]


def jacfwd(
    func: Function, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """As :func:`jacrev`, but argument by argument: quicker where there are fewer of those."""

    @functools.wraps(func, updated=())
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            point = _Point(args, argnums, "jacfwd")
            returned = func(*point.args, **kwargs)
            output = _value_of(returned, has_aux, "jacfwd")
            outputs = tree.leaves(output)
            _check_tensors("jacfwd", outputs)
            blocks = iter(_columns(point, outputs))
            found = tree.mapped(lambda _: point.shown(next(blocks)), output)
        return (found, point.outside(returned[1])) if has_aux else found

    return differentiated


def _columns(point: _Point, outputs: list[Tensor]) -> list[list[Tensor]]:
    weights = [zeros_like(output).requires_grad_() for output in outputs]
    first = point.gradients(outputs, weights)
    blocks: list[list[Tensor]] = [[] for _ in outputs]
    for x, g in zip(point.tensors, first, strict=True):
        columns: list[list[Tensor]] = [[] for _ in outputs]
        flat = g.reshape(-1)
        for k in range(x.numel()):
            found: Any = [zeros_like(output) for output in outputs]
            if g.requires_grad:
                found = gradients(
                    flat[k], weights, create_graph=True, allow_unused=True, materialize_grads=True
                )
            for column, each in zip(columns, found, strict=True):
                column.append(_apart(each, weights))
        for block, column, y in zip(blocks, columns, outputs, strict=True):
            rows = stacked(column, y, (x.numel(), y.numel()))
            block.append(rows.t().reshape((*y.shape, *x.shape)))
    return blocks


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """A function that computes the second derivatives of ``func``.

    Example:
        >>> import rushlight as rl
        >>> rl.func.hessian(lambda x: (x ** 3).sum())(rl.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


class _Point:
    """Where a function is differentiated: its arguments, with tensors that gradients end in.

    Attributes:
        args: what the function is called with.
        tensors: those of them that are differentiated for.
    """

    def __init__(self, args: tuple[Any, ...], argnums: Argnums, name: str) -> None:
        places = (argnums,) if isinstance(argnums, int) else argnums
        if not args or not places or any(not -len(args) <= k < len(args) for k in places):
            raise OperationError(
                name, f"Got argnum={argnums}, but only {len(args)} positional inputs"
            )
        self.places = [k % len(args) for k in places]
        self.one = isinstance(argnums, int)
        self._own: list[Tensor] = []
        moved = {k: tree.mapped(self._fresh, args[k]) for k in self.places}
        self.args = tuple([moved.get(k, each) for k, each in enumerate(args)])
        self.tensors = [x for k in self.places for x in tree.leaves(self.args[k])]

    def _fresh(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor):
            raise ArgTypeError("grad", f"Expected tensors to differentiate for, got {type(x)}.")
        if x.requires_grad:  # somebody differentiates further out
            return x.view_as(x)
        fresh = x.detach().requires_grad_()
        self._own.append(fresh)
        return fresh

    def gradients(self, outputs: list[Tensor], weights: list[Tensor] | None) -> list[Tensor]:
        """Of outputs for each tensor; zeros where there is none."""
        tracked = [k for k, output in enumerate(outputs) if output.requires_grad]
        if not tracked:
            return [zeros_like(x) for x in self.tensors]
        found = gradients(
            [outputs[k] for k in tracked], self.tensors,
            None if weights is None else [weights[k] for k in tracked],
            create_graph=True, allow_unused=True, materialize_grads=True,
        )  # fmt: skip
        return list(found)

    def in_place_of_arguments(self, found: list[Tensor]) -> tuple[Any, ...]:
        """Results in the form of the arguments that they belong to."""
        rest = iter(found)
        return tuple([tree.mapped(lambda _: next(rest), self.args[k]) for k in self.places])

    def shown(self, found: list[Tensor]) -> Any:
        """The same as the user gets it: a tuple only where several arguments were asked for."""
        forms = tree.mapped(self.outside, self.in_place_of_arguments(found))
        return forms[0] if self.one else forms

    def outside(self, result: Any) -> Any:
        """Results without the history that only this differentiation has given them."""
        return tree.mapped(lambda x: _apart(x, self._own), result)


def _apart(x: Any, own: list[Tensor]) -> Any:
    """A tensor without a history if that leads to nothing but ``own`` tensors."""
    if not isinstance(x, Tensor) or not x.requires_grad:
        return x
    ours = {each.node for each in own}
    others = [n for n in tape([x.node]) if n.op is ops.leaf and n not in ours]
    return x if others or _leads_on(x) else x.detach()


def _leads_on(x: Tensor) -> bool:
    """Whether its history ends in examples of a batch, which stand for what may have one."""
    return any(
        each.requires_grad and not each.inputs and each.op is not ops.leaf
        for each in tape([x.node])
    )


def _value_of(returned: Any, has_aux: bool, name: str) -> Any:
    if not has_aux:
        return returned
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise GradError(
            name,
            f"{name}(f, ...): output of function f should be a tuple: (output, aux) if has_aux is"
            " True",
        )
    return returned[0]


def _check_tensors(name: str, outputs: list[Any]) -> None:
    for output in outputs:
        if not isinstance(output, Tensor):
            raise GradError(
                name,
                f"{name}(f, ...): expected f to return tensors, got type {type(output)}",
            )
