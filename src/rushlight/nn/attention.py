"""Attention: a mean of values, weighted by how well their keys fit each query."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor, ops
from rushlight.base.errors import ArgValueError, DTypeError, OperationError, ShapeError
from rushlight.doctor.evaluation import suspect
from rushlight.graph.node import number
from rushlight.graph.op import recording
from rushlight.ops import TORCH_NAMES
from rushlight.ops.autocast import mode
from rushlight.tensor.generator import chosen
from rushlight.tensor.region import in_types

from .attention_backends import (  # noqa: F401 - PyTorch has them here
    WARN_FOR_UNFUSED_KERNELS,
    SDPBackend,
    sdpa_kernel,
)

_NAME = "scaled_dot_product_attention"


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    r"""Attention: :math:`\operatorname{softmax}(s\,Q K^T + M)\,V`.

    Args:
        attn_mask: True where a query may look at a key, or what is added to the scores.
        dropout_p: with what probability a weight is left out; also outside of training.
        is_causal: whether query ``i`` looks only at the keys up to ``i``.
        scale: what the scores are multiplied with, ``1 / sqrt(E)`` when None.
        enable_gqa: whether groups of query heads share a head of keys and values.
    Shape:
        query (*, L, E); key (*, S, E); value (*, S, V); attn_mask broadcasts to (*, L, S); output
        (*, L, V). A query that may look at no key gets zeros. With ``enable_gqa`` dimension -3 is
        that of the heads.
    Raises:
        RuntimeError: dtypes or shapes do not fit each other, or both kinds of mask are given.
    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", equation 1, arXiv:1706.03762; Ainslie et
        al. 2023, arXiv:2305.13245 (shared heads); Dao et al. 2022, arXiv:2205.14135 (the scores of
        a long sequence are never all there).
    Example:
        >>> import rushlight as rl
        >>> q, k, v = rl.zeros(1, 2), rl.ones(3, 2), rl.tensor([[0.0], [1.0], [5.0]])
        >>> rl.nn.functional.scaled_dot_product_attention(q, k, v)
        tensor([[2.]])
    """
    if mode.dtype is not None:
        query, key, value, attn_mask = in_types("lower", query, key, value, attn_mask)
    _check(query, key, value, attn_mask, is_causal)
    if not enable_gqa:
        return _attended(query, key, value, attn_mask, dropout_p, is_causal, scale)
    heads = _groups(query, key, value)
    query, key, value, attn_mask = (
        x if x is None else _grouped(x, heads) for x in (query, key, value, attn_mask)
    )  # fmt: skip
    y = _attended(query, key, value, attn_mask, dropout_p, is_causal, scale)
    return y.flatten(-4, -3)


def _attended(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, dropout_p: float,
    is_causal: bool, scale: float | None,
) -> Tensor:  # fmt: skip
    if not 0.0 <= dropout_p <= 1.0:
        raise ArgValueError(
            _NAME, f"dropout probability has to be between 0 and 1, but got {dropout_p}"
        )
    mask = None if attn_mask is None else attn_mask.node
    nodes = query.node, key.node, value.node, mask
    if not dropout_p:
        return Tensor(ops.attention(*nodes, is_causal=is_causal, scale=scale))
    stream = chosen(None, _NAME).take(ops.attention_dropout.blocks(*nodes))
    drop = number(float(dropout_p)), *stream
    node = ops.attention_dropout(*nodes, is_causal=is_causal, scale=scale, drop=drop)
    if not recording.grad:
        suspect("dropout", node)
    return Tensor(node)


def _groups(query: Tensor, key: Tensor, value: Tensor) -> int:
    """How many groups of query heads there are, each of which shares a head of keys and values."""
    heads = [x.shape[-3] for x in (query, key, value)]
    if any(not n or heads[0] % n for n in heads[1:]):
        raise ShapeError(
            _NAME,
            "Number of heads in key and value must divide the number of heads in query",
            rule=f"There are {heads[0]} heads of queries, {heads[1]} of keys and {heads[2]} of"
            " values.",
        )
    return math.lcm(*heads[1:])


def _grouped(x: Tensor, groups: int) -> Tensor:
    """The heads in groups: (*, groups, heads of a group, rows, columns)."""
    if x.dim() < 3:
        return x
    heads = x.shape[-3]
    if heads == 1:
        return x.unsqueeze(-3)
    if heads % groups:  # fewer heads than the other has: each serves several groups
        x = x.repeat_interleave(groups // heads, -3)
    return x.unflatten(-3, (groups, -1))


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool) -> None:
    tensors = {"query": query, "key": key, "value": value}
    kind = query.dtype
    if key.dtype is not kind or value.dtype is not kind:
        found = [f"{name}.dtype: {_named(x)}" for name, x in tensors.items()]
        raise DTypeError(
            _NAME,
            "Expected query, key, and value to have the same dtype, but got"
            f" {found[0]} {found[1]} and {found[2]} instead.",
        )
    if query.ndim < 2 or key.ndim < 2 or value.ndim < 2:
        raise ShapeError(
            _NAME,
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim:"
            f" {query.dim()} key.dim: {key.dim()} and value.dim: {value.dim()} instead.",
        )
    if mask is None:
        return
    if is_causal:
        raise OperationError(
            _NAME,
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when"
            " is_causal=True",
        )
    if mask.dtype not in (rl.bool, query.dtype):
        raise DTypeError(
            _NAME,
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got"
            f" attn_mask.dtype: {_named(mask)} and  query.dtype: {_named(query)} instead.",
        )


_C_NAMES = {"Long": "long int", "Half": "c10::Half", "BFloat16": "c10::BFloat16"}


def _named(x: Tensor) -> str:
    name = TORCH_NAMES[x.dtype.name][1:-1]
    return _C_NAMES.get(name, name.lower())
