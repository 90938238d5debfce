"""Filters against torchaudio's, in value and gradient."""

import numpy as np
import pytest
import torch
from beside import audio, compare, noise, torchaudio

import rushlight as rl
from rushlight.execute import tier

OURS, THEIRS = audio.functional, torchaudio.functional


def coefficients(*shape, seed=3):
    """Of a stable filter."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(-1, 1, shape) / (2 * shape[-1])
    a[..., 0] = 1.3
    return a, rng.uniform(-0.4, 0.4, shape)


@pytest.mark.parametrize("length", [1, 2, 127, 128, 129, 300])
@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_lfilter(length, order):
    a, b = coefficients(order + 1)
    compare(OURS.lfilter, THEIRS.lfilter, noise(2, length, dtype="float64"), a, b)


def test_lfilter_of_high_order():
    a, b = coefficients(160)
    compare(OURS.lfilter, THEIRS.lfilter, noise(2, 400, dtype="float64"), a, b)


@pytest.mark.parametrize("batching", [True, False])
def test_banks_of_filters(batching):
    a, b = coefficients(3, 4)
    x = noise(2, 3, 90, dtype="float64")
    compare(OURS.lfilter, THEIRS.lfilter, x, a, b, clamp=False, batching=batching)


def test_lfilter_in_float32():
    a, b = coefficients(4)
    x = noise(2, 500)
    compare(OURS.lfilter, THEIRS.lfilter, x, a.astype("f4"), b.astype("f4"))


def test_a_filter_that_grows_is_as_infinite_as_its_definition():
    x, a = np.ones(2000), np.array([1.0, -3.0])
    b = np.array([1.0, 0.0])
    compare(OURS.lfilter, THEIRS.lfilter, x, a, b, clamp=False, grad=False)


def test_what_is_no_number_spreads_forward_only():
    x = np.ones(100)
    x[70] = np.nan
    a, b = coefficients(3)
    with tier.only("reference"):
        y = OURS.lfilter(rl.tensor(x), rl.tensor(a), rl.tensor(b), clamp=False).numpy()
    assert np.isfinite(y[:70]).all() and np.isnan(y[70:]).all()


def test_second_gradients():
    a, b = (rl.tensor(each, requires_grad=True) for each in coefficients(3))
    x = rl.tensor(noise(1, 5, dtype="float64"), requires_grad=True)
    assert rl.autograd.gradcheck(OURS.lfilter, (x, a, b))
    assert rl.autograd.gradgradcheck(OURS.lfilter, (x, a, b))


def test_bad_coefficients():
    x = rl.zeros(2, 5)
    for lib, zeros in ((OURS, rl.zeros), (THEIRS, torch.zeros)):
        sound = zeros(2, 5)
        for a, b in (((3,), (2,)), ((1, 2, 3), (1, 2, 3)), ((3, 2), (3, 2))):
            with pytest.raises(ValueError):
                lib.lfilter(sound, zeros(a), zeros(b))
    assert OURS.lfilter(x[:, :0], rl.ones(2), rl.ones(2)).shape == (2, 0)


def test_filtfilt():
    a, b = coefficients(3)
    compare(OURS.filtfilt, THEIRS.filtfilt, noise(2, 100, dtype="float64"), a, b)


def test_emphasis():
    x = noise(2, 3, 100, dtype="float64")
    compare(OURS.preemphasis, THEIRS.preemphasis, x)
    compare(OURS.deemphasis, THEIRS.deemphasis, x, coeff=0.9)
    there = OURS.preemphasis(OURS.deemphasis(rl.tensor(x) / 20))
    np.testing.assert_allclose(there.numpy(), x / 20, atol=1e-12)


RATE = 8000
BIQUADS = [
    ("lowpass_biquad", (500.0,), {}),
    ("highpass_biquad", (500.0, 0.9), {}),
    ("allpass_biquad", (500.0,), {}),
    ("bandpass_biquad", (500.0,), {}),
    ("bandpass_biquad", (500.0,), {"const_skirt_gain": True}),
    ("bandreject_biquad", (500.0,), {}),
    ("band_biquad", (500.0,), {}),
    ("band_biquad", (500.0,), {"noise": True}),
    ("equalizer_biquad", (500.0, -3.0), {}),
    ("bass_biquad", (4.0,), {}),
    ("treble_biquad", (4.0,), {"Q": 0.5}),
]


@pytest.mark.parametrize(
    "name, args, kwargs", BIQUADS, ids=lambda x: x if isinstance(x, str) else ""
)
def test_biquads(name, args, kwargs):
    x = noise(2, 300, dtype="float64")
    numbers = [np.array(each) for each in args]  # gradients of the parameters, too
    compare(getattr(OURS, name), getattr(THEIRS, name), x, RATE, *numbers, **kwargs)
    compare(getattr(OURS, name), getattr(THEIRS, name), x.astype("f4"), RATE, *args,
            grad=False, atol=2e-5, **kwargs)  # fmt: skip


@pytest.mark.parametrize("name, rate", [("deemph_biquad", 44100), ("deemph_biquad", 48000),
    *[("riaa_biquad", rate) for rate in (44100, 48000, 88200, 96000)]])  # fmt: skip
def test_biquads_of_media(name, rate):
    compare(getattr(OURS, name), getattr(THEIRS, name), noise(300, dtype="float64"), rate)
    with pytest.raises(ValueError, match="Sample rate must be"):
        getattr(OURS, name)(rl.zeros(3), 8000)


@pytest.mark.slow
def test_a_second_of_sound_is_quick_enough_to_filter_often():
    x = rl.tensor(noise(4, 16000), requires_grad=True)
    for _ in range(50):
        OURS.lowpass_biquad(x, 16000, 400.0).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
