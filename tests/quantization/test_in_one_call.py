"""From a model and batches to a model of bytes in one call."""

import numpy as np
import pytest

import rushlight as rl
from rushlight import nn
from rushlight.execute.tier import only
from rushlight.quantization import quantize, quantize_for_export


class Block(nn.Module):
    """A residual block with in-place activations, as torchvision's."""

    def __init__(self, channels=8):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        y += x
        return self.relu(y)


def network():
    rl.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), Block(), Block(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip
    for _ in range(5):
        model(rl.randn(16, 3, 12, 12) + 0.3)
    return model.eval()


@pytest.fixture(scope="module")
def made():
    model, batches = network(), [rl.randn(8, 3, 12, 12) + 0.3 for _ in range(3)]
    return model, batches, quantize(model, batches)


def test_everything_is_bytes_and_close(made):
    model, _, small = made
    report = small.quantized
    assert len(report.layers) == 6 and len(report.folded) == 5 and not report.left
    assert report.after < 0.45 * report.before and 0 < report.difference < 0.05
    assert "6 layers of bytes, 5 batch norms folded" in str(report)
    assert any(type(m) is nn.BatchNorm2d for m in model.modules())  # the model itself is as it was
    x = rl.randn(4, 3, 12, 12) + 0.3
    y, expected = small(x).numpy(), model(x).detach().numpy()
    assert np.abs(y - expected).max() < 0.06 * np.abs(expected).max()


def test_in_place_operations_do_not_confuse_observers(made):
    _, _, small = made
    # The second block's input is the first one's sum after its in-place ReLU: it begins at 0.
    assert small[5].conv1.input_zero.item() == 0
    assert small[4].conv1.input_scale is not small[4].conv2.input_scale


def test_both_tiers_and_any_threads_give_the_same_bits(made):
    _, batches, small = made
    found = []
    before = rl.get_num_threads()
    for tier, threads in (("reference", 1), ("compiled", 1), ("compiled", 2)):
        rl.set_num_threads(threads)
        try:
            with only(tier):
                found.append(small[:6](batches[0]).numpy().copy())
        finally:
            rl.set_num_threads(before)
    assert np.array_equal(found[1], found[2])
    assert np.array_equal(found[0], found[1])


def test_bytes_stay_bytes_between_convolutions(made):
    _, batches, small = made
    with rl.no_grad(), only("compiled"):
        told = rl.explain(lambda: small(batches[0]))
    assert not told.references
    inner = [kernel.name for kernel in told.kernels if "conv_bytes" in str(kernel)]
    text = str(told)
    assert "uint8" in text or "u8" in text
    assert len(told.kernels) <= 6 + 7 or inner


def test_dynamic():
    model = network()
    small = quantize(model, mode="dynamic")
    assert not small.quantized.folded and len(small.quantized.layers) == 6
    x = rl.randn(4, 3, 12, 12)
    y, expected = small(x).numpy(), model(x).detach().numpy()
    assert np.abs(y - expected).max() < 0.06 * np.abs(expected).max()


def test_labels_tell_accuracy():
    model, x = network(), rl.randn(20, 3, 12, 12)
    labels = model(x).argmax(1)
    _, report = quantize_for_export(model, [(x, labels)], "static")
    assert report.accuracy[0] == 1 and report.accuracy[1] > 0.8
    assert "accuracy on these batches: 100.00% before" in str(report)


def test_what_is_never_reached_stays():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            return self.used(x)

    small, report = quantize_for_export(Two(), [rl.randn(4, 3)], "static")
    assert report.left == {"spare": "calibration never reached it"} and report.layers == ["used"]
    assert type(small.spare) is nn.Linear and small.spare(rl.randn(2, 3)).shape == (2, 3)


def test_layers_that_read_the_same_share_its_bytes():
    class Forked(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.three = (nn.Linear(4, 4) for _ in range(3))
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x):
            x = self.relu(x * 2)
            y = self.one(x) + self.two(x)
            x -= 5  # the same tensor, and another value
            return y + self.three(x)

    small = quantize(Forked(), [rl.randn(8, 4), rl.randn(8, 4)])
    assert small.three.input_zero.item() > small.one.input_zero.item() == 0
    assert small.two.input_scale is small.one.input_scale
    assert small.two.input_zero is small.one.input_zero


def test_a_shared_result_is_not_folded():
    class Forked(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2)

        def forward(self, x):
            y = self.conv(x)
            return self.norm(y) + y

    model = Forked()
    model(rl.randn(4, 2, 3, 3) + 2)
    _, report = quantize_for_export(model, [rl.randn(4, 2, 3, 3)], "static")
    assert not report.folded and report.difference < 0.05


def test_a_layer_used_twice_is_not_folded_and_one_scale_serves():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return self.fc(self.fc(x) * 4)

    model, x = Twice(), rl.randn(64, 3)
    small = quantize(model, [x])
    assert small.quantized.difference < 0.05


def test_a_single_layer_is_a_model():
    small = quantize(nn.Linear(5, 3), [rl.randn(8, 5)])
    assert type(small) is nn.quantized.Linear and small.quantized.layers == [""]


def test_batches_of_any_kind():
    model, x = nn.Linear(5, 3), rl.randn(8, 5)
    expected = quantize(model, [x])(x).numpy()
    loader = rl.utils.data.DataLoader(rl.utils.data.TensorDataset(x, rl.zeros(8)), batch_size=8)
    for batches in (x, (b for b in [x]), [(x, "label")], loader):
        assert np.array_equal(quantize(model, batches)(x).numpy(), expected)


def test_models_of_bytes_are_compiled_and_attention_stays():
    small = quantize(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), [rl.randn(6, 4)])
    replayed, x = rl.compile(small), rl.randn(3, 4)
    with rl.no_grad():
        for _ in range(3):
            assert np.array_equal(replayed(x).numpy(), small(x).numpy())
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    report = quantize(layer, [rl.randn(2, 3, 8)]).quantized
    assert report.layers == ["linear1", "linear2"] and report.difference < 0.02


