"""Text: vocabularies, tokenisers, datasets and models, with torchtext's names.

Example:
    >>> from rushlight import text
    >>> words = text.data.get_tokenizer("basic_english")
    >>> v = text.vocab.build_vocab_from_iterator([words("a cat, a dog")], specials=["<unk>"])
    >>> v.set_default_index(0)
    >>> v(words("a bird"))
    [1, 0]
"""

import importlib
from typing import Any

__version__ = "0.18.0+rushlight"  # what scripts compare with torchtext's releases

# Loaded when somebody asks for them.
_PARTS = ("data", "datasets", "functional", "models", "tokenizers", "transforms", "vocab")


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PARTS})
