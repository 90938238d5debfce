"""Derivatives of functions: products with vectors, Jacobians and Hessians.

Every function here takes ``func``, which takes tensors and returns one tensor or a tuple of them,
and the inputs to differentiate at: one tensor or a tuple. What is returned has the same structure.
``create_graph=True`` gives results that can be differentiated themselves. ``strict=True`` refuses
an input that an output does not depend on, which otherwise has derivatives of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, GradError
from rushlight.tensor.creation import zeros_like
from rushlight.tensor.tensor import Tensor

from .mode import enable_grad
from .walk import grad

Function = Callable[..., Any]
Tensors = tuple[Tensor, ...]


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs, and the vector ``v`` times the Jacobian: gradients weighted by ``v``.

    Args:
        v: a weight for each output, of its shape; may be left out where the output is one number.
    Returns:
        The outputs of ``func``, and a tensor for each input.
    Raises:
        TypeError: inputs or outputs are no tensors.
        RuntimeError: ``v`` does not fit the outputs; an input is not used and ``strict`` is set.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([1.0, 2.0])
        >>> rl.autograd.functional.vjp(lambda x: x ** 2, x, rl.ones(2))
        (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        point, one = _prepared("vjp", inputs, create_graph)
        outputs, single = _outputs("vjp", func(*point))
        _check_used("vjp", outputs, point, strict)
        weights = _weights("vjp", v, outputs, "outputs")
        found = _grad(outputs, point, weights, create_graph)
    filled = _filled("vjp", found, point, strict, create_graph)
    return _released(outputs, single, create_graph), _released(filled, one, create_graph)


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs, and the Jacobian times ``v``: how they change when inputs move along ``v``.

    Args:
        v: a direction for each input, of its shape; may be left out for one number.
    Raises:
        TypeError: inputs or outputs are no tensors.
        RuntimeError: ``v`` does not fit the inputs; an input is not used and ``strict`` is set.
    Reference:
        Gradients of gradients give it: Townsend 2017, "A new trick for calculating Jacobian vector
        products". What the first differentiation computes besides is never run.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([1.0, 2.0])
        >>> rl.autograd.functional.jvp(lambda x: x.sum() ** 2, x, rl.ones(2))
        (tensor(9.), tensor(12.))
    """
    with enable_grad():
        point, _ = _prepared("jvp", inputs, create_graph)
        direction = _weights("jvp", v, point, "inputs")
        outputs, single = _outputs("jvp", func(*point))
        _check_used("jvp", outputs, point, strict)
        # Gradients are linear in the weights, so their derivative by those is the transpose.
        weights = tuple([zeros_like(output).requires_grad_() for output in outputs])
        first = _grad(outputs, point, weights, True)
        _filled("jvp", first, point, strict, create_graph)
        pairs = [(g, d) for g, d in zip(first, direction) if g is not None and g.requires_grad]
        found: list[Tensor | None] = [None] * len(outputs)
        if pairs:
            found = _grad([g for g, _ in pairs], weights, [d for _, d in pairs], create_graph)
    filled = _filled("jvp", found, outputs, strict, create_graph)
    return _released(outputs, single, create_graph), _released(filled, single, create_graph)


