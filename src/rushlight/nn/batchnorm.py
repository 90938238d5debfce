"""Layers that normalize channels and keep running averages of their statistics."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from rushlight.base.buffer import Buffer
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType, int64
from rushlight.base.errors import ArgValueError
from rushlight.graph.node import known
from rushlight.tensor.creation import ones, tensor, zeros
from rushlight.tensor.look import array_of
from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module
from .normalization import _Affine


def _wrong_rank(layer: Module, input: Tensor, wanted: str, shapes: str) -> ArgValueError:
    """The fault of an input with another number of dimensions."""
    return ArgValueError(
        type(layer).__name__,
        f"expected {wanted} input (got {input.ndim}D input)",
        rule=f"An input is {shapes}; this one is {tuple(input.shape)}.",
    )


class _NormBase(_Affine):
    """Channels with weights and running averages. Abstract.

    Attributes:
        num_batches_tracked: how many batches the averages have seen.
    """

    _version: ClassVar[int] = 2
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True,
        device: Device | str | None = None, dtype: DType | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._add_parameters(num_features, affine, affine and bias, device, dtype)
        tracks = track_running_stats
        mean = zeros(num_features, device=device, dtype=dtype) if tracks else None
        variance = ones(num_features, device=device, dtype=dtype) if tracks else None
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", variance)
        count = tensor(0, dtype=int64, device=device) if tracks else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Sets the averages to mean 0 and variance 1, and the count to 0."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.zero_()  # type: ignore[attr-defined]
            self.running_var.fill_(1)  # type: ignore[attr-defined]
            self.num_batches_tracked.zero_()  # type: ignore[union-attr]

    def reset_parameters(self) -> None:
        """Sets the weight to 1, the bias to 0 and the averages as they started."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine},"
            f" bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, local_metadata: dict[str, Any],
        *rest: Any,
    ) -> None:  # fmt: skip
        version = local_metadata.get("version")
        count = prefix + "num_batches_tracked"
        if (
            (version is None or version < 2)
            and self.track_running_stats
            and count not in state_dict
        ):
            # The first version did not count.
            state_dict[count] = self.num_batches_tracked  # type: ignore[index]
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _BatchNorm(_NormBase):
    """Normalization over the batch and over space. Abstract."""

    def forward(self, input: Tensor) -> Any:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            seen = _counted(self.num_batches_tracked)
            momentum = 1 / seen if self.momentum is None else momentum
        tracked = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if tracked else None,
            self.running_var if tracked else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            momentum,
            self.eps,
        )


def _counted(count: Tensor) -> int:
    """Adds 1 to a count. It is looked at rather than recorded, or it would be pending for ever."""
    more = int(array_of(count)) + 1
    count._write(known(Buffer(np.asarray(more, count.dtype.storage), count.dtype)))
    return more


class BatchNorm1d(_BatchNorm):
    """Normalizes each channel to mean 0 and variance 1 over the batch and, if there is one, time.

    In training by the batch's statistics, which running averages follow; in evaluation by these.

    Args:
        num_features: how many channels there are.
        eps: added to the variance.
        momentum: how far the averages move with each batch; None for the mean over all batches.
        affine: whether there is a weight for each channel.
        track_running_stats: whether there are averages; without, evaluation is as training.
        bias: whether there is a bias, too.
    Shape:
        input (N, C) or (N, C, L); output the same; weight, bias and averages (C).
    Raises:
        ValueError: another number of dimensions, or a channel has one value in training.
        RuntimeError: another number of channels.
    Reference:
        Ioffe & Szegedy 2015, arXiv:1502.03167.
    Example:
        >>> import rushlight as rl
        >>> norm = rl.nn.BatchNorm1d(1)
        >>> norm(rl.tensor([[1.0], [3.0]])).detach()
        tensor([[-1.0000],
                [ 1.0000]])
        >>> norm.running_mean
        tensor([0.2000])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in (2, 3):
            raise _wrong_rank(self, input, "2D or 3D", "(N, C) or (N, C, L)")


class BatchNorm2d(_BatchNorm):
    """Normalizes each channel of images over the batch and space; as ``BatchNorm1d``.

    Shape:
        input (N, C, H, W); output the same.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.BatchNorm2d(100)(rl.randn(20, 100, 35, 45)).shape
        torch.Size([20, 100, 35, 45])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim != 4:
            raise _wrong_rank(self, input, "4D", "(N, C, H, W)")


class BatchNorm3d(_BatchNorm):
    """Normalizes each channel of volumes over the batch and space; as ``BatchNorm1d``.

    Shape:
        input (N, C, D, H, W); output the same.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim != 5:
            raise _wrong_rank(self, input, "5D", "(N, C, D, H, W)")


class _InstanceNorm(_NormBase):
    """Normalization of each channel of each sample over space. Abstract."""

    _rank: ClassVar[int]

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Device | str | None = None,
        dtype: DType | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _check_input_dim(self, input: Tensor) -> None:
        rank = self._rank
        if input.ndim not in (rank + 1, rank + 2):
            sizes = ("C, L", "C, H, W", "C, D, H, W")[rank - 1]
            wanted = f"{rank + 1}D or {rank + 2}D"
            raise _wrong_rank(self, input, wanted, f"({sizes}) or (N, {sizes})")

    def forward(self, input: Tensor) -> Any:
        self._check_input_dim(input)
        dim = input.ndim - self._rank - 1
        if input.shape[dim] != self.num_features:
            self._refuse_channels(input, dim)
        if not dim:
            return self._normalized(input.unsqueeze(0)).squeeze(0)  # type: ignore[attr-defined]
        return self._normalized(input)

    def _refuse_channels(self, input: Tensor, dim: int) -> None:
        if self.affine:
            raise ArgValueError(
                type(self).__name__,
                f"expected input's size at dim={dim} to match num_features"
                f" ({self.num_features}), but got: {input.shape[dim]}.",
                rule=f"The input is {tuple(input.shape)}.",
            )
        warnings.warn(
            f"input's size at dim={dim} does not match num_features. You can silence this warning"
            " by not passing in num_features, which is not used because affine=False",
            stacklevel=4,
        )

    def _normalized(self, input: Tensor) -> Any:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """Normalizes each channel of each sample to mean 0 and variance 1 over time.

    Args:
        num_features: how many channels there are.
        eps: added to the variance.
        momentum: how far the averages move with each batch.
        affine: whether there is a weight for each channel.
        track_running_stats: whether there are averages, which evaluation uses.
        bias: whether there is a bias, too.
    Shape:
        input (N, C, L) or (C, L); output the same; weight, bias and averages (C).
    Raises:
        ValueError: another number of dimensions, a channel has one value, or with ``affine``
            another number of channels.
    Reference:
        Ulyanov et al. 2016, arXiv:1607.08022.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.InstanceNorm1d(1)(rl.tensor([[[1.0, 3.0]]]))
        tensor([[[-1.0000,  1.0000]]])
    """

    _rank = 1


class InstanceNorm2d(_InstanceNorm):
    """Normalizes each channel of each image over space; as ``InstanceNorm1d``.

    Shape:
        input (N, C, H, W) or (C, H, W); output the same.
    """

    _rank = 2


class InstanceNorm3d(_InstanceNorm):
    """Normalizes each channel of each volume over space; as ``InstanceNorm1d``.

    Shape:
        input (N, C, D, H, W) or (C, D, H, W); output the same.
    """

    _rank = 3
