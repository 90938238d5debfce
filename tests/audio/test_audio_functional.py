"""Functions on waves and spectrograms against torchaudio's, in value and gradient."""

import itertools
import math

import numpy as np
import pytest
import torch
from beside import alike, audio, compare, noise, torchaudio

import rushlight as rl

OURS, THEIRS = audio.functional, torchaudio.functional
RATE = 8000


def both(name, *args, **kwargs):
    compare(getattr(OURS, name), getattr(THEIRS, name), *args, **kwargs)


WINDOW = np.hanning(17)[:-1] + 0.1


@pytest.mark.parametrize("power", [None, 1.0, 2.0, 0.7])
@pytest.mark.parametrize("normalized", [False, True, "frame_length"])
def test_spectrograms(power, normalized):
    x = noise(2, 3, 90, dtype="float64")
    both("spectrogram", x, 2, WINDOW, 20, 7, 16, power, normalized)
    both("spectrogram", x, 0, WINDOW, 16, 8, 16, power, normalized, center=False, onesided=False)


@pytest.mark.parametrize("length", [None, 70])
@pytest.mark.parametrize("normalized", [False, "window", "frame_length"])
def test_inverse_spectrograms(length, normalized):
    x = noise(2, 9, 20, dtype="complex128")
    both("inverse_spectrogram", x, length, 3, WINDOW, 16, 4, 16, normalized)


def test_bad_spectrograms():
    for lib, F in ((rl, OURS), (torch, THEIRS)):
        window = lib.ones(4)
        with pytest.raises(ValueError, match="Invalid normalized"):
            F.spectrogram(lib.zeros(9), 0, window, 4, 2, 4, 2.0, "nonsense")
        with pytest.raises(TypeError, match="not supported"):
            F.spectrogram(lib.zeros(9), 0, window, 4, 2, 4, 2.0, 3)
        with pytest.raises(ValueError, match="complex"):
            F.inverse_spectrogram(lib.zeros(3, 9), None, 0, window, 4, 2, 4, False)
        with pytest.warns(UserWarning, match="return_complex"):
            F.spectrogram(lib.zeros(9), 0, window, 4, 2, 4, 2.0, False, return_complex=True)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_griffinlim(momentum):
    magnitudes = np.abs(noise(2, 9, 12, dtype="complex128")) + 0.1
    both("griffinlim", magnitudes, WINDOW, 16, 4, 16, 2.0, 4, momentum, 46, False)
    sound = OURS.griffinlim(
        rl.tensor(magnitudes), rl.tensor(WINDOW), 16, 4, 16, 1, 2, 0.5, None, True
    )
    assert sound.shape == (2, 44) and np.isfinite(sound.numpy()).all()
    with pytest.raises(ValueError, match="momentum must be in range"):
        OURS.griffinlim(rl.tensor(magnitudes), rl.tensor(WINDOW), 16, 4, 16, 1, 2, 1.0, None, True)


@pytest.mark.parametrize("rate", [1.0, 0.7, 1.3, 2.0])
def test_phase_vocoder(rate):
    advance = np.linspace(0, math.pi * 8, 9)[:, None]
    x = noise(2, 9, 20, dtype="complex128")
    compare(lambda x: OURS.phase_vocoder(x, rate, rl.tensor(advance)),
            lambda x: THEIRS.phase_vocoder(x, rate, torch.tensor(advance)), x)  # fmt: skip


def test_spectral_centroid():
    both("spectral_centroid", noise(2, 90, dtype="float64"), RATE, 2, WINDOW, 16, 4, 16,
         rtol=1e-6)  # fmt: skip


@pytest.mark.parametrize("norm", [None, "slaney"])
@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.filterwarnings("ignore:At least one mel")
def test_mel_filters(norm, scale):
    for args in ((201, 0.0, 8000.0, 40, 16000), (100, 60.0, 3000.0, 128, 8000)):
        ours = OURS.melscale_fbanks(*args, norm=norm, mel_scale=scale)
        theirs = THEIRS.melscale_fbanks(*args, norm=norm, mel_scale=scale)
        alike(ours, theirs, rtol=0, atol=2e-5)  # of points in float32, a few ulp of 8000 Hz


