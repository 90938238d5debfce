"""Functions on sound, with torchaudio's names; :mod:`rushlight.audio.transforms` are modules of
the same."""

from .biquad import (
    allpass_biquad,
    band_biquad,
    bandpass_biquad,
    bandreject_biquad,
    bass_biquad,
    biquad,
    deemph_biquad,
    equalizer_biquad,
    highpass_biquad,
    lowpass_biquad,
    riaa_biquad,
    treble_biquad,
)  # fmt: skip
from .filter import deemphasis, filtfilt, lfilter, preemphasis
from .filterbank import create_dct, linear_fbanks, melscale_fbanks
from .level import (
    DB_to_amplitude,
    amplitude_to_DB,
    gain,
    loudness,
    mu_law_decoding,
    mu_law_encoding,
)  # fmt: skip
from .spectrum import (
    griffinlim,
    inverse_spectrogram,
    phase_vocoder,
    spectral_centroid,
    spectrogram,
)  # fmt: skip
