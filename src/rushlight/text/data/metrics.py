"""How good a translation is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from .utils import ngrams_iterator


def bleu_score(
    candidate_corpus: Sequence[Sequence[str]],
    references_corpus: Sequence[Sequence[Sequence[str]]],
    max_n: int = 4,
    weights: Sequence[float] = (0.25, 0.25, 0.25, 0.25),
) -> float:
    """How much of the translations' words, pairs and so on are in one of the references.

    Args:
        candidate_corpus: translations as lists of tokens.
        references_corpus: for each of them, one or more right ones.
        max_n: the longest sequence of tokens that is looked at.
        weights: of each length.
    Reference:
        Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation",
        section 2.3.
    Example:
        >>> from rushlight.text.data import bleu_score
        >>> text = ["the", "cat", "sat", "down"]
        >>> bleu_score([text], [[text, ["a", "cat"]]])
        1.0
    """
    if max_n != len(weights):
        raise ValueError('Length of the "weights" list has be equal to max_n')
    if len(candidate_corpus) != len(references_corpus):
        raise ValueError("The length of candidate and reference corpus should be the same")
    found, total = [0] * max_n, [0] * max_n
    said = wanted = 0
    for candidate, references in zip(candidate_corpus, references_corpus, strict=True):
        said += len(candidate)
        wanted += min((len(one) for one in references), key=lambda n: abs(n - len(candidate)))
        allowed: Counter[str] = Counter()
        for one in references:
            allowed |= Counter(ngrams_iterator(one, max_n))
        counts = Counter(ngrams_iterator(candidate, max_n))
        for n in range(max_n):
            total[n] += max(len(candidate) - n, 0)
        for ngram, count in (counts & allowed).items():
            found[ngram.count(" ")] += count
    if min(found) == 0:
        return 0.0
    logs = [w * math.log(f / t) for w, f, t in zip(weights, found, total, strict=True)]
    return math.exp(sum(logs) + min(1 - wanted / said, 0))