def test_other_matrices():
    alike(OURS.linear_fbanks(65, 10.0, 4000.0, 20, 8000),
          THEIRS.linear_fbanks(65, 10.0, 4000.0, 20, 8000), rtol=0, atol=2e-5)  # fmt: skip
    for norm in (None, "ortho"):
        alike(OURS.create_dct(7, 20, norm), THEIRS.create_dct(7, 20, norm))
    for F in (OURS, THEIRS):
        with pytest.raises(ValueError, match="norm must be"):
            F.create_dct(7, 20, "nonsense")
        with pytest.raises(ValueError, match="norm must be"):
            F.melscale_fbanks(7, 0.0, 40.0, 2, 80, norm="nonsense")
        with pytest.raises(ValueError, match="mel_scale should be"):
            F.melscale_fbanks(7, 0.0, 40.0, 2, 80, mel_scale="nonsense")
        with pytest.warns(UserWarning, match="all zero values"):
            F.melscale_fbanks(9, 0.0, 4000.0, 40, 8000)


@pytest.mark.parametrize("shape", [(5, 6), (3, 5, 6), (2, 3, 5, 6)])
@pytest.mark.parametrize("top_db", [None, 10.0])
def test_decibels(shape, top_db):
    x = np.abs(noise(*shape, dtype="float64"))
    both("amplitude_to_DB", x, 10.0, 1e-10, 0.3, top_db)
    both("DB_to_amplitude", x, 2.0, 0.5)


def test_mu_law():
    x = np.clip(noise(50, scale=1.1, dtype="float64"), -1, 1)
    codes = OURS.mu_law_encoding(rl.tensor(x), 256)
    wanted = THEIRS.mu_law_encoding(torch.tensor(x), 256)
    np.testing.assert_array_equal(codes.numpy(), wanted.numpy())
    alike(OURS.mu_law_decoding(codes, 256), THEIRS.mu_law_decoding(wanted, 256))
    both("mu_law_decoding", codes.numpy().astype("f8"), 256)


def test_loudness_and_gain():
    both("gain", noise(9), 3.0)
    both("gain", noise(9), 0)
    for channels in (1, 5):
        both("loudness", noise(channels, 900, dtype="float64"), 800, atol=1e-9)
    quiet = noise(2, 900, dtype="float64")
    quiet[:, 300:] *= 1e-5  # both gates close
    both("loudness", quiet, 800, atol=1e-9)
    with pytest.raises(ValueError, match="5 channels"):
        OURS.loudness(rl.zeros(6, 9000), RATE)


@pytest.mark.parametrize("win_length", [3, 5, 8])
def test_deltas(win_length):
    both("compute_deltas", noise(2, 3, 9, dtype="float64"), win_length)
    both("compute_deltas", noise(9, dtype="float64"), win_length, mode="constant")
    with pytest.raises(ValueError, match="Window length should be"):
        OURS.compute_deltas(rl.zeros(9), 2)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("norm_vars", [False, True])
def test_sliding_means(center, norm_vars):
    for frames, window, least in ((30, 7, 3), (30, 8, 12), (5, 9, 20), (6, 6, 1)):
        both("sliding_window_cmn", noise(2, frames, 4, dtype="float64"), window, least, center,
             norm_vars, rtol=1e-7, grad=not norm_vars)  # fmt: skip


def test_pitch():
    t = np.arange(4000) / RATE
    for hertz, loud in ((110, 0.1), (200, 0.0), (700, 0.3)):
        x = np.sin(2 * np.pi * hertz * t)[None] + noise(2, 4000, scale=loud, dtype="float64")
        both("detect_pitch_frequency", x, RATE, grad=False)
        if not loud:
            found = OURS.detect_pitch_frequency(rl.tensor(x), RATE)
            assert abs(float(found.median()) - hertz) < 0.02 * hertz


@pytest.mark.parametrize("old, new", [(16, 8), (8, 16), (441, 160), (7, 5), (5, 5)])
@pytest.mark.parametrize("method", ["sinc_interp_hann", "sinc_interp_kaiser"])
def test_resample(old, new, method):
    rtol = 1e-6 if "kaiser" in method else 1e-9  # beta is a float32 there
    for length in (1, 70):
        both("resample", noise(2, 3, length, dtype="float64"), old, new, resampling_method=method,
             rtol=rtol, atol=rtol / 10, grad=old < 100)  # fmt: skip
    both("resample", noise(50), old, new, 4, 0.9, method, atol=1e-5)


