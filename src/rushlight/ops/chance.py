"""Choices by chance: which elements are 1, which class is drawn, what dropout leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType, bool_, float32, float64, int64
from rushlight.base.errors import DTypeError, OperationError
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from . import philox
from .random import uniform_numbers
from .row_major import flattened

_WORDS = 2.0**32


class RandomBernoulli(Op):
    """1 with the probabilities ``p``, which broadcast to the shape, else 0.

    No gradient flows to ``p``, as in PyTorch.
    """

    name, backward = "random_bernoulli", "Bernoulli"
    draws = True
    attrs = ("shape", "dtype")

    def infer(self, p: Spec, seed: Spec, offset: Spec, *, shape: Shape, dtype: DType) -> Spec:
        return Spec.of(shape, dtype)

    def blocks(self, shape: Shape) -> int:
        """How many blocks of the stream a draw uses."""
        return philox.used(prod(shape))

    def vjp(
        self, g: Node, y: Node, p: Node, seed: Node, offset: Node, **form: Any
    ) -> tuple[Node | None, ...]:
        return ops.zeros(p.spec), None, None

    def ref(self, p: Any, seed: Any, offset: Any, *, shape: Shape, dtype: DType) -> Any:
        if not ((p >= 0) & (p <= 1)).all():
            raise OperationError(
                "bernoulli",
                "Expected p_in >= 0 && p_in <= 1 to be true, but got false.",
                rule=f"A probability is from 0 to 1; these are from {np.min(p)} to {np.max(p)}.",
            )
        drawn = philox.words(int(seed), int(offset), prod(shape)).reshape(shape)
        return drawn < p.astype(np.float64) * _WORDS

    def element(
        self, b: Any, index: Any, p: Any, seed: Any, offset: Any, *, shape: Shape, dtype: DType
    ) -> Any:
        chance = p.spread(index)
        fits = b.and_(b.ge(chance, 0.0), b.le(chance, 1.0))
        limit = b.mul(b.cast(b.checked(chance, fits), float64), _WORDS)
        word = philox.word_at(b, seed, offset, flattened(index, shape))
        return b.cast(b.lt(b.cast(word, float64), limit), float32 if dtype.is_half else dtype)


class Multinomial(Op):
    """Places drawn in proportion to the weights in the last dimension."""

    name = "multinomial"
    draws = True
    attrs = ("num_samples", "replacement")
    differentiable = False

    def infer(
        self, weights: Spec, seed: Spec, offset: Spec, *, num_samples: int, replacement: bool
    ) -> Spec:
        return Spec.of((*weights.shape[:-1], num_samples), int64)

    def blocks(self, shape: Shape, num_samples: int, replacement: bool) -> int:
        """How many blocks of the stream a draw uses."""
        count = num_samples if replacement else shape[-1]
        return philox.used(prod(shape[:-1]) * count, wide=True)

    def ref(
        self, weights: Any, seed: Any, offset: Any, *, num_samples: int, replacement: bool
    ) -> Any:
        rows = weights.reshape(prod(weights.shape[:-1]), weights.shape[-1]).astype(np.float64)
        self.check(rows)
        shape = rows.shape[0], num_samples if replacement else rows.shape[1]
        draws = uniform_numbers(seed, offset, prod(shape), float64).reshape(shape)
        places = _with_replacement(rows, draws) if replacement else _by_waiting(rows, draws)
        return places[:, :num_samples].reshape(*weights.shape[:-1], num_samples)

    def check(self, weights: np.ndarray) -> None:
        """Refuses weights that are negative, not finite or all zero."""
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise OperationError(
                "multinomial",
                "probability tensor contains either `inf`, `nan` or element < 0",
                rule=f"The weights are from {weights.min():g} to {weights.max():g}.",
            )
        if (weights.sum(axis=-1) <= 0).any():
            raise OperationError(
                "multinomial", "invalid multinomial distribution (sum of probabilities <= 0)"
            )


def _with_replacement(rows: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """For each draw the place in whose part of the total weight it falls."""
    places = np.empty(draws.shape, np.int64)
    for row, draw, place in zip(rows, draws, places, strict=True):
        edges = np.cumsum(row)
        last = np.flatnonzero(row)[-1]  # where a product that rounds up to the total belongs
        np.minimum(np.searchsorted(edges, draw * edges[-1], "right"), last, out=place)
    return places


def _by_waiting(rows: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """All places in a random order: exponential waiting times with the weights as rates, sorted.

    Efraimidis & Spirakis, "Weighted random sampling with a reservoir", 2006.
    """
    waits = -np.log1p(-draws)
    waits = np.divide(waits, rows, out=np.full_like(rows, np.inf), where=rows > 0)
    return np.argsort(waits, axis=1, kind="stable")


class DropoutKept(Op):
    """Which elements a dropout leaves: those whose random word reaches ``limit``, below 2^32."""

    name, attrs, differentiable = "dropout_kept", ("shape",), False
    draws = True

    def infer(self, limit: Spec, seed: Spec, offset: Spec, *, shape: Shape) -> Spec:
        return Spec.of(shape, bool_)

    def ref(self, limit: Any, seed: Any, offset: Any, *, shape: Shape) -> Any:
        return philox.words(int(seed), int(offset), prod(shape)).reshape(shape) >= limit

    def element(
        self, b: Any, index: Any, limit: Any, seed: Any, offset: Any, *, shape: Shape
    ) -> Any:
        word = philox.word_at(b, seed, offset, flattened(index, shape))
        return b.ge(word, limit.at())


class Dropout(Op):
    """The input with elements zeroed with probability ``p`` and the others scaled up.

    Which elements stay is a function of seed and offset, so the gradient draws the same mask again
    instead of keeping it. ``p`` is an input.

    Reference:
        Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
        Overfitting", JMLR 15.
    """

    name, backward = "dropout", "Mul"
    draws = True

    def __call__(self, x: Node, p: Node, seed: Node, offset: Node) -> Node:
        return self.record((x, p, seed, offset))

    def infer(self, x: Spec, p: Spec, seed: Spec, offset: Spec) -> Spec:
        if not x.dtype.is_floating_point:
            name = ops.TORCH_NAMES[x.dtype.name].strip("'")
            raise DTypeError(
                "dropout",
                f"result type Float can't be cast to the desired output type {name}",
                hint="Convert with .float() first.",
            )
        return x

    def blocks(self, shape: Shape) -> int:
        """How many blocks of the stream a mask uses."""
        return philox.used(prod(shape))

    def vjp(
        self, g: Node, y: Node, x: Node, p: Node, seed: Node, offset: Node
    ) -> tuple[Node | None, ...]:
        return dropout(g, p, seed, offset), None, None, None

    def ref(self, x: Any, p: Any, seed: Any, offset: Any) -> Any:
        rate = float(p)
        if rate == 1.0:
            return x * x.dtype.type(0)
        kept = philox.words(int(seed), int(offset), x.size) >= np.uint32(rate * _WORDS)
        # A product, so that what is dropped from an infinite activation is NaN, as in PyTorch.
        return x * (kept.reshape(x.shape) * x.dtype.type(1 / (1 - rate)))

    def expand(self, x: Node, p: Node, seed: Node, offset: Node) -> Node:
        # With p = 1 no word reaches the limit, so that the infinite factor is not used.
        limit = ops.cast(p * _WORDS, int64)
        kept = dropout_kept.record((limit, seed, offset), x.shape)
        return x * ops.where(kept, ops.cast(1 / (1 - p), x.dtype), 0.0)  # type: ignore[no-any-return]


dropout_kept = DropoutKept()
random_bernoulli = RandomBernoulli()
multinomial = Multinomial()
dropout = Dropout()
