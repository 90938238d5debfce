"""Tokenisers of the ``tokenizers`` library: trained on texts, or read from files.

What these functions return are that library's objects: ``tokenizer.encode(text).ids`` and
``tokenizer.decode(ids)``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rushlight.base import extras

PathLike = str | os.PathLike[str]


def _library() -> Any:
    return extras.load("tokenizers", "text", "splitting text into parts of words")


def train_byte_pairs(
    texts: Iterable[str], vocab_size: int, special_tokens: Sequence[str] = (),
    min_frequency: int = 2,
) -> Any:  # fmt: skip
    """A tokeniser of byte pairs, as GPT-2's, trained on texts.

    Args:
        vocab_size: tokens, 256 bytes and the special ones among them.
        special_tokens: get the first numbers and are never cut.
        min_frequency: pairs that are rarer stay two tokens.
    Reference:
        Sennrich et al. 2016, "Neural machine translation of rare words with subword units",
        arXiv:1508.07909; on bytes as Radford et al. 2019, "Language models are unsupervised
        multitask learners", section 2.2.
    Example:
        >>> from rushlight.text import tokenizers
        >>> t = tokenizers.train_byte_pairs(["low lower lowest"] * 3, 260)
        >>> t.decode(t.encode("lowest").ids)
        'lowest'
    """
    library = _library()
    tokenizer = _byte_level(library.models.BPE())
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=list(special_tokens), min_frequency=min_frequency,
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _byte_level(model: Any) -> Any:
    library = _library()
    tokenizer = library.Tokenizer(model)
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = library.decoders.ByteLevel()
    return tokenizer


def byte_pairs(vocab: PathLike, merges: PathLike) -> Any:
    """GPT-2's tokeniser from its two files: numbers as JSON, and merges, one in each line."""
    with open(vocab, encoding="utf-8") as file:
        numbers = json.load(file)
    with open(merges, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if not line.startswith("#version")]
    pairs = [tuple(line.split(" ")) for line in lines if line]
    tokenizer = _byte_level(_library().models.BPE(vocab=numbers, merges=pairs))
    if "<|endoftext|>" in numbers:
        tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def word_pieces(vocab: PathLike, lower_case: bool = True, strip_accents: bool | None = None) -> Any:
    """BERT's tokeniser from a file with one token in each line.

    Reference:
        Wu et al. 2016, "Google's neural machine translation system", section 4.1,
        arXiv:1609.08144.
    """
    library = _library()
    with open(vocab, encoding="utf-8") as file:
        numbers = {line.rstrip("\n"): k for k, line in enumerate(file)}
    tokenizer = library.Tokenizer(library.models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = library.normalizers.BertNormalizer(
        lowercase=lower_case, strip_accents=strip_accents
    )
    tokenizer.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = library.decoders.WordPiece()
    tokenizer.add_special_tokens(
        [name for name in ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]") if name in numbers]
    )
    if "[CLS]" in numbers and "[SEP]" in numbers:
        tokenizer.post_processor = library.processors.BertProcessing(
            ("[SEP]", numbers["[SEP]"]), ("[CLS]", numbers["[CLS]"])
        )
    return tokenizer


def from_folder(folder: PathLike) -> Any:
    """The tokeniser of a model in a Hugging Face folder.

    It is read from ``tokenizer.json``, from ``vocab.json`` with ``merges.txt``, or from
    ``vocab.txt``.

    Raises:
        FileNotFoundError: the folder has none of these.
    """
    folder = Path(folder)
    if (folder / "tokenizer.json").exists():
        return _library().Tokenizer.from_file(str(folder / "tokenizer.json"))
    if (folder / "merges.txt").exists():
        return byte_pairs(folder / "vocab.json", folder / "merges.txt")
    if (folder / "vocab.txt").exists():
        settings = folder / "tokenizer_config.json"
        given = json.loads(settings.read_text("utf-8")) if settings.exists() else {}
        return word_pieces(folder / "vocab.txt", given.get("do_lower_case", True))
    raise FileNotFoundError(
        f"{folder} has no tokeniser: neither tokenizer.json, nor vocab.json with merges.txt, nor"
        " vocab.txt"
    )
