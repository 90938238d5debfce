"""RMSprop."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.ops.update import rmsprop_step
from rushlight.optim.functional import rmsprop  # noqa: F401 - PyTorch has it here
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_not_negative, check_one_element
from rushlight.optim.recorded import Names, Number, RecordedOptimizer, plain
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class RMSprop(RecordedOptimizer):
    r"""RMSprop: the gradient over the root of a running mean of its square.

    .. math::
        v &\leftarrow \alpha v + (1 - \alpha) g^2 \\
        p &\leftarrow p - \eta \, \frac{g}{\sqrt{v} + \epsilon}

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        alpha: :math:`\alpha`.
        eps: :math:`\epsilon`.
        weight_decay: this times the parameter is added to the gradient.
        momentum: of a buffer that the quotients are gathered in.
        centered: divide by the standard deviation, not by the root mean square.
        capturable, foreach: accepted; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative option, or an ``lr`` Tensor with several elements.
    Reference:
        Hinton 2012, Neural Networks for Machine Learning, lecture 6e; centered: Graves 2013,
        equation 40, arXiv:1308.0850. Epsilon is added after the root, as torch.optim.RMSprop.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.RMSprop([weight], lr=0.5, alpha=0.0)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight.tolist()
        [0.5, 1.5]
    """

    _op = rmsprop_step
    _later_options: ClassVar = {
        "momentum": 0,
        "centered": False,
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("RMSprop", "lr", lr)
        check_not_negative(
            "RMSprop",
            learning_rate=lr,
            epsilon=eps,
            momentum=momentum,
            weight_decay=weight_decay,
            alpha=alpha,
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _state_names(self, group: Group) -> Names:
        momenta = ("momentum_buffer",) if group["momentum"] > 0 else ()
        means = ("grad_avg",) if group["centered"] else ()
        return ("square_avg", *momenta, *means)

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        lr, decay, alpha = plain(group["lr"]), plain(group["weight_decay"]), group["alpha"]
        return lr, alpha, 1 - alpha, group["eps"], decay, group["momentum"]

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        decays, momenta = bool(group["weight_decay"] != 0), group["momentum"] > 0
        return decays, momenta, group["centered"], group["maximize"]
