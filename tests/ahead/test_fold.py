"""What follows from weights alone is computed when a model leaves."""

import numpy as np
import pytest

import rushlight as rl
from rushlight import nn
from rushlight.ahead.entry import entry
from rushlight.ahead.exported import model_of
from rushlight.ahead.fold import folded
from rushlight.ahead.here import Here
from rushlight.ahead.machines import machine_of
from rushlight.export import Dim, export


class Shaped(nn.Module):
    """Weights that are worked on before they are used, in ways that depend on the size."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(rl.randn(6, 5))
        self.scale = nn.Parameter(rl.randn(6, 1))

    def forward(self, x):
        weight = rl.softmax(self.weight * self.scale.exp(), dim=1)
        mask = rl.tril(rl.ones(x.shape[0], x.shape[0])) / x.shape[0]
        return mask @ (x @ weight.T), self.scale.tanh()


def called(model, n):
    made = entry(model, "model", machine_of("host"))
    return made, Here(made, made.object_file())


@pytest.mark.parametrize("n", [1, 2, 5])
def test_values_are_those_of_python(n):
    rl.manual_seed(0)
    module = Shaped().eval()
    program = export(module, (rl.randn(3, 5),), dynamic_shapes=({0: Dim("batch", min=1)},))
    _, call = called(model_of(program, (1, 2, 5)), n)
    x = rl.randn(n, 5)
    for a, b in zip(call([x.numpy()], n), module(x), strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_a_batch_norm_is_left_with_a_product():
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)).eval()
    module[1].running_var[:] = rl.tensor([0.5, 2.0, 3.0])
    program = export(module, (rl.randn(2, 2, 6, 6),))
    model = model_of(program)
    (name,) = [name for name in folded(model, ()).state if name.startswith("folded.")]
    expected = 1 / np.sqrt(np.float32([0.5, 2, 3]) + np.float32(1e-5))
    np.testing.assert_allclose(
        folded(model, ()).state[name].values.reshape(-1), expected, rtol=1e-6
    )
    made, call = called(model, 1)
    assert not any("sqrt" in text for text in made.texts.values())
    x = program.goldens[0][0][0]
    np.testing.assert_allclose(call([x], 1)[0], program.goldens[0][1][0], rtol=1e-6, atol=1e-6)


def test_what_changes_is_not_folded():
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)).eval()
    program = export(module, (rl.randn(2, 2, 6, 6),))
    model = model_of(program)
    assert set(folded(model, model.own).state) == set(model.state)


def test_large_results_are_left_to_those_who_read_them():
    class Table(nn.Module):
        def forward(self, x):
            return x + rl.arange(200.0)[:, None].sin() * rl.arange(200.0)

    program = export(Table(), (rl.randn(200, 200),))
    folded_ = folded(model_of(program), ()).state
    assert max(buffer.nbytes for buffer in folded_.values()) < 200 * 200 * 4
