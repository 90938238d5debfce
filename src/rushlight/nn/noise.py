"""Functions of networks that draw random numbers: the dropouts, and Gumbel's softmax."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor
from rushlight.base.errors import ArgValueError, OperationError
from rushlight.tensor import random

# Klambauer et al. 2017, arXiv:1706.02515: the negative saturation value of SELU.
_SELU_SATURATION = -1.7580993408473766


def _checked(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ArgValueError(
            "dropout", f"dropout probability has to be between 0 and 1, but got {p}"
        )


def _finished(input: Tensor, result: Tensor, inplace: bool) -> Tensor:
    return input._write(result.node, "dropout") if inplace else result


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeroes elements with probability ``p`` in training and scales the others by ``1/(1-p)``.

    Which elements stay is a function of the default generator's seed and place, so a run that is
    repeated or resumed drops the same ones.

    Raises:
        ValueError: ``p`` is outside of [0, 1].
    Reference:
        Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
        Overfitting", JMLR 15.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.dropout(rl.ones(3), 0.5, training=False)
        tensor([1., 1., 1.])
    """
    _checked(p)
    if not training or p == 0.0:
        return input
    return _finished(input, random.dropout(input, p), inplace)


def _dropped_channels(
    name: str, input: Tensor, p: float, training: bool, inplace: bool, spatial: int
) -> Tensor:
    """Zeroes whole channels: all ``spatial`` last dimensions share one draw."""
    _checked(p)
    if input.ndim not in (spatial + 1, spatial + 2):
        raise OperationError(
            name,
            f"{name}: expected {spatial + 1}D or {spatial + 2}D input, but received a"
            f" {input.ndim}D input.",
        )
    if not training or p == 0.0:
        return input
    shape = (*input.shape[: input.ndim - spatial], *(1,) * spatial)
    mask = random.dropout(rl.ones(shape, dtype=input.dtype), p)
    return _finished(input, input * mask, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of an input (N, C, L) or (C, L) with probability ``p``.

    Reference:
        Tompson et al. 2014, "Efficient Object Localization Using Convolutional Networks",
        arXiv:1411.4280.
    """
    return _dropped_channels("dropout1d", input, p, training, inplace, 1)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of an input (N, C, H, W) or (C, H, W) with probability ``p``."""
    return _dropped_channels("dropout2d", input, p, training, inplace, 2)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of an input (N, C, D, H, W) or (C, D, H, W) with probability ``p``."""
    return _dropped_channels("dropout3d", input, p, training, inplace, 3)


def _alpha(input: Tensor, p: float, inplace: bool, shape: tuple[int, ...]) -> Tensor:
    """Puts SELU's saturation value in the place of dropped elements, keeping mean and variance."""
    if p == 1.0:
        return _finished(input, input * 0.0, inplace)
    keep = rl.rand(shape, dtype=rl.float32) >= p
    scale = ((1 - p) * (1 + p * _SELU_SATURATION**2)) ** -0.5
    shift = -scale * p * _SELU_SATURATION
    return _finished(input, rl.where(keep, input, _SELU_SATURATION) * scale + shift, inplace)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout that keeps the mean and the variance of inputs which ``selu`` has normalised.

    Reference:
        Klambauer et al. 2017, "Self-Normalizing Neural Networks", arXiv:1706.02515.
    """
    _checked(p)
    if not training or p == 0.0:
        return input
    return _alpha(input, p, inplace, tuple(input.shape))


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """``alpha_dropout`` of whole channels, which are the first two dimensions."""
    _checked(p)
    if not training or p == 0.0:
        return input
    return _alpha(input, p, inplace, (*input.shape[:2], *(1,) * (input.ndim - 2)))


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """``leaky_relu`` with a slope drawn for each element in training, the mean slope otherwise.

    Reference:
        Xu et al. 2015, "Empirical Evaluation of Rectified Activations", arXiv:1505.00853.
    """
    if not training:
        slope: Tensor | float = (lower + upper) / 2
    else:
        slope = rl.rand(tuple(input.shape), dtype=input.dtype) * (upper - lower) + lower
    return _finished(input, rl.where(input > 0, input, input * slope), inplace)


def gumbel_softmax(
    logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample of a categorical distribution that gradients flow through.

    Args:
        tau: the temperature; the closer to 0, the closer to one-hot.
        hard: whether the value is exactly one-hot, with the gradient of the soft sample.
    Reference:
        Jang, Gu & Poole 2016, "Categorical Reparameterization with Gumbel-Softmax",
        arXiv:1611.01144.
    """
    uniform = rl.rand(tuple(logits.shape), dtype=logits.dtype)
    # The smallest positive draw stands in for 0, whose logarithm is infinite.
    noise = -rl.log(-rl.log(uniform.clamp(min=math.ldexp(1.0, -25))))
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    place = soft.argmax(dim, keepdim=True)
    one_hot = rl.zeros_like(soft).scatter_(dim, place, 1.0)
    return one_hot - soft.detach() + soft
