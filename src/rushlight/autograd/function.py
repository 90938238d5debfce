"""Function: an operation whose forward and backward the user writes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, GradError
from rushlight.graph.node import Node
from rushlight.graph.op import Op, recording
from rushlight.ops.autocast import resumed
from rushlight.tensor.history import without_history
from rushlight.tensor.place import Detached, LeafPlace
from rushlight.tensor.tensor import Tensor

from .saved import Saved, hooks


class Kept:
    """A tensor that hooks on what is saved have packed, and its history."""

    def __init__(self, tensor: Tensor) -> None:
        self.saved, self.history = Saved(tensor), tensor.node

    def node(self) -> Node:
        """The value with its history."""
        value = self.saved.value()
        return ops.graft(value, self.history) if self.history.requires_grad else value


class FunctionCtx:
    """What a Function's forward leaves for its backward.

    Attributes:
        needs_input_grad: for each argument of forward whether it requires a gradient.
    """

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._materialize = True
        # What was kept: values with their history as they were then, or numbers of outputs.
        self._kept: tuple[Node | Kept | int | None, ...] = ()
        self._to_keep: tuple[Tensor | None, ...] = ()
        self._places: list[int] = []
        self._undifferentiable: set[int] = set()
        self._dirty: set[int] = set()
        self._history: Node | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps tensors for backward, where they are ``ctx.saved_tensors``.

        Raises:
            TypeError: one is neither a tensor nor None.
        """
        for k, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Tensor):
                raise ArgTypeError(
                    "save_for_backward",
                    "save_for_backward can only save variables, but argument"
                    f" {k} is of type {type(tensor).__name__}",
                )
        self._to_keep = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors that were kept, with their history when backward is differentiated."""
        return tuple(None if kept is None else Tensor(self._value(kept)) for kept in self._kept)

    def _value(self, kept: Node | Kept | int) -> Node:
        if isinstance(kept, int):
            assert self._history is not None
            output, part = self._outputs[kept], ops.part(self._history, kept)
            value = output if isinstance(output, Node) else output.value()
            return ops.graft(value, part) if recording.grad else value
        if isinstance(kept, Kept):
            kept = kept.node()
        return kept if recording.grad else without_history(kept)

    def _keep(self, outputs: list[Tensor]) -> None:
        """Notes what was kept, without a reference to the outputs, which refer to this."""
        places = {id(output): k for k, output in enumerate(outputs)}
        hooked = bool(hooks.pairs)
        self._outputs: dict[int, Any] = {
            places[id(t)]: Saved(t) if hooked else without_history(t.node)
            for t in self._to_keep
            if t is not None and id(t) in places
        }
        self._kept = tuple(
            None if t is None
            else places[id(t)] if id(t) in places
            else Kept(t) if hooked
            else t.node
            for t in self._to_keep
        )  # fmt: skip
        self._to_keep = ()

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Says that no gradient flows through these outputs."""
        self._undifferentiable.update(map(id, tensors))

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Says that forward has changed these inputs in place."""
        self._dirty.update(map(id, tensors))

    def set_materialize_grads(self, value: bool) -> None:
        """Whether an output that no gradient reaches gives zeros (the default) or None."""
        self._materialize = value


class _Applied(Op):
    """The history of one call of a Function: gradients flow through it, values do not.

    Each output is a graft of the value that forward computed onto a part of this node, so a graph
    is cut from the values alone and the context, new in every call, is no part of its identity.
    """

    name = "applied"
    attrs = ("function", "context", "specs")

    def record(self, inputs: tuple[Node, ...], *attrs: Any) -> Node:
        made = self.node(inputs, attrs, attrs[2])
        made.requires_grad = True
        return made

    def reads(self, node: Node) -> tuple[bool, ...]:
        # Following the rule would call the user's backward; what it reads is in the context.
        context: Any = node.attrs[1]
        return (bool(context._kept), *(False for _ in node.inputs))

    def vjp(
        self, g: Any, y: Node, *inputs: Node, function: Any, context: FunctionCtx, specs: Any
    ) -> tuple[Node | None, ...]:
        grads = []
        for gradient, spec in zip(g, specs, strict=True):
            if gradient is None and context._materialize:
                gradient = ops.zeros(spec)
            grads.append(None if gradient is None else Tensor(gradient))
        context._history = y
        try:
            with resumed():
                given = function._backward()(context, *grads)
        finally:
            context._history = None
        return self._matched(given, inputs, function, context)

    def _matched(
        self, given: Any, inputs: Sequence[Node], function: Any, context: FunctionCtx
    ) -> tuple[Node | None, ...]:
        """The gradients that backward returned, for the inputs that are tensors."""
        rows = given if isinstance(given, tuple) else (given,)
        count = len(context.needs_input_grad)
        if len(rows) < count or any(extra is not None for extra in rows[count:]):
            raise GradError(
                f"{function.__name__}Backward",
                f"function {function.__name__}Backward returned an incorrect number of gradients"
                f" (expected {count}, got {len(rows)})",
            )
        for k, row in enumerate(rows[:count]):
            if row is not None and k not in context._places:
                raise GradError(
                    f"{function.__name__}Backward",
                    f"function {function.__name__}Backward returned a gradient different than None"
                    f" at position {k + 1}, but the corresponding forward input was not a Variable",
                )
        tensors = [rows[k] for k in context._places]
        return tuple(
            None if gradient is None else _checked(gradient, x, k, function.__name__)
            for k, (gradient, x) in enumerate(zip(tensors, inputs, strict=True))
        )

    def grad_name(self, node: Node) -> str:
        function: Any = node.attrs[0]
        return f"{function.__name__}Backward"


def _checked(gradient: Any, x: Node, place: int, name: str) -> Node:
    """A gradient that backward returned, which may still have to be summed to its input's shape."""
    if not isinstance(gradient, Tensor):
        raise GradError(
            f"{name}Backward", f"expected Variable or None (got {type(gradient).__name__})"
        )
    if gradient.shape != x.shape and x.requires_grad and not _sums_to(gradient.shape, x.shape):
        raise GradError(
            f"{name}Backward",
            f"Function {name}Backward returned an invalid gradient at index {place} - got"
            f" {list(gradient.shape)} but expected shape compatible with {list(x.shape)}",
        )
    return gradient.node


