"""RAdam."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.ops.update_elementwise import radam_step
from rushlight.optim.functional import radam  # noqa: F401 - PyTorch has it here
from rushlight.optim.nadam import decay_form
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_betas, check_not_negative, check_one_element
from rushlight.optim.recorded import Names, Number, RecordedOptimizer, plain
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class RAdam(RecordedOptimizer):
    r"""RAdam: Adam that trusts its mean square only as far as there were gradients to know it.

    .. math::
        \rho_\infty &= \frac{2}{1 - \beta_2} - 1, \quad
        \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t} \\
        r_t &= \sqrt{\frac{(\rho_t - 4)(\rho_t - 2) \rho_\infty}
        {(\rho_\infty - 4)(\rho_\infty - 2) \rho_t}} \\
        p &\leftarrow p - \eta \frac{m}{1 - \beta_1^t} \cdot
        \begin{cases} r_t \sqrt{1 - \beta_2^t} / (\sqrt{v} + \epsilon) & \rho_t > 5 \\
        1 & \text{else} \end{cases}

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        betas: :math:`\beta_1, \beta_2`.
        eps: :math:`\epsilon`.
        weight_decay: this times the parameter is added to the gradient.
        decoupled_weight_decay: take the decay off the parameter instead, as AdamW.
        foreach, capturable: accepted; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative option, or a beta outside [0, 1).
    Reference:
        Liu et al. 2020, Algorithm 2, arXiv:1908.03265, with the bound 5 for :math:`\rho_t` of the
        authors' later code, as torch.optim.RAdam.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.RAdam([weight], lr=0.25)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight
        Parameter containing:
        tensor([0.5000, 1.0000], requires_grad=True)
    """

    _op = radam_step
    _later_options: ClassVar = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("RAdam", "lr", lr)
        check_not_negative("RAdam", learning_rate=lr, epsilon=eps)
        check_betas("RAdam", betas)
        check_not_negative("RAdam", weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _state_names(self, group: Group) -> Names:
        return "exp_avg", "exp_avg_sq"

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        lr, decay = plain(group["lr"]), plain(group["weight_decay"])
        beta1, beta2 = group["betas"]
        step = steps + 1
        step_size = lr / (1 - beta1**step)
        longest, length = _lengths(beta2, step)
        if length > 5.0:
            ratio = (length - 4) * (length - 2) * longest
            ratio /= (longest - 4) * (longest - 2) * length
            step_size = step_size * ((1 - beta2**step) ** 0.5 * ratio**0.5)
        if group["decoupled_weight_decay"]:
            decay = 1 - lr * decay
        return step_size, 1 - beta1, beta2, 1 - beta2, group["eps"], decay

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        _, length = _lengths(group["betas"][1], steps + 1)
        return decay_form(group), length > 5.0, group["maximize"]


def _lengths(beta2: float, step: float) -> tuple[float, float]:
    """Over how many gradients the mean square is taken, at last and at a step."""
    longest = 2 / (1 - beta2) - 1
    power = beta2**step
    return longest, longest - 2 * step * power / (1 - power)
