"""Counts of what comes after what in rows of numbers, as text models use them."""

from __future__ import annotations

from collections.abc import Sequence

import rushlight as rl
from rushlight.base.errors import MissingError

from .registry import node


@node("TfIdfVectorizer")
def tf_idf_vectorizer(
    x: rl.Tensor, *, max_gram_length: int, max_skip_count: int, min_gram_length: int, mode: str,
    ngram_counts: Sequence[int], ngram_indexes: Sequence[int],
    pool_int64s: Sequence[int] | None = None, pool_strings: Sequence[str] | None = None,
    weights: Sequence[float] | None = None,
) -> rl.Tensor:  # fmt: skip
    """How often each row of numbers of the pool is found in each row of ``x``."""
    if pool_int64s is None:
        raise MissingError(
            "TfIdfVectorizer", "its pool is of strings, which tensors cannot hold",
            hint="Number the words outside of the model.",
        )  # fmt: skip
    rows = x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)
    counts = [rl.zeros(len(rows))] * (max(ngram_indexes) + 1)
    for number, gram in enumerate(_grams(pool_int64s, ngram_counts)):
        if min_gram_length <= len(gram) <= max_gram_length:
            counts[ngram_indexes[number]] = _found(rows, gram, max_skip_count)
    total = rl.stack(counts, 1)
    weight = rl.ones(len(counts))
    if weights is not None:
        weight = weight.scatter(0, rl.tensor(list(ngram_indexes)), rl.tensor(list(weights)))
    if mode != "TF":
        total = (total > 0).to(rl.float32)
    total = total if mode == "TF" else total * weight if mode == "TFIDF" else total
    return total.reshape((*x.shape[:-1], len(counts)))


def _grams(pool: Sequence[int], begins: Sequence[int]) -> list[Sequence[int]]:
    """The rows of the pool: first those of one number, then those of two, and so on."""
    grams: list[Sequence[int]] = []
    for length, begin in enumerate(begins, start=1):
        end = begins[length] if length < len(begins) else len(pool)
        grams += [pool[at : at + length] for at in range(begin, end, length)]
    return grams


def _found(rows: rl.Tensor, gram: Sequence[int], skips: int) -> rl.Tensor:
    """In how many places a row has these numbers, also with a constant number of others between."""
    total = rl.zeros(len(rows))
    size = rows.shape[1]
    for step in range(1, (skips if len(gram) > 1 else 0) + 2):
        places = size - (len(gram) - 1) * step
        if places > 0:
            hit = rl.ones(len(rows), places, dtype=rl.bool)
            for at, number in enumerate(gram):
                hit = hit & (rows[:, at * step : at * step + places] == number)
            total = total + hit.sum(1).to(rl.float32)
    return total
