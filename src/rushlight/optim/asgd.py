"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.ops.update_elementwise import asgd_step
from rushlight.optim.functional import asgd  # noqa: F401 - PyTorch has it here
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_not_negative, check_one_element
from rushlight.optim.recorded import CountingOptimizer, Moment, Names, Number
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class ASGD(CountingOptimizer):
    r"""Averaged stochastic gradient descent: beside the parameter, the mean of all its values.

    .. math::
        p &\leftarrow (1 - \lambda \eta_t) p - \eta_t g \\
        a &\leftarrow a + \mu_t (p - a) \\
        \eta_{t+1} &= \eta / (1 + \lambda \eta t)^\alpha, \quad \mu_{t+1} = 1 / \max(1, t - t_0)

    The mean is ``optimizer.state[p]["ax"]``; it begins after ``t0`` steps.

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        lambd: :math:`\lambda`.
        alpha: :math:`\alpha`.
        t0: :math:`t_0`.
        weight_decay: this times the parameter is added to the gradient.
        foreach, capturable: accepted; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative rate or decay.
    Reference:
        Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; the rates
        are those of Bottou's sgd, as torch.optim.ASGD.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.ASGD([weight], lr=0.25, lambd=0.0)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight.tolist(), optimizer.state[weight]["ax"].tolist()
        ([0.5, 1.0], [0.5, 1.0])
    """

    _op = asgd_step
    _counters: ClassVar = {"eta": 0.0, "mu": 1.0}
    _later_options: ClassVar = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_one_element("ASGD", "lr", lr)
        check_not_negative("ASGD", learning_rate=lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, group: Group, name: str) -> float:
        return float(group["lr"]) if name == "eta" else 1.0

    def _state_names(self, group: Group) -> Names:
        return ("ax",)

    def _next(self, group: Group, steps: Moment) -> Moment:
        step, lr = steps[0] + 1, float(group["lr"])
        eta = lr / (1 + group["lambd"] * lr * step) ** group["alpha"]
        return step, eta, 1 / max(1, step - group["t0"])

    def _scalars(self, group: Group, steps: Moment) -> tuple[Number, ...]:
        _, eta, mu = steps
        return eta, 1 - group["lambd"] * eta, mu, float(group["weight_decay"])

    def _form(self, group: Group, steps: Moment) -> tuple[Any, ...]:
        return bool(group["weight_decay"] != 0), steps[2] != 1, group["maximize"]
