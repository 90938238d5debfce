"""Vocabularies: tokens and their numbers, with torchtext's names."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from rushlight import nn


class Vocab(nn.Module):
    """Tokens in the order of their numbers. Called with tokens, it gives their numbers.

    Args:
        tokens: without repetition.
        default_index: the number of tokens that are not there; None to refuse those.
    Raises:
        RuntimeError: a token comes twice.
    Example:
        >>> from rushlight.text.vocab import Vocab
        >>> v = Vocab(["<unk>", "a", "b"], default_index=0)
        >>> v(["b", "c"]), v["a"], "c" in v
        ([2, 0], 1, False)
    """

    def __init__(self, tokens: Iterable[str], default_index: int | None = None) -> None:
        super().__init__()
        self._tokens: list[str] = []
        self._numbers: dict[str, int] = {}
        self._default = default_index
        for token in tokens:
            self.append_token(token)

    def forward(self, tokens: Sequence[str]) -> list[int]:
        """The numbers of tokens."""
        return self.lookup_indices(tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._numbers

    def __getitem__(self, token: str) -> int:
        """The number of a token.

        Raises:
            RuntimeError: it is not there, and there is no default.
        """
        number = self._numbers.get(token, self._default)
        if number is None:
            raise RuntimeError(f"Token {token} not found and default index is not set")
        return number

    def set_default_index(self, index: int | None) -> None:
        """Sets the number of tokens that are not there."""
        self._default = index

    def get_default_index(self) -> int | None:
        return self._default

    def insert_token(self, token: str, index: int) -> None:
        """Puts a token at a number; those from there on move up.

        Raises:
            RuntimeError: it is there already, or the number is beyond the end.
        """
        if not 0 <= index <= len(self):
            raise RuntimeError(
                f"Specified index {index} is out of bounds for vocab of size {len(self)}"
            )
        if token in self:
            raise RuntimeError(
                f"Token {token} already exists in the Vocab with index: {self[token]}"
            )
        self._tokens.insert(index, token)
        for number in range(index, len(self)):
            self._numbers[self._tokens[number]] = number

    def _out_of_bounds(self, index: int) -> RuntimeError:
        return RuntimeError(
            f"Specified index {index} is out of bounds for vocab of size {len(self)}"
        )

    def append_token(self, token: str) -> None:
        """Puts a token at the end.

        Raises:
            RuntimeError: it is there already.
        """
        self.insert_token(token, len(self))

    def lookup_token(self, index: int) -> str:
        """The token of a number.

        Raises:
            RuntimeError: there is no such number.
        """
        if not 0 <= index < len(self):
            raise RuntimeError(
                f"Specified index {index} is out of bounds for vocab of size {len(self)}"
            )
        return self._tokens[index]

    def lookup_tokens(self, indices: Iterable[int]) -> list[str]:
        return [self.lookup_token(index) for index in indices]

    def lookup_indices(self, tokens: Iterable[str]) -> list[int]:
        return [self[token] for token in tokens]

    def get_stoi(self) -> dict[str, int]:
        """Numbers by token, a copy."""
        return dict(self._numbers)

    def get_itos(self) -> list[str]:
        """Tokens by number, a copy."""
        return list(self._tokens)

    def extra_repr(self) -> str:
        return f"{len(self)} tokens"


def vocab(
    ordered_dict: Mapping[str, int], min_freq: int = 1, specials: Sequence[str] | None = None,
    special_first: bool = True,
) -> Vocab:  # fmt: skip
    """A vocabulary of a mapping from tokens to how often they are, in its order.

    Args:
        min_freq: what is less frequent is left out.
        specials: tokens such as ``"<unk>"`` that are always there, in front or at the end.
    Example:
        >>> from rushlight.text.vocab import vocab
        >>> vocab({"a": 3, "b": 1}, min_freq=2, specials=["<unk>"]).get_itos()
        ['<unk>', 'a']
    """
    special = list(specials or ())
    tokens = [token for token, count in ordered_dict.items()
              if count >= min_freq and token not in special]  # fmt: skip
    return Vocab([*special, *tokens] if special_first else [*tokens, *special])


def build_vocab_from_iterator(
    iterator: Iterable[Iterable[str]], min_freq: int = 1, specials: Sequence[str] | None = None,
    special_first: bool = True, max_tokens: int | None = None,
) -> Vocab:  # fmt: skip
    """A vocabulary of what texts consist of, the most frequent first, then by the alphabet.

    Args:
        iterator: texts as lists of tokens.
        min_freq, specials, special_first: as for :func:`vocab`.
        max_tokens: how many at most, specials among them.
    Raises:
        ValueError: more specials than ``max_tokens``.
    """
    counts = Counter(token for tokens in iterator for token in tokens)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    special = list(specials or ())
    if max_tokens is not None:
        if len(special) >= max_tokens:
            raise ValueError("max_tokens must leave room for more than the special tokens")
        ordered = [pair for pair in ordered if pair[0] not in special][: max_tokens - len(special)]
    return vocab(OrderedDict(ordered), min_freq, special, special_first)
