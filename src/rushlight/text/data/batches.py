"""Batches of texts that differ in length: alike together, and padded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.nn.utils.rnn import pad_sequence
from rushlight.utils.data import Sampler


class BucketBatchSampler(Sampler):
    """Batches of texts of similar lengths, so that little of a batch is padding.

    The texts are shuffled and cut into pools; each pool is sorted by length and cut into batches,
    and these are shuffled.

    Args:
        lengths: of all texts.
        batch_size: texts of a batch.
        shuffle: in another order each time; otherwise all are sorted once, short ones first.
        pool: batches of a pool; more makes lengths more alike and batches less random.
        drop_last: leave out batches that are not full.
        generator: where the order comes from.
    Example:
        >>> from rushlight.text.data import BucketBatchSampler
        >>> list(BucketBatchSampler([5, 1, 4, 2], 2, shuffle=False))
        [[1, 3], [2, 0]]
    """

    def __init__(
        self, lengths: Sequence[int], batch_size: int, shuffle: bool = True, pool: int = 100,
        drop_last: bool = False, generator: rl.Generator | None = None,
    ) -> None:  # fmt: skip
        if batch_size < 1 or pool < 1:
            raise ValueError(f"batch_size and pool must be positive, got {batch_size} and {pool}")
        self.lengths, self.batch_size, self.shuffle = list(lengths), batch_size, shuffle
        self.pool, self.drop_last, self.generator = pool, drop_last, generator

    def __len__(self) -> int:
        whole, rest = divmod(len(self.lengths), self.batch_size)
        return whole + bool(rest and not self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        if not self.shuffle:
            yield from self._cut(sorted(range(len(self.lengths)), key=self._length))
            return
        order, size = self._drawn(len(self.lengths)), self.batch_size * self.pool
        for start in range(0, len(order), size):
            batches = self._cut(sorted(order[start : start + size], key=self._length))
            yield from (batches[k] for k in self._drawn(len(batches)))

    def _length(self, index: int) -> int:
        return self.lengths[index]

    def _drawn(self, count: int) -> list[int]:
        return rl.randperm(count, generator=self.generator).tolist()

    def _cut(self, order: list[int]) -> list[list[int]]:
        size = self.batch_size
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        return batches[:-1] if self.drop_last and len(order) % size else batches


class PadCollate:
    """Makes a batch of ``(label, text)`` or of texts alone, for a DataLoader's ``collate_fn``.

    Args:
        encode: from a text to its numbers; None when texts are numbers already.
        padding_value: what fills the shorter ones.
        batch_first: texts as rows.
        longest: what is longer is cut; None for no limit.
    Returns:
        Of texts: (texts (B, L) int64, their lengths (B,)); of pairs: (labels (B,), texts, lengths).
        :func:`rushlight.nn.utils.rnn.pack_padded_sequence` takes texts and lengths.
    Example:
        >>> from rushlight.text.data import PadCollate
        >>> PadCollate()([(1, [4, 5]), (0, [6])])
        (tensor([1, 0]), tensor([[4, 5],
                [6, 0]]), tensor([2, 1]))
    """

    def __init__(
        self, encode: Callable[[Any], Sequence[int]] | None = None, padding_value: int = 0,
        batch_first: bool = True, longest: int | None = None,
    ) -> None:  # fmt: skip
        self.encode, self.padding_value = encode, padding_value
        self.batch_first, self.longest = batch_first, longest

    def __call__(self, items: Sequence[Any]) -> tuple[Tensor, ...]:
        if isinstance(items[0], tuple):
            labels, texts = zip(*items, strict=True)
            return rl.tensor(labels), *self._texts(texts)
        return self._texts(items)

    def _texts(self, texts: Sequence[Any]) -> tuple[Tensor, Tensor]:
        rows = [text if self.encode is None else self.encode(text) for text in texts]
        rows = [rl.as_tensor(row, dtype=rl.int64)[: self.longest] for row in rows]
        lengths = rl.tensor([len(row) for row in rows])
        return pad_sequence(rows, self.batch_first, self.padding_value), lengths
