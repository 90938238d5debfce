"""Speech Commands: single words said by many people."""

from __future__ import annotations

from pathlib import Path

from .archived import Recordings, Root, there

ADDRESS = "http://download.tensorflow.org/data/"
CHECKSUMS = {
    "speech_commands_v0.01": "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
    "speech_commands_v0.02": "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
}
LISTS = {"validation": "validation_list.txt", "testing": "testing_list.txt"}
SPEAKER, NOISE = "_nohash_", "_background_noise_"


class SPEECHCOMMANDS(Recordings):
    """Words of one second: (samples (1, 16000), 16000, word, speaker, number of the recording).

    Args:
        root: where ``SpeechCommands/speech_commands_v0.02`` lies or is downloaded to.
        url: ``"speech_commands_v0.02"`` (35 words, 105,829 recordings), ``"speech_commands_v0.01"``
            (30 words), or an address of such an archive.
        folder_in_archive: the folder above them.
        download: whether to download what is not there.
        subset: ``"training"``, ``"validation"`` or ``"testing"``; None for all.
    Raises:
        RuntimeError: it is not there.
    Reference:
        Warden 2018, "Speech commands: a dataset for limited-vocabulary speech recognition",
        arXiv:1804.03209.
    """

    def __init__(
        self, root: Root, url: str = "speech_commands_v0.02",
        folder_in_archive: str = "SpeechCommands", download: bool = False,
        subset: str | None = None,
    ) -> None:  # fmt: skip
        if subset not in (None, "training", *LISTS):
            raise ValueError(
                "When `subset` is not None, it must be one of ['training', 'validation',"
                " 'testing']."
            )
        if url in CHECKSUMS:
            url = f"{ADDRESS}{url}.tar.gz"
        release = url.rpartition("/")[2].removesuffix(".tar.gz")
        self.base = Path(root).expanduser() / folder_in_archive
        folder = self.base / release
        there(folder, root, url, CHECKSUMS.get(release), download, inside=folder)
        self.names = self._listed(folder, subset)

    def _listed(self, folder: Path, subset: str | None) -> list[Path]:
        lists = {name: [folder / line for line in (folder / file).read_text("utf-8").split()]
                 for name, file in LISTS.items() if subset in (name, "training")}  # fmt: skip
        if subset in LISTS:
            return lists[subset]
        elsewhere = {path for paths in lists.values() for path in paths}
        return [
            path for path in sorted(folder.glob("*/*.wav"))
            if SPEAKER in path.name and path.parent.name != NOISE and path not in elsewhere
        ]  # fmt: skip

    def get_metadata(self, n: int) -> tuple[str, int, str, str, int]:
        """The path below ``SpeechCommands``, the rate, word, speaker and number."""
        path = self.names[n]
        speaker, number = path.name.removesuffix(".wav").split(SPEAKER)
        return str(path.relative_to(self.base)), 16000, path.parent.name, speaker, int(number)