def test_bad_rates():
    x = rl.zeros(8)
    with pytest.raises(ValueError, match="should be positive"):
        OURS.resample(x, 0, 5)
    with pytest.raises(ValueError, match="whole numbers"):
        OURS.resample(x, 44100, 5512.5)
    with pytest.raises(ValueError, match="Invalid resampling method"):
        OURS.resample(x, 5, 4, resampling_method="nonsense")
    with pytest.raises(ValueError, match="width should be positive"):
        OURS.resample(x, 5, 4, 0)
    with pytest.raises(TypeError, match="Expected floating point"):
        OURS.resample(rl.zeros(8, dtype=rl.int64), 5, 4)


def test_speed_and_pitch():
    x, lengths = noise(2, 400, dtype="float64"), np.array([400, 111])
    for factor in (0.9, 1.0, 1.1):
        ours = OURS.speed(rl.tensor(x), RATE, factor, rl.tensor(lengths))
        theirs = THEIRS.speed(torch.tensor(x), RATE, factor, torch.tensor(lengths))
        for one, other in zip(ours, theirs, strict=True):
            alike(one, other, 1e-9, 1e-11)
    assert OURS.speed(rl.tensor(x), RATE, 2.0)[1] is None
    for steps in (-12, 0, 12, 3):
        x, rate, window = noise(2, 200, dtype="float64"), 40, np.hanning(65)[:-1]
        both("pitch_shift", x, rate, steps, 12, 64, 64, 16, window, rtol=1e-6, atol=1e-7)
    both("pitch_shift", noise(2, 300), RATE, 12, n_fft=64, atol=1e-3, grad=False)  # phases add up


@pytest.mark.parametrize("mode", ["full", "valid", "same"])
@pytest.mark.parametrize("m, n", [(9, 4), (4, 9), (5, 5), (6, 1)])
def test_convolutions(mode, m, n):
    x, y = noise(2, 3, m, dtype="float64"), noise(1, 3, n, seed=1, dtype="float64")
    both("convolve", x, y, mode)
    both("fftconvolve", x, y, mode, rtol=1e-7)


def test_bad_convolutions():
    for name in ("convolve", "fftconvolve"):
        f = getattr(OURS, name)
        with pytest.raises(ValueError, match="must be the same dimension"):
            f(rl.zeros(3), rl.zeros(1, 3))
        with pytest.raises(ValueError, match="not broadcastable"):
            f(rl.zeros(2, 3), rl.zeros(3, 3))
        with pytest.raises(ValueError, match="Unrecognized mode"):
            f(rl.zeros(3), rl.zeros(3), "nonsense")


@pytest.mark.parametrize("lengths", [None, np.array([[9], [4]])])
def test_noise(lengths):
    x, other = noise(2, 1, 9, dtype="float64"), noise(2, 1, 9, seed=4, dtype="float64")
    both("add_noise", x, other, np.array([[3.0], [-6.0]]), lengths)
    with pytest.raises(ValueError, match="leading dimensions"):
        OURS.add_noise(rl.zeros(2, 3), rl.zeros(2, 3), rl.zeros(2, 1))
    with pytest.raises(ValueError, match="Length dimensions"):
        OURS.add_noise(rl.zeros(2, 3), rl.zeros(2, 4), rl.zeros(2))


def test_effects():
    x = noise(2, 300, scale=1.2, dtype="float64")
    both("contrast", x, 30.0)
    both("overdrive", x, 10.0, 40.0)
    both("dither", x, grad=False)
    both("dither", x, noise_shaping=True, grad=False)
    for shift, limit in ((0.3, None), (0.3, 0.05), (-0.4, 0.1), (0.0, 0.1), (-2.0, None)):
        compare(OURS.dcshift, lambda x, *args: THEIRS.dcshift(x.clone(), *args), x, shift, limit)
    with pytest.raises(ValueError, match="Allowed range"):
        OURS.contrast(rl.zeros(2), 101)


