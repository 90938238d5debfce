"""Texts for models that read characters, one of which is shipped: a novel."""

from __future__ import annotations

import gzip
from importlib import resources

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.utils.data import Dataset


class Characters(Dataset):
    """The stretches of a text, to predict each character from those before it.

    Item ``k`` is (characters ``k`` to ``k + length``, the same moved on by one), as int64.

    Args:
        text: what is learnt from.
        length: characters of a stretch.
        symbols: the characters that have numbers, in order; those of the text by default.
        step: from one stretch's beginning to the next's.
    Raises:
        ValueError: a character of the text is not among the symbols, or the text is too short.
    Example:
        >>> from rushlight.text.datasets import Characters
        >>> data = Characters("banana", 3)
        >>> data[0], data.decode(data[0][1])
        ((tensor([1, 0, 2]), tensor([0, 2, 0])), 'ana')
    """

    def __init__(
        self, text: str, length: int = 128, symbols: str | None = None, step: int = 1
    ) -> None:
        self.text, self.length, self.step = text, length, step
        self.symbols = "".join(sorted(set(text))) if symbols is None else symbols
        if length < 1 or step < 1 or len(text) <= length:
            raise ValueError(f"no stretch of {length} and one more fits in {len(text)} characters")
        self._numbers = {symbol: k for k, symbol in enumerate(self.symbols)}
        self.ids = self.encode(text)

    def encode(self, text: str) -> Tensor:
        """The numbers of a text's characters."""
        try:
            return rl.from_numpy(np.array([self._numbers[one] for one in text], np.int64))
        except KeyError as error:
            raise ValueError(
                f"{error.args[0]!r} is none of the {len(self.symbols)} symbols"
            ) from None

    def decode(self, ids: Tensor) -> str:
        """The text of numbers."""
        return "".join(self.symbols[k] for k in ids.reshape(-1).tolist())

    def __len__(self) -> int:
        return (len(self.text) - self.length - 1) // self.step + 1

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} stretches, not {index}")
        start = (index % len(self)) * self.step
        stretch = self.ids[start : start + self.length + 1]
        return stretch[:-1], stretch[1:]


# Where each part of the novel begins and ends, as shares of its characters.
SPLITS = {"train": (0.0, 0.9), "valid": (0.9, 0.95), "test": (0.95, 1.0), "all": (0.0, 1.0)}


class PrideAndPrejudice(Characters):
    """Jane Austen's novel of 1813: 684,768 characters of 75 kinds, shipped with the package.

    Args:
        split: ``"train"`` is the first 90%, ``"valid"`` and ``"test"`` 5% each, ``"all"`` all.
        length, step: as for :class:`Characters`. All splits have the same symbols.
    Example:
        >>> from rushlight.text.datasets import PrideAndPrejudice
        >>> PrideAndPrejudice("all").text[51:103]
        'It is a truth universally acknowledged, that a singl'
    """

    def __init__(self, split: str = "train", length: int = 128, step: int = 1) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {list(SPLITS)}, got {split!r}")
        whole = novel()
        first, last = (int(share * len(whole)) for share in SPLITS[split])
        super().__init__(whole[first:last], length, "".join(sorted(set(whole))), step)


def novel() -> str:
    """The whole text of Pride and Prejudice."""
    file = resources.files(__package__) / "austen" / "pride_and_prejudice.txt.gz"
    return gzip.decompress(file.read_bytes()).decode("ascii")
