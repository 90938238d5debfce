"""Batch norm in functions of examples."""

from __future__ import annotations

from rushlight.nn import Module
from rushlight.nn.batchnorm import _BatchNorm


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Has every batch norm in a module use its batch's statistics and keep none, in place.

    Running statistics are written while a module runs, which :func:`vmap` cannot do for each
    example by itself.

    Returns:
        The module.
    """
    for module in root.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                setattr(module, name, None)
            module.track_running_stats = False
    return root