@pytest.mark.parametrize("density", ["RPDF", "GPDF"])
def test_dither_by_samples_of_the_signal(density):
    x = rl.tensor(noise(2, 50))
    rounded = OURS.dither(x, density)
    steps = rounded.numpy() * 2**15
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
    assert np.abs(rounded.numpy() - x.numpy()).max() < 5e-4


@pytest.mark.parametrize("sinusoidal", [True, False])
def test_phaser(sinusoidal):
    both("phaser", noise(2, 150, dtype="float64"), RATE, mod_speed=50.0, sinusoidal=sinusoidal)


@pytest.mark.parametrize("modulation", ["sinusoidal", "triangular"])
@pytest.mark.parametrize("interpolation", ["linear", "quadratic"])
@pytest.mark.parametrize("regen", [0.0, -60.0])
def test_flanger(modulation, interpolation, regen):
    x = noise(2, 2, 120, dtype="float64")
    both("flanger", x, RATE, delay=1.0, depth=4.0, regen=regen, speed=60.0,
         modulation=modulation, interpolation=interpolation, grad=False)  # fmt: skip


def test_gradients_of_flanger():
    x = rl.tensor(noise(1, 2, 14, dtype="float64"), requires_grad=True)
    f = lambda x: OURS.flanger(x, RATE, 0.2, 1.0, 50.0, speed=400.0)
    assert rl.autograd.gradcheck(f, (x,)) and rl.autograd.gradgradcheck(f, (x,))


def test_distances():
    for one, other in (("", ""), ("abc", ""), ("kitten", "sitting"), ([1, 2, 3], [3, 2, 1])):
        assert OURS.edit_distance(one, other) == THEIRS.edit_distance(one, other)
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(4, 4)) for _ in range(2))
    both("frechet_distance", rng.normal(size=4), a @ a.T, rng.normal(size=4), b @ b.T, grad=False)


@pytest.mark.parametrize("channels", [1, 2])
def test_voice_activity(channels):
    rng = np.random.default_rng(0)
    t = np.arange(3 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 120 * k * t) for k in range(1, 12)) / 12 * (t > 1.5)
    x = (voice + 1e-4 * rng.normal(size=(channels, len(t)))).astype("f4")
    ours, theirs = OURS.vad(rl.tensor(x), RATE), THEIRS.vad(torch.tensor(x), RATE)
    assert ours.shape == theirs.shape and 0 < ours.shape[-1] < x.shape[-1]
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    silence = np.zeros((channels, 9000), "f4")
    for kwargs in ({}, {"pre_trigger_time": 0.1}, {"pre_trigger_time": 10.0}):
        ours = OURS.vad(rl.tensor(silence), RATE, **kwargs)
        assert ours.shape == THEIRS.vad(torch.tensor(silence), RATE, **kwargs).shape
    with pytest.raises(ValueError, match="cepstrum_start"):
        OURS.vad(rl.tensor(silence), RATE, hp_lifter_freq=5000.0)


def test_transducer_loss_is_the_sum_over_all_paths():
    rng = np.random.default_rng(0)
    N, T, U, V = 3, 4, 3, 5
    logits = rng.normal(size=(N, T, U, V))
    targets, times, words = rng.integers(0, V - 1, (N, U - 1)), [4, 3, 1], [2, 1, 0]
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    for blank in (-1, V - 1):
        ours = OURS.rnnt_loss(
            rl.tensor(logits), rl.tensor(targets).int(), rl.tensor(times).int(),
            rl.tensor(words).int(), blank, reduction="none",
        )  # fmt: skip
        for n in range(N):
            total = -np.inf
            steps = times[n] - 1 + words[n]
            for says in itertools.combinations(range(steps), words[n]):
                t = u = 0
                path = 0.0
                for step in range(steps):
                    if step in says:
                        path, u = path + logs[n, t, u, targets[n, u]], u + 1
                    else:
                        path, t = path + logs[n, t, u, -1], t + 1
                total = np.logaddexp(total, path + logs[n, t, u, -1])
            assert abs(float(ours[n]) + total) < 1e-12


