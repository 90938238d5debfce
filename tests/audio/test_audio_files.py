"""Sound files: read, written and described; against soundfile and the wave module."""

import io
import struct
import sys
import wave

import numpy as np
import pytest
import soundfile
from beside import noise

import rushlight as rl
from rushlight import audio

RATE = 8000
SUBTYPES = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]


def written(tmp_path, format, subtype, channels=2, frames=100, name="x"):
    values = noise(frames, channels, scale=0.9)
    path = tmp_path / f"{name}.{format.lower()}"
    soundfile.write(path, values, RATE, subtype=subtype, format=format)
    return path, soundfile.read(path, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("format", ["WAV", "WAVEX"])
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_wav_files_are_read_as_soundfile_reads_them(tmp_path, format, subtype):
    path, values = written(tmp_path, format, subtype)
    for source in (path, str(path), io.BytesIO(path.read_bytes())):
        sound, rate = audio.load(source)
        assert rate == RATE and sound.dtype == rl.float32
        np.testing.assert_array_equal(sound.numpy(), values.T)


@pytest.mark.parametrize("format, subtype", [("FLAC", "PCM_16"), ("FLAC", "PCM_24"),
    ("WAV", "ULAW"), ("WAV", "ALAW"), ("OGG", "VORBIS"), ("AIFF", "PCM_16")])  # fmt: skip
def test_other_files(tmp_path, format, subtype):
    path, values = written(tmp_path, format, subtype)
    for source in (path, io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(audio.load(source)[0].numpy(), values.T)
    part, _ = audio.load(path, frame_offset=10, num_frames=7, channels_first=False)
    np.testing.assert_array_equal(part.numpy(), values[10:17])
    assert audio.load(path, frame_offset=1000)[0].shape == (2, 0)


def test_without_soundfile_wav_files_can_be_read(tmp_path, monkeypatch):
    path, values = written(tmp_path, "WAV", "PCM_16")
    flac, _ = written(tmp_path, "FLAC", "PCM_16")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    np.testing.assert_array_equal(audio.load(path)[0].numpy(), values.T)
    assert audio.list_audio_backends() == []
    with pytest.raises(ImportError, match=r"x\.flac.*needs soundfile.*rushlight\[audio\]"):
        audio.load(flac)
    monkeypatch.undo()
    assert audio.list_audio_backends() == ["soundfile"]


@pytest.mark.parametrize("subtype, dtype", [("PCM_U8", "uint8"), ("PCM_16", "int16"),
    ("PCM_24", "int32"), ("PCM_32", "int32"), ("FLOAT", "float32")])  # fmt: skip
def test_samples_as_they_are(tmp_path, subtype, dtype):
    path, _ = written(tmp_path, "WAV", subtype)
    sound, _ = audio.load(path, normalize=False)
    assert sound.numpy().dtype == dtype
    if dtype in ("int16", "int32"):
        wanted = soundfile.read(path, dtype=dtype, always_2d=True)[0]
        np.testing.assert_array_equal(sound.numpy(), wanted.T)


@pytest.mark.parametrize("first, count", [(0, -1), (0, 0), (5, 10), (95, 10), (100, 1), (200, 3)])
def test_parts(tmp_path, first, count):
    path, values = written(tmp_path, "WAV", "PCM_24")
    part, _ = audio.load(path, first, count)
    last = len(values) if count == -1 else first + count
    np.testing.assert_array_equal(part.numpy(), values[first:last].T)


def test_bad_parts(tmp_path):
    path, _ = written(tmp_path, "WAV", "PCM_16")
    for args in ((-1,), (0, -2)):
        with pytest.raises(ValueError, match="frame_offset must be"):
            audio.load(path, *args)


@pytest.mark.parametrize("format, subtype, encoding, bits", [
    ("WAV", "PCM_U8", "PCM_U", 8), ("WAV", "PCM_16", "PCM_S", 16), ("WAV", "PCM_24", "PCM_S", 24),
    ("WAV", "FLOAT", "PCM_F", 32), ("WAV", "DOUBLE", "PCM_F", 64), ("WAV", "ULAW", "ULAW", 8),
    ("FLAC", "PCM_24", "FLAC", 24), ("OGG", "VORBIS", "VORBIS", 0),
])  # fmt: skip
def test_info(tmp_path, format, subtype, encoding, bits):
    path, _ = written(tmp_path, format, subtype)
    assert audio.info(path) == audio.AudioMetaData(RATE, 100, 2, bits, encoding)


@pytest.mark.parametrize("encoding, bits, subtype", [
    ("PCM_S", 16, "PCM_16"), ("PCM_S", 24, "PCM_24"), ("PCM_S", 32, "PCM_32"),
    ("PCM_U", 8, "PCM_U8"), ("PCM_F", 32, "FLOAT"), ("PCM_F", 64, "DOUBLE"), ("ULAW", 8, "ULAW"),
    ("PCM_F", None, "FLOAT"), ("PCM_S", None, "PCM_16"), (None, 8, "PCM_U8"),
    (None, 24, "PCM_24"), (None, None, "FLOAT"),
])  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_saved_wav_files(tmp_path, encoding, bits, subtype, channels):
    values = noise(channels, 51)
    path = tmp_path / "x.wav"
    audio.save(path, rl.tensor(values), RATE, encoding=encoding, bits_per_sample=bits)
    there = soundfile.info(path)
    assert (there.subtype, there.samplerate, there.frames) == (subtype, RATE, 51)
    step = {"PCM_16": 2**-15, "PCM_U8": 2**-7, "PCM_24": 2**-23, "ULAW": 0.04}.get(subtype, 1e-7)
    read = soundfile.read(path, always_2d=True)[0].T
    np.testing.assert_allclose(read, values, rtol=0, atol=0.51 * step)
    np.testing.assert_allclose(audio.load(path)[0].numpy(), read, atol=1e-7)


def test_whole_numbers_are_kept(tmp_path):
    for dtype in ("int16", "int32"):
        values = np.array([[0, 1, -1, np.iinfo(dtype).max, np.iinfo(dtype).min]], dtype)
        audio.save(tmp_path / "x.wav", rl.tensor(values), RATE)
        np.testing.assert_array_equal(
            audio.load(tmp_path / "x.wav", normalize=False)[0].numpy(), values
        )
    audio.save(tmp_path / "x.wav", rl.tensor([[0, 128, 255]], dtype=rl.uint8), RATE)
    assert audio.load(tmp_path / "x.wav")[0].tolist() == [[-1.0, 0.0, 127 / 128]]
    audio.save(tmp_path / "x.wav", rl.tensor([[-(2**15), 0]], dtype=rl.int16), RATE,
               encoding="PCM_F")  # fmt: skip
    assert audio.load(tmp_path / "x.wav")[0].tolist() == [[-1.0, 0.0]]


def test_too_loud_is_held_at_the_edges():
    file = io.BytesIO()
    audio.save(file, rl.tensor([2.0, -2.0, 1.0]), RATE, format="wav", bits_per_sample=16)
    sound, _ = audio.load(io.BytesIO(file.getvalue()), normalize=False)
    assert sound.tolist() == [[32767, -32768, 32767]]
    with wave.open(io.BytesIO(file.getvalue())) as read:
        assert (read.getnchannels(), read.getframerate(), read.getnframes()) == (1, RATE, 3)


def test_flac_and_vorbis(tmp_path):
    values = noise(2, 400)
    audio.save(tmp_path / "x.flac", rl.tensor(values), RATE, compression=0.5)
    np.testing.assert_allclose(audio.load(tmp_path / "x.flac")[0].numpy(), values, atol=2**-15)
    audio.save(tmp_path / "y.flac", rl.tensor(values.T), RATE, False, bits_per_sample=24)
    assert audio.info(tmp_path / "y.flac").bits_per_sample == 24
    file = io.BytesIO()
    audio.save(file, rl.tensor(values), RATE, format="ogg")
    assert audio.info(io.BytesIO(file.getvalue())).encoding == "VORBIS"


def test_what_cannot_be_saved(tmp_path):
    sound = rl.zeros(1, 4)
    for kwargs, pattern in (
        (
            {"encoding": "PCM_S", "bits_per_sample": 8},
            "no WAV file has the encoding 'PCM_S' with 8",
        ),
        ({"encoding": "PCM_F", "bits_per_sample": 16}, "no WAV file"),
        ({"encoding": "nonsense"}, "no WAV file has the encoding 'nonsense'"),
        ({"format": "flac", "bits_per_sample": 32}, "no flac file has the encoding"),
        ({"format": "nonsense"}, "no nonsense file"),
    ):
        with pytest.raises(ValueError, match=pattern):
            audio.save(tmp_path / "x.wav", sound, RATE, **kwargs)
    assert not (tmp_path / "x.wav").exists()
    with pytest.raises(ValueError, match="1D or 2D"):
        audio.save(tmp_path / "x.wav", rl.zeros(1, 1, 4), RATE)
    with pytest.raises(ValueError, match="Unsupported dtype"):
        audio.save(tmp_path / "x.wav", rl.zeros(4, dtype=rl.int64), RATE)
    with pytest.raises(ValueError, match="give format='wav'"):
        audio.save(io.BytesIO(), sound, RATE)


def test_nothing_and_rubbish(tmp_path):
    with pytest.raises(FileNotFoundError):
        audio.load(tmp_path / "none.wav")
    for data in (b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"nonsense" * 10):
        with pytest.raises(RuntimeError, match=r"x\.wav is no sound that can be read"):
            (tmp_path / "x.wav").write_bytes(data)
            audio.load(tmp_path / "x.wav")


def test_a_cut_file_gives_what_is_there(tmp_path):
    path, values = written(tmp_path, "WAV", "PCM_16")
    path.write_bytes(path.read_bytes()[:-101])
    assert audio.info(path).num_frames == 74
    np.testing.assert_array_equal(audio.load(path)[0].numpy(), values[:74].T)


def test_chunks_of_other_kinds_and_streamed_sizes(tmp_path):
    path, values = written(tmp_path, "WAV", "PCM_16")
    data = path.read_bytes()
    start = data.index(b"data")
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    streamed = data[:start] + odd + b"data\xff\xff\xff\xff" + data[start + 8 :]
    np.testing.assert_array_equal(audio.load(io.BytesIO(streamed))[0].numpy(), values.T)


def test_what_has_no_way_back(tmp_path):
    path, values = written(tmp_path, "FLAC", "PCM_16")

    class Stream:
        def __init__(self):
            self.file = io.BytesIO(path.read_bytes())

        def read(self, size=-1):
            return self.file.read(size)

    np.testing.assert_array_equal(audio.load(Stream())[0].numpy(), values.T)
    assert audio.info(Stream()).num_frames == 100


def test_a_sound_of_no_length(tmp_path):
    audio.save(tmp_path / "x.wav", rl.zeros(2, 0), RATE)
    assert audio.load(tmp_path / "x.wav")[0].shape == (2, 0)
