"""Modules on sound, with torchaudio's names."""

# ruff: noqa: I001 - imported names stand in rows
from .beamforming import MVDR, PSD, RTFMVDR, SoudenMVDR
from .masking import FrequencyMasking, SpecAugment, TimeMasking
from .mel import LFCC, MFCC, AmplitudeToDB, InverseMelScale, MelScale, MelSpectrogram
from .small import (
    AddNoise, ComputeDeltas, Convolve, Deemphasis, FFTConvolve, Loudness, MuLawDecoding,
    MuLawEncoding, Preemphasis, RNNTLoss, SlidingWindowCmn, Vad,
)  # fmt: skip
from .spectrum import (
    GriffinLim, InverseSpectrogram, SpectralCentroid, Spectrogram, TimeStretch,
)  # fmt: skip
from .wave import Fade, PitchShift, Resample, Speed, SpeedPerturbation, Vol
