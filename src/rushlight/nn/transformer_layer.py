"""The layers that a Transformer is a stack of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError
from rushlight.tensor.tensor import Tensor

from . import functional as F
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .multihead import MultiheadAttention
from .normalization import LayerNorm
from .rectifier import GELU, ReLU

Activation = str | Callable[[Tensor], Tensor]


class _TransformerLayer(Module):
    """What encoder and decoder layers share: a network for each position. Abstract."""

    activation: Callable[[Tensor], Tensor]

    def _add_feed_forward(
        self, d_model: int, dim_feedforward: int, dropout: float, bias: bool, kind: dict[str, Any]
    ) -> None:
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **kind)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **kind)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state if "activation" in state else {**state, "activation": F.relu})

    def _fed_forward(self, x: Tensor) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_TransformerLayer):
    """Attention of a sequence to itself, then a network of two layers for each position.

    Each adds to its input, and the sum is normalized: :math:`y = N(x + f(x))`.

    Args:
        d_model: the size E of each position.
        nhead: how many heads the attention has.
        dim_feedforward: the size between the two layers.
        dropout: with what probability an element is left out in training, four times.
        activation: ``"relu"``, ``"gelu"`` or a function.
        layer_norm_eps: what is added to the variance in normalizations.
        batch_first: whether the batch is the first dimension instead of the second.
        norm_first: normalize the inputs instead: :math:`y = x + f(N(x))`.
        bias: whether linear layers and normalizations have biases.
    Shape:
        src and output (S, N, E), (N, S, E) with ``batch_first``, or (S, E); src_mask (S, S) or
        (N * nhead, S, S); src_key_padding_mask (N, S) or (S). Masks as for
        :class:`MultiheadAttention`.
    Raises:
        RuntimeError: an unknown name of an activation.
    Reference:
        Vaswani et al. 2017, section 3.1, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745,
        figure 1b (``norm_first``).
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.TransformerEncoderLayer(16, nhead=4)
        >>> layer(rl.randn(10, 32, 16)).shape
        torch.Size([10, 32, 16])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        kind: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **kind
        )
        self._add_feed_forward(d_model, dim_feedforward, dropout, bias, kind)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kind)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kind)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        function = named_activation(activation)
        is_relu = function is F.relu or isinstance(function, ReLU)
        is_gelu = function is F.gelu or isinstance(function, GELU)
        self.activation_relu_or_gelu = 1 if is_relu else 2 if is_gelu else 0
        self.activation = function

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, is_causal: bool = False,
    ) -> Any:  # fmt: skip
        def attended(x: Tensor) -> Any:
            y, _ = self.self_attn(
                x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal
            )
            return self.dropout1(y)

        x = src
        if self.norm_first:
            x = x + attended(self.norm1(x))
            return x + self.dropout2(self._fed_forward(self.norm2(x)))
        x = self.norm1(x + attended(x))
        return self.norm2(x + self.dropout2(self._fed_forward(x)))


class TransformerDecoderLayer(_TransformerLayer):
    """Attention of a sequence to itself, then to another, then a network for each position.

    The arguments are those of :class:`TransformerEncoderLayer`.

    Shape:
        tgt and output (T, N, E), (N, T, E) with ``batch_first``, or (T, E); memory likewise with S;
        tgt_mask (T, T) or (N * nhead, T, T); memory_mask (T, S) or (N * nhead, T, S);
        tgt_key_padding_mask (N, T) or (T); memory_key_padding_mask (N, S) or (S).
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.TransformerDecoderLayer(16, nhead=4)
        >>> layer(rl.randn(20, 32, 16), rl.randn(10, 32, 16)).shape
        torch.Size([20, 32, 16])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        kind: dict[str, Any] = {"device": device, "dtype": dtype}
        attention: dict[str, Any] = {
            "dropout": dropout, "bias": bias, "batch_first": batch_first, **kind
        }  # fmt: skip
        self.self_attn = MultiheadAttention(d_model, nhead, **attention)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **attention)
        self._add_feed_forward(d_model, dim_feedforward, dropout, bias, kind)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kind)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kind)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kind)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = named_activation(activation)

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        def attended(x: Tensor) -> Any:
            y, _ = self.self_attn(
                x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal
            )
            return self.dropout1(y)

        def looked_up(x: Tensor) -> Any:
            y, _ = self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask,
                is_causal=memory_is_causal,
            )  # fmt: skip
            return self.dropout2(y)

        x = tgt
        if self.norm_first:
            x = x + attended(self.norm1(x))
            x = x + looked_up(self.norm2(x))
            return x + self.dropout3(self._fed_forward(self.norm3(x)))
        x = self.norm1(x + attended(x))
        x = self.norm2(x + looked_up(x))
        return self.norm3(x + self.dropout3(self._fed_forward(x)))


def named_activation(activation: Activation) -> Callable[[Tensor], Tensor]:
    """The function of a name; a function is returned as it is."""
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise OperationError(
            "TransformerEncoderLayer", f"activation should be relu/gelu, not {activation}"
        )
    found: Callable[[Tensor], Tensor] = getattr(F, activation)
    return found
