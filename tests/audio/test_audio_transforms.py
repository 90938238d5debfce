"""Modules on sound against torchaudio's: values, gradients, attributes and state."""

import inspect

import numpy as np
import pytest
import torch
from beside import alike, audio, compare, noise, torchaudio

import rushlight as rl
from rushlight.execute import tier

OURS, THEIRS = audio.transforms, torchaudio.transforms
RATE = 8000

WAVES = [
    ("Spectrogram", {"n_fft": 32}),
    ("Spectrogram", {"n_fft": 32, "win_length": 20, "hop_length": 7, "pad": 3, "power": None}),
    ("Spectrogram", {"n_fft": 32, "normalized": True, "power": 1.0, "center": False}),
    ("MelSpectrogram", {"sample_rate": RATE, "n_fft": 64, "n_mels": 12}),
    ("MelSpectrogram", {"sample_rate": RATE, "n_fft": 64, "n_mels": 9, "norm": "slaney",
                        "mel_scale": "slaney", "f_min": 20.0, "f_max": 3000.0, "power": 1.0}),
    ("MFCC", {"sample_rate": RATE, "n_mfcc": 5, "melkwargs": {"n_fft": 64, "n_mels": 12}}),
    ("MFCC", {"sample_rate": RATE, "n_mfcc": 5, "norm": None, "log_mels": True,
              "melkwargs": {"n_fft": 64, "n_mels": 12}}),
    ("LFCC", {"sample_rate": RATE, "n_filter": 10, "n_lfcc": 5, "speckwargs": {"n_fft": 64}}),
    ("LFCC", {"sample_rate": RATE, "n_filter": 10, "n_lfcc": 5, "log_lf": True,
              "speckwargs": {"n_fft": 64}}),
    ("SpectralCentroid", {"sample_rate": RATE, "n_fft": 32}),
    ("Resample", {"orig_freq": 8, "new_freq": 5}),
    ("Resample", {"orig_freq": 8, "new_freq": 8}),
    ("Vol", {"gain": 1.7}),
    ("Vol", {"gain": 4.0, "gain_type": "db"}),
    ("Vol", {"gain": 0.3, "gain_type": "power"}),
    ("MuLawDecoding", {}),
    ("ComputeDeltas", {"win_length": 3}),
    ("Preemphasis", {"coeff": 0.8}),
    ("Deemphasis", {}),
    ("SlidingWindowCmn", {"cmn_window": 9, "center": True}),
    *[("Fade", {"fade_in_len": 20, "fade_out_len": 30, "fade_shape": shape})
      for shape in ("linear", "exponential", "logarithmic", "quarter_sine", "half_sine")],
]  # fmt: skip


