"""First values of parameters.

Every function fills a tensor in place, without recording a gradient, and returns it.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np

from rushlight.autograd.mode import no_grad
from rushlight.tensor.creation import eye as eye_of
from rushlight.tensor.creation import tensor as tensor_of
from rushlight.tensor.look import array_of
from rushlight.tensor.tensor import Tensor

_P = ParamSpec("_P")
_R = TypeVar("_R")

_GAINS = {
    "linear": 1, "conv1d": 1, "conv2d": 1, "conv3d": 1, "conv_transpose1d": 1,
    "conv_transpose2d": 1, "conv_transpose3d": 1, "sigmoid": 1, "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0), "selu": 0.75,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights before a nonlinearity should be larger than before none.

    Args:
        nonlinearity: a name of ``nn.functional``: ``"linear"``, ``"conv2d"``, ``"sigmoid"``,
            ``"tanh"``, ``"relu"``, ``"leaky_relu"``, ``"selu"``.
        param: the negative slope of ``"leaky_relu"``, 0.01 when None.

    Raises:
        ValueError: the nonlinearity is not known, or the slope is no number.

    Reference:
        1 for the linear ones and sigmoid, 5/3 for tanh, sqrt(2) for relu,
        sqrt(2 / (1 + slope^2)) for leaky_relu, 3/4 for selu; PyTorch's values.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.init.calculate_gain("tanh")
        1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fills with draws from the uniform distribution on [a, b).

    Raises:
        RuntimeError: ``a`` is greater than ``b``.
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fills with draws from the normal distribution.

    Raises:
        RuntimeError: ``std`` is negative.
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fills with draws from the normal distribution that fall in [a, b].

    ``a`` and ``b`` are values, not multiples of ``std``.

    Raises:
        ZeroDivisionError: ``std`` is 0.

    Example:
        >>> import rushlight as rl
        >>> drawn = rl.nn.init.trunc_normal_(rl.empty(1000), std=0.02, a=-0.04, b=0.04)
        >>> bool(drawn.abs().max() <= 0.04)
        True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of"
            " values may be incorrect.",
            stacklevel=2,
        )
    with no_grad():
        # A draw is at most sqrt(-2 log 2**-53) = 8.6 times std away: none would be repeated.
        if std and min(mean - a, b - mean) > 9 * std:
            return tensor.normal_(mean, std, generator=generator)
        return _copy_array(tensor, _truncated(tensor, mean, std, a, b, generator))


def _truncated(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> np.ndarray:
    """Draws of the shape and dtype of ``tensor``, each repeated until it is accepted."""
    likely = (_below((b - mean) / std) - _below((a - mean) / std)) > 0.3
    # The bounds as the dtype has them, or draws near a bound could be rounded out of reach.
    low, high = (array_of(tensor_of(bound, dtype=tensor.dtype)).item() for bound in (a, b))
    values = np.empty(tensor.numel())
    waiting = np.arange(values.size)
    while waiting.size:
        drawn = tensor.new_empty(waiting.size)
        if likely:  # draws from the whole distribution, of which most are inside
            proposed = array_of(drawn.normal_(mean, std, generator=generator)).astype(np.float64)
            accepted = (proposed >= low) & (proposed <= high)
        else:  # draws from [a, b], each accepted as often as its density is of the highest
            proposed = array_of(drawn.uniform_(a, b, generator=generator)).astype(np.float64)
            peak = ((min(max(mean, a), b) - mean) / std) ** 2
            odds = np.exp((peak - ((proposed - mean) / std) ** 2) / 2)
            accepted = array_of(drawn.uniform_(generator=generator)) < odds
        values[waiting[accepted]] = proposed[accepted]
        waiting = waiting[~accepted]
    return values.reshape(tensor.shape)


def _below(x: float) -> float:
    """The part of the standard normal distribution that is below ``x``."""
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _copy_array(tensor: Tensor, array: np.ndarray) -> Tensor:
    with no_grad():
        return tensor.copy_(tensor_of(array))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills with one value."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fills with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fills with 0."""
    with no_grad():
        return tensor.zero_()


