"""Functions on sound, with torchaudio's names.

:mod:`rushlight.audio.transforms` are modules of the same.
"""

# ruff: noqa: I001 - imported names stand in rows
from .alignment import TokenSpan, forced_align, merge_tokens
from .beamforming import (
    apply_beamforming, mvdr_weights_rtf, mvdr_weights_souden, psd, rtf_evd, rtf_power,
)  # fmt: skip
from .biquad import (
    allpass_biquad, band_biquad, bandpass_biquad, bandreject_biquad, bass_biquad, biquad,
    deemph_biquad, equalizer_biquad, highpass_biquad, lowpass_biquad, riaa_biquad, treble_biquad,
)  # fmt: skip
from .convolution import add_noise, convolve, fftconvolve
from .distance import edit_distance, frechet_distance
from .effects import contrast, dcshift, dither, flanger, overdrive, phaser
from .filter import deemphasis, filtfilt, lfilter, preemphasis
from .filterbank import create_dct, linear_fbanks, melscale_fbanks
from .frames import compute_deltas, detect_pitch_frequency, sliding_window_cmn
from .level import (
    DB_to_amplitude, amplitude_to_DB, gain, loudness, mu_law_decoding, mu_law_encoding,
)  # fmt: skip
from .masking import mask_along_axis, mask_along_axis_iid
from .resampling import pitch_shift, resample, speed
from .spectrum import (
    griffinlim, inverse_spectrogram, phase_vocoder, spectral_centroid, spectrogram,
)  # fmt: skip
from .transducer import rnnt_loss
from .voice import vad
