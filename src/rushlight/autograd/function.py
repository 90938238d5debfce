"""Function: an operation whose forward and backward the user writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, GradError
from rushlight.graph.node import Node
from rushlight.graph.op import Op, recording
from rushlight.tensor.tensor import Tensor


class FunctionCtx:
    """What a Function's forward leaves for its backward."""

    def __init__(self) -> None:
        self.saved: tuple[Tensor | None, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()
        self._materialize = True
        self._places: list[int] = []
        self._originals: tuple[Tensor | None, ...] = ()
        self._undifferentiable: set[int] = set()
        self._dirty: set[int] = set()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps tensors for backward, where they are ``ctx.saved_tensors``."""
        self.saved = tuple(
            tensor if tensor is None else Tensor(_plain(tensor)) for tensor in tensors
        )
        self._originals = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors that were kept, with their history when backward is differentiated."""
        if recording.grad:
            return self._originals
        return self.saved

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Says that no gradient flows through these outputs."""
        self._undifferentiable.update(map(id, tensors))

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Says that forward has changed these inputs in place."""
        self._dirty.update(map(id, tensors))

    def set_materialize_grads(self, value: bool) -> None:
        """Whether an output that no gradient reaches gives zeros (the default) or None."""
        self._materialize = value


def _plain(tensor: Tensor) -> Node:
    node = tensor.node
    return ops.detach(node) if node.requires_grad else node


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
        return (bool(context.saved), *(False for _ in node.inputs))

    def vjp(
        self, g: Any, y: Node, *inputs: Node, function: Any, context: FunctionCtx, specs: Any
    ) -> tuple[Node | None, ...]:
        grads = []
        for gradient, spec in zip(g, specs, strict=True):
            if gradient is None and context._materialize:
                gradient = ops.zeros(spec)
            grads.append(None if gradient is None else Tensor(gradient))
        given = function.backward(context, *grads)
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
        result = []
        tensors = [rows[k] for k in context._places]
        for gradient, x in zip(tensors, inputs, strict=True):
            if gradient is not None and not isinstance(gradient, Tensor):
                raise ArgTypeError(
                    f"{function.__name__}Backward",
                    f"expected Variable or None (got {type(gradient).__name__})",
                )
            if gradient is not None and gradient.shape != x.shape and x.requires_grad:
                raise GradError(
                    f"{function.__name__}Backward",
                    f"Function {function.__name__}Backward returned an invalid gradient at index"
                    f" {len(result)} - got {list(gradient.shape)} but expected shape compatible"
                    f" with {list(x.shape)}",
                )
            result.append(None if gradient is None else gradient.node)
        return tuple(result)

    def grad_name(self, node: Node) -> str:
        function: Any = node.attrs[0]
        return f"{function.__name__}Backward"


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
        inputs = tuple(args[k].node for k in context._places)
        several = applied.record(inputs, cls, context, tuple(o.node.spec for o in results))
        parts = iter(ops.parts(several))
        made = [
            cls._output(context, o, next(parts)) if isinstance(o, Tensor) else o for o in outputs
        ]
        return tuple(made) if isinstance(output, tuple) else made[0]

    @classmethod
    def _output(cls, context: FunctionCtx, output: Tensor, part: Node) -> Tensor:
        if id(output) in context._undifferentiable:
            return output
        result = ops.graft(_plain(output), part)
        if id(output) in context._dirty:
            return output._write(result, cls.__name__)
        return Tensor(result)


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
