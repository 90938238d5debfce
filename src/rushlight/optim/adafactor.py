"""Adafactor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight.base.errors import ArgValueError
from rushlight.ops.update_matrix import adafactor_step, kept_shape
from rushlight.optim.memory import begun
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_one_element
from rushlight.optim.recorded import (
    Memory,
    Moment,
    Names,
    Number,
    RecordedOptimizer,
    count_of,
    count_tensor,
)
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor

_MATRIX, _VECTOR = ("row_var", "col_var"), ("variance",)
# The distance from 1 to the next number. NumPy has no bfloat16.
_EPSILONS = {"bfloat16": 2.0**-7}


class Adafactor(RecordedOptimizer):
    r"""Adafactor: mean squares of a matrix's rows and columns instead of one for each element.

    .. math::
        w &= t^\tau, \quad \alpha = \min(\eta, 1/\sqrt{t}) \max(\epsilon_2, \mathrm{rms}(p)) \\
        r &\leftarrow (1 - w) r + w \, \mathrm{mean}_{columns}(g^2), \quad
        c \leftarrow (1 - w) c + w \, \mathrm{mean}_{rows}(g^2) \\
        u &= g \Big/ \max\big(\sqrt{r c / \max(\mathrm{mean}(r), \epsilon_1)}, \epsilon_1\big) \\
        p &\leftarrow p - \alpha \, u / \max(1, \mathrm{rms}(u) / d)

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, the largest rate relative to the parameter's size, and the rate of decay.
        beta2_decay: :math:`\tau`, not positive.
        eps: :math:`\epsilon_1, \epsilon_2`; None is the machine epsilon of the parameter's type.
        d: how much longer than 1 a change may be.
        weight_decay: ``lr`` times this times the parameter is taken off the parameter.
        foreach: accepted; there is one implementation.
        maximize: go up instead of down.
    Raises:
        ValueError: an option outside its range.
        RuntimeError: a complex parameter, at the step.
    Reference:
        Shazeer & Stern 2018, Algorithm 4, arXiv:1804.04235; with a rate, with means for sums and
        with :math:`\epsilon_1` as the smallest divisor, as torch.optim.Adafactor.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.ones(3, 2))
        >>> optimizer = rl.optim.Adafactor([weight], lr=0.25)
        >>> weight.sum().backward()
        >>> optimizer.step()
        >>> weight[0].tolist(), optimizer.state[weight]["row_var"].shape
        ([0.75, 0.75], torch.Size([3, 1]))
    """

    _op = adafactor_step
    _later_options: ClassVar = {"foreach": None}

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_one_element("Adafactor", "lr", lr)
        eps1, eps2 = eps
        for wrong, words, value in (
            (not lr >= 0.0, "Learning rate should be >= 0", lr),
            (not beta2_decay <= 0.0, "beta2_decay should be <= 0", beta2_decay),
            (eps1 is not None and not eps1 >= 0.0, "epsilon1 should be >= 0", eps1),
            (not eps2 >= 0.0, "epsilon2 should be >= 0", eps2),
            (not d >= 1.0, "Clipping threshold d should be >= 1", d),
            (not weight_decay >= 0.0, "weight_decay should be >= 0", weight_decay),
        ):
            if wrong:
                raise ArgValueError("Adafactor", f"{words} but is: {value}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _state_names(self, group: Group) -> Names:
        return ()

    def _names_of(self, group: Group, param: Tensor) -> Names:
        return _MATRIX if param.ndim > 1 else _VECTOR

    def _recall(self, group: Group, param: Tensor, names: Names) -> tuple[Memory, Moment]:
        """The moment is the count, the smallest divisor, and whether there are rows."""
        memory = self.state[param]
        if not memory:
            memory["step"] = count_tensor(0.0)
            for place, name in enumerate(self._names_of(group, param)):
                shape = param.node.shape
                shape = kept_shape(shape, place) if len(shape) > 1 else shape
                memory[name] = begun(param.node.spec.with_shape(shape))
        eps1 = group["eps"][0]
        if eps1 is None:
            eps1 = _EPSILONS.get(param.dtype.name) or float(np.finfo(param.dtype.numpy).eps)
        return memory, (count_of(memory["step"]), eps1, param.ndim > 1)

    def _next(self, group: Group, steps: Moment) -> Moment:
        return steps[0] + 1, *steps[1:]

    def _count(self, members: list[Any], steps: Moment) -> None:
        super()._count(members, steps[0])

    def _scalars(self, group: Group, steps: Moment) -> tuple[Number, ...]:
        step, eps1, lr = steps[0] + 1, steps[1], float(group["lr"])
        rate, weight = min(lr, step**-0.5), step ** group["beta2_decay"]
        return rate, weight, eps1, group["eps"][1], group["d"], 1 - lr * group["weight_decay"]

    def _form(self, group: Group, steps: Moment) -> tuple[Any, ...]:
        return steps[2], group["weight_decay"] != 0, group["maximize"]
