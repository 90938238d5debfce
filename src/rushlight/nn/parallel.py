"""Layers for several devices, as they are where there is one CPU and one process."""

from __future__ import annotations

from typing import Any

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.tensor.tensor import Tensor

from .batchnorm import _BatchNorm
from .module import Module


class DataParallel(Module):
    """Calls a module; with several GPUs, PyTorch would split the batch among them.

    Args:
        module: the module, whose names in ``state_dict`` begin with ``module.``.
        device_ids, output_device: not used, since there is no GPU.
        dim: the dimension of the batch.
    Example:
        >>> import rushlight as rl
        >>> list(rl.nn.DataParallel(rl.nn.Linear(2, 3)).state_dict())
        ['module.weight', 'module.bias']
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[Any] = []
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


class SyncBatchNorm(_BatchNorm):
    """Batch normalization over the batches of all processes, of which there is one here.

    Args:
        num_features, eps, momentum, affine, track_running_stats, bias: as for ``BatchNorm1d``.
        process_group: which processes; not used.
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

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if not input.shape[1]:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

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
