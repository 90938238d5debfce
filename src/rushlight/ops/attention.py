"""Attention: a mean of values, weighted by how well their keys fit each query."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import bool_, float32, float64, int64
from rushlight.base.errors import ShapeError
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec

from .matmul import inner

COMPUTED = (float32, float64)
FEW = 4
"""Queries below which their scores are computed at once: they are a vector rather than a matrix."""

_AT_ONCE = 1 << 22
"""Scores that the references hold at a time."""


class Attention(Op):
    r"""Attention: the mean of values by :math:`\operatorname{softmax}(s\,Q K^T + M)`.

    The inputs are queries (\*, L, E), keys (\*, S, E), values (\*, S, V), the scale s and perhaps a
    mask, of bools or of what is added, that broadcasts to (\*, L, S). The results are the mean
    (\*, L, V), and of every query the logarithm of the sum of the exponentials of its scores, which
    is all that a gradient needs to know of the (L, S) weights. A query that may look at no key
    gets zeros, and 0 for the logarithm.

    Reference:
        Vaswani et al. 2017, arXiv:1706.03762, equation 1; Dao et al. 2022, arXiv:2205.14135.
    """

    name, attrs = "scaled_dot_product_attention", ("is_causal",)
    ulp = 64

    def __call__(
        self, query: Node, key: Node, value: Node, mask: Node | None = None,
        is_causal: bool = False, scale: float | None = None,
    ) -> Node:  # fmt: skip
        """The mean values of each query."""
        scaling = scale_of(query, scale)
        if mask is not None:
            mask = _seen_as_matrix(mask, key.shape[-2])
        given = [x for x in (query, key, value, scaling, mask) if x is not None]
        lead = self.infer(*(x.spec for x in given), is_causal=is_causal)[1].shape[:-1]
        if len(lead) > 3:
            given = [x if x is scaling else _in_one(x, lead) for x in given]
        found = ops.part(self.record(tuple(given), is_causal), 0)
        return found if len(lead) <= 3 else ops.reshape(found, (*lead, *found.shape[-2:]))

    def infer(
        self, query: Spec, key: Spec, value: Spec, scale: Spec, mask: Spec | None = None, *,
        is_causal: bool,
    ) -> tuple[Spec, Spec]:  # fmt: skip
        turned = key.with_shape((*key.shape[:-2], key.shape[-1], key.shape[-2]))
        inner(query, turned)
        lead = shapes.broadcast("matmul", query.shape[:-2], key.shape[:-2])
        scores = (*lead, query.shape[-2], key.shape[-2])
        if mask is not None:
            wide = shapes.broadcast(self.name, scores, mask.shape)
            if wide != scores:
                raise ShapeError(
                    self.name,
                    f"output with shape {list(scores)} doesn't match the broadcast shape"
                    f" {list(wide)}",
                    rule=f"The mask is {mask.shape}, which must broadcast to the scores.",
                )
        inner(query.with_shape(scores), value)
        lead = shapes.broadcast("matmul", scores[:-2], value.shape[:-2])
        rows = (*lead, scores[-2])
        result = query.with_shape((*rows, value.shape[-1]))
        return result, query.with_shape(rows).with_dtype(computed_in(query))

    def vjp(
        self, g: Any, y: Node, query: Node, key: Node, value: Node, scale: Node,
        mask: Node | None = None, *, is_causal: bool,
    ) -> tuple[Node | None, ...]:  # fmt: skip
        masked = mask is not None and mask.requires_grad
        if recording.grad or masked:
            return written_out(g[0], query, key, value, scale, mask, is_causal)
        given = [query, key, value, scale] if mask is None else [query, key, value, scale, mask]
        inputs = (g[0], ops.part(y, 0), ops.part(y, 1), *given)
        found = ops.parts(attention_back.record(inputs, is_causal))
        return (*found, None) if mask is None else (*found, None, None)

    def lowers(self, spec: Any, *inputs: Spec) -> bool:
        return super().lowers(spec, *inputs) and not in_blocks(*inputs[:3])

    def expand(
        self, query: Node, key: Node, value: Node, scale: Node, *mask: Node, is_causal: bool
    ) -> tuple[Node, ...]:
        if in_blocks(query.spec, key.spec, value.spec):
            return ops.parts(self.record((query, key, value, scale, *mask), is_causal))
        scores = scores_of(query, key, scale, *mask, is_causal=is_causal)
        weights, total = weights_of(scores, bool(mask)), ops.logsumexp(scores, -1)
        seen = ops.where(ops.eq(total, -math.inf), 0.0, total)
        y = ops.matmul(weights, value)
        return y, ops.expand(seen, y.shape[:-1])

    def ref(self, query: Any, key: Any, value: Any, scale: Any, *mask: Any, is_causal: bool) -> Any:
        result, _ = self.infer(*map(_typed, (query, key, value, scale, *mask)), is_causal=is_causal)
        y = np.zeros(result.shape, query.dtype)
        total = np.zeros(result.shape[:-1], query.dtype)
        for rows in _pieces(y.shape[:-1], key.shape[-2]):
            s = _scores(query, key, scale, *mask, rows=rows, is_causal=is_causal)
            p, total[..., rows] = _softmax(s)
            y[..., rows, :] = np.matmul(p, value)
        return y, total


class AttentionBack(Op):
    """The gradients of queries, keys and values, from that of :class:`Attention`'s result.

    The inputs are that gradient, the results, and the inputs of the attention. The weights are
    computed again from the logarithms; what a softmax subtracts from the gradients of the weights
    of a query is the sum of the gradient times the result.
    """

    name, attrs = "scaled_dot_product_attention_back", ("is_causal",)
    differentiable = False
    ulp = 64

    def infer(
        self, g: Spec, y: Spec, total: Spec, query: Spec, key: Spec, value: Spec, *rest: Spec,
        is_causal: bool,
    ) -> tuple[Spec, ...]:  # fmt: skip
        lead = g.shape[:-2]
        return tuple(x.with_shape((*lead, *x.shape[-2:])) for x in (query, key, value))

    def lowers(self, spec: Any, *inputs: Spec) -> bool:
        return super().lowers(spec, *inputs) and not in_blocks(*inputs[3:6])

    def expand(self, g: Node, y: Node, total: Node, *nodes: Node, is_causal: bool) -> Any:
        query, key, value, scale, *mask = nodes
        if in_blocks(query.spec, key.spec, value.spec):
            return ops.parts(self.record((g, y, total, *nodes), is_causal))
        given = mask[0] if mask else None
        found = written_out(g, query, key, value, scale, given, is_causal)[:3]
        lead = g.shape[:-2]
        return tuple(ops.expand(x, (*lead, *x.shape[-2:])) for x in found if x is not None)

    def ref(
        self, g: Any, y: Any, total: Any, query: Any, key: Any, value: Any, scale: Any,
        *mask: Any, is_causal: bool,
    ) -> Any:  # fmt: skip
        lead = g.shape[:-2]
        dq, dk, dv = (np.zeros((*lead, *x.shape[-2:]), query.dtype) for x in (query, key, value))
        for rows in _pieces(g.shape[:-1], key.shape[-2]):
            s = _scores(query, key, scale, *mask, rows=rows, is_causal=is_causal)
            p = np.exp(s - total[..., rows, None])
            dp = np.matmul(g[..., rows, :], _turned(value))
            dot = (g[..., rows, :] * y[..., rows, :]).sum(axis=-1, keepdims=True)
            ds = p * (dp - dot) * scale
            dq[..., rows, :] = np.matmul(ds, key)
            dk += np.matmul(_turned(ds), query[..., rows, :])
            dv += np.matmul(_turned(p), g[..., rows, :])
        return dq, dk, dv


def scale_of(query: Node, scale: float | None = None) -> Node:
    """What scores are multiplied with, by default one over the root of a query's width."""
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else math.inf
    return number(scale, computed_in(query.spec))


