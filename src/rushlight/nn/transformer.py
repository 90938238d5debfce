"""Stacks of Transformer layers, and the whole: an encoder and a decoder."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import rushlight as rl
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.base.errors import ShapeError
from rushlight.tensor.tensor import Tensor

from . import functional as F
from . import init
from .containers import ModuleList
from .heads import mask_of_floats
from .module import Module
from .normalization import LayerNorm
from .transformer_layer import Activation, TransformerDecoderLayer, TransformerEncoderLayer


class TransformerEncoder(Module):
    """Encoder layers, one after the other.

    Args:
        encoder_layer: the layer; copies of it are made, which start with the same parameters.
        num_layers: how many.
        norm: what normalizes the end, if anything.
        enable_nested_tensor: in evaluation without gradients, positions that
            ``src_key_padding_mask`` marks come out of the layers as zeros, where PyTorch has a
            quicker way for it: with ``batch_first`` layers that end in a normalization.
        mask_check: do so only if all such positions are at the ends of sequences.
    Shape:
        As for the layer.
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.TransformerEncoderLayer(16, nhead=4)
        >>> rl.nn.TransformerEncoder(layer, num_layers=2)(rl.randn(10, 3, 16)).shape
        torch.Size([10, 3, 16])
    """

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None,
        enable_nested_tensor: bool = True, mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        reason = _why_not_nested(encoder_layer)
        if enable_nested_tensor and reason:
            warnings.warn(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because"
                f" {reason}",
                stacklevel=2,
            )
            self.use_nested_tensor = False

    def forward(
        self, src: Tensor, mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, is_causal: bool | None = None,
    ) -> Any:  # fmt: skip
        padding = mask_of_floats(
            src_key_padding_mask, "src_key_padding_mask", src.dtype, mask, "mask"
        )
        mask = mask_of_floats(mask, "mask", src.dtype)
        output = src
        for layer in self.layers:
            output = layer(
                output, src_mask=mask, is_causal=is_causal is True, src_key_padding_mask=padding
            )
        if padding is not None and mask is None and self._drops_padding(src, padding):
            output = output.masked_fill((padding == -math.inf).unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _drops_padding(self, src: Tensor, padding: Tensor) -> bool:
        """Whether PyTorch would leave positions out that are padding, which come out as zeros."""
        if not self.use_nested_tensor or self.layers[0].training or src.dim() != 3:
            return False
        if rl.is_grad_enabled() and (
            src.requires_grad or any(p.requires_grad for p in self.layers[0].parameters())
        ):
            return False
        left_out = padding == -math.inf  # (N, S)
        return not self.mask_check or bool((left_out[:, 1:] >= left_out[:, :-1]).all())


class TransformerDecoder(Module):
    """Decoder layers, one after the other.

    Args:
        decoder_layer: the layer; copies of it are made, which start with the same parameters.
        num_layers: how many.
        norm: what normalizes the end, if anything.
    Shape:
        As for the layer.
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.TransformerDecoderLayer(16, nhead=4)
        >>> decoder = rl.nn.TransformerDecoder(layer, num_layers=2)
        >>> decoder(rl.randn(20, 3, 16), rl.randn(10, 3, 16)).shape
        torch.Size([20, 3, 16])
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal is True,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """An encoder that reads one sequence and a decoder that makes another of it.

    Args:
        d_model: the size E of each position.
        nhead: how many heads each attention has.
        num_encoder_layers, num_decoder_layers: the heights of the stacks.
        custom_encoder, custom_decoder: modules in place of the stacks.
        dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias: as for
            :class:`TransformerEncoderLayer`.
    Shape:
        src (S, N, E), (N, S, E) with ``batch_first``, or (S, E); tgt and output likewise with T.
        Masks as for the layers; the ``is_causal`` arguments tell that a mask is the causal one.
    Raises:
        RuntimeError: batches differ in size, or a size is not ``d_model``.
    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762.
    Example:
        >>> import rushlight as rl
        >>> model = rl.nn.Transformer(16, nhead=4, num_encoder_layers=2, num_decoder_layers=2)
        >>> model(rl.randn(10, 3, 16), rl.randn(20, 3, 16)).shape
        torch.Size([20, 3, 16])
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6,
        num_decoder_layers: int = 6, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, custom_encoder: Any = None, custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False,
        bias: bool = True, device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        layer: tuple[Any, ...] = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, device=device, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*layer), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*layer), num_decoder_layers, norm()
        )
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.shape[batch] != tgt.shape[batch]:
            raise ShapeError("Transformer", "the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(
                "Transformer",
                "the feature number of src and tgt must be equal to d_model",
                rule=f"They are {src.shape[-1]}, {tgt.shape[-1]} and {self.d_model}.",
            )
        memory = self.encoder(
            src,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: Device | str | None = None, dtype: DType | None = None
    ) -> Tensor:
        """The causal mask: minus infinity where a position would look ahead, else 0."""
        ahead: Tensor = rl.full((sz, sz), -math.inf, device=device, dtype=dtype).triu(1)
        return ahead

    def _reset_parameters(self) -> None:
        """Draws the matrices among the parameters anew."""
        for param in self.parameters():
            if param.dim() > 1:
                init.xavier_uniform_(param)


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


def _why_not_nested(layer: Module) -> str:
    """Why a layer cannot leave padding out; nothing if it can. PyTorch's conditions and words."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    attention = layer.self_attn
    reasons: tuple[tuple[bool, str], ...] = (
        (layer.norm_first, "encoder_layer.norm_first was True"),
        (
            not attention.batch_first,
            "encoder_layer.self_attn.batch_first was not True"
            "(use batch_first for better inference performance)",
        ),
        (
            not attention._qkv_same_embed_dim,
            "encoder_layer.self_attn._qkv_same_embed_dim was not True",
        ),
        (attention.in_proj_bias is None, "encoder_layer.self_attn was passed bias=False"),
        (
            not layer.activation_relu_or_gelu,
            "encoder_layer.activation_relu_or_gelu was not True",
        ),
        (
            layer.norm1.eps != layer.norm2.eps,
            "encoder_layer.norm1.eps was not equal to encoder_layer.norm2.eps",
        ),
        (attention.num_heads % 2 == 1, "encoder_layer.self_attn.num_heads is odd"),
    )
    return next((words for holds, words in reasons if holds), "")
