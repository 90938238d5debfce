"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight as rl
from rushlight.autograd.mode import enable_grad, no_grad
from rushlight.base.errors import ArgValueError, OperationError
from rushlight.execute import realize, tier
from rushlight.graph.node import number
from rushlight.ops.update_matrix import quasi_newton_direction
from rushlight.optim.line_search import Point, strong_wolfe
from rushlight.optim.optimizer import Optimizer, Params
from rushlight.optim.options import check_not_negative, check_one_element
from rushlight.tensor.tensor import Tensor

Closure = Callable[[], Any]


class LBFGS(Optimizer):
    """L-BFGS: steps along an estimate of Newton's direction. For whole data sets at once.

    The inverse of the Hessian is estimated from the last changes of the parameters and of the
    gradient. One call of :meth:`step` is several iterations, each of which computes the loss anew
    at least once. There can be only one group of parameters.

    Args:
        params: tensors or ``(name, tensor)`` pairs, see :class:`Optimizer`.
        lr: how far to go along the direction, a number or a Tensor with one element.
        max_iter: iterations in a step.
        max_eval: evaluations of the loss in a step; by default a quarter more.
        tolerance_grad: a gradient with no component larger than this is at its end.
        tolerance_change: so is a loss, or parameters, that change by less than this.
        history_size: how many changes are remembered.
        line_search_fn: ``"strong_wolfe"`` looks for a good distance; None goes as far as ``lr``.
    Raises:
        ValueError: a negative ``lr``, or several groups.
        RuntimeError: an unknown line search, at the step.
    Reference:
        Nocedal & Wright 2006, Algorithm 7.5, as torch.optim.LBFGS: the first step is not longer
        than ``lr``, and changes that would spoil the estimate are left out.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([3.0, -2.0]))
        >>> optimizer = rl.optim.LBFGS([weight], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = ((weight - 1.0) ** 2).sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure).item()
        13.0
        >>> [round(x, 3) for x in weight.tolist()]
        [1.0, 1.0]
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_one_element("LBFGS", "lr", lr)
        check_not_negative("LBFGS", learning_rate=lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ArgValueError(
                "LBFGS", "LBFGS doesn't support per-parameter options (parameter groups)"
            )

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    @no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """Runs iterations until one of the tolerances or limits is reached.

        Args:
            closure: forgets the gradients, computes the loss and its gradients and returns it.
        Returns:
            What the closure returned first.
        """
        if closure is None:
            raise OperationError("LBFGS", "step() needs a closure that computes the loss anew")
        group = self.param_groups[0]
        # All that is remembered is remembered of the first parameter, as PyTorch does.
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        closure = enable_grad()(closure)
        result = closure()
        loss, gradient = self._looked_at(result)
        state["func_evals"] += 1
        if _largest(gradient) <= group["tolerance_grad"]:
            return result
        evaluations = 1
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            self._turn(state, gradient, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = gradient, loss
            far = float(group["lr"])
            if state["n_iter"] == 1:
                far *= min(1.0, 1.0 / gradient.abs().sum().item())
            state["t"] = far
            slope = gradient.dot(state["d"]).item()
            if slope > -group["tolerance_change"]:
                break
            is_last = iteration == group["max_iter"]
            start = Point(0.0, loss, slope, gradient)
            most = group["max_eval"] - evaluations
            here, looks = self._moved(closure, state, start, most, is_last)
            change = abs(here.value - loss)
            loss, gradient = here.value, here.gradient
            evaluations += looks
            state["func_evals"] += looks
            if (
                is_last
                or evaluations >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(state["d"]) * abs(state["t"]) <= group["tolerance_change"]
                or change < group["tolerance_change"]
            ):
                break
        return result

    def _turn(self, state: dict[str, Any], gradient: Tensor, history: int) -> None:
        """Finds the direction to go from a gradient."""
        if state["n_iter"] == 1:
            state.update(d=-gradient, old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return
        change, move = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        product = change.dot(move)
        if product.item() > 1e-10:
            past = (
                (state["old_dirs"], change),
                (state["old_stps"], move),
                (state["ro"], 1 / product),
            )
            for kept, new in past:
                if len(kept) == history:
                    kept.pop(0)
                kept.append(new)
            state["H_diag"] = product / change.dot(change)
        scale = state["H_diag"]
        first = scale.node if isinstance(scale, Tensor) else number(float(scale), gradient.dtype)
        past_nodes = [x.node for key in ("old_dirs", "old_stps", "ro") for x in state[key]]
        made = quasi_newton_direction(gradient.node, first, *past_nodes)
        realize([first, *past_nodes[-1:]])  # in the same program at every turn
        with tier.only("reference"):  # which is what it has; a program for each length is not made
            realize(made)
        state["d"], *shares = [Tensor(node) for node in made]
        state["al"] = [*shares, *[None] * (history - len(shares))]

    def _moved(
        self, closure: Closure, state: dict[str, Any], start: Point, most: int, is_last: bool
    ) -> tuple[Point, int]:
        """Goes along the direction; where that leads, and how often the loss was computed."""
        direction, group = state["d"], self.param_groups[0]
        search = group["line_search_fn"]
        if search is None:
            self._go(state["t"], direction)
            if is_last:  # nobody will ask what the loss is there
                return start._replace(far=state["t"]), 0
            loss, gradient = self._looked_at(closure())
            return Point(state["t"], loss, 0.0, gradient), 1
        if search != "strong_wolfe":
            raise OperationError("LBFGS", "only 'strong_wolfe' is supported")
        before = [param.clone() for param in self._params]

        def look(far: float) -> Point:
            self._go(far, direction)
            loss, gradient = self._looked_at(closure())
            for param, value in zip(self._params, before, strict=True):
                param.copy_(value)
            return Point(far, loss, gradient.dot(direction).item(), gradient)

        smallest = group["tolerance_change"] / _largest(direction)
        here, looks = strong_wolfe(look, start, state["t"], most=most, smallest=smallest)
        state["t"] = here.far
        self._go(here.far, direction)
        return here, looks

    def _looked_at(self, loss: Any) -> tuple[float, Tensor]:
        """A loss's value, and the gradients of all parameters one after another."""
        pieces = []
        for param in self._params:
            grad = rl.zeros_like(param) if param.grad is None else param.grad.detach()
            pieces.append((rl.view_as_real(grad) if grad.is_complex() else grad).reshape(-1))
        gradient = rl.cat(pieces)
        losses = [loss.node] if isinstance(loss, Tensor) else []
        realize([*losses, gradient.node])
        return float(loss), gradient

    def _go(self, far: float, direction: Tensor) -> None:
        """Adds ``far`` times a direction to the parameters."""
        offset = 0
        for param in self._params:
            parts = rl.view_as_real(param) if param.is_complex() else param
            piece = direction[offset : offset + parts.numel()]
            parts.add_(piece.view_as(parts), alpha=far)
            offset += parts.numel()


def _largest(x: Tensor) -> float:
    return float(x.abs().max().item())
