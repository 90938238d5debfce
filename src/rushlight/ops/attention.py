"""Attention: a mean of values, weighted by how well their keys fit each query."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import bool_, float32, float64, int64
from rushlight.base.errors import ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec

from .attention_onnx import attended
from .attention_rules import (
    Inputs,
    computed_in,
    drawn,
    factors_of,
    gradients_of,
    of_rows,
    scale_of,
    scores_of,
    turned,
    weights_of,
)
from .matmul import inner

NAME = "scaled_dot_product_attention"
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

    Attributes:
        drops: whether some weights are left out. Then the probability, and the seed and the offset
            of the stream that tells which, are inputs before the mask.

    Reference:
        Vaswani et al. 2017, arXiv:1706.03762, equation 1; Dao et al. 2022, arXiv:2205.14135.
    """

    name, attrs = "attention", ("is_causal",)
    backward, ulp = "ScaledDotProductFlashAttentionForCpu", 64
    drops: ClassVar[bool] = False

    def __call__(
        self, query: Node, key: Node, value: Node, mask: Node | None = None,
        is_causal: bool = False, scale: float | None = None, drop: tuple[Node, ...] = (),
    ) -> Node:  # fmt: skip
        """The mean values of each query."""
        if mask is not None:
            mask = _seen_as_matrix(mask, key.shape[-2])
        numbers = (scale_of(query, scale), *drop)
        given = (query, key, value, *numbers, *(() if mask is None else (mask,)))
        several = self.record(given, is_causal)
        *lead, rows, columns = several.spec[0].shape  # type: ignore[index]
        if len(lead) <= 3:
            return ops.part(several, 0)
        folded = tuple(x if x in numbers else _in_one(x, tuple(lead)) for x in given)
        return ops.reshape(ops.part(self.record(folded, is_causal), 0), (*lead, rows, columns))

    def blocks(self, query: Node, key: Node, value: Node, mask: Node | None = None) -> int:
        """How many blocks of a stream tell which weights are left out."""
        zero = number(0.0, float64)
        drop = (zero, number(0, int64), number(0, int64)) if self.drops else ()
        mask = None if mask is None else _seen_as_matrix(mask, key.shape[-2])
        given = [query, key, value, zero, *drop, *([] if mask is None else [mask])]
        _, total = self.infer(*(x.spec for x in given), is_causal=False)
        *lead, queries = total.shape
        return shapes.prod(drawn(tuple(lead), queries, key.shape[-2])[:-1])

    def infer(self, *specs: Spec, is_causal: bool) -> tuple[Spec, Spec]:
        query, key, value, _, _, mask = Inputs.of(specs, self.drops)
        inner(query, key.with_shape((*key.shape[:-2], key.shape[-1], key.shape[-2])))
        lead = shapes.broadcast("matmul", query.shape[:-2], key.shape[:-2])
        scores = (*lead, query.shape[-2], key.shape[-2])
        if mask is not None:
            wide = shapes.broadcast(NAME, scores, mask.shape)
            if wide != scores:
                raise ShapeError(
                    NAME,
                    f"output with shape {list(scores)} doesn't match the broadcast shape"
                    f" {list(wide)}",
                    rule=f"The mask is {mask.shape}, which must broadcast to the scores.",
                )
        inner(query.with_shape(scores), value)
        lead = shapes.broadcast("matmul", scores[:-2], value.shape[:-2])
        rows = (*lead, scores[-2])
        result = query.with_shape((*rows, value.shape[-1]))
        return result, query.with_shape(rows).with_dtype(computed_in(query))

    def vjp(self, g: Any, y: Node, *nodes: Node, is_causal: bool) -> tuple[Node | None, ...]:
        given = Inputs.of(nodes, self.drops)
        if recording.grad or (given.mask is not None and given.mask.requires_grad):
            *found, mask = gradients_of(g[0], given, is_causal)
        else:
            back = attention_dropout_back if self.drops else attention_back
            inputs = (g[0], ops.part(y, 0), ops.part(y, 1), *nodes)
            found, mask = list(ops.parts(back.record(inputs, is_causal))), None
        numbers = len(nodes) - 3 - (given.mask is not None)
        return (*found, *[None] * numbers, *([] if given.mask is None else [mask]))

    def lowers(self, spec: Any, *inputs: Spec) -> bool:
        return super().lowers(spec, *inputs) and not in_blocks(*inputs[:3])

    def expand(self, *nodes: Node, is_causal: bool) -> tuple[Node, ...]:
        if in_blocks(*(x.spec for x in nodes[:3])):
            return ops.parts(self.record(nodes, is_causal))
        given = Inputs.of(nodes, self.drops)
        scores = scores_of(given, is_causal)
        weights, total = weights_of(scores, given.mask is not None), ops.logsumexp(scores, -1)
        lead = shapes.broadcast("matmul", scores.shape[:-2], given.value.shape[:-2])
        factors = factors_of(given, scores, lead)
        y = ops.matmul(weights if factors is None else weights * factors, given.value)
        total = ops.where(ops.eq(total, float("-inf")), 0.0, total)
        return y, ops.expand(total, y.shape[:-1])

    def ref(self, *arrays: Any, is_causal: bool) -> Any:
        result, _ = self.infer(*map(_typed, arrays), is_causal=is_causal)
        given, lead = Inputs.of(arrays, self.drops), result.shape[:-2]
        y = np.zeros(result.shape, given.query.dtype)
        total = np.zeros(result.shape[:-1], given.query.dtype)
        for rows in _pieces(y.shape[:-1], given.key.shape[-2]):
            found = of_rows(given, rows, lead, is_causal)
            total[..., rows] = found.total
            y[..., rows, :] = np.matmul(found.seen, given.value)
        return y, total

    def onnx(self, to: Any, *values: Any, is_causal: bool) -> Any:
        """The weighted mean alone: what a gradient needs besides has no name there."""
        return None if self.drops else (attended(to, Inputs.of(values, False), is_causal),)


