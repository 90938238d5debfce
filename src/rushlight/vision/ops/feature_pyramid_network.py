"""Feature maps of all sizes with the meaning of the deepest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from rushlight import Tensor, nn
from rushlight.nn import functional as F

from .misc import Conv2dNormActivation

Levels = tuple[list[Tensor], list[str]]


class ExtraFPNBlock(nn.Module):
    """The base of what adds levels to a pyramid.

    ``forward`` takes the pyramid's maps, the maps it came from, and their names, and returns the
    maps and names with more of them.
    """

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> Levels:
        raise NotImplementedError


class FeaturePyramidNetwork(nn.Module):
    """Adds to each map what the next coarser one says, enlarged.

    Args:
        in_channels_list: the channels of each map, from fine to coarse.
        out_channels: of every result.
        extra_blocks: adds levels.
        norm_layer: called with ``out_channels``; None has none, and biases instead.
    Shape:
        A dict of maps (N, C_i, H_i, W_i); output an ``OrderedDict`` of (N, out_channels, H_i, W_i).
    Raises:
        ValueError: a map without channels.
        TypeError: ``extra_blocks`` is no :class:`ExtraFPNBlock`.
    Reference:
        Lin et al. 2017, "Feature Pyramid Networks", figure 3, arXiv:1612.03144.
    Example:
        >>> import rushlight as rl
        >>> pyramid = FeaturePyramidNetwork([2, 4], 3)
        >>> maps = pyramid({"a": rl.zeros(1, 2, 8, 8), "b": rl.zeros(1, 4, 4, 4)})
        >>> [(name, tuple(value.shape)) for name, value in maps.items()]
        [('a', (1, 3, 8, 8)), ('b', (1, 3, 4, 4))]
    """

    _version = 2

    def __init__(
        self,
        in_channels_list: list[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if 0 in in_channels_list:
            raise ValueError("in_channels=0 is currently not supported")
        block = lambda channels, size: Conv2dNormActivation(
            channels, out_channels, size, norm_layer=norm_layer, activation_layer=None
        )
        self.inner_blocks = nn.ModuleList(block(channels, 1) for channels in in_channels_list)
        self.layer_blocks = nn.ModuleList(block(out_channels, 3) for _ in in_channels_list)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                _begin(module)
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            raise TypeError(
                f"extra_blocks should be of type ExtraFPNBlock not {type(extra_blocks)}"
            )
        self.extra_blocks = extra_blocks

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        *rest: Any,
        **more: Any,
    ) -> None:
        if (local_metadata.get("version") or 0) < 2:  # convolutions stood alone in the lists then
            for blocks in ("inner_blocks", "layer_blocks"):
                for i in range(len(self.inner_blocks)):
                    for part in ("weight", "bias"):
                        old = f"{prefix}{blocks}.{i}.{part}"
                        if old in state_dict:
                            state_dict[f"{prefix}{blocks}.{i}.0.{part}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest, **more)

    def forward(self, x: dict[str, Tensor]) -> dict[str, Tensor]:
        names, maps = list(x), list(x.values())
        inner = self.inner_blocks[len(maps) - 1](maps[-1])
        results = [self.layer_blocks[len(maps) - 1](inner)]
        for i in range(len(maps) - 2, -1, -1):
            lateral = self.inner_blocks[i](maps[i])
            inner = lateral + F.interpolate(inner, size=lateral.shape[-2:], mode="nearest")
            results.insert(0, self.layer_blocks[i](inner))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return OrderedDict(zip(names, results))


def _begin(layer: nn.Conv2d) -> None:
    nn.init.kaiming_uniform_(layer.weight, a=1)
    if layer.bias is not None:
        nn.init.constant_(layer.bias, 0)


class LastLevelMaxPool(ExtraFPNBlock):
    """Adds every other pixel of the coarsest map, as ``"pool"``."""

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> Levels:
        last = F.max_pool2d(results[-1], kernel_size=1, stride=2, padding=0)
        return [*results, last], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """Adds two coarser levels by convolutions, as RetinaNet does.

    Reference:
        Lin et al. 2017, "Focal Loss for Dense Object Detection", section 4, arXiv:1708.02002.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        for module in (self.p6, self.p7):
            _begin(module)
        self.use_P5 = in_channels == out_channels

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> Levels:
        p6 = self.p6(results[-1] if self.use_P5 else x[-1])
        p7 = self.p7(F.relu(p6))
        return [*results, p6, p7], [*names, "p6", "p7"]
