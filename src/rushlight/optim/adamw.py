"""Adam with the weight decay taken off the parameter itself."""

from __future__ import annotations

from typing import Any

from rushlight.optim.adam import Adam
from rushlight.optim.functional import adamw  # noqa: F401 - PyTorch has it here
from rushlight.optim.optimizer import Params
from rushlight.tensor.tensor import Tensor


class AdamW(Adam):
    r"""AdamW: Adam after :math:`p \leftarrow p - \eta \lambda p`.

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        betas: :math:`\beta_1, \beta_2`, two floats or two Tensors with one element.
        eps: added to the root of the mean square.
        weight_decay: :math:`\lambda`.
        amsgrad: divide by the largest mean square so far.
        maximize: go up instead of down.
        foreach, capturable, fused: accepted and checked; there is one implementation.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
    Raises:
        ValueError: as :class:`Adam`.
    Reference:
        Loshchilov & Hutter 2019, Algorithm 2, arXiv:1711.05101, with the decay times the rate, as
        torch.optim.AdamW.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.AdamW([weight], lr=0.5, weight_decay=0.5)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight
        Parameter containing:
        tensor([0.2500, 1.0000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # a state dict of Adam's does not make it Adam
            group["decoupled_weight_decay"] = True