def _sums_to(wide: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    tail = wide[len(wide) - len(shape) :]
    return len(wide) >= len(shape) and all(n in (1, m) for n, m in zip(shape, tail, strict=True))


applied = _Applied()


class Function:
    """An operation of the user's own.

    Subclasses define the static methods ``forward(ctx, *args)`` (or ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)``) and ``backward(ctx, *grad_outputs)``, which returns one
    gradient or None for each argument of forward. Called through :meth:`apply`.

    Example:
        >>> import rushlight as rl
        >>> class Square(rl.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return 2 * x * g
        >>> x = rl.tensor(3.0, requires_grad=True)
        >>> Square.apply(x).backward()
        >>> x.grad
        tensor(6.)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all"
            " static, so you should invoke them on the class itself. Instantiating an autograd"
            " function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the outputs."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Keeps what backward needs, when ``forward`` takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Computes the gradients of the arguments."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom"
            " autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise GradError(
            type(self).__name__,
            "Legacy autograd function with non-static forward method is deprecated. Please use"
            " new-style autograd function with static forward method. (Example:"
            " https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)",
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Calls forward and records the operation."""
        context = FunctionCtx()
        needs = [isinstance(a, Tensor) and a.requires_grad for a in args]
        context.needs_input_grad = tuple(needs)
        tracked = recording.grad and any(needs)
        before = recording.grad
        recording.grad = False
        try:
            output = cls._run(context, args, kwargs)
        finally:
            recording.grad = before
        return cls._recorded(context, args, output) if tracked else output

    @classmethod
    def _backward(cls) -> Any:
        """The gradient's rule, under whichever of its two names it was written."""
        if cls.backward is Function.backward:
            return cls.vjp
        if cls.vjp is not Function.vjp:
            raise GradError(
                cls.__name__,
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You"
                " should only implement one of them.",
            )
        return cls.backward

    @classmethod
    def _run(cls, context: FunctionCtx, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if cls.setup_context is Function.setup_context:
            return cls.forward(context, *args, **kwargs)
        output = cls.forward(*args, **kwargs)
        cls.setup_context(context, args, output)
        return output

    @classmethod
    def _recorded(cls, context: FunctionCtx, args: tuple[Any, ...], output: Any) -> Any:
        outputs = output if isinstance(output, tuple) else (output,)
        results = [o for o in outputs if isinstance(o, Tensor)]
        context._places = [k for k, a in enumerate(args) if isinstance(a, Tensor)]
        context._keep(results)
        inputs = tuple(args[k].node for k in context._places)
        several = applied.record(inputs, cls, context, tuple(o.node.spec for o in results))
        parts = ops.parts(several)
        given = {id(a) for a in args}
        # An output that is returned twice is one tensor: its gradient arrives in the last place.
        last = {id(o): part for o, part in zip(results, parts, strict=True) if id(o) not in given}
        each = iter(zip(results, parts, strict=True))
        made = []
        for value in outputs:
            if isinstance(value, Tensor):
                result, part = next(each)
                part = last.get(id(result), part)
                value = cls._output(context, result, part, id(result) in given)
            made.append(value)
        return tuple(made) if isinstance(output, tuple) else made[0]

    @classmethod
    def _output(cls, context: FunctionCtx, output: Tensor, part: Node, given: bool) -> Tensor:
        if id(output) in context._undifferentiable or not output.dtype.is_differentiable:
            return output
        if id(output) in context._dirty:
            if isinstance(output._place, LeafPlace):
                raise GradError(
                    cls.__name__,
                    "a leaf Variable that requires grad has been used in an in-place operation.",
                )
            return output._write(ops.graft(without_history(output.node), part), cls.__name__)
        if not given and output._place is None:
            return Tensor(ops.graft(without_history(output.node), part))
        place = Detached(output.place, part)  # it shares memory with somebody
        result = Tensor(place.read())
        result._settle_in(place)
        return result


def once_differentiable(function: Any) -> Any:
    """Decorates a backward whose gradients cannot be differentiated themselves."""

    def wrapped(ctx: Any, *args: Any) -> Any:
        before, recording.grad = recording.grad, False
        try:
            found = function(ctx, *args)
        finally:
            recording.grad = before
        rows = found if isinstance(found, tuple) else (found,)
        plain = tuple(r.detach() if isinstance(r, Tensor) else r for r in rows)
        return plain if isinstance(found, tuple) else plain[0]

    return wrapped
