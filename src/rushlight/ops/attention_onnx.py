"""Attention as ONNX's products and softmax; ``to`` is the export's writer."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.dtypes import bool_

from .attention_rules import Inputs


def attended(to: Any, given: Inputs, is_causal: bool) -> Any:
    """The mean of the values of each query; zeros for one that may look at no key."""
    turned = list(range(given.key.ndim))
    turned[-2:] = reversed(turned[-2:])
    scale = given.scale
    if scale.dtype is not given.query.dtype:
        scale = to.cast(scale, given.query.dtype)
    scores = to("MatMul", given.query, to("Transpose", given.key, perm=turned))
    scores = to("Mul", scores, scale)
    if is_causal:
        scores = _seen(to, given, scores, _before(to, given))
    if given.mask is not None:
        plain = given.mask.dtype is not bool_
        scores = to("Add", scores, given.mask) if plain else _seen(to, given, scores, given.mask)
    weights = to("Softmax", scores, axis=-1)
    if given.mask is not None:
        weights = to("Where", to("IsNaN", weights), to.like(0, given.query), weights)
    return to("MatMul", weights, given.value)


def _seen(to: Any, given: Inputs, scores: Any, mask: Any) -> Any:
    return to("Where", mask, scores, to.like(-np.inf, given.query))


def _before(to: Any, given: Inputs) -> Any:
    """Which keys stand no later than a query."""
    sizes = [given.query.shape[-2], given.key.shape[-2]]
    if all(isinstance(n, int) for n in sizes):
        return np.tri(*sizes, dtype=bool)
    ones = to("Expand", np.int64(1), sizes)
    return to.cast(to("Trilu", ones, np.int64(0), upper=0), bool_)
