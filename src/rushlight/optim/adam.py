"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rushlight.base.errors import ArgTypeError, ArgValueError
from rushlight.ops.update import adam_step
from rushlight.optim.functional import adam  # noqa: F401 - PyTorch has it here
from rushlight.optim.optimizer import Params
from rushlight.optim.options import check_betas, check_not_negative, check_one_element
from rushlight.optim.recorded import Names, Number, RecordedOptimizer, plain
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


class Adam(RecordedOptimizer):
    r"""Adam: steps of a size that does not depend on the scale of the gradient.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        p &\leftarrow p - \eta \, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Args:
        params: tensors, ``(name, tensor)`` pairs or groups, see :class:`Optimizer`.
        lr: :math:`\eta`, a number or a Tensor with one element.
        betas: :math:`\beta_1, \beta_2`, two floats or two Tensors with one element.
        eps: :math:`\epsilon`.
        weight_decay: this times the parameter is added to the gradient.
        amsgrad: divide by the largest mean square so far.
        foreach, fused, capturable: accepted and checked; there is one implementation.
        maximize: go up instead of down.
        differentiable: record the step as ordinary operations, so that gradients flow through it.
        decoupled_weight_decay: take the decay off the parameter instead, as AdamW.
    Raises:
        ValueError: a negative option, a beta outside [0, 1), a Tensor with several elements, or
            a Tensor together with ``foreach=True`` and ``capturable=False``.
    Reference:
        Kingma & Ba 2015, Algorithm 1, arXiv:1412.6980; decay is added to the gradient and epsilon
        is added after the bias correction, as torch.optim.Adam. AMSGrad: Reddi et al. 2018,
        Algorithm 2, arXiv:1904.09237, with its maximum taken before the bias correction.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, 2.0]))
        >>> optimizer = rl.optim.Adam([weight], lr=0.5)
        >>> (weight**2).sum().backward()
        >>> optimizer.step()
        >>> weight
        Parameter containing:
        tensor([0.5000, 1.5000], requires_grad=True)
    """

    _op = adam_step
    _later_options: ClassVar = {
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "fused": None,
    }

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        name = type(self).__name__
        one_by_one = not (foreach and not capturable)
        check_tensor_option(name, "lr", lr, one_by_one)
        check_not_negative(name, learning_rate=lr, epsilon=eps)
        betas = _checked_betas(name, betas, one_by_one)
        check_not_negative(name, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _state_names(self, group: Group) -> Names:
        if group["amsgrad"]:
            return "exp_avg", "exp_avg_sq", "max_exp_avg_sq"
        return "exp_avg", "exp_avg_sq"

    def _scalars(self, group: Group, steps: float) -> tuple[Number, ...]:
        lr, decay = plain(group["lr"]), plain(group["weight_decay"])
        beta1, beta2 = map(plain, group["betas"])
        step = steps + 1
        step_size = lr / (1 - beta1**step)
        correction = (1 - beta2**step) ** 0.5
        if group["decoupled_weight_decay"]:
            decay = 1 - lr * decay
        return step_size, correction, 1 - beta1, beta2, 1 - beta2, group["eps"], decay

    def _form(self, group: Group, steps: float) -> tuple[Any, ...]:
        if group["weight_decay"] == 0:
            decays = ""
        else:
            decays = "weight" if group["decoupled_weight_decay"] else "gradient"
        return decays, group["amsgrad"], group["maximize"]


def check_tensor_option(optimizer: str, name: str, option: Any, one_by_one: bool) -> None:
    """Refuses a Tensor where PyTorch's ``foreach`` does, and one with several elements."""
    if isinstance(option, Tensor) and not one_by_one:
        raise ArgValueError(
            optimizer,
            f"{name} as a Tensor is not supported for capturable=False and foreach=True",
            hint="Leave foreach out.",
        )
    check_one_element(optimizer, name, option)


def _checked_betas(optimizer: str, betas: Any, one_by_one: bool) -> tuple[Any, Any]:
    # Any sequence, such as a list of OmegaConf's.
    if not isinstance(betas, Sequence) or len(betas) != 2:
        raise ArgTypeError(optimizer, f"betas must be a pair, but got {betas!r}")
    check_betas(optimizer, (betas[0], betas[1]))
    kinds = [float if isinstance(beta, float) else type(beta) for beta in betas]
    if kinds[0] is not kinds[1] or not issubclass(kinds[0], (float, Tensor)):
        raise ArgValueError(
            optimizer,
            "betas must be either both floats or both Tensors",
            rule=f"They are {kinds[0].__name__} and {kinds[1].__name__}.",
        )
    for index, beta in enumerate(betas):
        check_tensor_option(optimizer, f"betas[{index}]", beta, one_by_one)
    first, second = betas
    return first, second
