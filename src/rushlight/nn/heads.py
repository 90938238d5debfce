"""Attention with several heads: projections, scores in each head, and one projection back."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import rushlight as rl
from rushlight import Tensor
from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError, ShapeError

from .attention import scaled_dot_product_attention
from .noise import dropout

_NAME = "multi_head_attention_forward"


class Projections(NamedTuple):
    """The parameters of an attention layer. Either ``packed`` or the three below it is there."""

    packed: Tensor | None  # (3E, E)
    query: Tensor | None
    key: Tensor | None
    value: Tensor | None
    bias: Tensor | None  # (3E)
    bias_k: Tensor | None  # (1, 1, E)
    bias_v: Tensor | None
    out: Tensor  # (E, E)
    out_bias: Tensor | None

    def applied(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, in one product where they are made of the same input."""
        if self.packed is not None and query is key and key is value:
            return tuple(rl.nn.functional.linear(query, self.packed, self.bias).chunk(3, -1))
        weights = (self.query, self.key, self.value)
        if self.packed is not None:
            weights = self.packed.chunk(3)
        biases = (None, None, None) if self.bias is None else self.bias.chunk(3)
        q, k, v = map(rl.nn.functional.linear, (query, key, value), weights, biases)
        return q, k, v


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None,
    bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor,
    out_proj_bias: Tensor | None, training: bool = True, key_padding_mask: Tensor | None = None,
    need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """The function of :class:`rushlight.nn.MultiheadAttention`, with its parameters as arguments.

    Args:
        embed_dim_to_check: E.
        in_proj_weight, in_proj_bias: of queries, keys and values, one below the other.
        use_separate_proj_weight: whether ``q_proj_weight`` and so on are used instead.
        static_k, static_v: keys and values in place of projected ones.
    Shape:
        query (L, N, E) or (L, E); key and value (S, N, E) or (S, E); static_k and static_v
        (N * heads, S, E / heads). Masks and results as for the layer, with the batch second.
    Raises:
        AssertionError: inputs do not fit each other.
        RuntimeError: a mask has the wrong shape, or there is none with ``is_causal``.
    """
    separate = use_separate_proj_weight
    parameters = Projections(
        None if separate else in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight,
        in_proj_bias, bias_k, bias_v, out_proj_weight, out_proj_bias,
    )  # fmt: skip
    if query.shape[-1] != embed_dim_to_check:
        raise AssertionError(
            f"was expecting embedding dimension of {embed_dim_to_check}, but got {query.shape[-1]}"
        )
    return attend(
        query, key, value, num_heads, parameters, add_zero_attn=add_zero_attn,
        dropout_p=dropout_p if training else 0.0, key_padding_mask=key_padding_mask,
        attn_mask=attn_mask, need_weights=need_weights, average=average_attn_weights,
        is_causal=is_causal, batch_first=False, static=(static_k, static_v),
    )  # fmt: skip


