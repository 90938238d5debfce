"""Where gradients enter and leave a module, for its backward hooks.

The tensors that go into a module, and those that come out, pass together through a function that
does nothing on the way forward. On the way back it gets all their gradients at once, and the hooks
see them there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rushlight.autograd.function import Function
from rushlight.autograd.mode import is_grad_enabled
from rushlight.tensor.creation import zeros
from rushlight.tensor.tensor import Tensor

from .hooks import Hook, everywhere

if TYPE_CHECKING:
    from .module import Module

Gradients = tuple[Tensor | None, ...]
Back = Callable[[Gradients], Gradients]


class _Crossing(Function):
    """Passes tensors on as they are, and their gradients through ``back``.

    A gradient that nobody computed is zeros on the way out of ``back``, and where ``filled`` is
    True on the way into it, as PyTorch's hooks have it.
    """

    @staticmethod
    def forward(ctx: Any, back: Back, filled: bool, *tensors: Tensor) -> Any:
        ctx.back = back
        ctx.set_materialize_grads(filled)
        ctx.specs = None if filled else [(tensor.shape, tensor.dtype) for tensor in tensors]
        ctx.mark_non_differentiable(*[tensor for tensor in tensors if not tensor.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        passed = ctx.back(gradients)
        if ctx.specs is not None:
            passed = [
                zeros(shape, dtype=dtype) if gradient is None else gradient
                for gradient, (shape, dtype) in zip(passed, ctx.specs, strict=True)
            ]
        return None, None, *passed


class Boundary:
    """One call of a module, as its backward hooks see it.

    Attributes:
        inputs: which positional arguments are tensors; None when no gradient reaches them.
        outputs: which results are tensors.
        grad_output: the gradients of the results, from their arrival until the hooks have run.
    """

    def __init__(self, module: Module, hooks: Sequence[Hook], pre_hooks: Sequence[Hook]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.inputs: list[int] | None = None
        self.outputs: list[int] | None = None
        self.input_count = self.output_count = 0
        self.grad_output: Gradients | None = None

    @staticmethod
    def of(module: Module) -> Boundary | None:
        """The boundary of a call of ``module``; None when nobody asked to see its gradients."""
        hooks = [*everywhere.backward.values(), *module._backward_hooks.values()]
        pre_hooks = [*everywhere.backward_pre.values(), *module._backward_pre_hooks.values()]
        return Boundary(module, hooks, pre_hooks) if hooks or pre_hooks else None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with what lets the hooks see their gradients."""
        self.input_count = len(args)
        args, self.inputs = _cross(args, self._leaving, filled=True)
        return args

    def leave(self, result: Any) -> Any:
        """The result, with what lets the hooks see its gradients."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of"
                f" Tensors but received {type(result)}",
                stacklevel=5,
            )
        results = result if isinstance(result, tuple) else (result,)
        self.output_count = len(results)
        crossed, self.outputs = _cross(results, self._arriving, filled=False)
        if not isinstance(result, tuple):
            return crossed[0]
        return crossed if type(result) is tuple else type(result)(*crossed)

    def _arriving(self, gradients: Gradients) -> Gradients:
        """The results' gradients, after the pre-hooks; the way into the module."""
        assert self.outputs is not None
        seen = _spread(self.outputs, gradients, self.output_count)
        for hook in self.pre_hooks:
            returned = hook(self.module, seen)
            if returned is not None:
                seen = _as_many(returned, seen, "Backward pre hook", "grad_output")
        self.grad_output = seen
        if self.inputs is None:
            self._tell_without_inputs()
        return tuple(seen[i] for i in self.outputs)

    def _leaving(self, gradients: Gradients) -> Gradients:
        """The arguments' gradients, after the hooks; the way out of the module."""
        if self.grad_output is None:  # a gradient that did not come through the module's results
            return gradients
        assert self.inputs is not None
        seen = _spread(self.inputs, gradients, self.input_count)
        for hook in self.hooks:
            returned = hook(self.module, seen, self.grad_output)
            if returned is not None:
                seen = _as_many(returned, seen, "Backward hook", "grad_input")
        self.grad_output = None
        return tuple(seen[i] for i in self.inputs)

    def _tell_without_inputs(self) -> None:
        """Runs the hooks where no argument has a gradient, so nothing will leave the module."""
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module"
            " outputs since no inputs require gradients.",
            stacklevel=5,
        )
        nothing = (None,) * self.input_count
        for hook in self.hooks:
            returned = hook(self.module, nothing, self.grad_output)
            if returned is not None and not all(gradient is None for gradient in returned):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always"
                    " return None or None for all gradients."
                )
        self.grad_output = None


def _cross(
    values: tuple[Any, ...], back: Back, *, filled: bool
) -> tuple[tuple[Any, ...], list[int] | None]:
    """``values`` with their tensors sent through a crossing, and the places of these."""
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not is_grad_enabled() or not any(values[i].requires_grad for i in places):
        return values, None
    crossed = _Crossing.apply(back, filled, *[values[i] for i in places])
    replaced = dict(zip(places, crossed, strict=True))
    return tuple(replaced.get(i, value) for i, value in enumerate(values)), places


def _spread(places: Sequence[int], gradients: Gradients, count: int) -> Gradients:
    """A gradient for each of ``count`` values, None where there is none."""
    found = dict(zip(places, gradients, strict=True))
    return tuple(found.get(i) for i in range(count))


def _as_many(returned: Any, expected: Gradients, who: str, what: str) -> Gradients:
    """What a hook returned, as a tuple of the right length.

    Raises:
        RuntimeError: it has another length.
    """
    gradients = (returned,) if isinstance(returned, Tensor) else tuple(returned)
    if len(gradients) != len(expected):
        raise RuntimeError(
            f"{who} returned an invalid number of {what}, got {len(gradients)}, but expected"
            f" {len(expected)}"
        )
    return gradients
