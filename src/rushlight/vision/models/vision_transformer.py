"""Vision transformer: Dosovitskiy et al. 2020, arXiv:2010.11929, table 1."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from ..ops.misc import MLP, Conv2dNormActivation
from ._api import WeightsEnum
from ._published import Published, set_classes
from ._utils import _ovewrite_named_param

Layer = Callable[..., nn.Module]
_norm = partial(nn.LayerNorm, eps=1e-6)


class ConvStemConfig(NamedTuple):
    """One convolution in place of cutting the image into patches at once (arXiv:2106.14881)."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Layer = nn.BatchNorm2d
    activation_layer: Layer = nn.ReLU


class MLPBlock(MLP):
    """The two linear layers of a transformer block."""

    _version = 2

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(
            in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, inplace=None, dropout=dropout
        )
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.normal_(layer.bias, std=1e-6)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        if local_metadata.get("version") in (None, 1):
            for i, name in ((i, name) for i in range(2) for name in ("weight", "bias")):
                old = f"{prefix}linear_{i + 1}.{name}"
                if old in state_dict:
                    state_dict[f"{prefix}{3 * i}.{name}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class EncoderBlock(nn.Module):
    """Attention, then two linear layers; each after a norm and beside the identity."""

    def __init__(
        self,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Layer = _norm,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(
            hidden_dim, num_heads, dropout=attention_dropout, batch_first=True
        )
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Tensor) -> Tensor:
        _check_sequence(input)
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + input
        return x + self.mlp(self.ln_2(x))


def _check_sequence(input: Tensor) -> None:
    if input.dim() != 3:
        raise AssertionError(f"Expected (batch_size, seq_length, hidden_dim) got {input.shape}")


class Encoder(nn.Module):
    """Adds learned positions and runs the blocks."""

    def __init__(
        self,
        seq_length: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Layer = _norm,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(rl.empty(1, seq_length, hidden_dim).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        settings = (num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer)
        layers = [(f"encoder_layer_{i}", EncoderBlock(*settings)) for i in range(num_layers)]
        self.layers = nn.Sequential(OrderedDict(layers))
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Tensor) -> Tensor:
        _check_sequence(input)
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """A transformer over patches of an image.

    Args:
        image_size, patch_size: in pixels; the first is a multiple of the second.
        representation_size: width of a hidden layer of the head; None for none.
        conv_stem_configs: convolutions in place of the patches.
    Shape:
        input (N, 3, image_size, image_size); output (N, num_classes).
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        representation_size: int | None = None,
        norm_layer: Layer = _norm,
        conv_stem_configs: list[ConvStemConfig] | None = None,
    ) -> None:
        super().__init__()
        if image_size % patch_size != 0:
            raise AssertionError("Input shape indivisible by patch size!")
        self.image_size, self.patch_size = image_size, patch_size
        self.hidden_dim, self.mlp_dim = hidden_dim, mlp_dim
        self.attention_dropout, self.dropout = attention_dropout, dropout
        self.num_classes, self.representation_size = num_classes, representation_size
        self.norm_layer = norm_layer
        if conv_stem_configs is None:
            self.conv_proj: nn.Module = _patches(hidden_dim, patch_size)
        else:
            self.conv_proj = _stem(hidden_dim, conv_stem_configs)
        self.class_token = nn.Parameter(rl.zeros(1, 1, hidden_dim))
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(
            self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout,
            attention_dropout, norm_layer,
        )  # fmt: skip
        self.heads = _heads(hidden_dim, representation_size, num_classes)

    def _process_input(self, x: Tensor) -> Tensor:
        """Patches of images as a sequence: (N, 3, H, W) to (N, patches, hidden_dim)."""
        N, _, H, W = x.shape
        for name, size in (("height", H), ("width", W)):
            if size != self.image_size:
                raise AssertionError(
                    f"Wrong image {name}! Expected {self.image_size} but got {size}!"
                )
        x = self.conv_proj(x)
        return x.reshape(N, self.hidden_dim, self.seq_length - 1).permute(0, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self._process_input(x)
        token = self.class_token.expand(x.shape[0], -1, -1)
        x = self.encoder(rl.cat([token, x], dim=1))
        return self.heads(x[:, 0])


def _patches(width: int, size: int) -> nn.Conv2d:
    """Cuts out patches and projects them, which is a convolution with that stride."""
    conv = nn.Conv2d(in_channels=3, out_channels=width, kernel_size=size, stride=size)
    nn.init.trunc_normal_(conv.weight, std=math.sqrt(1 / (3 * size * size)))
    nn.init.zeros_(conv.bias)
    return conv


def _stem(width: int, rows: list[ConvStemConfig]) -> nn.Sequential:
    layers, channels = nn.Sequential(), 3
    for i, row in enumerate(rows):
        block = Conv2dNormActivation(
            channels, row.out_channels, kernel_size=row.kernel_size, stride=row.stride,
            norm_layer=row.norm_layer, activation_layer=row.activation_layer,
        )  # fmt: skip
        layers.add_module(f"conv_bn_relu_{i}", block)
        channels = row.out_channels
    last = nn.Conv2d(in_channels=channels, out_channels=width, kernel_size=1)
    nn.init.normal_(last.weight, mean=0.0, std=math.sqrt(2.0 / width))
    nn.init.zeros_(last.bias)
    layers.add_module("conv_last", last)
    return layers


def _heads(width: int, hidden: int | None, num_classes: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if hidden is not None:
        layers["pre_logits"] = nn.Linear(width, hidden)
        nn.init.trunc_normal_(layers["pre_logits"].weight, std=math.sqrt(1 / width))
        nn.init.zeros_(layers["pre_logits"].bias)
        layers["act"] = nn.Tanh()
        width = hidden
    layers["head"] = nn.Linear(width, num_classes)
    nn.init.zeros_(layers["head"].weight)
    nn.init.zeros_(layers["head"].bias)
    return nn.Sequential(layers)


def interpolate_embeddings(
    image_size: int,
    patch_size: int,
    model_state: OrderedDict[str, Tensor],
    interpolation_mode: str = "bicubic",
    reset_heads: bool = False,
) -> OrderedDict[str, Tensor]:
    """Weights of a vision transformer for images of another size.

    Args:
        image_size, patch_size: of the new model.
        model_state: the state of the old one; its positions are replaced in place.
        reset_heads: leave the head out when positions change.
    Raises:
        ValueError: positions that are not those of one square image.
    """
    positions = model_state["encoder.pos_embedding"]
    if positions.shape[0] != 1:
        raise ValueError(f"Unexpected position embedding shape: {positions.shape}")
    _, length, width = positions.shape
    side = image_size // patch_size
    if side**2 + 1 == length:
        return model_state
    old = math.isqrt(length - 1)
    if old**2 != length - 1:
        raise ValueError(
            "seq_length is not a perfect square! Instead got seq_length_1d * seq_length_1d = "
            f"{old * old} and seq_length = {length - 1}"
        )
    token, grid = positions[:, :1, :], positions[:, 1:, :]
    grid = grid.permute(0, 2, 1).reshape(1, width, old, old)
    grid = F.interpolate(grid, size=side, mode=interpolation_mode, align_corners=True)
    grid = grid.reshape(1, width, side**2).permute(0, 2, 1)
    model_state["encoder.pos_embedding"] = rl.cat([token, grid], dim=1)
    if not reset_heads:
        return model_state
    kept = ((key, value) for key, value in model_state.items() if not key.startswith("heads"))
    return OrderedDict(kept)


def _vit(patch: int, layers: int, heads: int, width: int, mlp: int, **kw: Any) -> VisionTransformer:
    return VisionTransformer(kw.pop("image_size", 224), patch, layers, heads, width, mlp, **kw)


def _prepare(weights: WeightsEnum, kwargs: dict[str, Any]) -> None:
    set_classes(weights, kwargs)
    _ovewrite_named_param(kwargs, "image_size", weights.meta["min_size"][0])


published = Published(__name__, _vit, "Dosovitskiy et al. 2020, arXiv:2010.11929")


def _member(name: str, *sizes: int) -> Any:
    """Weights and builder: size of patches, layers, heads, width, width of the MLPs."""
    enum = published.weights(f"ViT_{name.upper()}_Weights")
    return enum, published.builder(f"vit_{name}", enum, *sizes, prepare=_prepare)


ViT_B_16_Weights, vit_b_16 = _member("b_16", 16, 12, 12, 768, 3072)
ViT_B_32_Weights, vit_b_32 = _member("b_32", 32, 12, 12, 768, 3072)
ViT_L_16_Weights, vit_l_16 = _member("l_16", 16, 24, 16, 1024, 4096)
ViT_L_32_Weights, vit_l_32 = _member("l_32", 32, 24, 16, 1024, 4096)
ViT_H_14_Weights, vit_h_14 = _member("h_14", 14, 32, 16, 1280, 5120)

__all__ = ["VisionTransformer", *published.names]