def attend(
    query: Tensor, key: Tensor, value: Tensor, heads: int, parameters: Projections, *,
    add_zero_attn: bool, dropout_p: float, key_padding_mask: Tensor | None,
    attn_mask: Tensor | None, need_weights: bool, average: bool, is_causal: bool,
    batch_first: bool, static: tuple[Tensor | None, Tensor | None] = (None, None),
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Attention of several heads, with the batch in the first or in the second dimension."""
    is_batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, heads)
    if not is_batched:
        batch_first = True
        same_key, same_value = key is query, value is key
        query = query.unsqueeze(0)
        key = query if same_key else key.unsqueeze(0)
        value = key if same_value else value.unsqueeze(0)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    _check_sizes(query, key, value, heads, same_size=parameters.packed is not None)
    padding = mask_of_floats(key_padding_mask, "key_padding_mask", query.dtype, attn_mask)
    if is_causal and attn_mask is None:
        raise OperationError(
            _NAME,
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask.",
        )
    is_causal = is_causal and padding is None and not need_weights
    mask = None if is_causal else mask_of_floats(attn_mask, "attn_mask", query.dtype)
    sequence = 1 if batch_first else 0
    if mask is not None:
        sizes = query.shape[1 - sequence], heads, query.shape[sequence], key.shape[sequence]
        mask = _mask_of_heads(mask, *sizes)  # (N or 1, H or 1, L, S)
    if padding is not None:
        padding = padding[:, None, None, :]  # (N, 1, 1, S)
    q, k, v = parameters.applied(query, key, value)
    more = 0
    if parameters.bias_k is not None and parameters.bias_v is not None:
        if static != (None, None):
            raise AssertionError("bias cannot be added to static key or value.")
        k, v = (
            _with_bias(k, parameters.bias_k, sequence),
            _with_bias(v, parameters.bias_v, sequence),
        )
        more += 1
    q, k, v = (_split(x, heads, batch_first) for x in (q, k, v))  # (N, H, L or S, D)
    k, v = (_fixed(x, given, heads) for x, given in zip((k, v), static, strict=True))
    if add_zero_attn:
        k, v = (rl.cat([x, rl.zeros_like(x[:, :, :1])], 2) for x in (k, v))
        more += 1
    mask = _merged(mask, padding, more)
    out, weights = _attended(q, k, v, mask, dropout_p, is_causal, need_weights)
    out = out.permute(0, 2, 1, 3) if batch_first else out.permute(2, 0, 1, 3)
    out = rl.nn.functional.linear(out.flatten(-2), parameters.out, parameters.out_bias)
    if weights is not None and average:
        weights = weights.mean(1)
    if not is_batched:
        out, weights = out.squeeze(0), None if weights is None else weights.squeeze(0)
    return out, weights


def _attended(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, is_causal: bool,
    need_weights: bool,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """The values that each head sees, and with what weights."""
    if not need_weights:
        return scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal), None
    scores = (q * math.sqrt(1.0 / q.shape[-1])) @ k.transpose(-2, -1)  # (N, H, L, S)
    weights = (scores if mask is None else scores + mask).softmax(-1)
    weights = dropout(weights, dropout_p) if dropout_p > 0.0 else weights
    return weights @ v, weights


def _split(x: Tensor, heads: int, batch_first: bool) -> Tensor:
    """(N, L, E) or (L, N, E) with a dimension for the heads, which follows the batch."""
    x = x.unflatten(-1, (heads, x.shape[-1] // heads))
    return x.permute(0, 2, 1, 3) if batch_first else x.permute(1, 2, 0, 3)


def _with_bias(x: Tensor, bias: Tensor, sequence: int) -> Tensor:
    """Keys or values with one more at the end, the same for all sequences."""
    batch = x.shape[1 - sequence]
    return rl.cat([x, bias.expand((batch, 1, -1) if sequence else (1, batch, -1))], sequence)


def _fixed(x: Tensor, given: Tensor | None, heads: int) -> Tensor:
    """What a user gave in place of projected keys or values."""
    if given is None:
        return x
    batch, size = x.shape[0], x.shape[-1]
    if given.shape[0] != batch * heads or given.shape[2] != size:
        raise AssertionError(
            f"expecting static keys and values ({batch * heads}, S, {size}), but got"
            f" {tuple(given.shape)}"
        )
    return given.view(batch, heads, -1, size)


def _merged(mask: Tensor | None, padding: Tensor | None, more: int) -> Tensor | None:
    """One mask of two, in which the keys that were added are seen by all."""
    merged = padding if mask is None else mask if padding is None else mask + padding
    return rl.nn.functional.pad(merged, (0, more)) if merged is not None and more else merged


def _mask_of_heads(mask: Tensor, batch: int, heads: int, queries: int, keys: int) -> Tensor:
    """A mask (L, S) or (N * H, L, S) with four dimensions."""
    wanted = (queries, keys) if mask.dim() == 2 else (batch * heads, queries, keys)
    if tuple(mask.shape) != wanted:
        raise ShapeError(
            _NAME,
            f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {wanted}.",
        )
    return mask[None, None] if mask.dim() == 2 else mask.view(batch, heads, queries, keys)


def mask_of_floats(
    mask: Tensor | None, name: str, dtype: DType, other: Tensor | None = None,
    other_name: str = "attn_mask",
) -> Tensor | None:  # fmt: skip
    """A mask as what is added to scores: minus infinity where it was True."""
    if mask is None:
        return None
    if mask.dtype is not rl.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if other is not None and other.dtype is not mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both "
            "instead.",
            stacklevel=3,
        )
    if mask.dtype is rl.bool:
        return rl.zeros(mask.shape, dtype=dtype).masked_fill(mask, -math.inf)
    return mask


def _check_sizes(query: Tensor, key: Tensor, value: Tensor, heads: int, same_size: bool) -> None:
    size = query.shape[-1]
    if size % heads:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {heads}")
    if same_size and key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    if key.shape[:2] != value.shape[:2]:
        raise AssertionError(
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
        )


def _check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None,
    heads: int,
) -> bool:  # fmt: skip
    """Whether the inputs are batches; all have to be, or none."""
    rank = query.dim()
    if rank not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor"
        )
    kind = "batched (3-D)" if rank == 3 else "unbatched (2-D)"
    if key.dim() != rank or value.dim() != rank:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {rank}-D"
            f" but found {key.dim()}-D and {value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != rank - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {rank - 1}-D"
            f" but found {padding.dim()}-D tensor instead"
        )
    if mask is not None and mask.dim() not in (2, 3):
        raise AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D"
            f" but found {mask.dim()}-D tensor instead"
        )
    if mask is not None and mask.dim() == 3 and rank == 2:
        wanted = (heads, query.shape[0], key.shape[0])
        if tuple(mask.shape) != wanted:
            raise AssertionError(f"Expected `attn_mask` shape to be {wanted} but got {mask.shape}")
    return bool(rank == 3)