def eye_(tensor: Tensor) -> Tensor:
    """Fills a matrix with the identity, so that a Linear layer passes its input on.

    Raises:
        ValueError: the tensor has not two dimensions.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with no_grad():
        return tensor.copy_(eye_of(*tensor.shape, dtype=tensor.dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fills a convolution's weight so that it passes its channels on, as many as it can.

    Args:
        groups: the convolution's groups; each passes on its own channels.

    Shape:
        tensor (out, in / groups, *kernel) with one to three kernel dimensions.

    Raises:
        ValueError: the tensor has another number of dimensions, or ``out`` is not a multiple of
            ``groups``.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = tensor.shape[0] // groups
    channel = np.arange(min(per_group, tensor.shape[1]))
    centre = tuple(length // 2 for length in tensor.shape[2:])
    weight = np.zeros(tensor.shape)
    for group in range(groups):
        weight[(group * per_group + channel, channel, *centre)] = 1.0
    return _copy_array(tensor, weight)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fills from a uniform distribution that keeps the variance, both forward and backward.

    The bound is ``gain * sqrt(6 / (fan_in + fan_out))``.

    Raises:
        ValueError: the tensor has fewer than two dimensions.

    Reference:
        Glorot & Bengio 2010, equation 16.
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fills from a normal distribution that keeps the variance, both forward and backward.

    The standard deviation is ``gain * sqrt(2 / (fan_in + fan_out))``.

    Raises:
        ValueError: the tensor has fewer than two dimensions.

    Reference:
        Glorot & Bengio 2010, equation 12.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: Literal["fan_in", "fan_out"] = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fills from a uniform distribution that keeps the variance through a rectifier.

    The bound is ``gain * sqrt(3 / fan)``.

    Args:
        a: the negative slope of ``"leaky_relu"``.
        mode: whether the variance is kept forward (``"fan_in"``) or backward (``"fan_out"``).
        nonlinearity: see :func:`calculate_gain`.

    Raises:
        ValueError: the mode or the nonlinearity is not known, or the tensor has fewer than two
            dimensions.

    Reference:
        He et al. 2015, arXiv:1502.01852, equation 14.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: Literal["fan_in", "fan_out"] = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fills from a normal distribution that keeps the variance through a rectifier.

    The standard deviation is ``gain / sqrt(fan)``. The arguments, the errors and the source are
    those of :func:`kaiming_uniform_`.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fills with ``gain`` times a random orthogonal matrix.

    Shape:
        tensor (rows, *rest); its rows or its columns, whichever are fewer, are orthonormal, with
        ``rest`` taken as one dimension.

    Raises:
        ValueError: the tensor has fewer than two dimensions.

    Reference:
        Saxe et al. 2013, arXiv:1312.6120. The draw is uniform over the orthogonal group: Mezzadri
        2006, arXiv:math-ph/0609050.
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    drawn = tensor.new_empty((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(array_of(normal_(drawn, generator=generator)).astype(np.float64))
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # QR is unique only up to these signs
    return _copy_array(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fills a matrix with draws from a normal distribution, and a part of each column with 0.

    Args:
        sparsity: the part of each column that is 0, rounded up.

    Raises:
        ValueError: the tensor has not two dimensions.

    Reference:
        Martens 2010, "Deep learning via Hessian-free optimization".
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    keys = array_of(tensor.new_empty((rows, columns)).uniform_(generator=generator))
    zeros = np.argsort(keys, axis=0)[: math.ceil(sparsity * rows)]
    values = array_of(normal_(tensor, 0.0, std, generator)).copy()
    np.put_along_axis(values, zeros, 0.0, axis=0)
    return _copy_array(tensor, values)


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs reach one output of a layer with this weight, and the other way round."""
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode.lower()} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor)))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """The standard deviation; None for a tensor with nothing to fill."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _deprecated(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function under the name it had before PyTorch 0.4, without the underscore."""
    new = function.__name__
    old = new[:-1]

    @functools.wraps(function)
    def renamed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    renamed.__name__ = old
    renamed.__doc__ = f"Old name of :func:`{new}`."
    return renamed


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
