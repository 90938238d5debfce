"""NAdam."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight.ops.update_elementwise import nadam_step
from rushlight.optim.functional import nadam  # noqa: F401 - PyTorch has it here
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_betas, check_not_negative, check_one_element
from rushlight.optim.recorded import CountingOptimizer, Moment, Names, Number, plain
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class NAdam(CountingOptimizer):
    r"""NAdam: Adam with Nesterov's momentum.

    .. math::
        \mu_t &= \beta_1 (1 - 0.5 \cdot 0.96^{t \psi}), \quad M_t = \mu_1 \cdots \mu_t \\
        m &\leftarrow \beta_1 m + (1 - \beta_1) g, \quad
        v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        p &\leftarrow p - \eta \Big( \frac{1 - \mu_t}{1 - M_t} g +
        \frac{\mu_{t+1}}{1 - M_{t+1}} m \Big) \Big/
        \Big( \sqrt{v / (1 - \beta_2^t)} + \epsilon \Big)

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        betas: :math:`\beta_1, \beta_2`.
        eps: :math:`\epsilon`.
        weight_decay: this times the parameter is added to the gradient.
        momentum_decay: :math:`\psi`.
        decoupled_weight_decay: take the decay off the parameter instead, as AdamW.
        foreach, capturable: accepted; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative option, or a beta outside [0, 1).
    Reference:
        Dozat 2016, "Incorporating Nesterov Momentum into Adam", Algorithm 2, with the schedule of
        momenta of its section 2, as torch.optim.NAdam.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.NAdam([weight], lr=0.5)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight.shape
        torch.Size([2])
    """

    _op = nadam_step
    _counters: ClassVar = {"mu_product": 1.0}
    _later_options: ClassVar = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("NAdam", "lr", lr)
        check_not_negative("NAdam", learning_rate=lr, epsilon=eps)
        check_betas("NAdam", betas)
        check_not_negative("NAdam", weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _state_names(self, group: Group) -> Names:
        return "exp_avg", "exp_avg_sq"

    def _next(self, group: Group, steps: Moment) -> Moment:
        taken, product = steps
        # PyTorch multiplies a tensor by a number, in the tensor's type, which is float32.
        return taken + 1, float(np.float32(product) * np.float32(_momentum(group, taken + 1)))

    def _scalars(self, group: Group, steps: Moment) -> tuple[Number, ...]:
        lr, decay = plain(group["lr"]), plain(group["weight_decay"])
        beta1, beta2 = group["betas"]
        step, product = self._next(group, steps)
        now, then = _momentum(group, step), _momentum(group, step + 1)
        of_gradient = lr * (1 - now) / (1 - product)
        of_average = lr * then / (1 - product * then)
        correction = 1 - beta2**step
        if group["decoupled_weight_decay"]:
            decay = 1 - lr * decay
        rates = of_gradient, of_average
        return *rates, correction, 1 - beta1, beta2, 1 - beta2, group["eps"], decay

    def _form(self, group: Group, steps: Moment) -> tuple[Any, ...]:
        return decay_form(group), group["maximize"]


def decay_form(group: Group) -> str:
    """Where a group's weight decay goes: to the weight, to the gradient or nowhere."""
    if group["weight_decay"] == 0:
        return ""
    return "weight" if group["decoupled_weight_decay"] else "gradient"


def _momentum(group: Group, step: float) -> float:
    """The momentum of a step."""
    beta1: float = group["betas"][0]
    return beta1 * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"]))
