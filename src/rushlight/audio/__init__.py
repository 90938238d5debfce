"""Sound: files, spectra, filters, augmentation, datasets and models, with torchaudio's names.

Example:
    >>> import rushlight as rl
    >>> from rushlight import audio
    >>> tone = rl.sin(rl.arange(8000) * (2 * rl.pi * 440 / 8000))
    >>> mel = audio.transforms.MelSpectrogram(sample_rate=8000, n_fft=512, n_mels=40)
    >>> mel(tone).shape
    torch.Size([40, 32])
"""

import importlib
from typing import Any

from .files import AudioMetaData, info, list_audio_backends, load, save

__all__ = ["AudioMetaData", "info", "list_audio_backends", "load", "save"]

__version__ = "2.11.0+rushlight"  # what scripts compare with torchaudio's releases

# Loaded when somebody asks for them.
_PARTS = ("datasets", "functional", "models", "transforms")


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PARTS})
