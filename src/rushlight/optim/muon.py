"""Muon."""

from __future__ import annotations

from typing import Any

from rushlight.base.errors import ArgValueError
from rushlight.ops.update_matrix import muon_step
from rushlight.optim.memory import begun
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_one_element
from rushlight.optim.recorded import Member, Memory, Names, Number, RecordedOptimizer
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor

# A polynomial that is steep at 0 and stays near 1, from Jordan's post (see Muon).
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(RecordedOptimizer):
    r"""Muon: momentum whose singular values are all made about 1. For matrices of hidden layers.

    .. math::
        b &\leftarrow \mu b + (1 - \mu) g \\
        o &= \mathrm{orthogonal}(\mu b + (1 - \mu) g) \\
        p &\leftarrow (1 - \eta \lambda) p - \eta' o

    Args:
        params: matrices; or ``(name, matrix)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        weight_decay: :math:`\lambda`.
        momentum: :math:`\mu`.
        nesterov: look ahead by the momentum; otherwise ``o`` is made of ``b``.
        ns_coefficients: of :math:`x`, :math:`x^3` and :math:`x^5` in each turn of the iteration.
        eps: the smallest length that the matrix is divided by.
        ns_steps: turns of the iteration, fewer than 100.
        adjust_lr_fn: how the rate follows the shape (A, B): ``"original"``, which is the default,
            :math:`\sqrt{\max(1, A/B)}`; ``"match_rms_adamw"``, :math:`0.2 \sqrt{\max(A, B)}`.
    Raises:
        ValueError: a negative option, an unknown ``adjust_lr_fn``, a parameter that is no matrix.
        RuntimeError: a complex parameter, at the step.
    Reference:
        Jordan 2024, "Muon: An optimizer for hidden layers in neural networks"; the second rule for
        the rate is of Liu et al. 2025, section 2.2, arXiv:2502.16982.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.eye(2))
        >>> optimizer = rl.optim.Muon([weight], lr=0.5, weight_decay=0.0)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> bool((weight.diag() < 1).all())
        True
    """

    _op = muon_step

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = _COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_one_element("Muon", "lr", lr)
        for words, value in (
            ("Learning rate", lr),
            ("momentum", momentum),
            ("weight decay", weight_decay),
        ):
            if not value >= 0.0:
                raise ArgValueError("Muon", f"{words} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ArgValueError(
                "Muon",
                f"Adjust learning rate function {adjust_lr_fn} is not supported",
                rule='It must be "original" or "match_rms_adamw".',
            )
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ArgValueError(
                        "Muon",
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{param.size()}",
                        hint="Give the others to another optimizer, such as AdamW.",
                    )

    def _state_names(self, group: Group) -> Names:
        return ("momentum_buffer",)

    def _recall(self, group: Group, param: Tensor, names: Names) -> tuple[Memory, float]:
        """Steps are not counted."""
        memory = self.state[param]
        if "momentum_buffer" not in memory:
            memory["momentum_buffer"] = begun(param.node.spec)
        return memory, 0.0

    def _count(self, members: list[Member], steps: float) -> None:
        """Nothing is counted."""

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        lr, momentum = float(group["lr"]), group["momentum"]
        shrink = 1 - lr * group["weight_decay"]
        if len(group["ns_coefficients"]) != 3:
            raise ArgValueError("Muon", "Coefficients must be a tuple of exactly 3 values")
        return lr, momentum, 1 - momentum, shrink, group["eps"], *group["ns_coefficients"]

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        if group["ns_steps"] >= 100:
            raise ArgValueError(
                "Muon", "Number of steps must be less than 100 for computational efficiency"
            )
        return group["nesterov"], group["ns_steps"], group["adjust_lr_fn"] or "original"