def test_pytorchs_form():
    model = network()
    model.qconfig = rl.quantization.get_default_qconfig("onednn")
    seen = []

    def run(prepared, batches):
        seen.extend(prepared(batch).shape for batch in batches)

    small = quantize(model, run, ([rl.randn(4, 3, 12, 12)],))
    assert seen == [(4, 4)] and type(small[0]) is nn.quantized.Conv2d


def test_bad_calls_are_refused():
    model = nn.Linear(3, 2)
    with pytest.raises(ValueError, match="mode must be one of static, dynamic, not 'int4'"):
        quantize(model, [rl.randn(2, 3)], mode="int4")
    with pytest.raises(ValueError, match="learns scales from batches, and there are none"):
        quantize(model, [])
    with pytest.raises(TypeError, match="a calibration batch is a Tensor, or a tuple"):
        quantize(model, ["batch"])
    with pytest.raises(ValueError, match="at the input of 1 has NaN or infinity"):
        quantize(nn.Sequential(nn.ReLU(), model), [rl.full((2, 3), float("nan"))])


def test_constant_and_empty_batches():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    small = quantize(model, [rl.zeros(4, 3), rl.zeros(0, 3)])
    assert np.isfinite(small(rl.randn(5, 3)).numpy()).all()
    assert small(rl.zeros(0, 3)).shape == (0, 2)


@pytest.mark.parametrize("sizes", [(1, 1), (7, 3), (130, 5)])
def test_odd_sizes(sizes):
    model, x = nn.Linear(*sizes), rl.randn(33, sizes[0])
    small = quantize(model, [x])
    for tier in ("reference", "compiled"):
        with only(tier):
            y = small(x).numpy()
        assert np.abs(y - model(x).detach().numpy()).max() < 0.05 * (1 + np.abs(y).max())
