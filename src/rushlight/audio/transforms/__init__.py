"""Modules on sound, with torchaudio's names."""

from .mel import LFCC, MFCC, AmplitudeToDB, InverseMelScale, MelScale, MelSpectrogram
from .spectrum import (
    GriffinLim,
    InverseSpectrogram,
    SpectralCentroid,
    Spectrogram,
    TimeStretch,
)  # fmt: skip
