"""The layer of attention with several heads."""

from __future__ import annotations

from typing import Any

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.tensor.creation import empty
from rushlight.tensor.tensor import Tensor

from . import init
from .heads import Projections, attend
from .linear import Linear
from .module import Module
from .parameter import Parameter


class NonDynamicallyQuantizableLinear(Linear):
    """A linear layer under the name that PyTorch shows in attention layers."""


class MultiheadAttention(Module):
    r"""Attention in several heads, each of which looks at another projection of its inputs.

    .. math::
        \mathrm{head}_i = \mathrm{softmax}(Q W^Q_i (K W^K_i)^T / \sqrt{d}) \, V W^V_i, \quad
        y = (\mathrm{head}_1, \ldots, \mathrm{head}_h) W^O

    Args:
        embed_dim: the size E of queries and of the output, a multiple of ``num_heads``.
        num_heads: how many heads there are.
        dropout: with what probability a weight is left out in training.
        bias: whether the projections have biases.
        add_bias_kv: whether one more key and value is learnt, which all queries see.
        add_zero_attn: whether one more key and value of zeros is there.
        kdim, vdim: the sizes of keys and values; E when None.
        batch_first: whether the batch is the first dimension instead of the second.
    Shape:
        query (L, N, E) or (L, E); key (S, N, kdim) or (S, kdim); value (S, N, vdim) or (S, vdim);
        with ``batch_first`` (N, L, E) and so on. key_padding_mask (N, S) or (S): True where a key
        is left out, or what is added to the scores. attn_mask (L, S) or (N * num_heads, L, S):
        likewise. Results: as the query, and the weights (N, L, S) or (L, S), which have a dimension
        for the heads without ``average_attn_weights``, and are None without ``need_weights``.
    Raises:
        ValueError: ``embed_dim`` or ``num_heads`` is not positive.
        AssertionError: ``embed_dim`` is no multiple of ``num_heads``, or inputs do not fit.
        RuntimeError: a mask has the wrong shape, or there is none with ``is_causal``.
    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.2.2, arXiv:1706.03762.
    Example:
        >>> import rushlight as rl
        >>> attention = rl.nn.MultiheadAttention(8, 2, batch_first=True)
        >>> x = rl.randn(4, 5, 8)
        >>> y, weights = attention(x, x, x)
        >>> y.shape, weights.shape
        (torch.Size([4, 5, 8]), torch.Size([4, 5, 5]))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got"
                f" embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        one = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        shapes: dict[str, tuple[int, ...] | None]
        shapes = {name: (embed_dim, size) for name, size in one.items()}
        shapes["in_proj_weight"] = (3 * embed_dim, embed_dim)
        for name in one if self._qkv_same_embed_dim else ("in_proj_weight",):
            shapes[name] = None
        shapes["in_proj_bias"] = (3 * embed_dim,) if bias else None
        for name, shape in shapes.items():
            given = None if shape is None else Parameter(empty(shape, device=device, dtype=dtype))
            self.register_parameter(name, given)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias=bias, device=device, dtype=dtype
        )
        for name in ("bias_k", "bias_v"):
            made = Parameter(empty((1, 1, embed_dim), device=device, dtype=dtype))
            setattr(self, name, made if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draws the parameters anew."""
        for weight in (
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
        ):  # fmt: skip
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The first version always had keys and values of one size.
        super().__setstate__({"_qkv_same_embed_dim": True, **state})

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        parameters = Projections(
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
            self.in_proj_bias, self.bias_k, self.bias_v, self.out_proj.weight, self.out_proj.bias,
        )  # fmt: skip
        return attend(
            query, key, value, self.num_heads, parameters, add_zero_attn=self.add_zero_attn,
            dropout_p=self.dropout if self.training else 0.0, key_padding_mask=key_padding_mask,
            attn_mask=attn_mask, need_weights=need_weights, average=average_attn_weights,
            is_causal=is_causal, batch_first=self.batch_first,
        )  # fmt: skip
