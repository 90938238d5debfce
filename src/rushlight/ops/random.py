"""Random values, each a function of a seed and an offset in its Philox stream.

Seed and offset are inputs, as are the parameters of the distributions, so the same graph serves
every draw. A uniform number has as many random bits as its dtype has digits; the other
distributions are drawn in float32 for the half types.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType, bfloat16, float16, float32, float64
from rushlight.base.errors import OperationError
from rushlight.base.half import rounded
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node
from rushlight.graph.op import NUMBER, Op
from rushlight.graph.spec import Spec

from . import philox
from .row_major import flattened

_MASK = 0xFFFFFFFFFFFFFFFF

# Binary digits of a float, the hidden one included.
DIGITS: Final = {float16: 11, bfloat16: 8, float32: 24, float64: 53}


class Random(Op):
    """Values drawn from a stream, after the parameters of their distribution. Abstract."""

    attrs = ("shape", "dtype")
    differentiable = False
    draws = True

    def infer(
        self, seed: Spec, offset: Spec, *parameters: Spec, shape: Shape, dtype: DType
    ) -> Spec:
        return Spec.of(shape, dtype)

    def blocks(self, shape: Shape, dtype: DType) -> int:
        """How many blocks of the stream a draw uses."""
        return philox.used(parts(shape, dtype), wide=dtype.to_real() is float64)


def parts(shape: Shape, dtype: DType) -> int:
    """How many numbers make up a value; a complex number has two."""
    return prod(shape) * (2 if dtype.is_complex else 1)


def uniform_numbers(seed: Any, offset: Any, count: int, dtype: DType) -> np.ndarray:
    """Multiples in [0, 1) of the spacing that ``dtype`` has just below 1."""
    digits = DIGITS[dtype]
    if dtype is float64:
        bits = philox.wide_words(int(seed), int(offset), count)
        return (bits >> np.uint64(64 - digits)).astype(np.float64) * 2.0**-digits
    bits32 = philox.words(int(seed), int(offset), count)
    return (bits32 >> np.uint32(32 - digits)).astype(np.float32) * np.float32(2.0**-digits)


def upper_bits(b: Any, word: Any, shift: int, left: int) -> Any:
    """An int64 moved to the right by ``shift`` with zeros coming in, ``left`` bits being left."""
    return b.and_(b.shr(word, shift), (1 << left) - 1)


def uniform_at(b: Any, seed: Any, offset: Any, place: Any, dtype: DType) -> Any:
    """One of the :func:`uniform_numbers`, for a kernel."""
    digits = DIGITS[dtype]
    if dtype is float64:
        word = philox.wide_word_at(b, seed, offset, place)
        return b.mul(b.cast(upper_bits(b, word, 64 - digits, digits), dtype), 2.0**-digits)
    return _fraction(b, philox.word_at(b, seed, offset, place), digits)


def _fraction(b: Any, word: Any, digits: int) -> Any:
    """The upper ``digits`` of a word of 32 bits as a float32 below 1."""
    return b.mul(b.cast(b.shr(word, 32 - digits), float32), 2.0**-digits)


class RandomUniform(Random):
    """Uniform numbers in [low, high)."""

    name, ulp = "random_uniform", 0

    def ref(
        self, seed: Any, offset: Any, low: Any, high: Any, *, shape: Shape, dtype: DType
    ) -> Any:
        real = dtype.to_real()
        numbers = uniform_numbers(seed, offset, parts(shape, dtype), real) * (high - low) + low
        if real.is_half:
            numbers = rounded(numbers, real)
        # Half a cell below ``high`` rounds up to it. It goes to ``low``, which has the other half.
        numbers = np.where(numbers >= high, low, numbers)
        return numbers.view(dtype.numpy).reshape(shape)

    def element(
        self, b: Any, index: Any, seed: Any, offset: Any, low: Any, high: Any,
        *, shape: Shape, dtype: DType,
    ) -> Any:  # fmt: skip
        number = uniform_at(b, seed, offset, flattened(index, shape), dtype)
        number = b.add(b.rounded(b.mul(number, b.sub(high.at(), low.at()))), low.at())
        if dtype.is_half:
            number = b.cast(b.cast(number, dtype), float32)
        return b.select(b.ge(number, high.at()), low.at(), number)


class RandomNormal(Random):
    """Normal numbers with the given means and standard deviations, by Box and Muller's transform.

    No gradient flows to mean and deviation, as in PyTorch.

    Box & Muller, "A Note on the Generation of Random Normal Deviates", 1958: two uniform numbers
    make two normal ones.
    """

    name = "random_normal"
    differentiable = True

    def blocks(self, shape: Shape, dtype: DType) -> int:
        count = parts(shape, dtype)
        return philox.used(count + count % 2, wide=dtype.to_real() is float64)

    def vjp(
        self, g: Node, y: Node, seed: Node, offset: Node, mean: Node, std: Node, **form: Any
    ) -> tuple[Node | None, ...]:
        return None, None, ops.zeros(mean.spec), ops.zeros(std.spec)

    def ref(
        self, seed: Any, offset: Any, mean: Any, std: Any, *, shape: Shape, dtype: DType
    ) -> Any:
        if not (std >= 0).all():
            raise OperationError("normal", "normal expects all elements of std >= 0.0")
        numbers = self._unit(seed, offset, parts(shape, dtype), dtype.to_real())
        if dtype.is_complex:  # the variance is that of the modulus
            numbers = (numbers * numbers.dtype.type(0.5**0.5)).view(dtype.numpy)
        return numbers.reshape(shape) * std + mean

    def element(
        self, b: Any, index: Any, seed: Any, offset: Any, mean: Any, std: Any,
        *, shape: Shape, dtype: DType,
    ) -> Any:  # fmt: skip
        wide = float64 if dtype is float64 else float32
        place = flattened(index, shape)
        first, second = self._uniform_pair(b, seed, offset, place // 2, wide)
        radius = b.sqrt(b.mul(-2.0, b.log(b.sub(1.0, first))))
        angle = b.mul(2 * np.pi, second)
        is_odd = b.inside(place % 2, 1, 2)
        unit = b.mul(radius, b.select(is_odd, b.sin(angle), b.cos(angle)))
        deviation = b.cast(std.spread(index), wide)
        deviation = b.checked(deviation, b.ge(deviation, 0.0))
        return b.add(b.mul(unit, deviation), b.cast(mean.spread(index), wide))

    @staticmethod
    def _uniform_pair(b: Any, seed: Any, offset: Any, place: Any, dtype: DType) -> tuple[Any, Any]:
        if dtype is float64:
            numbers = [uniform_at(b, seed, offset, 2 * place + k, dtype) for k in (0, 1)]
            return numbers[0], numbers[1]
        first, second = philox.pair_at(b, seed, offset, place)
        digits = DIGITS[dtype]
        return _fraction(b, first, digits), _fraction(b, second, digits)

    @staticmethod
    def _unit(seed: Any, offset: Any, count: int, dtype: DType) -> np.ndarray:
        wide = float64 if dtype is float64 else float32
        pairs = uniform_numbers(seed, offset, count + count % 2, wide).reshape(-1, 2)
        # 1 - u is in (0, 1], where the logarithm is finite.
        radius = np.sqrt(-2 * np.log(1 - pairs[:, 0]))
        angle = pairs.dtype.type(2 * np.pi) * pairs[:, 1]
        normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return normal.reshape(-1)[:count]

    def grad_name(self, node: Node) -> str:
        mean, std = (x.op is not NUMBER for x in node.inputs[2:])
        return f"NormalBackward{mean + 2 * std}"


class RandomExponential(Random):
    """Waiting times between events that come at the given rate; none is 0."""

    name = "random_exponential"

    def ref(self, seed: Any, offset: Any, rate: Any, *, shape: Shape, dtype: DType) -> Any:
        wide = float64 if dtype is float64 else float32
        numbers = uniform_numbers(seed, offset, prod(shape), wide)
        least = numbers.dtype.type(2.0 ** -DIGITS[wide])  # stands in for 0
        return (-np.log1p(-np.maximum(numbers, least)) / rate).reshape(shape)

    def element(
        self, b: Any, index: Any, seed: Any, offset: Any, rate: Any,
        *, shape: Shape, dtype: DType,
    ) -> Any:  # fmt: skip
        wide = float64 if dtype is float64 else float32
        number = uniform_at(b, seed, offset, flattened(index, shape), wide)
        waited = b.log1p(b.neg(b.maximum(number, 2.0 ** -DIGITS[wide])))
        return b.div(b.neg(waited), b.cast(rate.at(), wide))


class RandomInteger(Random):
    """Whole numbers from ``low`` up to, not including, ``high``."""

    name, ulp = "random_integer", 0

    def blocks(self, shape: Shape, dtype: DType) -> int:
        return philox.used(prod(shape), wide=True)

    def ref(
        self, seed: Any, offset: Any, low: Any, high: Any, *, shape: Shape, dtype: DType
    ) -> Any:
        bits = philox.wide_words(int(seed), int(offset), prod(shape))
        span = (int(high) - int(low)) & _MASK
        place = _upper_product(bits, span) if span else bits  # the whole range is 2^64 long
        return (place + np.uint64(int(low) & _MASK)).astype(np.int64).reshape(shape)

    def element(
        self, b: Any, index: Any, seed: Any, offset: Any, low: Any, high: Any,
        *, shape: Shape, dtype: DType,
    ) -> Any:  # fmt: skip
        bits = philox.wide_word_at(b, seed, offset, flattened(index, shape))
        span = b.sub(high.at(), low.at())
        scaled = _upper_product_at(b, bits, span)
        return b.add(b.select(b.eq(span, 0), bits, scaled), low.at())


def _upper_product(bits: np.ndarray, span: int) -> np.ndarray:
    """The upper 64 bits of products of 128 bits.

    Scales 64 random bits to [0, span) with each number's share off by less than span / 2^64, and
    evenly over the range; a remainder would favour its beginning. Lemire, "Fast Random Integer
    Generation in an Interval", 2019.
    """
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    a, b = bits >> half, bits & low
    c, d = np.uint64(span >> 32), np.uint64(span & 0xFFFFFFFF)
    first = a * d + (b * d >> half)
    second = b * c + (first & low)
    result: np.ndarray = a * c + (first >> half) + (second >> half)
    return result


def _upper_product_at(b: Any, x: Any, y: Any) -> Any:
    """:func:`_upper_product` for a kernel, of int64 that stand for numbers without a sign."""
    (a, low_a), (c, low_c) = (
        (upper_bits(b, each, 32, 32), b.and_(each, 0xFFFFFFFF)) for each in (x, y)
    )
    first = b.add(b.mul(a, low_c), b.mulhi32(low_a, low_c))
    second = b.add(b.mul(low_a, c), b.and_(first, 0xFFFFFFFF))
    carried = b.add(upper_bits(b, first, 32, 32), upper_bits(b, second, 32, 32))
    return b.add(b.mul(a, c), carried)


class RandomPermutation(Random):
    """The whole numbers below ``n`` in a random order: NumPy's shuffle, which needs no sort."""

    name, ulp = "random_permutation", 0

    def blocks(self, shape: Shape, dtype: DType) -> int:
        return 1

    def ref(self, seed: Any, offset: Any, *, shape: Shape, dtype: DType) -> Any:
        return philox.numbers(seed, offset).permutation(prod(shape))


random_uniform = RandomUniform()
random_normal = RandomNormal()
random_exponential = RandomExponential()
random_integer = RandomInteger()
random_permutation = RandomPermutation()
