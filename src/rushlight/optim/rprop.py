"""Resilient backpropagation."""

from __future__ import annotations

from typing import Any, ClassVar

from rushlight.base.errors import ArgValueError
from rushlight.ops.update_elementwise import rprop_step
from rushlight.optim.functional import rprop  # noqa: F401 - PyTorch has it here
from rushlight.optim.memory import begun
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_not_negative, check_one_element
from rushlight.optim.recorded import Memory, Names, Number, RecordedOptimizer, count_tensor
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class Rprop(RecordedOptimizer):
    r"""Resilient backpropagation: only the gradient's sign counts. For whole data sets at once.

    Each element has a step size of its own, which grows by :math:`\eta^+` while the gradient keeps
    its sign; it shrinks by :math:`\eta^-` where the sign has changed, and there no step is taken.

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: the first step size, a number or a Tensor with one element.
        etas: :math:`\eta^-, \eta^+`.
        step_sizes: the smallest and the largest step size.
        foreach, capturable: accepted; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: a negative rate, or ``etas`` that do not shrink and grow.
    Reference:
        Riedmiller & Braun 1993, "A direct adaptive method for faster backpropagation learning",
        without taking back a step after a change of sign, as torch.optim.Rprop.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, -2.0]))
        >>> optimizer = rl.optim.Rprop([weight], lr=0.25)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight.tolist()
        [0.75, -1.75]
    """

    _op = rprop_step
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
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("Rprop", "lr", lr)
        check_not_negative("Rprop", learning_rate=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ArgValueError(
                "Rprop",
                f"Invalid eta values: {etas[0]}, {etas[1]}",
                rule="The first must be between 0 and 1, the second above 1.",
            )
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, group: Group, param: Tensor, memory: Memory, names: Names) -> None:
        if "step_size" not in memory:
            first: Any = float(group["lr"])
            if param.dtype.is_complex:  # the parts are stepped as numbers of their own
                first = complex(first, first)
            memory.setdefault("step", count_tensor(0.0))
            memory["prev"] = begun(param.node.spec)
            memory["step_size"] = begun(param.node.spec, first)

    def _state_names(self, group: Group) -> Names:
        return "prev", "step_size"

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        return (*group["etas"], *group["step_sizes"])

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        return (group["maximize"],)
