"""Random values, each a function of a seed and an offset in its Philox stream.

Seed and offset are inputs, so the same graph serves every draw. float32 takes 24 bits of a word for
a uniform number, float64 takes 53 of two; half types are drawn as float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.dtypes import DType, float64
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from . import philox


class Random(Op):
    """Values drawn from a stream. Abstract."""

    attrs = ("shape", "dtype")
    differentiable = False

    def infer(self, seed: Spec, offset: Spec, *, shape: Shape, dtype: DType) -> Spec:
        return Spec.of(shape, dtype)

    def blocks(self, shape: Shape, dtype: DType) -> int:
        """How many blocks of the stream a draw uses."""
        return philox.used(prod(shape), wide=dtype is float64)


def uniform_numbers(seed: Any, offset: Any, count: int, wide: bool) -> np.ndarray:
    """Numbers in [0, 1), float64 with 53 random bits or float32 with 24."""
    if wide:
        bits = philox.wide_words(int(seed), int(offset), count)
        return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    bits32 = philox.words(int(seed), int(offset), count)
    return (bits32 >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


class RandomUniform(Random):
    """Uniform numbers in [0, 1)."""

    name = "random_uniform"

    def ref(self, seed: Any, offset: Any, *, shape: Shape, dtype: DType) -> Any:
        return uniform_numbers(seed, offset, prod(shape), dtype is float64).reshape(shape)


class RandomNormal(Random):
    """Normal numbers with mean 0 and variance 1, by Box and Muller's transform.

    Box & Muller, "A Note on the Generation of Random Normal Deviates", 1958: two uniform numbers
    make two normal ones.
    """

    name = "random_normal"

    def blocks(self, shape: Shape, dtype: DType) -> int:
        return philox.used(prod(shape) + prod(shape) % 2, wide=dtype is float64)

    def ref(self, seed: Any, offset: Any, *, shape: Shape, dtype: DType) -> Any:
        count = prod(shape)
        pairs = uniform_numbers(seed, offset, count + count % 2, dtype is float64).reshape(-1, 2)
        # 1 - u is in (0, 1], where the logarithm is finite.
        radius = np.sqrt(-2 * np.log(1 - pairs[:, 0]))
        angle = pairs.dtype.type(2 * np.pi) * pairs[:, 1]
        normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return normal.reshape(-1)[:count].reshape(shape)


class RandomInteger(Random):
    """Whole numbers from ``low`` up to, not including, ``high``; both are inputs."""

    name = "random_integer"

    def infer(self, seed: Spec, offset: Spec, *rest: Spec, shape: Shape, dtype: DType) -> Spec:
        return Spec.of(shape, dtype)

    def blocks(self, shape: Shape, dtype: DType) -> int:
        return philox.used(prod(shape), wide=True)

    def ref(
        self, seed: Any, offset: Any, low: Any, high: Any, *, shape: Shape, dtype: DType
    ) -> Any:
        bits = philox.wide_words(int(seed), int(offset), prod(shape))
        # 64 random bits over any range people draw from: the bias is below 2^-32 of a count.
        span = np.uint64((int(high) - int(low)) & 0xFFFFFFFFFFFFFFFF)
        place = bits if span == 0 else bits % span
        return (place + np.uint64(int(low) & 0xFFFFFFFFFFFFFFFF)).astype(np.int64).reshape(shape)


class RandomPermutation(Random):
    """The whole numbers below ``n`` in a random order."""

    name = "random_permutation"

    def blocks(self, shape: Shape, dtype: DType) -> int:
        return philox.used(prod(shape), wide=True)

    def ref(self, seed: Any, offset: Any, *, shape: Shape, dtype: DType) -> Any:
        keys = philox.wide_words(int(seed), int(offset), prod(shape))
        return np.argsort(keys, kind="stable")


class Dropout(Op):
    """The input with elements zeroed with probability ``p`` and the others scaled up.

    Which elements stay is a function of seed and offset, so the gradient draws the same mask again
    instead of keeping it. ``p`` is an input.

    Reference:
        Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
        Overfitting", JMLR 15.
    """

    name = "dropout"

    def __call__(self, x: Node, p: Node, seed: Node, offset: Node) -> Node:
        return self.record((x, p, seed, offset))

    def infer(self, x: Spec, p: Spec, seed: Spec, offset: Spec) -> Spec:
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
            return np.zeros_like(x)
        kept = uniform_numbers(seed, offset, x.size, False).reshape(x.shape) >= rate
        return np.where(kept, x * x.dtype.type(1 / (1 - rate)), x.dtype.type(0))


random_uniform = RandomUniform()
random_normal = RandomNormal()
random_integer = RandomInteger()
random_permutation = RandomPermutation()
dropout = Dropout()
