"""Prepare, calibrate, convert, fuse and quantise dynamically, beside PyTorch."""

import copy
import warnings

import numpy as np
import pytest
import torch
import torch.ao.quantization as theirs

import rushlight as rl
import rushlight.ao.quantization as ours
from rushlight import nn


def pair(make):
    """The same model of both libraries, with the same parameters."""
    torch.manual_seed(0)
    other = make(torch, torch.nn, theirs)
    mine = make(rl, rl.nn, ours)
    state = {key: rl.from_numpy(x.numpy()) for key, x in other.state_dict().items()}
    mine.load_state_dict(state)
    return mine.eval(), other.eval()


def network(library, layers, quantization):
    class Net(layers.Module):
        def __init__(self):
            super().__init__()
            self.quant = quantization.QuantStub()
            self.conv = layers.Conv2d(3, 8, 3, padding=1)
            self.norm = layers.BatchNorm2d(8)
            self.relu = layers.ReLU()
            self.conv2 = layers.Conv2d(8, 8, 3, stride=2, groups=2)
            self.fc = layers.Linear(8 * 9, 5)
            self.dequant = quantization.DeQuantStub()

        def forward(self, x):
            x = self.relu(self.norm(self.conv(self.quant(x))))
            return self.dequant(self.fc(self.conv2(x).flatten(1)))

    return Net()


def inputs(count=3):
    rng = np.random.default_rng(1)
    return [rng.standard_normal((4, 3, 8, 8)).astype(np.float32) for _ in range(count)]


def converted(observer):
    """Both models after the same calibration, and what both say of the last batch."""
    results, models = [], []
    for model, module, library in zip(pair(network), (ours, theirs), (rl, torch), strict=True):
        model.qconfig = module.QConfig(
            getattr(module, observer).with_args(dtype=library.quint8),
            module.default_per_channel_weight_observer,
        )
        model = module.fuse_modules(model, [["conv", "norm", "relu"]])
        prepared = module.prepare(model)
        for x in inputs():
            prepared(library.from_numpy(x))
        done = module.convert(prepared)
        models.append(done)
        results.append(done(library.from_numpy(inputs()[-1])).detach().numpy())
    return models, results


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("engine", ["onednn"])
@pytest.mark.parametrize("observer", ["MinMaxObserver", "MovingAverageMinMaxObserver"])
def test_static_is_pytorchs(observer, engine):
    torch.backends.quantized.engine = engine
    (mine, other), (y, expected) = converted(observer)
    for name in ("conv", "conv2", "fc"):
        layer, their_layer = getattr(mine, name), getattr(other, name)
        assert layer.scale == pytest.approx(float(their_layer.scale), rel=1e-5)
        assert layer.zero_point == their_layer.zero_point
        weight = their_layer.weight()
        assert np.array_equal(layer.weight_bytes.numpy(), weight.int_repr().numpy())
        np.testing.assert_allclose(
            layer.weight_scale.numpy(), weight.q_per_channel_scales().numpy(), rtol=1e-6
        )
        assert f"{layer!r}".split("scale=")[0] == f"{their_layer!r}".split("scale=")[0]
    assert type(mine.norm).__name__ == type(other.norm).__name__ == "Identity"
    # Each layer rounds to its grid; a difference of one step may pass through two more layers.
    steps = np.abs(y - expected) / float(other.fc.scale)
    assert steps.max() < 3.5 and (steps > 1.01).mean() < 0.05


def test_one_layer_is_within_one_step():
    x = np.random.default_rng(0).standard_normal((50, 33)).astype(np.float32)
    results = []
    for library, module in ((rl, ours), (torch, theirs)):
        results.append(_one(library, module, x))
    (y, scale), (expected, _) = results
    steps = np.abs(y - expected) / scale
    assert steps.max() < 1.01 and (steps > 0.5).mean() < 0.01


def _one(library, module, x):
    weight = np.random.default_rng(2).standard_normal((17, 33)).astype(np.float32)
    model = library.nn.Sequential(
        module.QuantStub(), library.nn.Linear(33, 17), module.DeQuantStub()
    )
    model[1].weight = library.nn.Parameter(library.from_numpy(weight))
    model[1].bias = library.nn.Parameter(library.from_numpy(weight[:, 0].copy()))
    model = model.eval()
    model.qconfig = module.get_default_qconfig("onednn")
    model.qconfig = module.QConfig(module.MinMaxObserver, model.qconfig.weight)
    prepared = module.prepare(model)
    prepared(library.from_numpy(x))
    done = module.convert(prepared)
    return done(library.from_numpy(x)).detach().numpy(), float(done[1].scale)


def test_bytes_pass_between_layers():
    """A layer uses the scale of the one that made its input."""
    (mine, _), _ = converted("MinMaxObserver")
    assert mine.conv.input_scale is mine.quant.scale
    assert mine.conv2.input_scale is mine.conv.output_scale
    copied = copy.deepcopy(mine)
    x = rl.from_numpy(inputs()[0])
    assert np.array_equal(copied(x).numpy(), mine(x).numpy())


def test_state_is_saved_and_loaded():
    (mine, _), _ = converted("MinMaxObserver")
    fresh = nn.quantized.Linear(72, 5)
    fresh.register_buffer("output_scale", rl.ones(()))
    fresh.register_buffer("output_zero", rl.zeros((), dtype=rl.uint8))
    fresh.load_state_dict(mine.fc.state_dict())
    x = rl.randn(3, 72)
    assert np.array_equal(fresh(x).numpy(), mine.fc(x).numpy())


