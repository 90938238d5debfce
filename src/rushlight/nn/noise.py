"""Functions of networks that draw random numbers: the dropouts, and Gumbel's softmax."""

from __future__ import annotations

import math
import warnings
from typing import Any

import rushlight as rl
from rushlight import Tensor, ops
from rushlight.base.errors import (
    ArgValueError,
    DTypeError,
    NoKernelError,
    OperationError,
    ShapeError,
)
from rushlight.doctor.evaluation import suspect
from rushlight.graph.op import recording
from rushlight.ops import TORCH_NAMES
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


def _dropped(input: Tensor, result: Tensor, inplace: bool) -> Tensor:
    if not recording.grad:
        suspect("dropout", result.node)
    return _finished(input, result, inplace)


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
    return _dropped(input, random.dropout(input, p), inplace)


def _dropped_channels(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    """Zeroes whole channels, which are the first two dimensions."""
    if not training or p == 0.0:
        return input
    mask = random.dropout(rl.ones(_channels(input), dtype=input.dtype), p)
    return _dropped(input, input * mask, inplace)


def _channels(input: Tensor) -> tuple[int, ...]:
    """A shape with one element for each channel, which broadcasts to that of ``input``."""
    if input.ndim < 2:
        raise ShapeError(
            "feature_dropout",
            "Feature dropout requires at least 2 dimensions in the input",
            rule=f"The input is {tuple(input.shape)}.",
        )
    return (*input.shape[:2], *(1,) * (input.ndim - 2))


def _warn_of_dimensions(name: str, given: int, spatial: int) -> None:
    """Says that a number of dimensions is taken only for the sake of old programs."""
    warnings.warn(
        f"{name}: Received a {given}-D input to {name}, which is deprecated and will result in an"
        " error in a future release. To retain the behavior and silence this warning, please use"
        f" dropout instead. Note that {name} exists to provide channel-wise dropout on inputs with"
        f" {spatial} spatial dimensions, a channel dimension, and an optional batch dimension (i.e."
        f" {spatial + 1}D or {spatial + 2}D inputs).",
        stacklevel=3,
    )


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of an input (N, C, L) or (C, L) with probability ``p``.

    Reference:
        Tompson et al. 2014, "Efficient Object Localization Using Convolutional Networks",
        arXiv:1411.4280.
    """
    _checked(p)
    if input.ndim not in (2, 3):
        raise ShapeError(
            "dropout1d",
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that"
            " dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension,"
            " a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).",
        )
    if input.ndim == 3:
        return _dropped_channels(input, p, training, inplace)
    result = _dropped_channels(input.unsqueeze(0), p, training, inplace)
    return input if inplace else result.squeeze(0)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of an input (N, C, H, W) with probability ``p``.

    As in PyTorch, three dimensions are (N, C, L), and other numbers than four get a warning.
    """
    _checked(p)
    if input.ndim not in (3, 4):
        _warn_of_dimensions("dropout2d", input.ndim, 2)
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout"
            " behavior is desired - input is interpreted as shape (N, C, L), where C is the channel"
            " dim. This behavior will change in a future release to interpret the input as one"
            " without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise"
            " dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _dropped_channels(input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of an input (N, C, D, H, W) or (C, D, H, W) with probability ``p``."""
    _checked(p)
    if input.ndim not in (4, 5):
        _warn_of_dimensions("dropout3d", input.ndim, 3)
    if input.ndim == 5:
        return _dropped_channels(input, p, training, inplace)
    result = _dropped_channels(input.unsqueeze(0), p, training, inplace)
    return input if inplace else result.squeeze(0)


def _alpha(input: Tensor, p: float, inplace: bool, shape: tuple[int, ...]) -> Tensor:
    """Puts SELU's saturation value in the place of dropped elements, keeping mean and variance."""
    if not input.dtype.is_floating_point:
        name = TORCH_NAMES[input.dtype.name].strip("'")
        raise DTypeError(
            "alpha_dropout", f"result type Float can't be cast to the desired output type {name}"
        )
    if p == 1.0:
        return _dropped(input, input * 0.0, inplace)
    keep = rl.rand(shape, dtype=rl.float32) >= p
    scale = ((1 - p) * (1 + p * _SELU_SATURATION**2)) ** -0.5
    shift = -scale * p * _SELU_SATURATION
    return _dropped(input, rl.where(keep, input, _SELU_SATURATION) * scale + shift, inplace)


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
    return _alpha(input, p, inplace, _channels(input))


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
    if not input.dtype.is_floating_point:
        raise NoKernelError(
            "rrelu", f'"leaky_relu_cpu" not implemented for {TORCH_NAMES[input.dtype.name]}'
        )
    for name, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise OperationError("rrelu", f"rrelu: {name} bound must be finite, got {bound:g}")
    if lower > upper:
        raise OperationError(
            "rrelu", "Lower bound should be less than or equal to the upper bound",
            rule=f"They are {lower:g} and {upper:g}.",
        )  # fmt: skip
    slope: Any = (lower + upper) / 2
    if training:
        slope = rl.empty(input.shape, dtype=input.dtype).uniform_(lower, upper).node
    return _finished(input, Tensor(ops.leaky_relu(input.node, slope)), inplace)


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
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = -rl.empty_like(logits).exponential_().log()  # of Gumbel's distribution
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    place = soft.argmax(dim, keepdim=True)
    one_hot = rl.zeros_like(soft).scatter_(dim, place, 1.0)
    return one_hot - soft.detach() + soft
