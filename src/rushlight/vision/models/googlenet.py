"""GoogLeNet: Szegedy et al. 2014, arXiv:1409.4842, table 1, with batch norms.

The 5x5 convolutions of the paper are 3x3 here, because those of the published weights are.
"""

from __future__ import annotations

import warnings
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from ._api import WeightsEnum, register_model
from ._inception import BasicConv2d, as_trained_elsewhere, draw_truncated, start_wanted
from ._published import Published, loaded, set_classes
from ._utils import _ovewrite_named_param, handle_legacy_interface

Layer = Callable[..., nn.Module]

GoogLeNetOutputs = namedtuple("GoogLeNetOutputs", ["logits", "aux_logits2", "aux_logits1"])
_GoogLeNetOutputs = GoogLeNetOutputs

# Of each module: channels in, of 1x1, before and of 3x3, before and of 5x5, after the pool.
_TABLE_1 = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}
# The modules that a maximum follows, and over how much.
_POOLS = {"3b": 3, "4e": 2}


class GoogLeNet(nn.Module):
    """Nine inception modules; two more classifiers half-way help training.

    Args:
        aux_logits: whether there are the two classifiers.
        transform_input: the weights expect images in [-1, 1]; convert from ImageNet's statistics.
        init_weights: draw the first weights as published; None does, with a warning.
        blocks: in place of the convolution, the inception module and the classifier half-way.
    Shape:
        input (N, 3, H, W), at least 15 x 15; output (N, num_classes), and in training with the two
        classifiers ``GoogLeNetOutputs(logits, aux_logits2, aux_logits1)``.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool | None = None,
        blocks: list[Layer] | None = None,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
    ) -> None:
        super().__init__()
        blocks = [BasicConv2d, Inception, InceptionAux] if blocks is None else blocks
        init_weights = start_wanted(init_weights, "GoogleNet")
        if len(blocks) != 3:
            raise ValueError(f"blocks length should be 3 instead of {len(blocks)}")
        conv, inception, classifier = blocks
        halve = partial(nn.MaxPool2d, stride=2, ceil_mode=True)
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.conv1 = conv(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = halve(3)
        self.conv2 = conv(64, 64, kernel_size=1)
        self.conv3 = conv(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = halve(3)
        for name, widths in _TABLE_1.items():
            setattr(self, f"inception{name}", inception(*widths))
            if name in _POOLS:
                setattr(self, f"maxpool{name[0]}", halve(_POOLS[name]))
        self.aux1 = classifier(512, num_classes, dropout=dropout_aux) if aux_logits else None
        self.aux2 = classifier(528, num_classes, dropout=dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(p=dropout)
        self.fc = nn.Linear(1024, num_classes)
        if init_weights:
            draw_truncated(self, 0.01)

    def forward(self, x: Tensor) -> Any:
        x = as_trained_elsewhere(x) if self.transform_input else x
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        aux1 = self.aux1(x) if self.aux1 is not None and self.training else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x) if self.aux2 is not None and self.training else None
        x = self.maxpool4(self.inception4e(x))
        x = self.avgpool(self.inception5b(self.inception5a(x)))
        x = self.fc(self.dropout(rl.flatten(x, 1)))
        return GoogLeNetOutputs(x, aux2, aux1) if self.training and self.aux_logits else x


class Inception(nn.Module):
    """1x1, 3x3, larger and pooled, side by side; figure 2 b."""

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        conv_block: Layer | None = None,
    ) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch1 = conv(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(
            conv(in_channels, ch3x3red, kernel_size=1),
            conv(ch3x3red, ch3x3, kernel_size=3, padding=1),
        )
        self.branch3 = nn.Sequential(
            conv(in_channels, ch5x5red, kernel_size=1),
            conv(ch5x5red, ch5x5, kernel_size=3, padding=1),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True),
            conv(in_channels, pool_proj, kernel_size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return rl.cat([branch(x) for branch in branches], 1)


class InceptionAux(nn.Module):
    """A classifier half-way."""

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        conv_block: Layer | None = None,
        dropout: float = 0.7,
    ) -> None:
        super().__init__()
        self.conv = (conv_block or BasicConv2d)(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(p=dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4)))
        x = F.relu(self.fc1(rl.flatten(x, 1)), inplace=True)
        return self.fc2(self.dropout(x))


published = Published(__name__, GoogLeNet, "Szegedy et al. 2014, arXiv:1409.4842")
GoogLeNet_Weights = published.weights("GoogLeNet_Weights")


def with_weights(weights: WeightsEnum, kwargs: dict[str, Any]) -> None:
    """Sets what published weights fix."""
    kwargs.setdefault("transform_input", True)
    _ovewrite_named_param(kwargs, "aux_logits", True)
    _ovewrite_named_param(kwargs, "init_weights", False)
    set_classes(weights, kwargs)


@register_model()
@handle_legacy_interface(weights=published.legacy(GoogLeNet_Weights))
def googlenet(
    *, weights: GoogLeNet_Weights | None = None, progress: bool = True, **kwargs: Any
) -> GoogLeNet:
    """``googlenet`` of Szegedy et al. 2014, arXiv:1409.4842.

    Args:
        weights: a member of ``GoogLeNet_Weights`` or its name. Their two classifiers half-way were
            not trained, and are dropped unless ``aux_logits=True`` asks for them.
    """
    weights = GoogLeNet_Weights.verify(weights)
    if weights is None:
        return GoogLeNet(**kwargs)
    keep = kwargs.pop("aux_logits", False)
    with_weights(weights, kwargs)
    model = loaded(GoogLeNet(**kwargs), weights, progress)
    if keep:
        warnings.warn(
            "auxiliary heads in the pretrained googlenet model are NOT pretrained, so make sure to "
            "train them"
        )
    else:
        model.aux_logits, model.aux1, model.aux2 = False, None, None
    return model


__all__ = ["GoogLeNet", "GoogLeNetOutputs", "_GoogLeNetOutputs", "googlenet", *published.names]