class AttentionDropout(Attention):
    """:class:`Attention` that leaves out weights."""

    name = "attention_dropout"
    draws = drops = True


class AttentionBack(Op):
    """The gradients of queries, keys and values, from that of :class:`Attention`'s result.

    The inputs are that gradient, the results, and the inputs of the attention. The weights are
    computed again from the logarithms; what a softmax subtracts from the gradients of the weights
    of a query is the sum of the gradient times the result.
    """

    name, attrs = "attention_back", ("is_causal",)
    differentiable = False
    ulp = 64
    drops: ClassVar[bool] = False

    def infer(
        self, g: Spec, y: Spec, total: Spec, query: Spec, key: Spec, value: Spec, *rest: Spec,
        is_causal: bool,
    ) -> tuple[Spec, ...]:  # fmt: skip
        lead = g.shape[:-2]
        return tuple(x.with_shape((*lead, *x.shape[-2:])) for x in (query, key, value))

    def lowers(self, spec: Any, *inputs: Spec) -> bool:
        return super().lowers(spec, *inputs) and not in_blocks(*inputs[3:6])

    def expand(self, g: Node, y: Node, total: Node, *nodes: Node, is_causal: bool) -> Any:
        if in_blocks(*(x.spec for x in nodes[:3])):
            return ops.parts(self.record((g, y, total, *nodes), is_causal))
        found = gradients_of(g, Inputs.of(nodes, self.drops), is_causal)[:3]
        lead = g.shape[:-2]
        return tuple(ops.expand(x, (*lead, *x.shape[-2:])) for x in found if x is not None)

    def ref(self, g: Any, y: Any, total: Any, *arrays: Any, is_causal: bool) -> Any:
        given, lead = Inputs.of(arrays, self.drops), g.shape[:-2]
        query, key, value = arrays[:3]
        dq, dk, dv = (np.zeros((*lead, *x.shape[-2:]), query.dtype) for x in (query, key, value))
        for rows in _pieces(g.shape[:-1], key.shape[-2]):
            found = of_rows(given, rows, lead, is_causal)
            dp = np.matmul(g[..., rows, :], turned(value))
            dp = dp if found.factors is None else dp * found.factors
            dot = (g[..., rows, :] * y[..., rows, :]).sum(axis=-1, keepdims=True)
            ds = found.weights * (dp - dot) * given.scale
            dq[..., rows, :] = np.matmul(ds, key)
            dk += np.matmul(turned(ds), query[..., rows, :])
            dv += np.matmul(turned(found.seen), g[..., rows, :])
        return dq, dk, dv


class AttentionDropoutBack(AttentionBack):
    """The gradients of :class:`AttentionDropout`, which draws the same again."""

    name = "attention_dropout_back"
    draws = drops = True


def in_blocks(query: Spec, key: Spec, value: Spec) -> bool:
    """Whether attention goes over blocks of keys, so that the scores are never all there."""
    plain = query.dtype in COMPUTED and all(x.numel for x in (query, key, value))
    return plain and query.shape[-2] >= FEW


def _seen_as_matrix(mask: Node, keys: int) -> Node:
    """A mask with at least two dimensions, its last as long as there are keys."""
    if mask.ndim < 2:
        mask = ops.reshape(mask, (1, mask.shape[0] if mask.ndim else 1))
    if mask.shape[-1] == 1 != keys:
        mask = ops.expand(mask, (*mask.shape[:-1], keys))
    return mask


def _in_one(x: Node, lead: Shape) -> Node:
    """All leading dimensions as one."""
    last = x.shape[-2:]
    return ops.reshape(ops.expand(x, (*lead, *last)), (shapes.prod(lead), *last))


def _typed(x: Any) -> Spec:
    """The type of an array, as far as it decides that of the results."""
    kind = {"b": bool_}.get(x.dtype.kind, float64 if x.dtype == np.float64 else float32)
    return Spec.of(x.shape, kind)


def _pieces(rows: Shape, keys: int) -> list[slice]:
    """The queries in pieces whose scores are not too many."""
    count = max(1, _AT_ONCE // max(1, shapes.prod(rows[:-1]) * keys))
    return [slice(k, min(k + count, rows[-1])) for k in range(0, rows[-1], count)]


attention, attention_back = Attention(), AttentionBack()
attention_dropout, attention_dropout_back = AttentionDropout(), AttentionDropoutBack()
