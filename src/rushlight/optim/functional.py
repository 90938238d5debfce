"""The optimizers as functions of parameters, gradients and states, which they change in place.

``torch.optim.adam.adam`` and its like, for those who keep the state themselves. Each is a step of
the optimizer of that name on the tensors given, so it is one node, as that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rushlight as rl
from rushlight.base.errors import MissingError, ShapeError

Tensors = list[rl.Tensor]


def adam(
    params: Tensors, grads: Tensors, exp_avgs: Tensors, exp_avg_sqs: Tensors,
    max_exp_avg_sqs: Tensors, state_steps: Tensors, foreach: bool | None = None,
    capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    grad_scale: rl.Tensor | None = None, found_inf: rl.Tensor | None = None,
    has_complex: bool = False, decoupled_weight_decay: bool = False, *, amsgrad: bool,
    beta1: Any, beta2: Any, lr: Any, weight_decay: float, eps: float, maximize: bool,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.Adam`."""
    states = {"step": state_steps, "exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs}
    if amsgrad:
        states["max_exp_avg_sq"] = max_exp_avg_sqs
    _step(
        "Adam", params, grads, states, (grad_scale, found_inf), lr=lr, betas=(beta1, beta2),
        eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
        differentiable=differentiable, decoupled_weight_decay=decoupled_weight_decay,
    )  # fmt: skip


def adamw(
    params: Tensors, grads: Tensors, exp_avgs: Tensors, exp_avg_sqs: Tensors,
    max_exp_avg_sqs: Tensors, state_steps: Tensors, foreach: bool | None = None,
    capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    grad_scale: rl.Tensor | None = None, found_inf: rl.Tensor | None = None,
    has_complex: bool = False, *, amsgrad: bool, beta1: Any, beta2: Any, lr: Any,
    weight_decay: float, eps: float, maximize: bool,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.AdamW`."""
    adam(
        params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps,
        differentiable=differentiable, grad_scale=grad_scale, found_inf=found_inf,
        decoupled_weight_decay=True, amsgrad=amsgrad, beta1=beta1, beta2=beta2, lr=lr,
        weight_decay=weight_decay, eps=eps, maximize=maximize,
    )  # fmt: skip


def sgd(
    params: Tensors, d_p_list: Tensors, momentum_buffer_list: list[rl.Tensor | None],
    has_sparse_grad: bool = False, foreach: bool | None = None, fused: bool | None = None,
    grad_scale: rl.Tensor | None = None, found_inf: rl.Tensor | None = None, *,
    weight_decay: float, momentum: float, lr: Any, dampening: float, nesterov: bool,
    maximize: bool,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.SGD`; momenta that are None are put into their list."""
    _dense("sgd", has_sparse_grad)
    states = {"momentum_buffer": momentum_buffer_list} if momentum else {}
    made = _step(
        "SGD", params, d_p_list, states, (grad_scale, found_inf), lr=lr, momentum=momentum,
        dampening=dampening, weight_decay=weight_decay, nesterov=nesterov, maximize=maximize,
    )  # fmt: skip
    if momentum:
        momentum_buffer_list[:] = [memory.get("momentum_buffer") for memory in made]


def adadelta(
    params: Tensors, grads: Tensors, square_avgs: Tensors, acc_deltas: Tensors,
    state_steps: Tensors, capturable: bool = False, foreach: bool | None = None,
    differentiable: bool = False, has_complex: bool = False, *, lr: Any, rho: float, eps: float,
    weight_decay: float, maximize: bool,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.Adadelta`."""
    states = {"step": state_steps, "square_avg": square_avgs, "acc_delta": acc_deltas}
    _step(
        "Adadelta", params, grads, states, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay,
        maximize=maximize, differentiable=differentiable,
    )  # fmt: skip


def adagrad(
    params: Tensors, grads: Tensors, state_sums: Tensors, state_steps: Tensors,
    fused: bool | None = None, grad_scale: rl.Tensor | None = None,
    found_inf: rl.Tensor | None = None, has_sparse_grad: bool = False,
    foreach: bool | None = None, differentiable: bool = False, has_complex: bool = False, *,
    lr: Any, weight_decay: float, lr_decay: float, eps: float, maximize: bool,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.Adagrad`."""
    _dense("adagrad", has_sparse_grad)
    _step(
        "Adagrad", params, grads, {"step": state_steps, "sum": state_sums},
        (grad_scale, found_inf), lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps,
        maximize=maximize, differentiable=differentiable,
    )  # fmt: skip


def adamax(
    params: Tensors, grads: Tensors, exp_avgs: Tensors, exp_infs: Tensors, state_steps: Tensors,
    foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
    capturable: bool = False, has_complex: bool = False, *, eps: float, beta1: float,
    beta2: float, lr: Any, weight_decay: float,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.Adamax`."""
    states = {"step": state_steps, "exp_avg": exp_avgs, "exp_inf": exp_infs}
    _step(
        "Adamax", params, grads, states, lr=lr, betas=(beta1, beta2), eps=eps,
        weight_decay=weight_decay, maximize=maximize, differentiable=differentiable,
    )  # fmt: skip


def asgd(
    params: Tensors, grads: Tensors, axs: Tensors, mus: Tensors, etas: Tensors,
    state_steps: Tensors, foreach: bool | None = None, maximize: bool = False,
    differentiable: bool = False, capturable: bool = False, has_complex: bool = False, *,
    lambd: float, lr: Any, t0: float, alpha: float, weight_decay: float,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.ASGD`."""
    _step(
        "ASGD", params, grads, {"step": state_steps, "ax": axs, "mu": mus, "eta": etas}, lr=lr,
        lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, maximize=maximize,
        differentiable=differentiable,
    )  # fmt: skip


def nadam(
    params: Tensors, grads: Tensors, exp_avgs: Tensors, exp_avg_sqs: Tensors,
    mu_products: Tensors, state_steps: Tensors, decoupled_weight_decay: bool = False,
    foreach: bool | None = None, capturable: bool = False, differentiable: bool = False,
    has_complex: bool = False, maximize: bool = False, *, beta1: float, beta2: float, lr: Any,
    weight_decay: float, momentum_decay: float, eps: float,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.NAdam`."""
    states = {
        "step": state_steps, "exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs,
        "mu_product": mu_products,
    }  # fmt: skip
    _step(
        "NAdam", params, grads, states, lr=lr, betas=(beta1, beta2), eps=eps,
        weight_decay=weight_decay, momentum_decay=momentum_decay, maximize=maximize,
        decoupled_weight_decay=decoupled_weight_decay, differentiable=differentiable,
    )  # fmt: skip


def radam(
    params: Tensors, grads: Tensors, exp_avgs: Tensors, exp_avg_sqs: Tensors,
    state_steps: Tensors, decoupled_weight_decay: bool = False, foreach: bool | None = None,
    differentiable: bool = False, capturable: bool = False, has_complex: bool = False,
    maximize: bool = False, *, beta1: float, beta2: float, lr: Any, weight_decay: float,
    eps: float,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.RAdam`."""
    states = {"step": state_steps, "exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs}
    _step(
        "RAdam", params, grads, states, lr=lr, betas=(beta1, beta2), eps=eps,
        weight_decay=weight_decay, decoupled_weight_decay=decoupled_weight_decay,
        maximize=maximize, differentiable=differentiable,
    )  # fmt: skip


def rmsprop(
    params: Tensors, grads: Tensors, square_avgs: Tensors, grad_avgs: Tensors,
    momentum_buffer_list: Tensors, state_steps: Tensors, foreach: bool | None = None,
    maximize: bool = False, differentiable: bool = False, capturable: bool = False,
    has_complex: bool = False, *, lr: Any, alpha: float, eps: float, weight_decay: float,
    momentum: float, centered: bool,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.RMSprop`."""
    states = {"step": state_steps, "square_avg": square_avgs}
    if momentum > 0:
        states["momentum_buffer"] = momentum_buffer_list
    if centered:
        states["grad_avg"] = grad_avgs
    _step(
        "RMSprop", params, grads, states, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay,
        momentum=momentum, centered=centered, maximize=maximize, differentiable=differentiable,
    )  # fmt: skip


def rprop(
    params: Tensors, grads: Tensors, prevs: Tensors, step_sizes: Tensors, state_steps: Tensors,
    foreach: bool | None = None, capturable: bool = False, maximize: bool = False,
    differentiable: bool = False, has_complex: bool = False, *, step_size_min: float,
    step_size_max: float, etaminus: float, etaplus: float,
) -> None:  # fmt: skip
    """A step of :class:`rushlight.optim.Rprop`."""
    states = {"step": state_steps, "prev": prevs, "step_size": step_sizes}
    _step(
        "Rprop", params, grads, states, etas=(etaminus, etaplus),
        step_sizes=(step_size_min, step_size_max), maximize=maximize,
        differentiable=differentiable,
    )  # fmt: skip


def _step(
    kind: str, params: Tensors, grads: Tensors, states: dict[str, Any],
    scaling: tuple[rl.Tensor | None, rl.Tensor | None] = (None, None), **options: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """Has an optimizer of that kind step the tensors given; what it remembers of each.

    Args:
        states: the lists of states by the optimizer's names for them.
        scaling: what the gradients were multiplied by, and whether one of them is infinite, so that
            nothing must be changed.
    """
    _check_lengths(kind, params, grads, states)
    scale, infinite = scaling
    each = zip(*states.values(), strict=True) if states else [()] * len(params)
    memories = [
        {name: x for name, x in zip(states, row, strict=True) if x is not None} for row in each
    ]
    if not params or (infinite is not None and bool(infinite)):
        return memories
    # An alias is a leaf, whatever the parameter is, and has the same memory.
    following = options.pop("differentiable", False)
    aliases = list(params) if following else [p.detach() for p in params]
    optimizer = getattr(rl.optim, kind)([p.detach() for p in aliases], **options)
    optimizer.param_groups[0]["params"] = aliases
    optimizer.state.clear()
    before = [p._grad for p in aliases]
    for alias, grad, memory in zip(aliases, grads, memories, strict=True):
        alias._grad = grad if scale is None else grad / scale.to(grad.dtype)
        optimizer.state[alias] = memory
    try:
        optimizer._expand() if following else _compute(optimizer)
    finally:
        for alias, grad in zip(aliases, before, strict=True):
            alias._grad = grad
    return memories


def _compute(optimizer: Any) -> None:
    with rl.no_grad():
        optimizer._compute()


def _check_lengths(
    kind: str, params: Tensors, grads: Tensors, states: dict[str, Sequence[Any]]
) -> None:
    for name, given in (("grads", grads), *states.items()):
        if len(given) != len(params):
            raise ShapeError(
                kind.lower(), f"there are {len(params)} parameters and {len(given)} of {name}"
            )


def _dense(kind: str, sparse: bool) -> None:
    if sparse:
        raise MissingError(kind, "gradients are never sparse here")
