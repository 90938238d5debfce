"""Activations that let one side of 0 pass and hold the other back: ReLU and its relatives."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.tensor.creation import empty
from rushlight.tensor.tensor import Tensor

from . import functional as F
from . import init as initial
from .module import Module
from .parameter import Parameter


class _MayOverwrite(Module):
    """An activation whose only choice is to write its result into the input. Abstract.

    Args:
        inplace: whether the result is written into the input.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


def _and_inplace(text: str, inplace: bool) -> str:
    return f"{text}, inplace=True" if inplace else text


class ReLU(_MayOverwrite):
    """Rectified linear unit, ``max(x, 0)``.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Nair & Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ReLU()(rl.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Any:
        return F.relu(input, self.inplace)


class LeakyReLU(Module):
    """``x`` where positive, ``negative_slope * x`` elsewhere.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Maas, Hannun & Ng 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.LeakyReLU(0.1)(rl.tensor([-1.0, 2.0]))
        tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"negative_slope={self.negative_slope}", self.inplace)


class PReLU(Module):
    """``x`` where positive, ``weight * x`` elsewhere; ``weight`` is learned.

    Args:
        num_parameters: 1, or the number of channels, which are the second dimension.
        init: the weight's first value.
    Reference:
        He et al. 2015, "Delving Deep into Rectifiers", arXiv:1502.01852.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.PReLU()(rl.tensor([-1.0, 2.0])).tolist()
        [-0.25, 2.0]
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25,
        device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to its first value."""
        initial.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Any:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """``LeakyReLU`` with a slope drawn for each element in training, the mean slope otherwise.

    Args:
        lower, upper: between which the slopes are drawn, uniformly.
        inplace: whether the result is written into the input.
    Reference:
        Xu et al. 2015, "Empirical Evaluation of Rectified Activations", arXiv:1505.00853.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.RReLU(0.1, 0.3).eval()(rl.tensor([-1.0, 2.0]))
        tensor([-0.2000,  2.0000])
    """

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"lower={self.lower}, upper={self.upper}", self.inplace)


class ELU(Module):
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ELU()(rl.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"alpha={self.alpha}", self.inplace)


class CELU(Module):
    """``ELU`` with a continuous slope: ``alpha * (exp(x / alpha) - 1)`` where negative.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Barron 2017, "Continuously Differentiable Exponential Linear Units", arXiv:1704.07483.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.CELU(2.0)(rl.tensor([-2.0, 2.0]))
        tensor([-1.2642,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"alpha={self.alpha}", self.inplace)


class SELU(_MayOverwrite):
    """A scaled ``ELU`` whose outputs keep mean 0 and variance 1.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Klambauer et al. 2017, "Self-Normalizing Neural Networks", arXiv:1706.02515.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.SELU()(rl.tensor([-1.0, 2.0]))
        tensor([-1.1113,  2.1014])
    """

    def forward(self, input: Tensor) -> Any:
        return F.selu(input, self.inplace)


class GELU(Module):
    r"""Gaussian error linear unit, :math:`x \, \Phi(x)`.

    Args:
        approximate: ``"none"`` uses erf, ``"tanh"`` the paper's tanh form.
    Raises:
        RuntimeError: ``approximate`` is neither, when called.
    Reference:
        Hendrycks & Gimpel 2016, arXiv:1606.08415.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.GELU()(rl.tensor([-1.0, 2.0]))
        tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Any:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_MayOverwrite):
    """``x * sigmoid(x)``, also called swish.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Hendrycks & Gimpel 2016, arXiv:1606.08415; Ramachandran, Zoph & Le 2017, arXiv:1710.05941.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.SiLU()(rl.tensor([-1.0, 2.0]))
        tensor([-0.2689,  1.7616])
    """

    def forward(self, input: Tensor) -> Any:
        return F.silu(input, self.inplace)


class Mish(_MayOverwrite):
    """``x * tanh(softplus(x))``.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Misra 2019, "Mish: A Self Regularized Non-Monotonic Activation Function", arXiv:1908.08681.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Mish()(rl.tensor([-1.0, 2.0]))
        tensor([-0.3034,  1.9440])
    """

    def forward(self, input: Tensor) -> Any:
        return F.mish(input, self.inplace)


class Hardswish(Module):
    """``x * (x + 3) / 6`` between -3 and 3, ``x`` above and 0 below: a cheap ``SiLU``.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Howard et al. 2019, "Searching for MobileNetV3", arXiv:1905.02244.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Hardswish()(rl.tensor([-1.0, 3.0]))
        tensor([-0.3333,  3.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return F.hardswish(input, self.inplace)


class Hardtanh(Module):
    """The input limited to ``min_val`` and ``max_val``.

    Args:
        inplace: whether the result is written into the input.
        min_value, max_value: older names of the limits; they warn.
    Raises:
        AssertionError: ``max_val`` is not greater than ``min_val``.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Hardtanh()(rl.tensor([-2.0, 0.5]))
        tensor([-1.0000,  0.5000])
    """

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False,
        min_value: float | None = None, max_value: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        for old, given in (("min", min_value), ("max", max_value)):
            if given is not None:
                warnings.warn(
                    f"keyword argument `{old}_value` is deprecated and renamed to `{old}_val`",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise AssertionError(
                f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"
            )

    def forward(self, input: Tensor) -> Any:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"min_val={self.min_val}, max_val={self.max_val}", self.inplace)


class ReLU6(Hardtanh):
    """The input limited to 0 and 6.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Howard et al. 2017, "MobileNets", arXiv:1704.04861.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.ReLU6()(rl.tensor([-1.0, 7.0]))
        tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Threshold(Module):
    """``x`` where it is greater than ``threshold``, ``value`` elsewhere.

    Args:
        inplace: whether the result is written into the input.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Threshold(0.5, 9.0)(rl.tensor([0.1, 2.0]))
        tensor([9., 2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"threshold={self.threshold}, value={self.value}", self.inplace)
