"""Adadelta."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.base.errors import ArgValueError
from rushlight.ops.update_elementwise import adadelta_step
from rushlight.optim.functional import adadelta  # noqa: F401 - PyTorch has it here
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_not_negative, check_one_element
from rushlight.optim.recorded import Names, Number, RecordedOptimizer, plain
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class Adadelta(RecordedOptimizer):
    r"""Adadelta: steps in the units of the parameter, without a rate that must be chosen.

    .. math::
        v &\leftarrow \rho v + (1 - \rho) g^2 \\
        \Delta &= g \sqrt{u + \epsilon} / \sqrt{v + \epsilon} \\
        u &\leftarrow \rho u + (1 - \rho) \Delta^2 \\
        p &\leftarrow p - \eta \Delta

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element; the paper has none, which is 1.
        rho: :math:`\rho`, between 0 and 1.
        eps: :math:`\epsilon`.
        weight_decay: this times the parameter is added to the gradient.
        foreach, capturable: accepted; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative option, or ``rho`` above 1.
    Reference:
        Zeiler 2012, Algorithm 1, arXiv:1212.5701.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.Adadelta([weight], eps=1.0, rho=0.0)
        >>> weight.grad = rl.tensor([0.0, 1.0])
        >>> optimizer.step()
        >>> weight
        Parameter containing:
        tensor([1.0000, 1.2929], requires_grad=True)
    """

    _op = adadelta_step
    _later_options: ClassVar = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("Adadelta", "lr", lr)
        check_not_negative("Adadelta", learning_rate=lr)
        if not 0.0 <= rho <= 1.0:
            raise ArgValueError(
                "Adadelta", f"Invalid rho value: {rho}", rule="It must be between 0 and 1."
            )
        check_not_negative("Adadelta", epsilon=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _state_names(self, group: Group) -> Names:
        return "square_avg", "acc_delta"

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        lr, rho = plain(group["lr"]), group["rho"]
        return lr, rho, 1 - rho, group["eps"], plain(group["weight_decay"])

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        return bool(group["weight_decay"] != 0), group["maximize"]