def computed_in(spec: Spec) -> Any:
    """The type that scores are computed in."""
    return spec.dtype if spec.dtype is float64 else float32


def in_blocks(query: Spec, key: Spec, value: Spec) -> bool:
    """Whether attention goes over blocks of keys, so that the scores are never all there."""
    plain = query.dtype in COMPUTED and all(x.numel for x in (query, key, value))
    return plain and query.shape[-2] >= FEW


# In other operations --------------------------------------------------------------------------


def scores_of(
    query: Node, key: Node, scale: Node, mask: Node | None = None, *, is_causal: bool
) -> Node:
    """The scores (*, L, S): ``-inf`` for a key that a query may not look at."""
    scores: Node = ops.matmul.product(query * scale, ops.transpose(key, -2, -1))
    if is_causal:
        rows, columns = (ops.arange(0, 1, n, int64) for n in scores.shape[-2:])
        scores = ops.where(ops.unsqueeze(rows, 1) >= columns, scores, -math.inf)
    if mask is None:
        return scores
    masked: Node = ops.where(mask, scores, -math.inf) if mask.dtype is bool_ else scores + mask
    return masked


def weights_of(scores: Node, blind: bool) -> Node:
    """Softmax along the last dimension.

    Args:
        blind: whether a query may be kept from all keys; then it has zeros.
    """
    if not blind:
        return ops.softmax(scores, -1)
    nothing = ops.all(ops.eq(scores, -math.inf), -1, True)
    shares: Node = ops.softmax(ops.where(nothing, 0.0, scores), -1)
    seen: Node = ops.where(nothing, 0.0, shares)
    return seen


