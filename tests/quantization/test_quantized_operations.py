"""Numbers to bytes, back, and layers on them: the same bits in both tiers, and NumPy's."""

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight import nn
from rushlight.execute.tier import only
from rushlight.nn.quantized.arithmetic import from_bytes, range_of, to_bytes

TIERS = ("reference", "compiled")


def in_both(compute):
    """What both tiers compute, which must be the same bits."""
    found = []
    for tier in TIERS:
        with only(tier):
            found.append([x.numpy().copy() for x in compute()])
    for a, b in zip(*found, strict=True):
        assert a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    return found[0]


@pytest.mark.parametrize("zero", [0, 1, 127, 255])
@pytest.mark.parametrize("scale", [0.0173, 1e-7, 3e4])
def test_quantize_is_pytorchs(zero, scale):
    rng = np.random.default_rng(zero)
    x = np.concatenate([
        rng.normal(0, 100 * scale, 300), scale * (np.arange(-300, 300) / 2),
        [0.0, -0.0, 1e30, -1e30],
    ]).astype(np.float32)  # fmt: skip
    s, z = rl.tensor(np.float32(scale)), rl.tensor(np.uint8(zero))
    q, y = in_both(lambda: (b := to_bytes(rl.tensor(x), s, z, rl.quint8), from_bytes(b, s, z)))
    theirs = torch.quantize_per_tensor(torch.from_numpy(x), np.float32(scale), zero, torch.quint8)
    assert np.abs(q.astype(int) - theirs.int_repr().numpy().astype(int)).max() <= 1  # halves
    assert (q != theirs.int_repr().numpy()).mean() < 0.3
    np.testing.assert_array_equal(
        y, (q.astype(np.int32) - zero).astype(np.float32) * np.float32(scale)
    )


def test_special_numbers():
    x = rl.tensor([float("nan"), float("inf"), -float("inf"), 0.5, 1.5, 2.5, -0.5])
    s, z = rl.tensor(1.0), rl.tensor(np.uint8(10))
    (q,) = in_both(lambda: (to_bytes(x, s, z, rl.quint8),))
    assert q.tolist() == [0, 255, 0, 10, 12, 12, 10]  # halves go to the even one
    (q,) = in_both(lambda: (to_bytes(x, s, z, rl.quint8, None, 8, 12),))
    assert q.tolist() == [8, 12, 8, 10, 12, 12, 10]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_each_channel_has_its_scale(axis):
    rng = np.random.default_rng(axis)
    x = rng.standard_normal((4, 5, 6)).astype(np.float32)
    s = rng.uniform(0.001, 0.1, x.shape[axis]).astype(np.float32)
    z = np.zeros(x.shape[axis], np.int8)
    args = rl.tensor(s), rl.tensor(z)
    (q,) = in_both(lambda: (to_bytes(rl.tensor(x), *args, rl.qint8, axis),))
    theirs = torch.quantize_per_channel(
        torch.from_numpy(x), torch.from_numpy(s), torch.from_numpy(z).int(), axis, torch.qint8
    )
    assert np.array_equal(q, theirs.int_repr().numpy())


def test_bad_inputs_are_refused():
    x, s, z = rl.ones(2, 3), rl.tensor(1.0), rl.tensor(np.uint8(0))
    with pytest.raises(RuntimeError, match="makes uint8 or int8 of float32"):
        to_bytes(x.double(), s, z, rl.quint8)
    with pytest.raises(RuntimeError, match=r"They have shape \(3,\), as axis 1"):
        to_bytes(x, s, z, rl.quint8, 1)
    with pytest.raises(RuntimeError, match="takes uint8 or int8"):
        from_bytes(x, s, z)


def test_bytes_that_were_made_numbers_are_still_there():
    """Between two layers with one scale there is no second rounding, and no kernel."""
    s, z = rl.tensor(0.1), rl.tensor(np.uint8(3))
    x = rl.randn(4, 5)
    rl.realize(x)

    def twice():
        return to_bytes(from_bytes(to_bytes(x, s, z, rl.quint8), s, z), s, z, rl.quint8)

    with only("compiled"):
        told = rl.explain(twice)
        assert np.array_equal(twice().numpy(), to_bytes(x, s, z, rl.quint8).numpy())
    assert [kernel.name.rpartition("_")[0] for kernel in told.kernels] == ["quantize"]


