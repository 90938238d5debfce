"""Readers of recordings on miniatures that torchaudio's readers read, too; downloads included."""

import io
import tarfile

import numpy as np
import pytest
import soundfile
import torch
from beside import audio, noise, torchaudio

import rushlight as rl
from home import Home
from rushlight.audio.datasets import archived, speechcommands, spoken

OURS, THEIRS = audio.datasets, torchaudio.datasets


@pytest.fixture(autouse=True)
def reading(monkeypatch):
    """torchaudio reads files by a library that is not here."""

    def load(path, **kwargs):
        values, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
        return torch.from_numpy(values.T.copy()), rate

    monkeypatch.setattr(torchaudio, "load", load)


def same(ours, theirs):
    assert len(ours) == len(theirs)
    for k in range(len(theirs)):
        (sound, *known), (wanted, *wanted_known) = ours[k], theirs[k]
        np.testing.assert_array_equal(sound.numpy(), wanted.numpy())
        assert known == wanted_known
    if hasattr(theirs, "get_metadata"):
        assert [ours.get_metadata(k) for k in range(len(ours))] == [
            theirs.get_metadata(k) for k in range(len(theirs))
        ]


def sounds(folder, names, rate=16000):
    for k, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(20 + k, 1, seed=k), rate)


def commands(folder):
    words = [f"{word}/{who}_nohash_{k}.wav" for word in ("yes", "no") for who in ("0a", "b1")
             for k in range(2)]  # fmt: skip
    sounds(folder, [*words, "_background_noise_/pink.wav", "_background_noise_/a_nohash_0.wav"])
    (folder / "validation_list.txt").write_text("yes/0a_nohash_0.wav\nno/0a_nohash_1.wav\n")
    (folder / "testing_list.txt").write_text("no/b1_nohash_0.wav\n")


@pytest.mark.parametrize("subset", [None, "training", "validation", "testing"])
def test_speech_commands(tmp_path, subset):
    commands(tmp_path / "SpeechCommands" / "speech_commands_v0.02")
    ours = OURS.SPEECHCOMMANDS(tmp_path, subset=subset)
    same(ours, THEIRS.SPEECHCOMMANDS(tmp_path, subset=subset))
    assert len(ours) == {None: 8, "training": 5, "validation": 2, "testing": 1}[subset]


def test_speech_commands_are_checked(tmp_path):
    with pytest.raises(ValueError, match="`subset`"):
        OURS.SPEECHCOMMANDS(tmp_path, subset="nonsense")
    with pytest.raises(RuntimeError, match="set `download=True`"):
        OURS.SPEECHCOMMANDS(tmp_path)
    folder = tmp_path / "SpeechCommands" / "speech_commands_v0.02"
    commands(folder)
    sounds(folder, ["yes/0a_nohash_0.wav"], rate=8000)
    with pytest.raises(ValueError, match="sample rate should be 16000, but got 8000"):
        OURS.SPEECHCOMMANDS(tmp_path, subset="validation")[0]


def test_yes_no(tmp_path):
    sounds(tmp_path / "waves_yesno", ["0_1_0_0_1_1_0_1.wav", "0_0_0_0_0_0_0_1.wav"], 8000)
    same(OURS.YESNO(tmp_path), THEIRS.YESNO(tmp_path))
    assert OURS.YESNO(tmp_path)[0][1:] == (8000, [0, 0, 0, 0, 0, 0, 0, 1])


def test_librispeech(tmp_path):
    folder = tmp_path / "LibriSpeech" / "dev-clean"
    for speaker, chapter in (("84", "121123"), ("1272", "128104")):
        home = folder / speaker / chapter
        names = [f"{speaker}-{chapter}-{k:04}" for k in range(2)]
        sounds(home, [f"{name}.flac" for name in names])
        lines = [f"{name} WHAT {name} SAYS" for name in names]
        (home / f"{speaker}-{chapter}.trans.txt").write_text("\n".join(lines) + "\n")
    ours = OURS.LIBRISPEECH(tmp_path, "dev-clean")
    same(ours, THEIRS.LIBRISPEECH(tmp_path, "dev-clean"))
    (folder / "84" / "121123" / "84-121123.trans.txt").write_text("")
    with pytest.raises(FileNotFoundError, match="Translation not found for 84-121123-0000"):
        ours[2]
    with pytest.raises(ValueError, match="Invalid url 'nonsense'"):
        OURS.LIBRISPEECH(tmp_path, "nonsense")