def written_out(
    g: Node, query: Node, key: Node, value: Node, scale: Node, mask: Node | None, is_causal: bool
) -> tuple[Node | None, ...]:
    """The gradients of all inputs in operations that can be differentiated again."""
    scores = scores_of(query, key, scale, mask, is_causal=is_causal)
    p = weights_of(scores, mask is not None)
    dp = ops.matmul.product(g, ops.transpose(value, -2, -1))
    ds = p * (dp - ops.sum(dp * p, -1, True))
    dq = ops.matmul.product(ds, key) * scale
    dk = ops.matmul.product(ops.transpose(ds, -2, -1), query) * scale
    dv = ops.matmul.product(ops.transpose(p, -2, -1), g)
    if mask is None:
        return dq, dk, dv, None
    return dq, dk, dv, None, ds if mask.dtype is not bool_ else None


def _seen_as_matrix(mask: Node, keys: int) -> Node:
    """A mask with at least two dimensions, its last as long as there are keys."""
    if mask.ndim < 2:
        mask = ops.reshape(mask, (1, mask.shape[0] if mask.ndim else 1))
    if mask.shape[-1] == 1 != keys:
        mask = ops.expand(mask, (*mask.shape[:-1], keys))
    return mask


def _in_one(x: Node, lead: tuple[int, ...]) -> Node:
    """All leading dimensions as one."""
    last = x.shape[-2:]
    return ops.reshape(ops.expand(x, (*lead, *last)), (shapes.prod(lead), *last))


# In NumPy -------------------------------------------------------------------------------------


def _typed(x: Any) -> Spec:
    kind = {"b": bool_}.get(x.dtype.kind, float64 if x.dtype == np.float64 else float32)
    return Spec.of(x.shape, kind)


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -2, -1)


def _pieces(rows: tuple[int, ...], keys: int) -> list[slice]:
    """The queries in pieces whose scores are not too many."""
    count = max(1, _AT_ONCE // max(1, shapes.prod(rows[:-1]) * keys))
    return [slice(k, min(k + count, rows[-1])) for k in range(0, rows[-1], count)]


def _scores(
    query: Any, key: Any, scale: Any, mask: Any = None, *, rows: slice, is_causal: bool
) -> Any:
    s = np.matmul(query[..., rows, :] * scale, _turned(key))
    if is_causal:
        seen = np.arange(rows.start, rows.stop)[:, None] >= np.arange(s.shape[-1])
        s = np.where(seen, s, -np.inf).astype(s.dtype)
    if mask is None:
        return s
    part = mask if mask.shape[-2] == 1 else mask[..., rows, :]
    if mask.dtype == np.bool_:
        return np.where(part, s, -np.inf).astype(s.dtype)
    return s + part


def _softmax(s: Any) -> tuple[Any, Any]:
    """The weights, and the logarithms of the sums; 0 of both for those that see nothing."""
    most = s.max(axis=-1, keepdims=True, initial=-np.inf)
    most = np.where(most == -np.inf, 0, most).astype(s.dtype)
    p = np.exp(s - most)
    total = p.sum(axis=-1, keepdims=True)
    blind = total == 0
    filled = np.where(blind, 1, total).astype(s.dtype)
    return p / filled, np.where(blind, 0, most + np.log(filled))[..., 0]


attention = Attention()
attention_back = AttentionBack()
