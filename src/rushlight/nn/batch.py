"""Normalizations that keep running averages, as functions that write them."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor, ops
from rushlight.base.errors import ArgValueError, OperationError
from rushlight.base.shapes import prod
from rushlight.doctor.evaluation import suspect
from rushlight.graph.node import Node
from rushlight.graph.op import recording
from rushlight.tensor.arguments import unwrapped


def _node(tensor: Tensor | None, function: str, name: str, position: int) -> Node | None:
    return None if tensor is None else unwrapped(tensor, function, name, position)


def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None,
    weight: Tensor | None = None, bias: Tensor | None = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    r"""Normalizes each channel to mean 0 and variance 1 over the batch and over space.

    .. math:: y = \frac{x - \operatorname{E}[x]}{\sqrt{\operatorname{Var}[x] + \epsilon}}\,w + b

    Args:
        running_mean, running_var: averages that ``training`` moves towards the batch's mean and
            unbiased variance, and that stand for them otherwise.
        weight, bias: one number for each channel.
        training: whether the statistics are those of the batch, with the biased variance.
        momentum: how far the averages are moved.
    Shape:
        input (N, C, *) floating; all others (C); output as input.
    Raises:
        ValueError: a channel has one value in training.
        RuntimeError: shapes or dtypes that do not fit, or averages missing out of training.
    Reference:
        Ioffe & Szegedy 2015, arXiv:1502.03167.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([[1.0], [3.0]])
        >>> rl.nn.functional.batch_norm(x, None, None, training=True)
        tensor([[-1.0000],
                [ 1.0000]])
    """
    name = "batch_norm"
    y, *averages = ops.batch_norm(
        unwrapped(input, name, "input", 1),
        _node(running_mean, name, "running_mean", 2),
        _node(running_var, name, "running_var", 3),
        _node(weight, name, "weight", 4),
        _node(bias, name, "bias", 5),
        bool(training),
        momentum,
        eps,
    )
    for tensor, node in zip((running_mean, running_var), averages, strict=False):
        tensor._write(node, name)  # type: ignore[union-attr]
    if training and running_mean is not None and not recording.grad:
        suspect(name, y)
    return Tensor(y)


def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
    weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalizes each channel of each sample to mean 0 and variance 1 over space.

    Args:
        running_mean, running_var: averages that are moved towards the mean over the samples of
            their statistics, and that stand for these without ``use_input_stats``.
        weight, bias: one number for each channel.
    Shape:
        input (N, C, *) floating; all others (C); output as input.
    Raises:
        ValueError: a channel has one value.
        RuntimeError: shapes or dtypes that do not fit, or averages missing.
    Reference:
        Ulyanov et al. 2016, arXiv:1607.08022.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.instance_norm(rl.tensor([[[1.0, 3.0], [0.0, 8.0]]]))
        tensor([[[-1.0000,  1.0000],
                 [-1.0000,  1.0000]]])
    """
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise OperationError(
                "instance_norm",
                "Expected running_mean and running_var to be defined when use_input_stats is false",
            )
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if prod(input.shape[2:]) == 1:
        raise ArgValueError(
            "instance_norm",
            "Expected more than 1 spatial element when training, got input size"
            f" torch.Size({list(input.shape)})",
        )
    if not input.numel():  # type: ignore[attr-defined]
        return input.clone()  # type: ignore[attr-defined, no-any-return]
    if running_mean is None:
        groups = input.shape[1]
        return rl.nn.functional.group_norm(input, groups, weight, bias, eps)  # type: ignore[no-any-return]
    return _tracked(input, running_mean, running_var, weight, bias, momentum, eps)


def _tracked(
    input: Tensor, running_mean: Tensor, running_var: Tensor | None, weight: Tensor | None,
    bias: Tensor | None, momentum: float, eps: float,
) -> Tensor:  # fmt: skip
    """Instance normalization as that of a batch of one, with a channel for each of each sample."""
    samples, channels = input.shape[:2]

    def repeated(tensor: Tensor | None) -> Any:
        return None if tensor is None else tensor.repeat(samples)  # type: ignore[attr-defined]

    mean, variance = repeated(running_mean.detach()), repeated(running_var)  # type: ignore[attr-defined]
    flat = input.reshape(1, samples * channels, *input.shape[2:])  # type: ignore[attr-defined]
    y = batch_norm(flat, mean, variance, repeated(weight), repeated(bias), True, momentum, eps)
    for average, each in ((running_mean, mean), (running_var, variance)):
        average._write(each.view(samples, channels).mean(0).node, "instance_norm")  # type: ignore[union-attr]
    return y.view(input.shape)  # type: ignore[attr-defined, no-any-return]


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    r"""Divides each element by a power of the mean square of its neighbours in the channels.

    .. math:: y_c = x_c \Big(k + \frac{\alpha}{n} \sum_{c'} x_{c'}^2\Big)^{-\beta}

    over the ``n = size`` channels around ``c``; there are zeros beyond the first and the last.

    Shape:
        input (N, C, *) with at least 3 dimensions; output the same.
    Raises:
        ValueError: the input has fewer dimensions.
    Reference:
        Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.local_response_norm(rl.ones(1, 2, 1), 2, alpha=2.0, beta=1.0)
        tensor([[[0.5000],
                 [0.3333]]])
    """
    F = rl.nn.functional
    if input.ndim < 3:
        raise ArgValueError(
            "local_response_norm",
            f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)",
        )
    if not input.numel():  # type: ignore[attr-defined]
        return input
    rows = (input * input).reshape(input.shape[0], 1, input.shape[1], -1)  # type: ignore[operator]
    rows = F.pad(rows, (0, 0, size // 2, (size - 1) // 2))
    mean = F.avg_pool2d(rows, (size, 1), stride=1).view(input.shape)
    return input / (mean * alpha + k) ** beta  # type: ignore[no-any-return]
