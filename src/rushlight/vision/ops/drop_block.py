"""Dropping blocks of a feature map at random."""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F


def drop_block2d(
    input: Tensor,
    p: float,
    block_size: int,
    inplace: bool = False,
    eps: float = 1e-06,
    training: bool = True,
) -> Tensor:
    """Zeroes squares of each channel at random, and scales what stays.

    Args:
        p: the probability that an element is dropped.
        block_size: the side of a square, odd.
        eps: keeps the divisor from zero.
        training: False returns ``input`` as it is.
    Shape:
        input (N, C, H, W); output the same.
    Raises:
        ValueError: ``p`` is no probability, or another shape or size.
    Reference:
        Ghiasi et al. 2018, "DropBlock", algorithm 1, arXiv:1810.12890.
    """
    return _dropped(input, p, block_size, inplace, eps, training, rank=2)


def drop_block3d(
    input: Tensor,
    p: float,
    block_size: int,
    inplace: bool = False,
    eps: float = 1e-06,
    training: bool = True,
) -> Tensor:
    """Zeroes cubes at random; input is (N, C, D, H, W). See :func:`drop_block2d`."""
    return _dropped(input, p, block_size, inplace, eps, training, rank=3)


def _dropped(
    input: Tensor, p: float, block_size: int, inplace: bool, eps: float, training: bool, rank: int
) -> Tensor:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"drop probability has to be between 0 and 1, but got {p}.")
    if input.ndim != rank + 2:
        raise ValueError(f"input should be {rank + 2} dimensional. Got {input.ndim} dimensions.")
    if not training or p == 0.0:
        return input
    sizes = input.shape[2:]
    side = min(block_size, *sizes)
    if side % 2 == 0:
        raise ValueError(f"block size should be odd. Got {side} which is even.")
    kept = 1 - _blocks(input, p, side, rank)
    scale = kept.numel() / (eps + kept.sum())
    return input.mul_(kept).mul_(scale) if inplace else input * kept * scale


def _blocks(input: Tensor, p: float, side: int, rank: int) -> Tensor:
    """Ones where a block is, drawn by its centre."""
    sizes = input.shape[2:]
    centres = tuple(size - side + 1 for size in sizes)
    share = p * sizes.numel() / (side**rank * rl.Size(centres).numel())
    noise = rl.empty((*input.shape[:2], *centres), dtype=input.dtype, device=input.device)
    noise = F.pad(noise.bernoulli_(share), [side // 2] * (2 * rank), value=0)
    pool = F.max_pool2d if rank == 2 else F.max_pool3d
    return pool(noise, kernel_size=side, stride=1, padding=side // 2)


class DropBlock2d(nn.Module):
    """See :func:`drop_block2d`."""

    def __init__(
        self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-06
    ) -> None:
        super().__init__()
        self.p = p
        self.block_size = block_size
        self.inplace = inplace
        self.eps = eps

    def forward(self, input: Tensor) -> Tensor:
        return drop_block2d(input, self.p, self.block_size, self.inplace, self.eps, self.training)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, block_size={self.block_size}, "
            f"inplace={self.inplace})"
        )


class DropBlock3d(DropBlock2d):
    """See :func:`drop_block3d`."""

    def forward(self, input: Tensor) -> Tensor:
        return drop_block3d(input, self.p, self.block_size, self.inplace, self.eps, self.training)