@pytest.mark.parametrize("name, kwargs", WAVES, ids=str)
@pytest.mark.filterwarnings("ignore:At least one mel")
def test_modules_of_waves(name, kwargs):
    ours, theirs = getattr(OURS, name)(**kwargs), getattr(THEIRS, name)(**kwargs)
    state = {key: value.numpy() for key, value in theirs.state_dict().items()}
    assert sorted(ours.state_dict()) == sorted(state)
    for key, value in ours.state_dict().items():
        np.testing.assert_allclose(value.numpy(), state[key], rtol=0, atol=1e-5)
    compare(ours, theirs, noise(2, 120), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", sorted(name for name in THEIRS.__all__ if hasattr(OURS, name)))
def test_arguments(name):
    ours = inspect.signature(getattr(OURS, name))
    theirs = inspect.signature(getattr(THEIRS, name))
    if name == "Vad":  # takes those of the function
        ours = inspect.signature(audio.functional.vad)
        theirs = inspect.signature(torchaudio.functional.vad)
    for parameter in theirs.parameters.values():
        default = ours.parameters[parameter.name].default
        if not callable(default) or default is inspect.Parameter.empty:
            assert default == parameter.default, parameter


@pytest.mark.parametrize("name", sorted(vars(torchaudio.functional)))
def test_arguments_of_functions(name):
    theirs = getattr(torchaudio.functional, name)
    if not inspect.isfunction(theirs) or not hasattr(audio.functional, name):
        pytest.skip("no function of both")
    ours = inspect.signature(getattr(audio.functional, name)).parameters
    wanted = inspect.signature(theirs).parameters
    assert list(ours) == list(wanted)
    for key, parameter in wanted.items():
        assert ours[key].default == parameter.default, key


def test_what_torchaudio_has_is_there():
    assert not {name for name in THEIRS.__all__ if not hasattr(OURS, name)}
    functions = torchaudio.functional.__all__
    assert not {name for name in functions if not hasattr(audio.functional, name)}


@pytest.mark.parametrize("solution", ["ref_channel", "stv_evd", "stv_power"])
@pytest.mark.parametrize("multi", [False, True])
def test_microphones(solution, multi):
    x = noise(2, 3, 5, 20, dtype="complex64")
    lead = (2, 3) if multi else (2,)
    masks = [np.abs(noise(*lead, 5, 20, seed=k)) for k in (1, 2)]
    kwargs = {"solution": solution, "multi_mask": multi, "ref_channel": 1}
    grad = solution != "stv_evd"
    compare(OURS.MVDR(**kwargs), THEIRS.MVDR(**kwargs), x, *masks, atol=1e-5, grad=grad)
    ours, theirs = OURS.MVDR(**kwargs, online=True), THEIRS.MVDR(**kwargs, online=True)
    for k in range(3):
        y = noise(2, 3, 5, 20, seed=k, dtype="complex64")
        compare(ours, theirs, y, *masks, atol=1e-5, grad=False)


def test_microphones_by_their_powers():
    x = noise(2, 3, 5, 20, dtype="complex128")
    mask = np.abs(noise(2, 5, 20, dtype="float64"))
    compare(OURS.PSD(), THEIRS.PSD(), x, mask)
    noises = THEIRS.PSD()(torch.tensor(x), torch.tensor(mask)).resolve_conj().numpy()
    speech = THEIRS.PSD()(torch.tensor(x)).resolve_conj().numpy()
    rtf = noise(2, 5, 3, dtype="complex128")
    compare(OURS.RTFMVDR(), THEIRS.RTFMVDR(), x, rtf, noises, 1, rtol=1e-7)
    compare(OURS.SoudenMVDR(), THEIRS.SoudenMVDR(), x, speech, noises, 1, rtol=1e-7)
    with pytest.raises(ValueError, match="`solution` must be"):
        OURS.MVDR(solution="nonsense")
    with pytest.raises(ValueError, match="Expected a complex tensor"):
        OURS.MVDR()(rl.zeros(3, 5, 20), rl.zeros(5, 20))
    with pytest.warns(UserWarning, match="not provided"):
        OURS.MVDR()(rl.tensor(x), rl.tensor(mask))


def test_inverses():
    compare(OURS.InverseSpectrogram(16), THEIRS.InverseSpectrogram(16),
            noise(2, 9, 20, dtype="complex64"), atol=1e-5)  # fmt: skip
    magnitudes = np.abs(noise(2, 9, 12)) + 0.1
    compare(OURS.GriffinLim(16, n_iter=3, momentum=0, rand_init=False),
            THEIRS.GriffinLim(16, n_iter=3, momentum=0, rand_init=False), magnitudes,
            atol=1e-3, grad=False)  # fmt: skip
    mel = np.abs(noise(2, 10, 6, scale=4)) + 1
    kwargs = {"n_stft": 33, "n_mels": 10, "sample_rate": RATE}
    compare(OURS.InverseMelScale(**kwargs), THEIRS.InverseMelScale(**kwargs), mel,
            atol=1e-4, grad=False)  # fmt: skip
    with pytest.raises(ValueError, match="Expected an input with 10 mel bins"):
        OURS.InverseMelScale(**kwargs)(rl.zeros(1, 9, 6))
    with pytest.raises(ValueError, match="driver must be"):
        OURS.InverseMelScale(**kwargs, driver="nonsense")


def test_time_stretch():
    x = noise(2, 9, 20, dtype="complex64")
    compare(OURS.TimeStretch(8, 9, 1.3), THEIRS.TimeStretch(8, 9, 1.3), x, atol=1e-4)
    compare(OURS.TimeStretch(n_freq=9), THEIRS.TimeStretch(n_freq=9), x, 0.8, atol=1e-4)
    with pytest.raises(ValueError, match="must pass a valid rate"):
        OURS.TimeStretch()(rl.tensor(x))
    with pytest.raises(TypeError, match="complex"):
        OURS.TimeStretch(fixed_rate=2.0)(rl.zeros(2, 201, 5))


def test_modules_of_several_inputs():
    x, other = noise(2, 90), noise(2, 90, seed=2)
    compare(OURS.AddNoise(), THEIRS.AddNoise(), x, other, noise(2), atol=1e-5)
    compare(OURS.Convolve("same"), THEIRS.Convolve("same"), x, other, atol=1e-5)
    compare(OURS.FFTConvolve(), THEIRS.FFTConvolve(), x, other, atol=1e-5)
    compare(OURS.Loudness(RATE), THEIRS.Loudness(RATE), noise(2, 4000), grad=False, atol=1e-5)
    codes = OURS.MuLawEncoding()(rl.tensor(x))
    np.testing.assert_array_equal(codes.numpy(), THEIRS.MuLawEncoding()(torch.tensor(x)).numpy())
    with pytest.raises(ValueError, match="Unrecognized mode"):
        OURS.Convolve("nonsense")


def test_speed():
    x, lengths = noise(2, 90), np.array([90, 40])
    ours = OURS.Speed(8, 1.25)(rl.tensor(x), rl.tensor(lengths))
    theirs = THEIRS.Speed(8, 1.25)(torch.tensor(x), torch.tensor(lengths))
    for one, other in zip(ours, theirs, strict=True):
        alike(one, other)
    perturb = OURS.SpeedPerturbation(8, [0.5, 1.0, 2.0])
    assert list(perturb.state_dict()) == list(
        THEIRS.SpeedPerturbation(8, [0.5, 1.0, 2.0]).state_dict()
    )
    rl.manual_seed(0)
    assert {perturb(rl.tensor(x))[0].shape[-1] for _ in range(40)} == {180, 90, 45}


def test_pitch_shift():
    compare(OURS.PitchShift(RATE, 12, n_fft=64), THEIRS.PitchShift(RATE, 12, n_fft=64),
            noise(2, 200), atol=1e-3, grad=False)  # fmt: skip


def test_voice_activity_takes_the_functions_arguments():
    vad = OURS.Vad(RATE, trigger_level=9.0)
    assert vad.arguments["trigger_level"] == 9.0 and vad.arguments["sample_rate"] == RATE
    assert vad(rl.zeros(1, 4000)).shape == (1, 0)
    with pytest.raises(TypeError):
        OURS.Vad(RATE, nonsense=1)


@pytest.mark.parametrize("shape", [(6, 9), (3, 6, 9), (2, 3, 6, 9)])
@pytest.mark.parametrize("iid", [False, True])
def test_masks(shape, iid):
    rl.manual_seed(0)
    if iid and len(shape) < 3:
        with pytest.raises(ValueError, match="at least three dimensions"):
            OURS.TimeMasking(4, True)(rl.ones(shape))
        return
    seen = set()
    for _ in range(30):
        for mask, axis in ((OURS.TimeMasking(4, iid), -1), (OURS.FrequencyMasking(5, iid), -2)):
            hidden = (mask(rl.ones(shape), 7.0).numpy() == 7.0)  # fmt: skip
            lines = np.moveaxis(hidden, axis, -1)
            assert (lines == lines[..., :1, :]).all()  # all along the other axis
            flat = lines[..., 0, :].reshape(-1, lines.shape[-1])
            assert iid or (flat == flat[0]).all()
            for line in flat:
                places = np.flatnonzero(line)
                assert len(places) < mask.mask_param
                assert len(places) == 0 or places[-1] - places[0] == len(places) - 1
                seen.add((axis, len(places)))
    assert {length for axis, length in seen if axis == -1} == {0, 1, 2, 3}


def test_masks_at_their_limits():
    x = rl.ones(1, 6, 9)
    assert OURS.TimeMasking(5, p=0.1)(x) is x  # nothing may be hidden
    rl.manual_seed(0)
    assert all(int((OURS.TimeMasking(9, p=0.3)(x) == 0).sum()) <= 6 for _ in range(20))
    for mask in (OURS.TimeMasking, THEIRS.TimeMasking):
        with pytest.raises(ValueError, match="must be between"):
            mask(5, p=1.1)
    with pytest.raises(ValueError, match="Only Frequency and Time"):
        audio.functional.mask_along_axis(x, 3, 0.0, 0)


@pytest.mark.parametrize("zero", [True, False])
def test_spec_augment(zero):
    rl.manual_seed(1)
    x = rl.tensor(noise(2, 3, 8, 20) + 3, requires_grad=True)
    augment = OURS.SpecAugment(2, 6, 2, 4, zero_masking=zero)
    y = augment(x)
    changed = y.detach().numpy() != x.detach().numpy()
    assert changed.any() and not changed.all()
    if zero:
        assert (y.detach().numpy()[changed] == 0).all()
        y.sum().backward()
        np.testing.assert_array_equal(x.grad.numpy() == 0, changed)


@pytest.mark.filterwarnings("ignore:At least one mel")
def test_bad_modules():
    bad = [
        ("AmplitudeToDB", {"top_db": -1}, "top_db must be positive"),
        ("MelScale", {"f_min": 9000.0}, "Require f_min"),
        ("MFCC", {"n_mfcc": 200}, "Cannot select more MFCC"),
        ("LFCC", {"n_lfcc": 500}, "Cannot select more LFCC"),
        ("MFCC", {"dct_type": 3}, "DCT type not supported"),
        ("GriffinLim", {"momentum": 1.0}, "momentum must be"),
        ("Vol", {"gain": -1.0}, "gain must be positive"),
    ]
    for lib in (OURS, THEIRS):
        for name, kwargs, pattern in bad:
            with pytest.raises(ValueError, match=pattern):
                getattr(lib, name)(**kwargs)
    with pytest.raises(ValueError, match="fade_shape"):
        OURS.Fade(fade_shape="nonsense")


def test_a_pipeline_moves_and_saves_like_any_module(tmp_path):
    mel = OURS.MelSpectrogram(RATE, n_fft=64, n_mels=8).double()
    rl.save(mel.state_dict(), tmp_path / "mel.pt")
    again = OURS.MelSpectrogram(RATE, n_fft=64, n_mels=8, window_fn=rl.ones).double()
    again.load_state_dict(rl.load(tmp_path / "mel.pt"))
    x = rl.tensor(noise(90, dtype="float64"))
    assert rl.equal(mel(x), again(x)) and mel(x).dtype == rl.float64


def test_both_tiers_hear_the_same():
    x = rl.tensor(noise(2, 400))
    for module in (
        OURS.MFCC(RATE, 5, melkwargs={"n_fft": 64, "n_mels": 12}),
        OURS.Resample(8, 5),
        OURS.Deemphasis(),
    ):
        found = []
        for which in ("reference", "compiled"):
            with tier.only(which):
                given = x.clone().requires_grad_()
                module(given).square().sum().backward()
                found.append(given.grad.numpy())
        scale = np.abs(found[0]).max()
        np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-4 * scale)
