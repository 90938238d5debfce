"""Modules from texts to tensors, with torchtext's names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as NF

from . import functional as F
from . import tokenizers
from .vocab import Vocab

Path = str | os.PathLike[str]


class Sequential(nn.Sequential):
    """One transform after the other.

    Example:
        >>> from rushlight.text import transforms as T
        >>> T.Sequential(T.Truncate(2), T.AddToken(9), T.ToTensor(0))([[1, 2, 3], [4]])
        tensor([[9, 1, 2],
                [9, 4, 0]])
    """

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class VocabTransform(nn.Module):
    """The numbers of tokens: lists of strings to lists of ints, one or several."""

    def __init__(self, vocab: Vocab) -> None:
        super().__init__()
        self.vocab = vocab

    def forward(self, input: Any) -> Any:
        return F.each(self.vocab.lookup_indices, input)


class ToTensor(nn.Module):
    """Lists of ints to a tensor, the shorter ones filled with ``padding_value``."""

    def __init__(self, padding_value: int | None = None, dtype: rl.dtype = rl.int64) -> None:
        super().__init__()
        self.padding_value, self.dtype = padding_value, dtype

    def forward(self, input: Any) -> Tensor:
        return F.to_tensor(input, self.padding_value, self.dtype)


class LabelToIndex(nn.Module):
    """Labels to their numbers.

    Args:
        label_names: the labels in order, or
        label_path: a file with one in each line.
        sort_names: number them by the alphabet.
    """

    def __init__(
        self, label_names: Sequence[str] | None = None, label_path: Path | None = None, *,
        sort_names: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if (label_names is None) == (label_path is None):
            raise ValueError("either label_names or label_path is required, and not both")
        if label_path is not None:
            with open(label_path, encoding="utf-8") as file:
                label_names = [line.strip() for line in file if line.strip()]
        self._names = sorted(label_names) if sort_names else list(label_names)
        self._numbers = {name: k for k, name in enumerate(self._names)}

    @property
    def label_names(self) -> list[str]:
        return self._names

    def forward(self, input: Any) -> Any:
        return F.to_index(input, self._numbers)


class Truncate(nn.Module):
    """No more than the first ``max_seq_len`` items."""

    def __init__(self, max_seq_len: int) -> None:
        super().__init__()
        self.max_seq_len = max_seq_len

    def forward(self, input: Any) -> Any:
        return F.truncate(input, self.max_seq_len)


class AddToken(nn.Module):
    """One token more, in front or at the end."""

    def __init__(self, token: int | str, begin: bool = True) -> None:
        super().__init__()
        self.token, self.begin = token, begin

    def forward(self, input: Any) -> Any:
        return F.add_token(input, self.token, self.begin)


class PadTransform(nn.Module):
    """A tensor filled at the end of its last dimension up to ``max_length``."""

    def __init__(self, max_length: int, pad_value: int) -> None:
        super().__init__()
        self.max_length, self.pad_value = max_length, float(pad_value)

    def forward(self, x: Tensor) -> Tensor:
        missing = self.max_length - x.shape[-1]
        return NF.pad(x, (0, missing), value=self.pad_value) if missing > 0 else x


class StrToIntTransform(nn.Module):
    """Numbers that are written out to ints."""

    def forward(self, input: Any) -> Any:
        return F.str_to_int(input)


class _Tokenizer(nn.Module):
    """A tokeniser of the ``tokenizers`` library as a module. Abstract.

    A text gives a list of strings: its tokens, or their numbers written out; several give several.
    """

    def __init__(self, tokenizer: Any, return_tokens: bool) -> None:
        super().__init__()
        self.tokenizer, self._return_tokens = tokenizer, return_tokens

    def forward(self, input: Any) -> Any:
        if isinstance(input, (list, tuple)):
            found = self.tokenizer.encode_batch(list(input), add_special_tokens=False)
            return [self._shown(one) for one in found]
        return self._shown(self.tokenizer.encode(input, add_special_tokens=False))

    def _shown(self, encoding: Any) -> list[str]:
        return encoding.tokens if self._return_tokens else [str(k) for k in encoding.ids]

    def decode(self, tokens: Sequence[str]) -> str:
        """The text of numbers that are written out."""
        return self.tokenizer.decode([int(token) for token in tokens], skip_special_tokens=False)


class GPT2BPETokenizer(_Tokenizer):
    """GPT-2's tokens.

    Args:
        encoder_json_path, vocab_bpe_path: the files ``encoder.json`` and ``vocab.bpe`` (in Hugging
            Face's folders ``vocab.json`` and ``merges.txt``).
        return_tokens: tokens rather than their numbers.
    """

    def __init__(
        self, encoder_json_path: Path, vocab_bpe_path: Path, return_tokens: bool = False
    ) -> None:
        super().__init__(tokenizers.byte_pairs(encoder_json_path, vocab_bpe_path), return_tokens)

    def add_special_tokens(self, special_tokens_dict: Mapping[str, str | Sequence[str]]) -> int:
        """Tokens that are never cut; returns how many were not there yet."""
        found = special_tokens_dict.values()
        names = [name for one in found for name in ([one] if isinstance(one, str) else one)]
        return self.tokenizer.add_special_tokens(names)


class BERTTokenizer(_Tokenizer):
    """BERT's tokens.

    Args:
        vocab_path: a file with one token in each line.
        do_lower_case: for models of lower case.
        strip_accents: None for what ``do_lower_case`` says.
        return_tokens: tokens rather than their numbers.
        never_split: special tokens.
    """

    def __init__(
        self, vocab_path: Path, do_lower_case: bool = True, strip_accents: bool | None = None,
        return_tokens: bool = False, never_split: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        tokenizer = tokenizers.word_pieces(vocab_path, do_lower_case, strip_accents)
        if never_split:
            tokenizer.add_special_tokens(list(never_split))
        super().__init__(tokenizer, return_tokens)
