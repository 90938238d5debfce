"""Training with rounding, beside PyTorch."""

import copy
import warnings

import numpy as np
import pytest
import torch
import torch.ao.quantization as theirs

import rushlight as rl
import rushlight.ao.quantization as ours
from rushlight import nn


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("per_channel", [False, True])
def test_rounding_and_its_gradient_are_pytorchs(per_channel):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((4, 6)).astype(np.float32)
    found = []
    for library, module in ((rl, ours), (torch, theirs)):
        if per_channel:
            made = module.default_per_channel_weight_fake_quant()
        else:
            made = module.FakeQuantize(
                observer=module.MovingAverageMinMaxObserver, quant_min=0, quant_max=127,
                dtype=library.quint8, averaging_constant=0.5,
            )  # fmt: skip
        made(library.from_numpy(data))
        x = library.from_numpy(data * 1.7).requires_grad_()  # some are outside
        (made if per_channel else made.train())(x)
        x.grad = None
        y = made(x)
        (y * library.from_numpy(data)).sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    (y, gradient), (expected, their_gradient) = found
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    assert (gradient != their_gradient).mean() < 0.05  # on the very edge


def test_switches():
    fake = ours.FakeQuantize()
    x = rl.tensor([0.1, 1.0, 2.0])
    fake.apply(ours.disable_fake_quant)
    assert np.array_equal(fake(x).numpy(), x.numpy())
    fake.apply(ours.enable_fake_quant)
    fake.apply(ours.disable_observer)
    before = fake.calculate_qparams()[0].item()
    fake(x * 100)
    assert fake.calculate_qparams()[0].item() == before


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = ours.QuantStub(), ours.DeQuantStub()
        self.conv, self.norm, self.relu = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU()
        self.fc = nn.Linear(6 * 16, 3)

    def forward(self, x):
        x = self.relu(self.norm(self.conv(self.quant(x))))
        return self.dequant(self.fc(x.flatten(1)))


def test_train_and_convert():
    rl.manual_seed(0)
    model = Net()
    model.qconfig = ours.get_default_qat_qconfig("onednn")
    ready = ours.prepare_qat(ours.fuse_modules_qat(model, ["conv", "norm", "relu"]))
    optimizer = rl.optim.SGD(ready.parameters(), lr=0.1)
    x, y = rl.randn(48, 1, 6, 6), rl.randint(0, 3, (48,))
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = rl.nn.functional.cross_entropy(ready(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    ready.eval()
    with rl.no_grad():
        expected = ready(x).numpy()
    done = ours.convert(ready)
    assert repr(done.conv).startswith("QuantizedConvReLU2d(1, 6")
    assert repr(done.fc).startswith("QuantizedLinear(in_features=96")
    got = done(x).numpy()
    assert np.abs(got - expected).max() < 4.5 * done.fc.scale
    assert (got.argmax(1) == expected.argmax(1)).mean() > 0.9


def test_only_in_training():
    model = Net().eval()
    model.qconfig = ours.get_default_qat_qconfig()
    with pytest.raises(AssertionError, match="only works on models in training mode"):
        ours.prepare_qat(model)
    assert type(copy.deepcopy(model).conv) is nn.Conv2d
