"""Whole utterances with what is said: YESNO, LIBRISPEECH, LJSPEECH."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rushlight import Tensor
from rushlight.audio.files import load
from rushlight.utils.data import Dataset

from .archived import Recordings, Root, there

YES_OR_NO = "http://www.openslr.org/resources/1/waves_yesno.tar.gz"
YES_OR_NO_SHA256 = "c3f49e0cca421f96b75b41640749167b52118f232498667ca7a5f9416aef8e73"


class YESNO(Dataset):
    """Sixty recordings of eight words in Hebrew: (samples, 8000, eight times 1 yes or 0 no).

    Args:
        root: where ``waves_yesno`` lies or is downloaded to.
        url, folder_in_archive: the archive, and the folder in it.
        download: whether to download what is not there.
    Raises:
        RuntimeError: it is not there.
    """

    def __init__(
        self, root: Root, url: str = YES_OR_NO, folder_in_archive: str = "waves_yesno",
        download: bool = False,
    ) -> None:  # fmt: skip
        path = Path(root).expanduser() / folder_in_archive
        sha256 = YES_OR_NO_SHA256 if url == YES_OR_NO else None
        self.paths = sorted(there(path, root, url, sha256, download).glob("*.wav"))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, n: int) -> tuple[Tensor, int, list[int]]:
        words = self.paths[n].stem.split("_")
        return *load(self.paths[n]), [int(word) for word in words]


BOOKS = "http://www.openslr.org/resources/12/"
BOOKS_SHA256 = {
    "dev-clean": "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
    "dev-other": "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365",
    "test-clean": "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
    "test-other": "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29",
    "train-clean-100": "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
    "train-clean-360": "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf",
    "train-other-500": "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2",
}


class LIBRISPEECH(Recordings):
    """Sentences of audio books: (samples, 16000, what is said, speaker, chapter, number).

    Args:
        root: where ``LibriSpeech/train-clean-100`` lies or is downloaded to.
        url: ``"dev-clean"``, ``"dev-other"``, ``"test-clean"``, ``"test-other"``,
            ``"train-clean-100"``, ``"train-clean-360"`` or ``"train-other-500"``.
        folder_in_archive: the folder above them.
        download: whether to download what is not there.
    Raises:
        RuntimeError: it is not there.
    Reference:
        Panayotov et al. 2015, "Librispeech: an ASR corpus based on public domain audio books".
    """

    def __init__(
        self, root: Root, url: str = "train-clean-100", folder_in_archive: str = "LibriSpeech",
        download: bool = False,
    ) -> None:  # fmt: skip
        if url not in BOOKS_SHA256:
            raise ValueError(
                f"Invalid url '{url}' given; please provide one of {list(BOOKS_SHA256)}."
            )
        self.base = Path(root).expanduser() / folder_in_archive
        path = self.base / url
        there(path, root, f"{BOOKS}{url}.tar.gz", BOOKS_SHA256[url], download)
        self.names = sorted(path.glob("*/*/*.flac"), key=lambda one: one.stem)

    def get_metadata(self, n: int) -> tuple[str, int, str, int, int, int]:
        """The path below ``LibriSpeech``, the rate, what is said, speaker, chapter and number.

        Raises:
            FileNotFoundError: the chapter's text does not have it.
        """
        path: Path = self.names[n]
        speaker, chapter, number = path.stem.split("-")
        text = (path.parent / f"{speaker}-{chapter}.trans.txt").read_text("utf-8")
        for line in text.splitlines():
            name, _, said = line.strip().partition(" ")
            if name == path.stem:
                place = str(path.relative_to(self.base))
                return place, 16000, said, int(speaker), int(chapter), int(number)
        raise FileNotFoundError(f"Translation not found for {path.stem}")


READER = "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2"
READER_SHA256 = "be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5"


class LJSPEECH(Dataset):
    """13,100 sentences by one reader: (samples, 22050, text, the same with numbers in words).

    Args:
        root: where ``LJSpeech-1.1`` lies or is downloaded to.
        url, folder_in_archive: the archive, and the folder of recordings in it.
        download: whether to download what is not there.
    Raises:
        RuntimeError: it is not there.
    Reference:
        Ito & Johnson 2017, "The LJ Speech dataset".
    """

    def __init__(
        self, root: Root, url: str = READER, folder_in_archive: str = "wavs",
        download: bool = False,
    ) -> None:  # fmt: skip
        folder = Path(root).expanduser() / url.rpartition("/")[2].removesuffix(".tar.bz2")
        sha256 = READER_SHA256 if url == READER else None
        self.path = there(folder / folder_in_archive, root, url, sha256, download)
        text = (folder / "metadata.csv").read_text("utf-8")
        self.lines = [line.split("|") for line in text.split("\n") if line]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, n: int) -> tuple[Any, ...]:
        name, text, words = self.lines[n]
        return *load(self.path / f"{name}.wav"), text, words