def layer(kind, bias=True, relu=False):
    rng = np.random.default_rng(5)
    if kind == "linear":
        float_layer, x = nn.Linear(37, 21, bias), rng.standard_normal((9, 37))
        made = nn.quantized.Linear(37, 21, bias)
    elif kind == "conv":
        float_layer = nn.Conv2d(5, 18, 3, 2, 1, bias=bias)
        made, x = nn.quantized.Conv2d(5, 18, 3, 2, 1, bias=bias), rng.standard_normal((3, 5, 9, 8))
    else:
        float_layer = nn.Conv1d(6, 6, 3, padding=2, groups=6, bias=bias)
        made = nn.quantized.Conv1d(6, 6, 3, padding=2, groups=6, bias=bias)
        x = rng.standard_normal((2, 6, 14))
    weight = float_layer.weight.detach()
    scale = weight.abs().reshape(weight.shape[0], -1).amax(1) / 127
    made.set_weight_bias(weight, float_layer.bias, scale)
    return float_layer, made, rl.tensor(x.astype(np.float32))


@pytest.mark.parametrize("kind", ["linear", "conv", "depthwise"])
@pytest.mark.parametrize("zero", [0, 119, 255])
@pytest.mark.parametrize("bias", [True, False])
def test_layers_compute_what_their_bytes_say(kind, zero, bias):
    _, made, x = layer(kind, bias)
    made.input_scale, made.input_zero = rl.tensor(0.023), rl.tensor(np.uint8(zero))
    made.output_scale, made.output_zero = rl.tensor(0.05), rl.tensor(np.uint8(100))
    (y,) = in_both(lambda: (made(x),))
    # The same in float64: sums of whole numbers, scaled.
    q = to_bytes(x, made.input_scale, made.input_zero, rl.quint8).numpy().astype(np.float64) - zero
    w = made.weight_bytes.numpy().astype(np.float64)
    if kind == "linear":
        sums = q @ w.T
        scale, shift = made.weight_scale.numpy(), 0 if made.bias() is None else made.bias().numpy()
    else:
        conv = torch.conv2d if kind == "conv" else torch.conv1d
        sums = conv(
            torch.from_numpy(q), torch.from_numpy(w), None, made.stride, made.padding,
            made.dilation, made.groups,
        ).numpy()  # fmt: skip
        shape = (-1, *(1,) * (sums.ndim - 2))
        scale = made.weight_scale.numpy().reshape(shape)
        shift = 0 if made.bias() is None else made.bias().numpy().reshape(shape)
    exact = sums * scale * 0.023 + shift
    grid = np.clip(np.rint(exact / 0.05) + 100, 0, 255)
    found = np.rint(y / np.float32(0.05)) + 100
    assert np.abs(found - grid).max() <= 1 and (found != grid).mean() < 0.01
    made.output_scale = None
    np.testing.assert_allclose(made(x).numpy(), exact, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_nothing(threads):
    before = rl.get_num_threads()
    _, made, x = layer("conv")
    made.input_scale, made.input_zero = rl.tensor(0.023), rl.tensor(np.uint8(7))
    expected = made(x).numpy().copy()
    try:
        rl.set_num_threads(threads)
        with only("compiled"):
            assert np.array_equal(made(x).numpy(), expected)
    finally:
        rl.set_num_threads(before)


def test_empty_batches_and_single_images():
    _, made, x = layer("conv")
    assert made(x[:0]).shape == (0, 18, 5, 4)
    assert np.array_equal(made(x[0]).numpy(), made(x).numpy()[0])
    _, made, x = layer("linear")
    assert made(x[:0]).shape == (0, 21)
    assert np.array_equal(made(x[0]).numpy(), made(x).numpy()[0])
    assert made(x.reshape(3, 3, 37)).shape == (3, 3, 21)


def test_faults_name_the_line_and_the_sizes():
    _, made, x = layer("linear")
    with pytest.raises(RuntimeError, match=r"the input is \(9, 36\), the weight \(21, 37\)"):
        made(x[:, :36])
    with pytest.raises(RuntimeError, match="of float32"):
        made(x.double())


def test_dynamic_ranges():
    for x in (rl.tensor([-1.0, 3.0]), rl.tensor([2.0, 3.0]), rl.tensor([-3.0, -2.0])):
        scale, zero = range_of(x)
        low, high = min(x.min().item(), 0), max(x.max().item(), 0)
        assert scale.item() == pytest.approx((high - low) / 255)
        assert zero.item() == round(-low / scale.item())
    scale, zero = range_of(rl.zeros(3))
    assert scale.item() > 0 and zero.item() == 0
    assert range_of(rl.zeros(0))[0].item() == 1


@pytest.mark.parametrize("shape", [(7, 37), (2, 3, 37), (0, 37)])
def test_dynamic_linear(shape):
    float_layer, _, _ = layer("linear")
    made = nn.quantized.dynamic.Linear(37, 21)
    scale = float_layer.weight.detach().abs().amax(1) / 127
    made.set_weight_bias(float_layer.weight, float_layer.bias, scale)
    x = rl.tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    (y,) = in_both(lambda: (made(x),))
    expected = float_layer(x).detach().numpy()
    assert y.shape == expected.shape
    if expected.size:
        assert np.abs(y - expected).max() < 0.05 * np.abs(expected).max()
