"""Mixed precision: regions in which operations choose their own types, and scaled gradients.

Example:
    >>> import rushlight as rl
    >>> weight = rl.ones(2, 3, requires_grad=True)
    >>> with rl.amp.autocast("cpu"):
    ...     y = rl.nn.functional.linear(rl.ones(1, 3), weight)
    ...     loss = rl.nn.functional.mse_loss(y, rl.zeros(1, 2))
    >>> y.dtype, loss.dtype
    (torch.bfloat16, torch.float32)
    >>> loss.backward()
    >>> weight.grad.dtype
    torch.float32
"""

from __future__ import annotations

from .autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
