"""Observers against PyTorch's."""

import numpy as np
import pytest
import torch
import torch.ao.quantization as theirs

import rushlight as rl
import rushlight.quantization as ours

SCHEMES = ["per_tensor_affine", "per_tensor_symmetric"]
CHANNELS = ["per_channel_affine", "per_channel_symmetric"]


def batches(count=3, shape=(4, 5, 6)):
    rng = np.random.default_rng(count)
    return [
        (rng.standard_normal(shape) * (k + 1) + 0.3 * k).astype(np.float32) for k in range(count)
    ]


def both(name, data, **keywords):
    """Scale and zero point of both observers after the same batches."""
    found = []
    for module, library in ((ours, rl), (theirs, torch)):
        made = getattr(module, name)(**{
            key: getattr(library, value) if isinstance(value, str) else value
            for key, value in keywords.items()
        })  # fmt: skip
        for x in data:
            made(library.from_numpy(x))
        found.append([x.numpy().reshape(-1) for x in made.calculate_qparams()])
    return found


def same(found, rtol=1e-6, zeros=0):
    (scale, zero), (their_scale, their_zero) = found
    np.testing.assert_allclose(scale, their_scale, rtol=rtol)
    assert np.abs(zero.astype(int) - their_zero.astype(int)).max() <= zeros


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dtype", ["quint8", "qint8"])
@pytest.mark.parametrize("reduce_range", [False, True])
@pytest.mark.parametrize("name", ["MinMaxObserver", "MovingAverageMinMaxObserver"])
def test_ranges(name, dtype, scheme, reduce_range):
    if reduce_range and (dtype, scheme) == ("quint8", "per_tensor_symmetric"):
        with pytest.raises(NotImplementedError, match="Cannot reduce range for symmetric"):
            ours.MinMaxObserver(qscheme=rl.per_tensor_symmetric, reduce_range=True)
        return
    same(both(name, batches(), dtype=dtype, qscheme=scheme, reduce_range=reduce_range))


@pytest.mark.parametrize("scheme", CHANNELS)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    "name", ["PerChannelMinMaxObserver", "MovingAveragePerChannelMinMaxObserver"]
)
def test_ranges_of_channels(name, axis, scheme):
    same(both(name, batches(), dtype="qint8", qscheme=scheme, ch_axis=axis))


@pytest.mark.parametrize("low, high", [(0, 127), (0, 15), (-5, 100)])
def test_other_bytes(low, high):
    dtype = "quint8" if low == 0 else "qint8"
    same(both("MinMaxObserver", batches(), dtype=dtype, quant_min=low, quant_max=high))


@pytest.mark.parametrize(
    "data", [[0.0, 0.0], [2.5, 2.5], [-2.5, -2.5], [1.0, 2.0], [-3.0, -1.0], [-1e-9, 0.0]]
)
def test_ranges_without_0_or_without_width(data):
    found = both("MinMaxObserver", [np.array(data, np.float32)])
    same(found)
    assert found[0][0] > 0


@pytest.mark.parametrize("count", [1, 4])
def test_histogram_is_close_to_pytorchs(count):
    data = [np.abs(x) ** 1.5 if count == 1 else x for x in batches(count, (40, 50, 6))]
    # PyTorch looks at 256 bins and their middles, we at 256 values with ends.
    same(both("HistogramObserver", data), rtol=0.08, zeros=6)


def test_histogram_cuts_off_what_is_rare():
    # One number is worth it to cut off where the others' steps win more: from 255**2 * 12 of them.
    x = np.random.default_rng(0).standard_normal(3_000_000).astype(np.float32)
    x[0] = 60.0
    (scale, _), (their_scale, _) = both("HistogramObserver", [x])
    assert scale < 0.4 * 60 / 255
    assert 0.7 < scale / their_scale < 1.4


@pytest.mark.parametrize("data", [[0, 1e-44], [1, 1.0000001], [-3e38, 3e38], [0, 1], [0] * 9 + [1]])
def test_histogram_ends_for_any_range(data):
    observer = ours.HistogramObserver()
    observer(rl.tensor(np.array(data, np.float32)))
    scale, zero = observer.calculate_qparams()
    assert 0 < scale.item() < np.inf and 0 <= zero.item() <= 255


def test_histogram_of_the_same_everywhere():
    observer = ours.HistogramObserver()
    for _ in range(2):
        observer(rl.full((3,), 2.0))
    observer(rl.tensor([-1.0, 2.0]))
    scale, zero = observer.calculate_qparams()
    assert scale.item() == pytest.approx(3 / 255, rel=0.02) and zero.item() == pytest.approx(
        85, abs=2
    )
    assert observer.histogram.sum().item() == 8


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["MinMaxObserver", "HistogramObserver"])
@pytest.mark.parametrize("place", [0, 1])
def test_nan_and_infinity_are_refused(name, bad, place):
    observer = getattr(ours, name)()
    observer.where = "the input of fc1"
    data = [np.array([0.0, 1.0], np.float32), np.array([0.5, 2.0], np.float32)]
    data[place][1] = bad
    for x in data:
        observer(rl.from_numpy(x))
    with pytest.raises(ValueError, match="observed at the input of fc1 has NaN or infinity in it"):
        observer.calculate_qparams()


def test_nothing_seen_is_told():
    for name in ("MinMaxObserver", "HistogramObserver"):
        observer = getattr(ours, name)()
        observer(rl.zeros(0))  # an empty batch says nothing
        with pytest.warns(UserWarning, match="must run observer before calling calculate_qparams"):
            scale, zero = observer.calculate_qparams()
        assert (scale.item(), zero.item()) == (1.0, 0)


def test_bad_arguments_are_pytorchs():
    for module, library in ((ours, rl), (theirs, torch)):
        with pytest.raises(NotImplementedError, match="qscheme only support"):
            module.MinMaxObserver(qscheme=library.per_channel_affine)
        with pytest.raises(NotImplementedError, match="qscheme only support"):
            module.HistogramObserver(qscheme=library.per_channel_affine)
        with pytest.raises((ValueError, AssertionError), match="range must include 0"):
            module.MinMaxObserver(quant_min=1, quant_max=100)
    with pytest.raises(ValueError, match="please pass observer class instead"):
        ours.QConfig(ours.MinMaxObserver(), ours.default_weight_observer)
    with pytest.raises(AssertionError, match="backend must be one of"):
        ours.get_default_qconfig("cuda")


def test_texts_are_pytorchs():
    for x in (rl.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0])):
        module = ours if isinstance(x, rl.Tensor) else theirs
        observer = module.MinMaxObserver()
        observer(x)
        assert repr(observer) == "MinMaxObserver(min_val=1.0, max_val=2.0)"
    for name in ("qint8", "quint8", "per_channel_symmetric", "per_tensor_affine"):
        assert repr(getattr(rl, name)) == repr(getattr(torch, name))


@pytest.mark.parametrize("backend", ["x86", "fbgemm", "qnnpack", "onednn"])
def test_default_configurations(backend):
    mine, other = ours.get_default_qconfig(backend), theirs.get_default_qconfig(backend)
    for a, b in zip(mine, other, strict=True):
        a, b = a(), b()
        assert type(a).__name__ == type(b).__name__
        assert (a.quant_min, a.quant_max) == (b.quant_min, b.quant_max)
        assert (repr(a.dtype), repr(a.qscheme)) == (repr(b.dtype), repr(b.qscheme))
        assert a.reduce_range == b.reduce_range
