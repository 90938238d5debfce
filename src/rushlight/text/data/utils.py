"""Text into words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

Tokenizer = Callable[[str], list[str]]

# Signs that are words of their own, and signs that only part others.
_WORDS, _GAPS = ".,()!?'", ";:"
_SIGNS = str.maketrans({sign: f" {sign} " for sign in _WORDS} | dict.fromkeys(_GAPS, " "))


def basic_english(line: str) -> list[str]:
    """Words in lower case, punctuation apart, quotation marks and line breaks of HTML left out.

    Example:
        >>> from rushlight.text.data import get_tokenizer
        >>> get_tokenizer("basic_english")("You can't be serious!")
        ['you', 'can', "'", 't', 'be', 'serious', '!']
    """
    return line.lower().replace('"', "").replace("<br />", " ").translate(_SIGNS).split()


def _words(line: str) -> list[str]:
    return line.split()


def get_tokenizer(tokenizer: str | Tokenizer | None, language: str = "en") -> Tokenizer:
    """A function from a text to its tokens.

    Args:
        tokenizer: ``"basic_english"``; None for words between spaces; or such a function itself.
    Raises:
        ValueError: no such tokeniser, or ``"basic_english"`` in another language.
    """
    if tokenizer is None:
        return _words
    if callable(tokenizer):
        return tokenizer
    if tokenizer != "basic_english":
        raise ValueError(
            f"Requested tokenizer {tokenizer!r}; valid choices are 'basic_english', None and a"
            " callable that takes a single string as input. rushlight.text.tokenizers trains and"
            " loads others."
        )
    if language != "en":
        raise ValueError("Basic normalization is only available for Enlish(en)")
    return basic_english


def ngrams_iterator(token_list: Sequence[str], ngrams: int) -> Iterator[str]:
    """The tokens, then their pairs, and so on up to ``ngrams``.

    Example:
        >>> from rushlight.text.data import ngrams_iterator
        >>> list(ngrams_iterator(["here", "we", "are"], 2))
        ['here', 'we', 'are', 'here we', 'we are']
    """
    for n in range(1, max(ngrams, 1) + 1):
        for start in range(len(token_list) - n + 1):
            yield " ".join(token_list[start : start + n])


def custom_replace(
    replace_pattern: Sequence[tuple[str, str]],
) -> Callable[[Sequence[str]], Iterator[str]]:
    """A function that replaces regular expressions in each of several lines, in order."""
    patterns = [(re.compile(pattern), new) for pattern, new in replace_pattern]

    def replaced(lines: Sequence[str]) -> Iterator[str]:
        for line in lines:
            for pattern, new in patterns:
                line = pattern.sub(new, line)
            yield line

    return replaced
