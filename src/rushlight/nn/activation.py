"""Activations with bounds, those that shrink, and those that compare elements with each other."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.Sigmoid()(rl.tensor([0.0, 2.0]))
        tensor([0.5000, 0.8808])
    """

    def forward(self, input: Tensor) -> Any:
        return F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.Tanh()(rl.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7616])
    """

    def forward(self, input: Tensor) -> Any:
        return F.tanh(input)


class Hardsigmoid(Module):
    """``(x + 3) / 6``, limited to 0 and 1: a cheap ``Sigmoid``.

    Args:
        inplace: whether the result is written into the input.
    Reference:
        Howard et al. 2019, "Searching for MobileNetV3", arXiv:1905.02244.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Hardsigmoid()(rl.tensor([0.0, 4.0]))
        tensor([0.5000, 1.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return F.hardsigmoid(input, self.inplace)


class LogSigmoid(Module):
    """The logarithm of ``Sigmoid``, exact where that would round to 0.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.LogSigmoid()(rl.tensor([0.0, -200.0]))
        tensor([  -0.6931, -200.0000])
    """

    def forward(self, input: Tensor) -> Any:
        return F.logsigmoid(input)


class Softplus(Module):
    """``log(1 + exp(beta * x)) / beta``, a smooth ``ReLU``.

    Args:
        threshold: where ``beta * x`` is greater, ``x`` itself is the result.
    Reference:
        Dugas et al. 2001, "Incorporating Second-Order Functional Knowledge for Better Option
        Pricing".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Softplus()(rl.tensor([0.0, 30.0]))
        tensor([ 0.6931, 30.0000])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Any:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softsign(Module):
    """``x / (1 + abs(x))``.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.Softsign()(rl.tensor([-1.0, 3.0]))
        tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Tensor) -> Any:
        return F.softsign(input)


class Hardshrink(Module):
    """``x`` where it is outside of ``[-lambd, lambd]``, 0 inside.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.Hardshrink()(rl.tensor([-0.4, 3.0]))
        tensor([0., 3.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Any:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Module):
    """``x`` moved towards 0 by ``lambd``, and 0 where it is closer than that.

    Raises:
        RuntimeError: ``lambd`` is negative, when called.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Softshrink()(rl.tensor([-0.4, 3.0]))
        tensor([0.0000, 2.5000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Any:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Tanhshrink(Module):
    """``x - tanh(x)``.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.Tanhshrink()(rl.tensor([0.0, 1.0]))
        tensor([0.0000, 0.2384])
    """

    def forward(self, input: Tensor) -> Any:
        return F.tanhshrink(input)


class GLU(Module):
    r"""Gated linear unit: :math:`a \, \sigma(b)`, the input's halves being ``a`` and ``b``.

    Args:
        dim: the dimension that is halved.
    Raises:
        RuntimeError: the dimension's size is odd.
    Reference:
        Dauphin et al. 2016, "Language Modeling with Gated Convolutional Networks",
        arXiv:1612.08083.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.GLU()(rl.tensor([2.0, 3.0, 0.0, 0.0]))
        tensor([1.0000, 1.5000])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Any:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class _AlongDim(Module):
    """A function of all the elements along one dimension. Abstract.

    Args:
        dim: the dimension; None chooses one from the number of dimensions, and warns.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    r"""Positive numbers that add up to 1: :math:`e^{x_i} / \sum_j e^{x_j}` along ``dim``.

    Args:
        dim: the dimension; None chooses one from the number of dimensions, and warns.
    Raises:
        IndexError: there is no such dimension.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Softmax(dim=0)(rl.tensor([0.0, 0.0, 1.0]))
        tensor([0.2119, 0.2119, 0.5761])
    """

    def forward(self, input: Tensor) -> Any:
        return F.softmax(input, self.dim, _stacklevel=5)


class LogSoftmax(_AlongDim):
    r"""The logarithm of ``Softmax``: :math:`x_i - \log \sum_j e^{x_j}` along ``dim``.

    Args:
        dim: the dimension; None chooses one from the number of dimensions, and warns.
    Raises:
        IndexError: there is no such dimension.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.LogSoftmax(dim=0)(rl.tensor([0.0, 0.0, 1.0]))
        tensor([-1.5514, -1.5514, -0.5514])
    """

    def forward(self, input: Tensor) -> Any:
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmin(_AlongDim):
    """``Softmax`` of ``-x``: the smallest element gets most.

    Args:
        dim: the dimension; None chooses one from the number of dimensions, and warns.
    Raises:
        IndexError: there is no such dimension.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Softmin(dim=0)(rl.tensor([0.0, 0.0, -1.0]))
        tensor([0.2119, 0.2119, 0.5761])
    """

    def forward(self, input: Tensor) -> Any:
        return F.softmin(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """``Softmax`` over the channels, at each place of an image.

    Shape:
        input (N, C, H, W) or (C, H, W); output the same.
    Raises:
        ValueError: the input has another number of dimensions.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Softmax2d()(rl.zeros(2, 1, 1)).flatten()
        tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Any:
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3, _stacklevel=5)