def jacobian(
    func: Function, inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The derivative of every element of the outputs by every element of the inputs.

    Args:
        vectorize: accepted; the graphs of all rows are run together in any case.
        strategy: ``"reverse-mode"`` goes output by output, ``"forward-mode"`` input by input, which
            is quicker where there are fewer of those; it wants ``vectorize=True``, as in PyTorch.
    Returns:
        For one output and one input a tensor of shape (\\*output, \\*input); else a tuple for each
        output of a tuple for each input, where there are several.
    Raises:
        ValueError: another ``strategy``.
        NotImplementedError: ``"forward-mode"`` without ``vectorize``.
        RuntimeError: an input is not used and ``strict`` is set.
    Example:
        >>> import rushlight as rl
        >>> rl.autograd.functional.jacobian(lambda x: x ** 2, rl.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """
    forward = _is_forward(strategy, vectorize, create_graph, strict)
    with enable_grad():
        point, one = _prepared("jacobian", inputs, create_graph)
        if forward:
            outputs, single, columns = _columns(func, point, create_graph)
        else:
            outputs, single = _outputs("jacobian", func(*point))
            _check_used("jacobian", outputs, point, strict)
            columns = [_rows(output, point, strict, create_graph) for output in outputs]
    blocks = [_released(tuple(blocks), one, create_graph) for blocks in columns]
    return blocks[0] if single else tuple(blocks)


def _is_forward(strategy: str, vectorize: bool, create_graph: bool, strict: bool) -> bool:
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your'
            ' function has more outputs than inputs, "forward-mode" tends to be more performant.'
            ' Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "reverse-mode":
        if vectorize and strict:
            raise GradError(
                "jacobian",
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not"
                " supported together. Please either set `strict=False` or `vectorize=False`.",
            )
        return False
    if create_graph:
        raise NotImplementedError(
            "torch.autograd.functional.jacobian: `create_graph=True` and"
            ' `strategy="forward-mode"` are not supported together (yet). Please either set'
            ' `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if not vectorize:
        raise NotImplementedError(
            'torch.autograd.functional.jacobian: `vectorize=False` and `strategy="forward-mode"`'
            " are not supported together (yet). Please either set `vectorize=True` or"
            ' `strategy="reverse-mode"`.'
        )
    return True


def _rows(output: Tensor, point: Tensors, strict: bool, create_graph: bool) -> list[Tensor]:
    """The derivatives of one output by each input, one element of the output after the other."""
    flat = output.reshape(-1)
    rows = []
    for k in range(flat.shape[0]):
        found = _grad([flat[k]], point, None, create_graph)
        rows.append(_filled("jacobian", found, point, strict, create_graph))
    return [
        stacked([row[k] for row in rows], output, (*output.shape, *x.shape))
        for k, x in enumerate(point)
    ]


def _columns(
    func: Function, point: Tensors, create_graph: bool
) -> tuple[Tensors, bool, list[list[Tensor]]]:
    """The outputs, whether there is one, and for each its derivatives, input by input."""
    outputs, single = _outputs("jacobian", func(*point))
    weights = tuple([zeros_like(output).requires_grad_() for output in outputs])
    first = _grad(outputs, point, weights, True)
    blocks: list[list[Tensor]] = [[] for _ in outputs]
    for x, g in zip(point, first, strict=True):
        columns: list[list[Tensor]] = [[] for _ in outputs]
        flat = None if g is None or not g.requires_grad else g.reshape(-1)
        for k in range(x.numel()):
            found: Any = [None] * len(outputs)
            if flat is not None:
                found = _grad([flat[k]], weights, None, create_graph)
            for column, each, output in zip(columns, found, outputs, strict=True):
                column.append(zeros_like(output) if each is None else each)
        for block, column, output in zip(blocks, columns, outputs, strict=True):
            rows = stacked(column, output, (x.numel(), output.numel()))
            block.append(rows.t().reshape((*output.shape, *x.shape)))
    return outputs, single, blocks


def stacked(rows: Sequence[Tensor], like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Rows as one tensor of a shape; an empty one like another tensor when there is none."""
    if not rows:
        return like.new_zeros(shape)
    return Tensor(ops.reshape(ops.stack(tuple([row.node for row in rows]), 0), shape))


def hessian(
    func: Function, inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The second derivatives of a function that returns one number.

    Args:
        vectorize, outer_jacobian_strategy: as ``vectorize`` and ``strategy`` of :func:`jacobian`.
    Returns:
        For one input a tensor of shape (\\*input, \\*input), else a tuple of tuples.
    Raises:
        RuntimeError: the output is not one number; an input is not used and ``strict`` is set.
    Example:
        >>> import rushlight as rl
        >>> rl.autograd.functional.hessian(lambda x: (x ** 3).sum(), rl.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    one = not isinstance(inputs, tuple)

    def gradient(*point: Tensor) -> Any:
        found = jacobian(func_of_one, point, create_graph=True, strict=strict)
        return found[0] if one else found

    def func_of_one(*point: Tensor) -> Tensor:
        output = func(*point)
        if not isinstance(output, Tensor):
            raise GradError(
                "hessian",
                "The function given to hessian should return a single Tensor",
            )
        if output.numel() != 1:
            raise GradError(
                "hessian",
                "The Tensor returned by the function given to hessian should contain a single"
                " element",
            )
        return output.reshape(())

    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The output, one number, and the Hessian times ``v``.

    Raises:
        RuntimeError: ``v`` does not fit the inputs, or the output is not one number.
    Example:
        >>> import rushlight as rl
        >>> rl.autograd.functional.hvp(lambda x: (x ** 3).sum(), rl.tensor([2.0]), rl.ones(1))
        (tensor(8.), tensor([12.]))
    """
    return _second("hvp", func, inputs, v, create_graph, strict)


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The output, one number, and ``v`` times the Hessian, which is symmetric: as :func:`hvp`."""
    return _second("vhp", func, inputs, v, create_graph, strict)


def _second(
    name: str, func: Function, inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    with enable_grad():
        point, one = _prepared(name, inputs, create_graph)
        direction = _weights(name, v, point, "inputs")
        outputs, single = _outputs(name, func(*point))
        _check_used(name, outputs, point, strict)
        if not single or outputs[0].numel() != 1:
            raise GradError(
                name, f"The function given to {name} should return a single Tensor of one element"
            )
        first = _grad(outputs, point, None, True)
        _filled(name, first, point, strict, True)
        pairs = [(g, d) for g, d in zip(first, direction) if g is not None and g.requires_grad]
        found: list[Tensor | None] = [None] * len(point)
        if pairs:
            found = _grad([g for g, _ in pairs], point, [d for _, d in pairs], create_graph)
    filled = _filled(name, found, point, strict, create_graph)
    return _released(outputs, single, create_graph), _released(filled, one, create_graph)


# What they share ----------------------------------------------------------------------------------


def _prepared(name: str, inputs: Any, create_graph: bool) -> tuple[Tensors, bool]:
    """The inputs as tensors that gradients are collected for, and whether there is just one."""
    one = not isinstance(inputs, tuple)
    given = (inputs,) if one else inputs
    _check_tensors(name, "inputs", given)
    return tuple([_fresh(x, create_graph) for x in given]), one


def _fresh(x: Tensor, create_graph: bool) -> Tensor:
    if create_graph and x.requires_grad:
        return x.view_as(x)  # what flows back to it is part of the result's history
    return x.detach().requires_grad_()


def _outputs(name: str, given: Any) -> tuple[Tensors, bool]:
    single = not isinstance(given, tuple)
    outputs = (given,) if single else given
    _check_tensors(name, "outputs of the user-provided function", outputs)
    return outputs, single


def _check_tensors(name: str, what: str, given: tuple[Any, ...]) -> None:
    for k, each in enumerate(given):
        if not isinstance(each, Tensor):
            raise ArgTypeError(
                name,
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the"
                f" value at index {k} has type {type(each)}.",
            )


def _check_used(name: str, outputs: Tensors, point: Tensors, strict: bool) -> None:
    if not strict:
        return
    for k, output in enumerate(outputs):
        if not output.requires_grad:
            raise GradError(
                name,
                f"Output {k} of the user-provided function does not require gradients. The outputs"
                " must be computed in a differentiable manner from the input when running in strict"
                " mode.",
            )


def _weights(name: str, v: Any, of: Tensors, what: str) -> Tensors:
    """A vector for each of ``of``, checked; ones where there may be none."""
    if v is None:
        if len(of) != 1 or of[0].numel() != 1:
            raise GradError(
                name,
                f"The vector v can only be None if the {what} of the user-provided function is a"
                " single Tensor with a single element.",
            )
        return (Tensor(ops.full(tuple(of[0].shape), 1, of[0].dtype)),)
    given = v if isinstance(v, tuple) else (v,)
    _check_tensors(name, "v", given)
    if len(given) != len(of):
        raise GradError(
            name, f"v is a tuple of invalid length: should be {len(of)} but got {len(given)}."
        )
    for k, (vector, x) in enumerate(zip(given, of, strict=True)):
        if vector.shape != x.shape:
            where = f"Entry {k} in v" if len(of) > 1 else "v"
            raise GradError(
                name,
                f"{where} has invalid size: should be {x.shape} but got {vector.shape}.",
            )
    return tuple(given)


def _grad(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], weights: Any, create_graph: bool
) -> list[Tensor | None]:
    """Gradients, None where there are none; outputs without a history count as constants."""
    tracked = [k for k, output in enumerate(outputs) if output.requires_grad]
    if not tracked:
        return [None] * len(inputs)
    given = None if weights is None else [weights[k] for k in tracked]
    found = grad(
        [outputs[k] for k in tracked], inputs, given, retain_graph=True,
        create_graph=create_graph, allow_unused=True,
    )  # fmt: skip
    return list(found)


def _filled(
    name: str, found: Sequence[Tensor | None], like: Sequence[Tensor], strict: bool, graph: bool
) -> Tensors:
    """Zeros where there is no gradient, which ``strict`` refuses."""
    filled = []
    for k, (gradient, x) in enumerate(zip(found, like, strict=True)):
        if strict and gradient is None:
            raise GradError(
                name,
                f"The output of the user-provided function is independent of input {k}. This is not"
                " allowed in strict mode.",
            )
        if strict and graph and gradient is not None and not gradient.requires_grad:
            raise GradError(
                name,
                f"The jacobian of the user-provided function is independent of input {k}. This is"
                " not allowed in strict mode when create_graph=True.",
            )
        filled.append(zeros_like(x) if gradient is None else gradient)
    return tuple(filled)


def _released(found: Sequence[Tensor], single: bool, create_graph: bool) -> Any:
    kept = tuple(found) if create_graph else tuple([each.detach() for each in found])
    return kept[0] if single else kept
