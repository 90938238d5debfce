"""``backward`` and ``grad`` on tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, GradError, ShapeError
from rushlight.execute import differentiated
from rushlight.graph.node import Node, number
from rushlight.tensor.tensor import Tensor

from .core import gradients

Tensors = Tensor | Sequence[Tensor]


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
        inputs: leaves to collect for; all when None.
    Raises:
        RuntimeError: a tensor is no scalar and has no weight, does not require gradients, or its
            graph has been freed.
    """
    roots = _listed(tensors)
    seeds = _seeds(roots, grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        wanted = None
    else:
        leaves = _listed(inputs)
        if not leaves:
            raise GradError("backward", "`inputs` argument to `backward()` cannot be empty.")
        wanted = [leaf.node for leaf in leaves]
    nodes = [root.node for root in roots]
    found = gradients(nodes, seeds, wanted, keep_graph=keep, create_graph=create_graph)
    differentiated(nodes)
    for node, gradient in found.items():
        _collect(node, gradient, create_graph)


def _collect(node: Node, gradient: Node, create_graph: bool) -> None:
    """Adds a gradient to the leaf tensor that a node stands for."""
    watch: Any = node.watch
    leaf = watch.owner() if watch is not None else None
    if leaf is None:
        return
    there = leaf._grad
    if there is None:
        leaf._grad = Tensor(gradient)
    elif create_graph:
        leaf._grad = Tensor(ops.add(there.node, gradient))
    else:
        there._write_untracked(ops.add(there.node, gradient))
    for hook in list(watch.after.values()):
        hook(leaf)


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
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor(3.0, requires_grad=True)
        >>> rl.autograd.grad(x ** 2, x)
        (tensor(6.),)
    """
    roots, targets = _listed(outputs), _listed(inputs)
    keep = create_graph if retain_graph is None else retain_graph
    unused = materialize_grads if allow_unused is None else allow_unused
    if materialize_grads and not unused:
        raise GradError("grad", "Expected allow_unused to be True or not passed when"
                        " materialize_grads=True, but got: allow_unused=False.")  # fmt: skip
    if is_grads_batched:
        return _batched(roots, targets, grad_outputs, keep, create_graph, unused, materialize_grads)
    seeds = _seeds(roots, grad_outputs)
    nodes = [target.node for target in targets]
    for target in targets:
        if not target.requires_grad and not unused:
            raise GradError(
                "grad", "One of the differentiated Tensors does not require grad"
            )
    found = gradients(
        [root.node for root in roots], seeds, nodes, keep_graph=keep, create_graph=create_graph
    )
    results: list[Tensor | None] = []
    for node in nodes:
        gradient = found.get(node)
        if gradient is None and not unused:
            raise GradError(
                "grad",
                "One of the differentiated Tensors appears to not have been used in the graph. Set"
                " allow_unused=True if this is the desired behavior.",
            )
        if gradient is None and materialize_grads:
            gradient = ops.zeros(node.spec)
        results.append(None if gradient is None else Tensor(gradient))
    return tuple(results)


def _batched(
    roots: list[Tensor], targets: list[Tensor], weights: Any, keep: bool, create_graph: bool,
    unused: bool, materialize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    """One walk for each weight of a batch."""
    from rushlight.tensor.functions import public

    given = _listed(weights)
    count = given[0].shape[0]
    rows = []
    for k in range(count):
        last = k == count - 1
        rows.append(
            grad(
                roots, targets, [weight[k] for weight in given], keep or not last, create_graph,
                allow_unused=unused, materialize_grads=materialize,
            )
        )  # fmt: skip
    stack = public[""]["stack"]
    columns = zip(*rows, strict=True)
    return tuple(None if column[0] is None else stack(list(column)) for column in columns)


def _listed(tensors: Any) -> list[Tensor]:
    if isinstance(tensors, Tensor):
        return [tensors]
    return list(tensors) if tensors is not None else []


def _seeds(roots: list[Tensor], weights: Any) -> list[Node]:
    """The gradients that the walk starts with."""
    if weights is None and len(roots) == 1:
        return [_seed(roots[0], None)]
    given = [weights] if isinstance(weights, Tensor) else list(weights or [None] * len(roots))
    if len(given) != len(roots):
        raise GradError(
            "backward", f"got {len(roots)} tensors and {len(given)} gradients"
        )
    return [_seed(root, weight) for root, weight in zip(roots, given, strict=True)]


def _seed(root: Tensor, weight: Any) -> Node:
    if not root.requires_grad:
        raise GradError(
            "backward",
            "element 0 of tensors does not require grad and does not have a grad_fn",
        )
    if weight is None:
        if root._node.spec.numel != 1:
            raise GradError("backward", "grad can be implicitly created only for scalar outputs")
        if not root.dtype.is_floating_point:
            raise GradError(
                "backward",
                f"grad can be implicitly created only for real scalar outputs but got {root.dtype}",
            )
        one = number(1.0, root.dtype)
        return one if not root._node.shape else ops.expand(one, root._node.shape)
    if not isinstance(weight, Tensor):
        raise ArgTypeError(
            "backward",
            f"gradients can be either Tensors or None, but got {type(weight).__name__}",
        )
    if weight.shape != root.shape:
        raise ShapeError(
            "backward",
            f"Mismatch in shape: grad_output[0] has a shape of {weight.shape} and output[0] has a"
            f" shape of {root.shape}.",
        )
    return weight.node
