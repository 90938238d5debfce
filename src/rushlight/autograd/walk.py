"""``backward`` and ``grad`` on tensors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, ArgValueError, GradError, ShapeError
from rushlight.execute import differentiated, realize
from rushlight.graph.node import Node, number
from rushlight.graph.op import OUTSIDE
from rushlight.tensor.history import history_of
from rushlight.tensor.tensor import Tensor

from .core import gradients, tape
from .deferred import deferred

Tensors = Tensor | Sequence[Tensor]

ended: list[Callable[[], None]] = []
"""What hooks want to be called, once, when all gradients of a walk are there."""


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Tensors | None = None,
) -> None:
    """Adds the gradients of ``tensors`` to the ``grad`` of the leaves they depend on.

    Args:
        grad_tensors: what each of ``tensors`` is weighted by; 1 for a scalar when None.
        retain_graph: whether the graph can be walked again; ``create_graph`` when None.
        create_graph: whether the gradients can be differentiated themselves.
        grad_variables: older name of ``grad_tensors``.
        inputs: tensors to collect for, which need not be leaves; all leaves when None.
    Raises:
        RuntimeError: a tensor is no scalar and has no weight, does not require gradients, or its
            graph has been freed.
    """
    roots = _listed(tensors)
    if grad_variables is not None:
        grad_tensors = _one_of(grad_tensors, grad_variables)
    seeds = _seeds(roots, grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    nodes = [root.node for root in roots]
    wanted = None
    if inputs is not None:
        targets = _listed(inputs)
        if not targets:
            raise GradError("backward", "`inputs` argument to `backward()` cannot be empty.")
        _check_tracked(targets)
        wanted = {t: _ends(t, nodes) for t in targets}
    later = None
    if wanted is None and not create_graph:
        later = deferred(nodes, seeds, keep_graph=bool(keep))
    found = later or gradients(
        nodes, seeds, wanted and [end for ends in wanted.values() for end in ends],
        keep_graph=keep, create_graph=create_graph,
    )  # fmt: skip
    differentiated(nodes)
    if wanted is None:
        for node, gradient in found.items():
            _collect(node.watch, gradient, create_graph)
    else:
        for target, ends in wanted.items():
            gradient = _total(found, ends)
            if gradient is not None:
                _add(target, gradient, create_graph)
    if collecting:
        _show(wanted or [node.watch and node.watch.owner() for node in found])
    _end()


def _end() -> None:
    while ended:
        ended.pop(0)()


collecting: list[Callable[[list[Tensor]], None]] = []
"""Called after ``backward`` with the tensors that it has added gradients to."""


def _show(tensors: Iterable[Any]) -> None:
    reached = [each for each in tensors if each is not None and each._grad is not None]
    for look in list(collecting):
        look(reached)


def _one_of(grad_tensors: Any, grad_variables: Any) -> Any:
    warnings.warn(
        "`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=3
    )
    if grad_tensors is not None:
        raise GradError(
            "backward",
            "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to"
            " `backward()`. Please only use `grad_tensors`.",
        )
    return grad_variables


def _collect(watch: Any, gradient: Node, create_graph: bool) -> None:
    """Adds a gradient to the leaf tensor that a watch belongs to."""
    leaf = None if watch is None else watch.owner()
    if leaf is not None and leaf.node.requires_grad:  # it may have been frozen meanwhile
        _add(leaf, gradient, create_graph)
        if watch.function is not None:
            watch.passed(leaf.node, (), gradient)


def _add(tensor: Tensor, gradient: Node, create_graph: bool) -> None:
    """Adds to ``grad``, in place so that its aliases see it unless that would lose history."""
    there = tensor._grad
    if there is None:
        tensor._grad = Tensor(gradient)
    elif create_graph:
        tensor._grad = Tensor(ops.add(there.node, gradient))
    else:
        there._write_untracked(ops.add(there.node, gradient))
    watch: Any = tensor.node.watch
    if watch is not None and watch.after:
        for hook in list(watch.after.values()):
            hook(tensor)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of ``outputs`` for each of ``inputs``, which need not be leaves.

    Args:
        grad_outputs: weights of the outputs; with ``is_grads_batched`` a batch of them along the
            first dimension, each walked by itself.
        allow_unused: whether an input that the outputs do not depend on gives None.
        materialize_grads: zeros instead of None; implies ``allow_unused``.
    Returns:
        A tuple with one gradient for each input.
    Raises:
        RuntimeError: as for :func:`backward`, or an input is not part of the graph.
        ValueError: ``materialize_grads`` and ``allow_unused`` contradict each other.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor(3.0, requires_grad=True)
        >>> rl.autograd.grad(x ** 2, x)
        (tensor(6.),)
    """
    if materialize_grads and allow_unused is False:
        raise ArgValueError(
            "grad",
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got:"
            " allow_unused=False.",
        )
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To"
            " accumulate gradient for other parts of the graph, please use"
            " torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    roots, targets = _listed(outputs), _listed(inputs)
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched and grad_outputs is not None:
        found = _batched(roots, targets, _listed(grad_outputs), keep, create_graph)
    else:
        found = _single(roots, targets, _seeds(roots, grad_outputs), keep, create_graph)
    return tuple(_finished(found, targets, allow_unused or materialize_grads, materialize_grads))


