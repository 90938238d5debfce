"""Sounds in files: load, save and info.

WAV files of whole numbers and floats are read and written here; FLAC, Ogg, MP3 and the rest by
the soundfile library.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

import rushlight as rl
from rushlight.audio import wav
from rushlight.base import extras

Source = str | os.PathLike[str] | BinaryIO


@dataclass
class AudioMetaData:
    """What :func:`info` tells: rate in Hz, frames, channels, bits of a sample, coding."""

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str


def list_audio_backends() -> list[str]:
    """What files can be read with: ``soundfile`` when it is installed; WAV files always can."""
    with contextlib.suppress(ImportError):
        _soundfile("")
        return ["soundfile"]
    return []


def load(
    uri: Source, frame_offset: int = 0, num_frames: int = -1, normalize: bool = True,
    channels_first: bool = True, format: str | None = None, buffer_size: int = 4096,
    backend: str | None = None,
) -> tuple[rl.Tensor, int]:  # fmt: skip
    """Reads a sound.

    Args:
        uri: a path, or a file opened for reading bytes that can seek.
        frame_offset, num_frames: the part that is read; -1 is all that follows.
        normalize: False leaves WAV files of whole numbers as they are: uint8, int16, int32.
        channels_first: (channel, time) rather than (time, channel).
        format: how to read what has no name, such as ``"flac"``; the file's beginning says it too.
        buffer_size, backend: accepted, as torchaudio does, and not needed.
    Returns:
        The samples, float32 in [-1, 1], and the sample rate in Hz.
    Raises:
        FileNotFoundError: no such file.
        RuntimeError: it cannot be decoded.
    Example:
        >>> import io, rushlight as rl
        >>> from rushlight import audio
        >>> file = io.BytesIO()
        >>> audio.save(file, rl.tensor([[0.0, 0.5, -0.5]]), 8000, format="wav")
        >>> audio.load(io.BytesIO(file.getvalue()))
        (tensor([[ 0.0000,  0.5000, -0.5000]]), 8000)
    """
    if frame_offset < 0 or num_frames < -1:
        raise ValueError(
            f"frame_offset must be at least 0 and num_frames at least -1, got {frame_offset} and"
            f" {num_frames}"
        )
    with _opened(uri) as file:
        values, rate = _samples(file, frame_offset, num_frames, str(uri))
    whole = values.dtype.kind != "f"
    if normalize or not whole:
        values = wav.as_floats(values)
    sound = rl.from_numpy(np.ascontiguousarray(values.T if channels_first else values))
    return sound, rate


def info(
    uri: Source, format: str | None = None, buffer_size: int = 4096, backend: str | None = None
) -> AudioMetaData:
    """What a sound file says of itself, without reading its samples.

    Raises:
        RuntimeError: it cannot be decoded.
    """
    with _opened(uri) as file:
        begin = file.tell()
        try:
            head = wav.header(file)
        except wav.NotWav:
            file.seek(begin)
            return _described(_decoded(file, str(uri)))
        kind = "PCM_F" if head.floating else "PCM_U" if head.bits == 8 else "PCM_S"
        return AudioMetaData(head.rate, head.frames, head.channels, head.bits, kind)


@contextlib.contextmanager
def _opened(uri: Source) -> Iterator[BinaryIO]:
    if hasattr(uri, "read"):
        # Without a way back, all of it is read first: readers look at the beginning twice.
        yield uri if _seekable(uri) else io.BytesIO(uri.read())
    else:
        with open(uri, "rb") as file:
            yield file


def _seekable(file: Any) -> bool:
    return hasattr(file, "seek") and (not hasattr(file, "seekable") or file.seekable())


def _samples(file: BinaryIO, first: int, count: int, name: str) -> tuple[np.ndarray, int]:
    """The samples (frames, channels) and the rate."""
    begin = file.tell()
    try:
        head = wav.header(file)
    except wav.NotWav:
        file.seek(begin)
        sound = _decoded(file, name)
        with sound:
            sound.seek(min(first, sound.frames))
            return sound.read(count, dtype="float32", always_2d=True), sound.samplerate
    return wav.samples(file, head, first, head.frames if count == -1 else count), head.rate


def _soundfile(purpose: str) -> Any:
    return extras.load("soundfile", "audio", purpose)


def _decoded(file: BinaryIO, name: str) -> Any:
    soundfile = _soundfile(f"reading {name}, which is no plain WAV file,")
    try:
        return soundfile.SoundFile(file)
    except soundfile.LibsndfileError as error:
        raise RuntimeError(f"{name} is no sound that can be read: {error}") from None


# What soundfile calls a coding, what torchaudio calls it, and its bits; 0 where samples have none.
CODINGS = {
    "PCM_S8": ("PCM_S", 8), "PCM_U8": ("PCM_U", 8), "PCM_16": ("PCM_S", 16),
    "PCM_24": ("PCM_S", 24), "PCM_32": ("PCM_S", 32), "FLOAT": ("PCM_F", 32),
    "DOUBLE": ("PCM_F", 64), "ULAW": ("ULAW", 8), "ALAW": ("ALAW", 8), "VORBIS": ("VORBIS", 0),
    "OPUS": ("OPUS", 0), "MPEG_LAYER_III": ("MP3", 0),
}  # fmt: skip
CODERS = {("PCM_S", 8): "PCM_S8"} | {known: theirs for theirs, known in CODINGS.items()}


def _described(sound: Any) -> AudioMetaData:
    with sound:
        encoding, bits = CODINGS.get(sound.subtype, ("UNKNOWN", 0))
        if sound.format == "FLAC":
            encoding = "FLAC"
        return AudioMetaData(sound.samplerate, sound.frames, sound.channels, bits, encoding)


def save(
    uri: Source, src: rl.Tensor, sample_rate: int, channels_first: bool = True,
    format: str | None = None, encoding: str | None = None, bits_per_sample: int | None = None,
    buffer_size: int = 4096, backend: str | None = None,
    compression: float | int | None = None,
) -> None:  # fmt: skip
    """Writes a sound.

    Args:
        uri: a path, whose ending says the format, or a file opened for writing bytes.
        src: (channel, time) or (time,): float32 or float64 in [-1, 1], or uint8, int16 or int32 of
            full range.
        channels_first: False for (time, channel).
        format: ``"wav"``, ``"flac"``, ``"ogg"``, ...; needed for a file without a name.
        encoding: of a WAV file ``"PCM_S"``, ``"PCM_U"``, ``"PCM_F"``, ``"ULAW"`` or ``"ALAW"``; by
            default what ``src`` is.
        bits_per_sample: bits of a sample; by default those of ``src``, 16 in a FLAC file.
        buffer_size, backend: accepted, as torchaudio does, and not needed.
        compression: the compression level of formats that have one, 0 to 1.
    Raises:
        ValueError: no such coding, or a shape that is no sound.
    """
    if src.ndim not in (1, 2):
        raise ValueError(f"Expected 1D or 2D Tensor, got {src.ndim}D.")
    values = src.detach().numpy()
    values = values[:, None] if src.ndim == 1 else values.T if channels_first else values
    format = (format or _ending(uri)).lower()
    target = uri if hasattr(uri, "write") else None
    encoding, bits = _coding(format, values.dtype, encoding, bits_per_sample)
    buffer = io.BytesIO()
    if format == "wav" and encoding in ("PCM_S", "PCM_U", "PCM_F"):
        floating = encoding == "PCM_F"
        stored = _converted(values, bits, floating)
        wav.write(buffer, stored, int(sample_rate), bits, floating)
    else:
        _encode(buffer, values, int(sample_rate), format, encoding, bits, compression)
    if target is not None:
        target.write(buffer.getvalue())
    else:
        with open(uri, "wb") as file:
            file.write(buffer.getvalue())


def _ending(uri: Any) -> str:
    name = os.fspath(uri) if not hasattr(uri, "write") else getattr(uri, "name", "")
    ending = os.path.splitext(str(name))[1].removeprefix(".")
    if not ending:
        raise ValueError("the name of the file does not say its format: give format='wav'")
    return ending


def _coding(
    format: str, dtype: np.dtype[Any], encoding: str | None, bits: int | None
) -> tuple[str, int]:
    """The coding and its bits, from what is asked for and what the samples are."""
    kinds = {
        "f4": ("PCM_F", 32), "f8": ("PCM_F", 64), "u1": ("PCM_U", 8),
        "i2": ("PCM_S", 16), "i4": ("PCM_S", 32),
    }  # fmt: skip
    natural = kinds.get(dtype.str[1:])
    if natural is None:
        raise ValueError(f"Unsupported dtype for a sound: {dtype}")
    if format != "wav":
        return encoding or "PCM_S", bits or {"u1": 8, "i4": 24}.get(dtype.str[1:], 16)
    if encoding is None and bits is not None:
        encoding = "PCM_U" if bits == 8 else "PCM_F" if bits == 64 else "PCM_S"
    encoding = encoding or natural[0]
    default = {"PCM_U": 8, "ULAW": 8, "ALAW": 8, "PCM_S": 16, "PCM_F": 32}.get(encoding, 0)
    if bits is None:
        bits = natural[1] if encoding == natural[0] else default
    allowed = {"PCM_S": (16, 24, 32), "PCM_U": (8,), "PCM_F": (32, 64), "ULAW": (8,), "ALAW": (8,)}
    if bits not in allowed.get(encoding, ()):
        raise ValueError(f"no WAV file has the encoding {encoding!r} with {bits} bits per sample")
    return encoding, bits


def _converted(values: np.ndarray, bits: int, floating: bool) -> np.ndarray:
    """Samples of any kind as floats, or as whole numbers of ``bits`` bits."""
    if floating:
        return values if values.dtype.kind == "f" else wav.as_floats(values)
    if values.dtype.kind != "f":
        if values.dtype.itemsize * 8 == bits:
            return values
        full = 8 * values.dtype.itemsize
        signed = values.astype(np.int64) - (128 if full == 8 else 0)
        values = signed / wav.FULL[full]
    return wav.as_whole(values, bits)


def _encode(
    file: BinaryIO, values: np.ndarray, rate: int, format: str, encoding: str, bits: int,
    compression: float | None,
) -> None:  # fmt: skip
    soundfile = _soundfile(f"writing {format} files")
    if values.dtype == np.uint8:
        values = wav.as_floats(values)
    lossy = format in ("ogg", "vorbis", "mp3", "opus")
    subtype = None if lossy else CODERS.get((encoding, bits))
    kind = {"vorbis": "ogg", "opus": "ogg"}.get(format, format).upper()
    if format == "opus":
        subtype = "OPUS"
    options = {} if compression is None else {"compression_level": compression}
    if kind not in soundfile.available_formats() or not soundfile.check_format(kind, subtype):
        raise ValueError(f"no {format} file has the encoding {encoding!r} with {bits} bits")
    soundfile.write(file, values, rate, subtype=subtype, format=kind, **options)