def test_a_layer_without_configuration_stays():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)).eval()
    model.qconfig = ours.get_default_qconfig("onednn")
    model[1].qconfig = None
    prepared = ours.prepare(model)
    prepared(rl.randn(5, 4))
    done = ours.convert(prepared)
    assert type(done[0]) is nn.quantized.Linear and type(done[1]) is nn.Linear
    assert type(model[0]) is nn.Linear and not hasattr(model[0], "activation_post_process")
    assert not any("process" in name for name, _ in done.named_modules())


def test_nan_in_calibration_names_the_layer():
    model = nn.Sequential(nn.ReLU(), nn.Linear(4, 4)).eval()
    model.qconfig = ours.get_default_qconfig("onednn")
    prepared = ours.prepare(model)
    prepared(rl.full((2, 4), float("nan")))
    with pytest.raises(ValueError, match="observed at the input of 1 has NaN or infinity"):
        ours.convert(prepared)


def test_what_layers_can_not_be_is_refused():
    model = nn.Sequential(nn.Linear(4, 4)).eval()
    model.qconfig = ours.QConfig(
        ours.MinMaxObserver.with_args(dtype=rl.qint8), ours.default_weight_observer
    )
    with pytest.raises(NotImplementedError, match=r"what goes into 0 becomes torch\.quint8"):
        ours.prepare(model)
    model.qconfig = ours.QConfig(ours.MinMaxObserver, ours.MinMaxObserver)
    prepared = ours.prepare(model)
    prepared(rl.randn(2, 4))
    with pytest.raises(NotImplementedError, match=r"weights become torch\.qint8, symmetric"):
        ours.convert(prepared)
    with pytest.raises(NotImplementedError, match="no layer of bytes stands for LSTM"):
        ours.quantize_dynamic(nn.LSTM(3, 4), {nn.LSTM})
    with pytest.raises(ValueError, match="Don't know how to quantize"):
        ours.quantize_dynamic(model, dtype=rl.float16)
    even = nn.Conv2d(1, 1, 2, padding="same")
    with pytest.raises(NotImplementedError, match="not the same on both sides"):
        ours.quantize_dynamic(nn.Sequential(even), {nn.Conv2d})


# Fusing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_folding_keeps_results(rank, bias):
    conv, norm = getattr(nn, f"Conv{rank}d"), getattr(nn, f"BatchNorm{rank}d")
    model = nn.Sequential(conv(3, 5, 3, bias=bias), norm(5), nn.ReLU())
    x = rl.randn(4, 3, *(7,) * rank)
    for _ in range(3):
        model(x * 2 + 1)
    model[1].weight.data.uniform_(0.5, 2)
    model[1].bias.data.uniform_(-1, 1)
    model.eval()
    fused = ours.fuse_modules(model, ["0", "1", "2"])
    assert type(fused[0]).__name__ == f"ConvReLU{rank}d"
    np.testing.assert_allclose(
        fused(x).detach().numpy(), model(x).detach().numpy(), rtol=1e-4, atol=1e-5
    )


def test_fusing_is_pytorchs():
    mine, other = pair(network)
    lists = [["conv", "norm", "relu"]]
    a, b = ours.fuse_modules(mine, lists), theirs.fuse_modules(other, lists)
    assert repr(a) == repr(b)
    with pytest.raises(NotImplementedError, match=r"Cannot fuse modules: \(ReLU, Linear\)"):
        ours.fuse_modules(mine, ["relu", "fc"])
    with pytest.raises(AssertionError, match=r"conv, norm wants them in model\.eval"):
        ours.fuse_modules(copy.deepcopy(mine).train(), ["conv", "norm"])
    fused = ours.fuse_modules_qat(mine.train(), ["conv", "norm", "relu"])
    assert type(fused.conv).__name__ == "ConvBnReLU2d"


# Dynamic -----------------------------------------------------------------------------------------


def test_dynamic_is_pytorchs():
    def make(library, layers, _):
        return layers.Sequential(layers.Linear(20, 30), layers.ReLU(), layers.Linear(30, 4))

    mine, other = pair(make)
    torch.backends.quantized.engine = "qnnpack"  # its bytes have eight bits, as ours
    a = ours.quantize_dynamic(mine, {rl.nn.Linear}, dtype=rl.qint8)
    b = theirs.quantize_dynamic(other, {torch.nn.Linear}, dtype=torch.qint8)
    assert repr(a).replace("symmetric", "affine") == repr(b).replace("symmetric", "affine")
    weight = b[0].weight()
    assert np.array_equal(a[0].weight_bytes.numpy(), weight.int_repr().numpy())
    assert a[0].weight_scale[0].item() == pytest.approx(weight.q_scale(), rel=1e-6)
    x = np.random.default_rng(3).standard_normal((16, 20)).astype(np.float32)
    y, expected = a(rl.from_numpy(x)).numpy(), b(torch.from_numpy(x)).detach().numpy()
    assert np.abs(y - expected).max() < 0.01 * np.abs(expected).max()


def test_dynamic_takes_names_and_configurations():
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 2)))
    spec = {"1.0": ours.per_channel_dynamic_qconfig}
    done = ours.quantize_dynamic(model, spec)
    assert type(done[0]) is nn.Linear
    assert repr(done[1][0].qscheme) == "torch.per_channel_affine"


def test_engines_are_kept_and_checked():
    backend = rl.backends.quantized
    assert backend.supported_engines == torch.backends.quantized.supported_engines
    before = backend.engine
    try:
        backend.engine = "qnnpack"
        assert backend.engine == "qnnpack"
        with pytest.raises(RuntimeError, match="quantized engine cuda is not supported"):
            backend.engine = "cuda"
    finally:
        backend.engine = before