def _single(
    roots: list[Tensor], targets: list[Tensor], seeds: list[Node], keep: bool, create_graph: bool
) -> list[Tensor | None]:
    if not targets:
        raise GradError("grad", "`inputs` argument to `grad()` cannot be empty.")
    _check_tracked(targets)
    nodes = [root.node for root in roots]
    wanted = [_ends(target, nodes) for target in targets]
    found = gradients(
        nodes, seeds, [end for ends in wanted for end in ends], keep_graph=keep,
        create_graph=create_graph,
    )  # fmt: skip
    totals = [_total(found, ends) for ends in wanted]
    _end()
    return [None if total is None else Tensor(total) for total in totals]


def _batched(
    roots: list[Tensor], targets: list[Tensor], weights: list[Any], keep: bool, create_graph: bool
) -> list[Tensor | None]:
    """One walk for each weight of a batch."""
    counts = {weight.shape[0] for weight in weights if weight is not None and weight.ndim}
    if len(counts) != 1:
        raise ArgValueError(
            "grad",
            "is_grads_batched needs gradients with one batch dimension, the first, in common",
        )
    (count,) = counts
    rows = []
    for k in range(count):
        row = [None if weight is None else weight[k] for weight in weights]
        last = k == count - 1
        rows.append(_single(roots, targets, _seeds(roots, row), keep or not last, create_graph))
    if not rows:
        return [Tensor(ops.full((0, *t.shape), 0, t.dtype)) for t in targets]
    return [_stacked(column) for column in zip(*rows, strict=True)]


def _stacked(column: Sequence[Tensor | None]) -> Tensor | None:
    present = [each.node for each in column if each is not None]
    return Tensor(ops.stack(tuple(present), 0)) if present else None


def _finished(
    found: list[Tensor | None], targets: list[Tensor], unused: bool, materialize: bool
) -> list[Tensor | None]:
    """Gradients that nobody found: None, zeros, or a refusal."""
    for k, gradient in enumerate(found):
        if gradient is None and not unused:
            raise GradError(
                "grad",
                f"The differentiated Tensor at index {k} appears to not have been used in the"
                " graph. Set allow_unused=True if this is the desired behavior.",
            )
    if not materialize:
        return found
    return [
        Tensor(ops.zeros(target.node.spec)) if gradient is None else gradient
        for gradient, target in zip(found, targets, strict=True)
    ]


# Where gradients come from and go to ------------------------------------------------------------


def _listed(tensors: Any) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _check_tracked(targets: list[Tensor]) -> None:
    if not all(target.requires_grad for target in targets):
        raise GradError("grad", "One of the differentiated Tensors does not require grad")


def _ends(target: Tensor, roots: list[Node]) -> list[Node]:
    """The nodes at which gradients of a tensor arrive.

    A leaf that was written since the graph was recorded has another node now than the graph has.
    """
    node = history_of(target.node)
    if node.op is not ops.leaf or not target._version or node.watch is None:
        return [node]
    earlier = [x for x in tape(roots) if x.op is ops.leaf and x.watch is node.watch]
    return earlier or [node]


def _total(found: dict[Node, Node], ends: list[Node]) -> Node | None:
    total = None
    for end in ends:
        gradient = found.get(end)
        if gradient is not None:
            total = gradient if total is None else ops.add(total, gradient)
    return total


def _seeds(roots: list[Tensor], weights: Any) -> list[Node]:
    """The gradients that the walk starts with."""
    if weights is None:
        given = [None] * len(roots)
    else:
        given = [weights] if isinstance(weights, Tensor) else list(weights)
    if len(given) != len(roots):
        raise GradError("backward", f"got {len(roots)} tensors and {len(given)} gradients")
    return [_seed(root, weight, k) for k, (root, weight) in enumerate(zip(roots, given))]


def _seed(root: Tensor, weight: Any, place: int) -> Node:
    if weight is None:
        _check_scalar(root)
    elif not isinstance(weight, Tensor):
        raise ArgTypeError(
            "backward",
            f"gradients can be either Tensors or None, but got {type(weight).__name__}",
        )
    elif weight.shape != root.shape:
        raise ShapeError(
            "backward",
            f"Mismatch in shape: grad_output[{place}] has a shape of {weight.shape} and"
            f" output[{place}] has a shape of {root.shape}.",
        )
    if not root.requires_grad:
        raise GradError(
            "backward",
            f"element {place} of tensors does not require grad and does not have a grad_fn",
            hint="Nothing it was computed from requires grad, or it was detached or made under"
            " no_grad().",
        )
    if weight is None:
        one = number(1.0, root.dtype)
        return one if not root._node.shape else ops.expand(one, root._node.shape)
    node: Node = weight.node
    if node.op is OUTSIDE:  # what others can write to is taken as it is now
        node = ops.clone(node)
        realize((node,))
    return node


def _check_scalar(root: Tensor) -> None:
    if not root.requires_grad:
        return  # which is the worse fault
    if root._node.spec.numel != 1:
        raise GradError(
            "backward",
            "grad can be implicitly created only for scalar outputs",
            rule=f"This tensor is {tuple(root.shape)}.",
            hint="Reduce it first, as in loss.mean(), or give gradient=.",
        )
    if not root.dtype.is_floating_point:
        raise GradError(
            "backward",
            f"grad can be implicitly created only for real scalar outputs but got {root.dtype}",
        )
