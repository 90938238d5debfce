"""Adagrad."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.ops.update import adagrad_step
from rushlight.optim.functional import adagrad  # noqa: F401 - PyTorch has it here
from rushlight.optim.memory import begun
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_not_negative, check_one_element
from rushlight.optim.recorded import Memory, Names, Number, RecordedOptimizer, count_tensor, plain
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class Adagrad(RecordedOptimizer):
    r"""Adagrad: the gradient over the root of the sum of all its squares so far.

    .. math::
        s &\leftarrow s + g^2 \\
        p &\leftarrow p - \frac{\eta}{1 + (t - 1) \eta_d} \, \frac{g}{\sqrt{s} + \epsilon}

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        lr_decay: :math:`\eta_d`.
        weight_decay: this times the parameter is added to the gradient.
        initial_accumulator_value: what :math:`s` starts from.
        eps: :math:`\epsilon`.
        foreach, fused: accepted and checked; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative option, or an ``lr`` Tensor with several elements.
    Reference:
        Duchi et al. 2011, Figure 1 with diagonal matrices, with decay of the rate as
        torch.optim.Adagrad.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.Adagrad([weight], lr=0.5)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight.tolist()
        [0.5, 1.5]
    """

    _op = adagrad_step
    _later_options: ClassVar = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "fused": None,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_one_element("Adagrad", "lr", lr)
        check_not_negative(
            "Adagrad",
            learning_rate=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            epsilon=eps,
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                self._begin(group, param, self.state[param], ("sum",))

    def _begin(self, group: Group, param: Tensor, memory: Memory, names: Names) -> None:
        if "step" not in memory:
            memory["step"] = count_tensor(0.0)
        if "sum" not in memory:
            start: Any = self.defaults["initial_accumulator_value"]
            if param.dtype.is_complex:
                start = complex(start, start)
            memory["sum"] = begun(param.node.spec, start)

    def _state_names(self, group: Group) -> Names:
        return ("sum",)

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        lr = plain(group["lr"]) / (1 + steps * group["lr_decay"])
        return lr, group["eps"], plain(group["weight_decay"])

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        return bool(group["weight_decay"] != 0), group["maximize"]
