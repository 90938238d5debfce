"""Between a user's arguments and an operation's: tensors to nodes on the way in, and back."""

from __future__ import annotations

import warnings
from collections import namedtuple
from typing import Any

import numpy as np

from rushlight.base.errors import ArgTypeError, DTypeError, GradError, OperationError
from rushlight.execute import pending, realize
from rushlight.graph.node import Node
from rushlight.graph.op import recording

from .tensor import Tensor

# In ---------------------------------------------------------------------------------------------


def unwrapped(value: Any, function: str, name: str, position: int) -> Node:
    """The node of a tensor argument.

    Raises:
        ArgTypeError: it is no tensor.
    """
    if isinstance(value, Tensor):
        return value.node
    hint = ""
    if isinstance(value, (np.ndarray, np.generic)):
        hint = "Did you mean torch.as_tensor(array)?"
    elif isinstance(value, (list, int, float)):
        hint = "Did you mean torch.tensor(data)?"
    raise ArgTypeError(
        function,
        f"{function}(): argument '{name}' (position {position}) must be Tensor,"
        f" not {kind_of(value)}",
        hint=hint,
    )


def kind_of(value: Any) -> str:
    """What PyTorch's messages call the type of a value."""
    module = "numpy." if isinstance(value, (np.ndarray, np.generic)) else ""
    return module + type(value).__name__


def operand(value: Any, function: str, name: str, position: int) -> Any:
    """The node of a tensor, or a Python number, for operations that take either."""
    if isinstance(value, Tensor):
        return value.node
    if type(value) in (int, float, bool, complex):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return value.item()
    if isinstance(value, (int, float, complex)):
        return _plain(value)
    return unwrapped(value, function, name, position)


def _plain(value: Any) -> Any:
    """A number of a subclass (an enum, a NumPy float) as Python's own."""
    return next(kind(value) for kind in (bool, int, float, complex) if isinstance(value, kind))


def unwrapped_list(values: Any, function: str, name: str, position: int) -> tuple[Node, ...]:
    """The nodes of a sequence of tensors.

    Raises:
        ArgTypeError: it is no sequence, or an element is no tensor.
    """
    if not isinstance(values, (list, tuple)):
        raise ArgTypeError(
            function,
            f"{function}(): argument '{name}' (position {position}) must be tuple of Tensors,"
            f" not {kind_of(values)}",
            hint=f"Did you mean {function}([a, b])?" if isinstance(values, Tensor) else "",
        )
    for place, value in enumerate(values):
        if not isinstance(value, Tensor):
            raise ArgTypeError(
                function,
                f"expected Tensor as element {place} in argument {position - 1}, but got"
                f" {kind_of(value)}",
            )
    return tuple([value.node for value in values])


def loose(value: Any) -> Any:
    """Tensors unwrapped to nodes, also inside sequences; everything else as it is."""
    if isinstance(value, Tensor):
        return value.node
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return tuple([loose(v) for v in value])
    if isinstance(value, np.generic):
        return value.item()
    return value


def spread(given: tuple[Any, ...], named: dict[str, Any], name: str, function: str) -> Any:
    """``x.view(2, 3)``, ``x.view((2, 3))`` and ``x.view(size=(2, 3))`` alike."""
    if name in named:
        given = (named.pop(name),)
    if named:
        raise ArgTypeError(
            function, f"{function}() got an unexpected keyword argument {next(iter(named))!r}"
        )
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        return given[0]
    return given


def listed(given: tuple[Any, ...]) -> Any:
    """``meshgrid(x, y)`` and ``meshgrid([x, y])`` alike."""
    return given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


# Out --------------------------------------------------------------------------------------------


def wrapped(result: Any) -> Any:
    """Tensors for what an operation returned."""
    if isinstance(result, Node):
        return Tensor(result)
    if isinstance(result, tuple):
        hurried = pending.hurried()
        tensors = tuple([wrapped(part) for part in result])
        if hurried:  # memory that others can write was read: every result is of this line
            realize([tensor.node for tensor in tensors])
        fields = getattr(result, "_fields", None)
        return tensors if fields is None else results(type(result).__name__, fields)(*tensors)
    return result