def test_ljspeech(tmp_path):
    sounds(tmp_path / "LJSpeech-1.1" / "wavs", ["LJ001-0001.wav", "LJ001-0002.wav"], 22050)
    (tmp_path / "LJSpeech-1.1" / "metadata.csv").write_text(
        'LJ001-0001|In 1465, "it" was|In fourteen sixty-five, "it" was\nLJ001-0002|so|so\n'
    )
    same(OURS.LJSPEECH(tmp_path), THEIRS.LJSPEECH(tmp_path))


def packed(folder, names=("",)):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name in names:
            archive.add(folder / name, arcname=name or ".")
    return out.getvalue()


def test_downloads(tmp_path, monkeypatch):
    commands(tmp_path / "a")
    sounds(tmp_path / "b" / "waves_yesno", ["0_1.wav"], 8000)
    home = Home({
        "speech_commands_v0.02.tar.gz": packed(tmp_path / "a"),
        "waves_yesno.tar.gz": packed(tmp_path / "b", ["waves_yesno"]),
    })  # fmt: skip
    monkeypatch.setattr(speechcommands, "ADDRESS", home.address)
    whole = archived.fetch.download
    monkeypatch.setattr(  # the checksums are those of the published files
        archived.fetch, "download", lambda url, root, sha256: whole(url, root, progress=False)
    )
    words = OURS.SPEECHCOMMANDS(tmp_path / "c", download=True)
    assert len(words) == 8 and words[0][2] == "no"
    same(words, THEIRS.SPEECHCOMMANDS(tmp_path / "c"))
    yes = OURS.YESNO(tmp_path / "c", home.address + "waves_yesno.tar.gz", download=True)
    assert yes[0][2] == [0, 1]
    OURS.SPEECHCOMMANDS(tmp_path / "c", download=True)
    assert home.asked == ["speech_commands_v0.02.tar.gz", "waves_yesno.tar.gz"]  # once each
    home.server.shutdown()
    home.server.server_close()


def test_without_network(tmp_path, monkeypatch):
    monkeypatch.setattr(spoken, "BOOKS", "http://127.0.0.1:9/")
    with pytest.raises(RuntimeError, match=r"dev-clean\.tar\.gz.*the folder"):
        OURS.LIBRISPEECH(tmp_path, "dev-clean", download=True)


def test_addresses_and_checksums_are_torchaudios():
    from torchaudio.datasets import librispeech, ljspeech, yesno
    from torchaudio.datasets import speechcommands as theirs

    assert {f"{speechcommands.ADDRESS}{name}.tar.gz": value
            for name, value in speechcommands.CHECKSUMS.items()} == theirs._CHECKSUMS  # fmt: skip
    assert {f"{spoken.BOOKS}{name}.tar.gz": value
            for name, value in spoken.BOOKS_SHA256.items()} == librispeech._CHECKSUMS  # fmt: skip
    for address, checksum, known in (
        (spoken.YES_OR_NO, spoken.YES_OR_NO_SHA256, yesno._RELEASE_CONFIGS),
        (spoken.READER, spoken.READER_SHA256, ljspeech._RELEASE_CONFIGS),
    ):
        assert (address, checksum) == (known["release1"]["url"], known["release1"]["checksum"])


def test_in_a_loader(tmp_path):
    commands(tmp_path / "SpeechCommands" / "speech_commands_v0.02")
    data = OURS.SPEECHCOMMANDS(tmp_path)
    collate = lambda items: rl.nn.utils.rnn.pad_sequence([item[0][0] for item in items], True)
    assert next(iter(rl.utils.data.DataLoader(data, 3, collate_fn=collate))).shape[0] == 3
