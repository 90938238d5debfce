"""Which weights are left out: Philox4x32-10 for a vector of queries and four keys at once.

The stream is that of :mod:`rushlight.ops.philox`, where the algorithm's source is named; which of
its blocks decides for which weights says :func:`rushlight.ops.attention_rules.drawn`.
"""

from __future__ import annotations

from rushlight.compiler.llvm.text import I32, I64, Function, Type, Value, const, i64, vector
from rushlight.ops import philox

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
INCREMENTS = 0x9E3779B9, 0xBB67AE85


class Stream:
    """Makes the factors of weights, from a seed, an offset and a probability in memory."""

    def __init__(self, f: Function, rate: Value, seed: Value, offset: Value, vector: Type) -> None:
        self.f, self.vector = f, vector
        p, one = f.load(rate, Type("double")), const(1, Type("double"))
        words = f.mul(p, const(2.0**32, p.type))
        self._limit = f.convert("trunc", f.convert("fptosi", words, "i64"), "i32")
        share = f.binary("fdiv", one, f.sub(one, p))
        if vector.element == "float":
            share = f.convert("fptrunc", share, "float")
        # All words reach what is left of a limit of 2^32, and nothing of them.
        none = f.compare("oeq", p, one)
        self._factor = f.select(none, const(0, share.type), share)
        self._offset = f.load(offset, I64)
        self._keys = self._round_keys(f.load(seed, I64))

    def _round_keys(self, seed: Value) -> list[tuple[Value, Value]]:
        """The halves of the key in every round."""
        f = self.f
        low = f.convert("trunc", seed, "i32")
        high = f.convert("trunc", f.binary("lshr", seed, i64(32)), "i32")
        keys = []
        for _ in range(philox.ROUNDS):
            keys.append((low, high))
            low, high = (
                f.add(key, const(by, I32)) for key, by in zip((low, high), INCREMENTS, strict=True)
            )
        return keys

    def factors(self, block: Value) -> list[Value]:
        """What the weights of four keys are multiplied with, for as many queries as lanes.

        Args:
            block: the number of the first query's block of the stream.
        """
        f, lanes = self.f, self.vector.lanes
        limit, factor = f.splat(self._limit, lanes), f.splat(self._factor, lanes)
        return [
            f.select(f.compare("uge", word, limit), factor, const(0, self.vector))
            for word in self._words(block)
        ]

    def _words(self, block: Value) -> list[Value]:
        f, lanes = self.f, self.vector.lanes
        first = f.splat(f.add(self._offset, block), lanes)
        position = f.add(first, vector(range(lanes), "i64"))
        c0 = f.convert("trunc", position, "i32")
        c1 = f.convert("trunc", f.binary("lshr", position, const(32, position.type)), "i32")
        c2 = c3 = const(0, c0.type)
        for key0, key1 in self._keys:
            (high0, low0), (high1, low1) = self._product(c0, 0), self._product(c2, 1)
            k0, k1 = f.splat(key0, lanes), f.splat(key1, lanes)
            c0, c1 = f.binary("xor", f.binary("xor", high1, c1), k0), low1
            c2, c3 = f.binary("xor", f.binary("xor", high0, c3), k1), low0
        return [c0, c1, c2, c3]

    def _product(self, x: Value, which: int) -> tuple[Value, Value]:
        """The halves of the product with a multiplier."""
        f = self.f
        wide = f.convert("zext", x, "i64")
        product = f.mul(wide, const(MULTIPLIERS[which], wide.type))
        high = f.binary("lshr", product, const(32, wide.type))
        return f.convert("trunc", high, "i32"), f.convert("trunc", product, "i32")