def aliased(base: Any, result: Any) -> Any:
    """Tensors that share ``base``'s memory for what a view operation returned.

    Several bases have a result each.
    """
    if isinstance(base, (tuple, list)):
        if isinstance(result, Node):
            return base[0]._alias(result)
        return tuple([b._alias(part) for b, part in zip(base, result, strict=True)])
    if isinstance(result, Node):
        return base._alias(result)
    return tuple([base._alias(part) for part in result])


_results: dict[tuple[str, tuple[str, ...]], Any] = {}


def results(name: str, fields: tuple[str, ...]) -> Any:
    """The named tuple that a function with several results returns."""
    if (name, fields) not in _results:
        base = namedtuple(name, fields)

        def shown(self: Any) -> str:
            rows = ",\n".join(f"{f}={getattr(self, f)!r}" for f in fields)
            return f"torch.return_types.{name}(\n{rows})"

        _results[name, fields] = type(name, (base,), {"__slots__": (), "__repr__": shown})
    return _results[name, fields]


def into(out: Any, result: Any, function: str) -> Any:
    """Writes a result into the tensors given as ``out=``."""
    if isinstance(result, tuple):
        written = [into(o, r, function) for o, r in zip(out, result, strict=True)]
        return result._make(written) if hasattr(result, "_make") else tuple(written)
    if not isinstance(out, Tensor):
        raise ArgTypeError(
            function, f"{function}(): argument 'out' must be Tensor, not {type(out).__name__}"
        )
    if recording.grad and (out.requires_grad or result.requires_grad):
        raise GradError(
            function,
            f"{function}(): functions with out=... arguments don't support automatic"
            " differentiation, but one of the arguments requires grad.",
        )
    fit(out, result.shape)
    return out._write(result.node, function)


def into_apart(out: Any, result: Any, function: str, *inputs: Any, exact: bool = True) -> Any:
    """As :func:`into`, for a target that shares no memory with an input.

    Args:
        inputs: tensors, or sequences of them.
        exact: whether the target must have the result's dtype.
    Raises:
        RuntimeError: it has another dtype, or shares memory.
    """
    several = isinstance(result, tuple) and isinstance(out, (list, tuple))
    for one, part in zip(out, result, strict=True) if several else ((out, result),):
        _check_apart(one, part, function, inputs, exact)
    return into(out, result, function)


def _check_apart(
    out: Any, result: Any, function: str, inputs: tuple[Any, ...], exact: bool
) -> None:
    """What :func:`into_apart` refuses, of one target."""
    if isinstance(out, Tensor):
        if exact and out.dtype is not result.dtype:
            raise DTypeError(
                function,
                f"Expected out tensor to have dtype {result.dtype}, but got {out.dtype} instead",
            )
        single = [y for x in inputs for y in (x if isinstance(x, (list, tuple)) else (x,))]
        if any(isinstance(x, Tensor) and _meet(x, out) for x in single):
            raise OperationError(
                function,
                "unsupported operation: some elements of the input tensor and the written-to tensor"
                " refer to a single memory location. Please clone() the tensor before performing"
                " the operation.",
            )


def _meet(a: Tensor, b: Tensor) -> bool:
    """Whether the memory from the first to the last element of two tensors overlaps."""
    if a is b or a._place is None or b._place is None:
        return a is b
    if a.place.storage is not b.place.storage or not (a.numel() and b.numel()):  # type: ignore[attr-defined]
        return False
    spans = []
    for tensor in (a, b):
        reach = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))  # type: ignore[attr-defined]
        spans.append((tensor.storage_offset(), tensor.storage_offset() + reach))  # type: ignore[attr-defined]
    return max(spans[0][0], spans[1][0]) <= min(spans[0][1], spans[1][1])


def fit(out: Tensor, shape: tuple[int, ...]) -> None:
    """Gives the target of a result the result's shape, with a warning unless it is empty."""
    if out.shape == shape:
        return
    if out._node.spec.numel:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(out.shape)},"
            f" which does not match the required output shape {list(shape)}. This behavior is"
            " deprecated, and in a future PyTorch release outputs will not be resized unless they"
            " have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace,"
            " to zero elements with t.resize_(0).",
            UserWarning,
            stacklevel=4,
        )
    out.resize_(shape)
