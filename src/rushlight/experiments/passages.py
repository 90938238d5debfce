"""Spoken or told? Sentences of a novel with their quotation marks taken away."""

from __future__ import annotations

import re
from typing import Any

import rushlight as rl
from rushlight import nn
from rushlight.text.data import get_tokenizer
from rushlight.text.datasets.characters import novel
from rushlight.text.vocab import Vocab, build_vocab_from_iterator
from rushlight.train.lightning import LightningDataModule
from rushlight.utils.data import DataLoader

# Shorter ones, such as "said he", tell too little or too much.
FEWEST_WORDS = 5
UNKNOWN = "<unk>"
Passage = tuple[list[int], int]


def passages() -> list[tuple[str, int]]:
    """The sentences of Pride and Prejudice in order, each with 1 if somebody speaks it, else 0."""
    found = []
    for paragraph in re.split(r"\n\s*\n", novel()):
        for place, part in enumerate(" ".join(paragraph.split()).split('"')):
            for sentence in re.split(r"(?<=[.!?;])\s+", part.replace("_", "").strip()):
                if len(sentence.split()) >= FEWEST_WORDS:
                    found.append((sentence, place % 2))
    return found


class Passages(LightningDataModule):
    """Sentences as numbers of words, and whether they are spoken (1) or told (0).

    Every tenth sentence validates, the one after it tests, the others are to learn from.

    Args:
        batch_size: of training.
        words: how many words have numbers; the rest are one.
    """

    classes = ("told", "spoken")

    def __init__(self, batch_size: int = 64, words: int = 4000) -> None:
        super().__init__()
        self.batch_size, self.words = batch_size, words

    def setup(self, stage: str) -> None:
        split = get_tokenizer("basic_english")
        rows = [(split(sentence), spoken) for sentence, spoken in passages()]
        learned = [row for place, row in enumerate(rows) if place % 10 > 1]
        self.vocab: Vocab = build_vocab_from_iterator(
            (tokens for tokens, _ in learned), specials=[UNKNOWN], max_tokens=self.words
        )
        self.vocab.set_default_index(self.vocab[UNKNOWN])
        self.train = self._numbered(learned)
        self.validation = self._numbered(rows[0::10])
        self.test = self._numbered(rows[1::10])

    def _numbered(self, rows: list[tuple[list[str], int]]) -> list[Passage]:
        return [(self.vocab(tokens), spoken) for tokens, spoken in rows]

    def _loader(self, rows: list[Passage], size: int, shuffle: bool = False) -> DataLoader[Any]:
        return DataLoader(rows, size, shuffle=shuffle, collate_fn=bags)  # type: ignore[arg-type]

    def train_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.train, self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.validation, 512)

    def test_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.test, 512)

    predict_dataloader = test_dataloader


def bags(rows: list[Passage]) -> tuple[rl.Tensor, rl.Tensor]:
    """A batch: the words of all passages (N, T), filled up with -1, and the classes (N)."""
    longest = max(len(words) for words, _ in rows)
    filled = [words + [-1] * (longest - len(words)) for words, _ in rows]
    return rl.tensor(filled), rl.tensor([spoken for _, spoken in rows])


class BagOfWords(nn.Module):
    """The mean of the words' vectors and of those of neighbouring pairs, and a layer on it.

    Pairs have vectors by a hash of theirs: Joulin, Grave, Bojanowski & Mikolov 2017, "Bag of tricks
    for efficient text classification", arXiv:1607.01759.

    Shape:
        input (N, T) int64, -1 where there is no word; output (N, classes).
    """

    def __init__(
        self, words: int, classes: int, width: int = 32, pairs: int = 20_000, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.words, self.pairs = words, pairs
        self.embedding = nn.Embedding(words + pairs, width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)

    def forward(self, words: rl.Tensor) -> rl.Tensor:
        first, second = words[:, :-1], words[:, 1:]
        pairs = self.words + (first * 7919 + second) % self.pairs
        pairs = rl.where(second < 0, -1, pairs)  # (N, T - 1)
        tokens = rl.cat([words, pairs], dim=1)
        there = (tokens >= 0).unsqueeze(2)  # (N, 2 T - 1, 1)
        vectors = self.embedding(tokens.clamp(min=0)) * there
        return self.head(self.dropout(vectors.sum(dim=1) / there.sum(dim=1)))