def test_transducer_loss_in_use():
    logits = rl.tensor(noise(2, 3, 3, 4, dtype="float64"), requires_grad=True)
    targets, lengths = rl.tensor([[0, 1], [2, 0]]).int(), rl.tensor([3, 2]).int()
    words = rl.tensor([2, 1]).int()
    f = lambda x: OURS.rnnt_loss(x, targets, lengths, words)
    assert rl.autograd.gradcheck(f, (logits,))
    f(logits).backward()
    whole = logits.grad.clone()
    logits.grad = None
    module = audio.transforms.RNNTLoss(clamp=0.01)
    module(logits, targets, lengths, words).backward()
    np.testing.assert_allclose(logits.grad.numpy(), whole.clamp(-0.01, 0.01).numpy(), atol=1e-12)
    with pytest.raises(ValueError, match="reduction should be"):
        OURS.rnnt_loss(logits, targets, lengths, words, reduction="nonsense")
    with pytest.raises(ValueError, match="targets must be"):
        OURS.rnnt_loss(logits, targets[:, :1], lengths, words)


@pytest.mark.parametrize("words", [[], [1], [1, 1], [1, 2, 1]])
def test_alignments_are_the_best_of_all(words):
    T, logs = 5, np.log(np.random.default_rng(1).dirichlet(np.ones(3), 5))
    best = max(
        (path for path in itertools.product(range(3), repeat=T)
         if [k for k, _ in itertools.groupby(path) if k] == words),
        key=lambda path: sum(logs[t, k] for t, k in enumerate(path)),
    )  # fmt: skip
    path, scores = OURS.forced_align(
        rl.tensor(logs[None]), rl.tensor([words], dtype=rl.int64).reshape(1, -1)
    )
    assert path.tolist() == [list(best)]
    np.testing.assert_allclose(scores.numpy()[0], [logs[t, k] for t, k in enumerate(best)])
    ours = OURS.merge_tokens(path[0], scores[0])
    theirs = THEIRS.merge_tokens(torch.tensor(path[0].numpy()), torch.tensor(scores[0].numpy()))
    assert [vars(span) for span in ours] == [vars(span) for span in theirs]
    assert [len(span) for span in ours] == [len(span) for span in theirs]


def test_bad_alignments():
    logs = rl.zeros(1, 3, 4)
    for targets, pattern in (([[0]], "blank index"), ([[4]], "less than the CTC"),
                             ([[1, 1, 2]], "too long for CTC")):  # fmt: skip
        with pytest.raises(ValueError, match=pattern):
            OURS.forced_align(logs, rl.tensor(targets))
    with pytest.raises(ValueError, match="one sequence"):
        OURS.forced_align(rl.zeros(2, 3, 4), rl.zeros(2, 1))


def test_beamforming():
    x = noise(2, 3, 5, 20, dtype="complex128")
    mask = np.abs(noise(2, 5, 20, dtype="float64"))
    both("psd", x)
    both("psd", x, mask)
    both("psd", x, mask, normalize=False)
    speech = THEIRS.psd(torch.tensor(x)).resolve_conj().numpy()
    other = THEIRS.psd(torch.tensor(noise(2, 3, 5, 20, seed=5, dtype="complex128")))
    other = other.resolve_conj().numpy()
    weights = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    for channel in (1, weights):
        for loading in (True, False):
            both("mvdr_weights_souden", speech, other, channel, loading, rtol=1e-7)
        rtf = noise(2, 5, 3, seed=2, dtype="complex128")
        both("mvdr_weights_rtf", rtf, other, channel, rtol=1e-7)
        both("rtf_power", speech, other, channel, 4, rtol=1e-7)
    both("mvdr_weights_rtf", rtf, other, rtol=1e-7)
    both("apply_beamforming", rtf, x)
    ours = OURS.rtf_evd(rl.tensor(speech)).numpy()
    theirs = THEIRS.rtf_evd(torch.tensor(speech)).numpy()
    turn = ours[..., :1] / theirs[..., :1]  # an eigenvector's phase is free
    np.testing.assert_allclose(ours, theirs * turn, atol=1e-10)
    with pytest.raises(TypeError, match="must be complex"):
        OURS.rtf_evd(rl.zeros(2, 2))
    with pytest.raises(ValueError, match="must be greater than 0"):
        OURS.rtf_power(rl.tensor(speech), rl.tensor(other), 0, 0)
