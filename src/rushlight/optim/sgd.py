"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.base.errors import ArgValueError
from rushlight.ops.update import sgd_step
from rushlight.optim.functional import sgd  # noqa: F401 - PyTorch has it here
from rushlight.optim.memory import begun
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_not_negative, check_one_element
from rushlight.optim.recorded import Member, Memory, Names, Number, RecordedOptimizer, plain
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class SGD(RecordedOptimizer):
    r"""Stochastic gradient descent, with momentum if asked for.

    .. math::
        g &\leftarrow g + \lambda p \\
        b &\leftarrow \mu b + (1 - \tau) g \quad (b = g \text{ in the first step}) \\
        p &\leftarrow p - \eta b \quad (p - \eta (g + \mu b) \text{ with Nesterov's momentum})

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        momentum: :math:`\mu`.
        dampening: :math:`\tau`.
        weight_decay: :math:`\lambda`, a number or a Tensor.
        nesterov: look ahead by the momentum.
        maximize: go up instead of down.
        foreach, fused: accepted and checked; there is one implementation.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative option, or ``nesterov`` without momentum or with dampening.
    Reference:
        Sutskever et al. 2013, section 2, with the rate applied to the buffer as torch.optim.SGD.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.SGD([weight], lr=0.25)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight.tolist()
        [0.5, 1.0]
    """

    _op = sgd_step
    _later_options: ClassVar = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": False,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_one_element("SGD", "lr", lr)
        check_not_negative("SGD", learning_rate=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ArgValueError(
                "SGD",
                "Nesterov momentum requires a momentum and zero dampening",
                rule=f"momentum is {momentum}, dampening {dampening}.",
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _state_names(self, group: Group) -> Names:
        return ("momentum_buffer",) if group["momentum"] != 0 else ()

    def _recall(self, group: Group, param: Tensor, names: Names) -> tuple[Memory, float]:
        """Steps are not counted, but the first one with momentum is told from the others."""
        if not names:
            return {}, 0.0
        memory = self.state[param]
        if memory.get("momentum_buffer") is not None:
            return memory, 1.0
        memory["momentum_buffer"] = begun(param.node.spec)
        return memory, 0.0

    def _count(self, members: list[Member], steps: float) -> None:
        """Nothing is counted; a first step that is taken back leaves no buffer."""
        if steps == 0.0:
            for _, _, memory in members:
                memory.pop("momentum_buffer", None)

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        undamped = 1.0 if steps == 0.0 else 1 - group["dampening"]
        return plain(group["lr"]), plain(group["weight_decay"]), group["momentum"], undamped

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        decays, momenta = bool(group["weight_decay"] != 0), group["momentum"] != 0
        # Momentum of a buffer of zeros is nothing, and so the first step is as all others are,
        # except that no gradient flows through it.
        first = momenta and steps == 0.0 and group["differentiable"]
        return decays, momenta, group["nesterov"], group["maximize"], first
