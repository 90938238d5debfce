"""The formulas of attention, once on nodes and once, for some of the queries, on arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import bool_, float32, float64, int64
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node, number
from rushlight.graph.spec import Spec

from . import philox
from .chance import dropout_kept

_WORDS = 2.0**32


class Inputs(NamedTuple):
    """The inputs of an attention: nodes, arrays or types.

    Attributes:
        query, key, value: (*, L, E), (*, S, E), (*, S, V).
        scale: what scores are multiplied with.
        drop: with what probability a weight is left out, and the seed and offset of the stream
            that tells which; or None.
        mask: what broadcasts to (*, L, S), or None.
    """

    query: Any
    key: Any
    value: Any
    scale: Any
    drop: tuple[Any, Any, Any] | None
    mask: Any

    @staticmethod
    def of(values: Sequence[Any], drops: bool) -> Inputs:
        """The inputs by name."""
        query, key, value, scale, *rest = values
        drop = (rest[0], rest[1], rest[2]) if drops else None
        mask = rest[3 * drops] if len(rest) > 3 * drops else None
        return Inputs(query, key, value, scale, drop, mask)


def computed_in(spec: Spec) -> Any:
    """The type that scores are computed in."""
    return spec.dtype if spec.dtype is float64 else float32


def scale_of(query: Node, scale: float | None = None) -> Node:
    """What scores are multiplied with, by default one over the root of a query's width."""
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else math.inf
    return number(scale, computed_in(query.spec))


def drawn(lead: Shape, queries: int, keys: int) -> Shape:
    """The shape in which words are drawn to leave out weights.

    A block of the stream decides for four keys of one query, and blocks of neighbouring queries are
    neighbours: so a kernel draws for a vector of queries at once.
    """
    return (*lead, -(-keys // philox.BLOCK), queries, philox.BLOCK)


# On nodes -------------------------------------------------------------------------------------


def scores_of(given: Inputs, is_causal: bool) -> Node:
    """The scores (*, L, S): ``-inf`` for a key that a query may not look at."""
    turned = ops.transpose(given.key, -2, -1)
    scores: Node = ops.matmul.product(given.query * given.scale, turned)
    if is_causal:
        rows, columns = (ops.arange(0, 1, n, int64) for n in scores.shape[-2:])
        scores = ops.where(ops.unsqueeze(rows, 1) >= columns, scores, -math.inf)
    mask = given.mask
    if mask is None:
        return scores
    seen: Node = ops.where(mask, scores, -math.inf) if mask.dtype is bool_ else scores + mask
    return seen


def weights_of(scores: Node, masked: bool) -> Node:
    """Softmax along the last dimension; for a query that is kept from all keys zeros."""
    if not masked:
        return ops.softmax(scores, -1)
    blind = ops.all(ops.eq(scores, -math.inf), -1, True)
    shares: Node = ops.softmax(ops.where(blind, 0.0, scores), -1)
    seen: Node = ops.where(blind, 0.0, shares)
    return seen


def factors_of(given: Inputs, scores: Node, lead: Shape) -> Node | None:
    """What weights are multiplied with: 0 for those that are left out."""
    if given.drop is None:
        return None
    p, seed, offset = given.drop
    L, S = scores.shape[-2:]
    limit = ops.cast(p * _WORDS, int64)
    kept = dropout_kept.record((limit, seed, offset), drawn(lead, L, S))
    kept = ops.transpose(kept, -3, -2)  # (*, L, S / 4, 4)
    kept = ops.slice_(ops.reshape(kept, (*kept.shape[:-2], -1)), len(lead) + 1, 0, S)
    factors: Node = ops.where(kept, ops.cast(1 / (1 - p), scores.dtype), 0.0)
    return factors


def gradients_of(g: Node, given: Inputs, is_causal: bool) -> tuple[Node | None, ...]:
    """The gradients of query, key, value and mask, in operations with gradients of their own."""
    query, key, value, scale, _, mask = given
    scores = scores_of(given, is_causal)
    p = weights_of(scores, mask is not None)
    kept = factors_of(given, scores, g.shape[:-2])
    dp = ops.matmul.product(g, ops.transpose(value, -2, -1))
    dp = dp if kept is None else dp * kept
    ds = p * (dp - ops.sum(dp * p, -1, True))
    dq = ops.matmul.product(ds, key) * scale
    dk = ops.matmul.product(ops.transpose(ds, -2, -1), query) * scale
    seen = p if kept is None else p * kept
    dv = ops.matmul.product(ops.transpose(seen, -2, -1), g)
    return dq, dk, dv, None if mask is None or mask.dtype is bool_ else ds


# On arrays ------------------------------------------------------------------------------------


class OfRows(NamedTuple):
    """Attention of some of the queries.

    Attributes:
        weights: before some are left out.
        factors: what they are multiplied with, or None.
        total: the logarithm of the sum of the exponentials of the scores.
    """

    weights: Any
    factors: Any
    total: Any

    @property
    def seen(self) -> Any:
        """The weights that count."""
        return self.weights if self.factors is None else self.weights * self.factors


def turned(x: Any) -> Any:
    """Matrices with their rows as columns."""
    return np.swapaxes(x, -2, -1)


def of_rows(given: Inputs, rows: slice, lead: Shape, is_causal: bool) -> OfRows:
    """Attention of the queries ``rows``; weights and total are 0 for those that see nothing."""
    s = np.matmul(given.query[..., rows, :] * given.scale, turned(given.key))
    if is_causal:
        seen = np.arange(rows.start, rows.stop)[:, None] >= np.arange(s.shape[-1])
        s = np.where(seen, s, -np.inf).astype(s.dtype)
    mask = given.mask
    if mask is not None:
        mask = mask if mask.shape[-2] == 1 else mask[..., rows, :]
        s = np.where(mask, s, -np.inf).astype(s.dtype) if mask.dtype == np.bool_ else s + mask
    most = s.max(axis=-1, keepdims=True, initial=-np.inf)
    most = np.where(most == -np.inf, 0, most).astype(s.dtype)
    weights = np.exp(s - most)
    total = weights.sum(axis=-1, keepdims=True)
    blind = total == 0
    filled = np.where(blind, 1, total).astype(s.dtype)
    total = np.where(blind, 0, most + np.log(filled))[..., 0]
    return OfRows(weights / filled, _factors(given, rows, lead, s), total)


def _factors(given: Inputs, rows: slice, lead: Shape, scores: Any) -> Any:
    if given.drop is None:
        return None
    rate, seed, offset = float(given.drop[0]), int(given.drop[1]), int(given.drop[2])
    L, S = given.query.shape[-2], scores.shape[-1]
    if rate == 1.0:
        return scores.dtype.type(0)
    *_, groups, _, _ = drawn(lead, L, S)
    first = np.arange(prod(lead) * groups, dtype=np.uint64).reshape(-1, 1) * np.uint64(L)
    place = (first + np.arange(rows.start, rows.stop, dtype=np.uint64)).reshape(-1)
    words = philox.blocks_at(seed, offset, place).reshape(*lead, groups, -1, philox.BLOCK)
    words = np.swapaxes(words, -3, -2)  # (*, rows, S / 4, 4)
    kept = words.reshape(*words.shape[:-2], -1)[..., :S] >= np.uint32(rate * _WORDS)
    return kept * scores.dtype.type(1 / (1 - rate))
