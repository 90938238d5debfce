"""Layers for several devices of one process, of which there is one here."""

from __future__ import annotations

from typing import Any

from rushlight.nn.module import Module


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
