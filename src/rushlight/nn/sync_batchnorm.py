"""Batch normalization over the batches of all ranks."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType, float64
from rushlight.tensor.tensor import Tensor

from .batchnorm import _BatchNorm, _counted
from .module import Module


class SyncBatchNorm(_BatchNorm):
    """Batch normalization over the batches of all processes.

    Means and variances are of all elements on all ranks, which may have different numbers of them;
    the ranks exchange two numbers for each channel, forwards and backwards. Without a process
    group, or in one process, this is batch normalization.

    Args:
        num_features, eps, momentum, affine, track_running_stats, bias: as for ``BatchNorm1d``.
        process_group: among whom; all ranks by default.
    Shape:
        input (N, C, *); output the same.
    Raises:
        ValueError: fewer than two dimensions, or no channels.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.SyncBatchNorm(3)(rl.randn(4, 3, 5)).shape
        torch.Size([4, 3, 5])
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, process_group: Any = None,
        device: Device | str | None = None, dtype: DType | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group
        self._totals: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_totals": None, "process_group": None}

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if not input.shape[1]:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    def forward(self, input: Tensor) -> Any:
        self._check_input_dim(input)
        group = self._group() if self.training else None
        if group is None:
            return super().forward(input)
        if self._totals is None:
            from rushlight.distributed.reducer import Totals

            self._totals = Totals(group, "SyncBatchNorm")
        shape = (1, -1, *[1] * (input.dim() - 2))
        mean, variance, count = self._statistics(input)
        self._follow(mean, variance, count)
        scale = rl.rsqrt(variance + self.eps).to(input.dtype).view(shape)
        y = (input - mean.to(input.dtype).view(shape)) * scale
        if self.weight is not None:
            y = y * self.weight.view(shape)
        return y if self.bias is None else y + self.bias.view(shape)

    def _group(self) -> Any:
        """The other ranks; None where there are none."""
        from rushlight import distributed

        if not distributed.is_initialized():
            return None
        group = self.process_group or distributed.group.WORLD
        return group if group.size() > 1 else None

    def _statistics(self, input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, biased variance and number of elements of a channel, over all ranks.

        A rank's own variance is exact where the mean is large; float64 keeps the rest so.
        """
        C = input.shape[1]
        rows = input.transpose(0, 1).reshape(C, -1)
        n = rows.shape[1]
        if n:
            own_mean = rows.mean(1).to(float64)
            own_variance = rows.var(1, unbiased=False).to(float64)
        else:
            own_mean = own_variance = rows.sum(1).to(float64)
        parts = [
            n * own_mean,
            n * (own_variance + own_mean * own_mean),
            rl.full((1,), float(n), dtype=float64),
        ]
        total = self._totals(rl.cat(parts))
        count = total[2 * C]
        mean = total[:C] / count
        return mean, total[C : 2 * C] / count - mean * mean, count

    def _follow(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Moves the running averages."""
        if not self.track_running_stats or self.running_mean is None:
            return
        seen = _counted(self.num_batches_tracked)
        share = 1 / seen if self.momentum is None else self.momentum
        with rl.no_grad():
            unbiased = variance * (count / (count - 1))
            for average, new in ((self.running_mean, mean), (self.running_var, unbiased)):
                average.mul_(1 - share).add_((share * new).to(average.dtype))

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """A module with every batch normalization in it replaced, which keep their parameters."""
        made = module
        if isinstance(module, _BatchNorm):
            made = SyncBatchNorm(
                module.num_features, module.eps, module.momentum, module.affine,
                module.track_running_stats, process_group, bias=module.bias is not None,
            )  # fmt: skip
            if module.affine:
                made.weight, made.bias = module.weight, module.bias
            for name in ("running_mean", "running_var", "num_batches_tracked", "training"):
                setattr(made, name, getattr(module, name))
        for name, child in module.named_children():
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made
