"""Adamax."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.ops.update_elementwise import adamax_step
from rushlight.optim.functional import adamax  # noqa: F401 - PyTorch has it here
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_betas, check_not_negative, check_one_element
from rushlight.optim.recorded import Names, Number, RecordedOptimizer, plain
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class Adamax(RecordedOptimizer):
    r"""Adamax: Adam with the largest gradient in place of the root mean square.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        u &\leftarrow \max(\beta_2 u, |g| + \epsilon) \\
        p &\leftarrow p - \frac{\eta}{1 - \beta_1^t} \frac{m}{u}

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        betas: :math:`\beta_1, \beta_2`.
        eps: :math:`\epsilon`.
        weight_decay: this times the parameter is added to the gradient.
        foreach, capturable: accepted; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative option, or a beta outside [0, 1).
    Reference:
        Kingma & Ba 2015, Algorithm 2, arXiv:1412.6980; epsilon is added to the gradient, as
        torch.optim.Adamax.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.Adamax([weight], lr=0.5)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight
        Parameter containing:
        tensor([0.5000, 1.5000], requires_grad=True)
    """

    _op = adamax_step
    _later_options: ClassVar = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_one_element("Adamax", "lr", lr)
        check_not_negative("Adamax", learning_rate=lr, epsilon=eps)
        check_betas("Adamax", betas)
        check_not_negative("Adamax", weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _state_names(self, group: Group) -> Names:
        return "exp_avg", "exp_inf"

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        beta1, beta2 = group["betas"]
        step_size = plain(group["lr"]) / (1 - beta1 ** (steps + 1))
        return step_size, 1 - beta1, beta2, group["eps"], plain(group["weight_decay"])

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        return bool(group["weight_decay"] != 0), group["maximize"]
