"""Layers that make signals, images and volumes larger or smaller."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module
from .sizes import Ints

Factors = float | tuple[float, ...]


class Upsample(Module):
    """Resamples all spatial dimensions.

    Args:
        size: the sizes of the output, or one for all.
        scale_factor: or how many times larger the output is.
        mode: ``"nearest"``, ``"linear"`` (N, C, L), ``"bilinear"`` and ``"bicubic"`` (N, C, H, W)
            or ``"trilinear"`` (N, C, D, H, W).
        align_corners: whether the corners' centres keep their values, except for ``"nearest"``.
        recompute_scale_factor: compute the factor again from the sizes, which are whole.
    Raises:
        ValueError: neither or both of ``size`` and ``scale_factor``, when called.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Upsample(scale_factor=2)(rl.tensor([[[1.0, 2.0]]]))
        tensor([[[1., 1., 2., 2.]]])
    """

    def __init__(
        self, size: Ints | None = None, scale_factor: Factors | None = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Factors | None
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Before there was the choice, the factor was computed again.
        super().__setstate__({"recompute_scale_factor": True, **state})

    def forward(self, input: Tensor) -> Any:
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )  # fmt: skip

    def extra_repr(self) -> str:
        if self.scale_factor is not None:
            how = f"scale_factor={self.scale_factor!r}"
        else:
            how = f"size={self.size!r}"
        return f"{how}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Makes images larger by repeating pixels; :class:`Upsample` with ``mode="nearest"``.

    Shape:
        input (N, C, H, W); output (N, C, *size).
    """

    def __init__(self, size: Ints | None = None, scale_factor: Factors | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Makes images larger by straight lines between pixels, with their corners aligned.

    Shape:
        input (N, C, H, W); output (N, C, *size).
    """

    def __init__(self, size: Ints | None = None, scale_factor: Factors | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
