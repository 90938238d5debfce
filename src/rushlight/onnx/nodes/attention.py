"""Attention, and what turns queries and keys by their position."""

from __future__ import annotations

import math
from typing import Any

import rushlight as rl
from rushlight.nn import functional as F

from .elements import PLAIN
from .registry import Here, node


def _heads(x: rl.Tensor, count: int | None) -> rl.Tensor:
    """(B, L, heads * size) as (B, heads, L, size)."""
    if x.ndim == 4 or count is None:
        return x
    B, L, width = x.shape
    return x.reshape(B, L, count, width // count).transpose(1, 2)


@node("Attention")
def attention(
    q: rl.Tensor, k: rl.Tensor, v: rl.Tensor, mask: rl.Tensor | None = None,
    past_key: rl.Tensor | None = None, past_value: rl.Tensor | None = None,
    lengths: rl.Tensor | None = None, *, is_causal: int = 0, kv_num_heads: int | None = None,
    q_num_heads: int | None = None, qk_matmul_output_mode: int = 0, scale: float | None = None,
    softcap: float = 0.0, softmax_precision: int | None = None, left_window_size: int = -1,
    right_window_size: int = -1, here: Here,
) -> Any:  # fmt: skip
    flat = q.ndim == 3
    q, k, v = _heads(q, q_num_heads), _heads(k, kv_num_heads), _heads(v, kv_num_heads)
    key = k if past_key is None else rl.cat([past_key, k], 2)
    value = v if past_value is None else rl.cat([past_value, v], 2)
    if q.shape[1] != key.shape[1]:  # several queries share a key
        times = q.shape[1] // key.shape[1]
        wide_key, wide_value = (one.repeat_interleave(times, 1) for one in (key, value))
    else:
        wide_key, wide_value = key, value
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    windowed = left_window_size >= 0 or right_window_size >= 0
    plain = not (softcap or softmax_precision or windowed) and lengths is None
    if plain and mask is None and here.outputs == 1 and not (is_causal and past_key is not None):
        y = F.scaled_dot_product_attention(
            q, wide_key, wide_value, is_causal=bool(is_causal), scale=scale
        )
        return _flat(y) if flat else y
    bias = _bias(q, key, mask, past_key, lengths, is_causal, left_window_size, right_window_size)
    y, shown = _attend(
        q, wide_key, wide_value, bias, scale, softcap, softmax_precision, qk_matmul_output_mode
    )
    return (_flat(y) if flat else y, key, value, shown)[: here.outputs]


def _flat(y: rl.Tensor) -> rl.Tensor:
    return y.transpose(1, 2).flatten(2)


def _attend(
    q: rl.Tensor, k: rl.Tensor, v: rl.Tensor, bias: rl.Tensor | None, scale: float,
    softcap: float, precision: int | None, mode: int,
) -> tuple[rl.Tensor, rl.Tensor]:  # fmt: skip
    root = math.sqrt(scale)
    raw = rl.matmul(q * root, (k * root).mT)
    capped = rl.tanh(raw / softcap) * softcap if softcap else raw
    biased = capped if bias is None else capped + bias
    wide = biased if precision is None else biased.to(PLAIN[precision])
    shares = F.softmax(wide, -1)
    if bias is not None:  # a query that may see nothing gives zeros
        nothing = bias.amax(-1, keepdim=True) == float("-inf")
        shares = rl.where(nothing, rl.zeros_like(shares), shares)
    shares = shares.to(q.dtype)
    shown = (raw if mode == 0 and not softcap else capped, capped, biased, shares)[mode]
    return rl.matmul(shares, v), shown


def _bias(
    q: rl.Tensor, key: rl.Tensor, mask: rl.Tensor | None, past: rl.Tensor | None,
    lengths: rl.Tensor | None, causal: int, left: int, right: int,
) -> rl.Tensor | None:  # fmt: skip
    """What is added before the softmax: -inf where a query may not see a key."""
    L, S = q.shape[2], key.shape[2]
    parts: list[rl.Tensor] = []
    if mask is not None:
        missing = S - mask.shape[-1]
        if mask.dtype is rl.bool:
            mask = _closed(mask, q.dtype)
        if not mask.is_floating_point():
            raise TypeError(f"a mask is bool or floating, not {mask.dtype}")
        parts.append(F.pad(mask, (0, missing), value=float("-inf")) if missing > 0 else mask)
    keys = rl.arange(S)
    first: Any = 0 if past is None else past.shape[2]
    if lengths is not None and past is None:
        first = (lengths.reshape(-1) - L).reshape(-1, 1, 1, 1)
    ahead = keys - (rl.arange(L)[:, None] + first)  # how far a key is ahead of its query
    if causal:
        parts.append(_closed(ahead <= 0, q.dtype))
    if left >= 0:
        parts.append(_closed(ahead >= -left, q.dtype))
    if right >= 0:
        parts.append(_closed(ahead <= right, q.dtype))
    if lengths is not None:
        parts.append(_closed(keys < lengths.reshape(-1, 1, 1, 1), q.dtype))
    if not parts:
        return None
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _closed(allowed: rl.Tensor, dtype: rl.dtype) -> rl.Tensor:
    return rl.zeros(allowed.shape, dtype=dtype).masked_fill(~allowed, float("-inf"))


@node("RotaryEmbedding")
def rotary_embedding(
    x: rl.Tensor, cosine: rl.Tensor, sine: rl.Tensor, positions: rl.Tensor | None = None, *,
    interleaved: int = 0, num_heads: int = 0, rotary_embedding_dim: int = 0,
) -> rl.Tensor:  # fmt: skip
    turned = x.transpose(1, 2) if x.ndim == 4 else x.unflatten(-1, (num_heads, -1))
    size = rotary_embedding_dim or turned.shape[-1]  # (B, L, heads, size)
    part, rest = turned[..., :size], turned[..., size:]
    if positions is not None:
        cosine, sine = cosine[positions], sine[positions]
    cosine, sine = cosine.unsqueeze(2), sine.unsqueeze(2)
    if interleaved:
        a, b = part[..., 0::2], part[..., 1::2]
    else:
        a, b = part.chunk(2, -1)
    real, imaginary = cosine * a - sine * b, sine * a + cosine * b
    if interleaved:
        part = rl.stack([real, imaginary], -1).flatten(-2)
    else:
        part = rl.cat([real, imaginary], -1)
    y = rl.cat([part, rest], -1)
    return y.transpose(1, 2) if x.ndim == 4 else y.reshape(x.shape)
