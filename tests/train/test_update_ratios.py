"""The norms of gradients, weights and updates: their values, what they cost, and that they stay."""

import math

import numpy as np
import pytest
import torch
from twins import DATA, WEIGHT, ours

import rushlight as rl
from rushlight.experiments.ratios import draw_ratios
from rushlight.train.callbacks import Callback, ModelCheckpoint, UpdateRatios
from rushlight.train.callbacks import update_ratios as module
from rushlight.train.callbacks.update_ratios import GRADIENT, UPDATE, Norms
from rushlight.train.callbacks.update_ratios import WEIGHT as WEIGHTS


def fitted(folder, *callbacks, model=None, path=None, **options):
    rl.manual_seed(0)
    model = model or ours.Line()
    options = {"max_epochs": 4, **options}
    trainer = ours.trainer(folder, callbacks=list(callbacks), **options)
    trainer.fit(model, ckpt_path=path)
    return model


def by_torch(steps, clip=None):
    """Norms of every step of the same training in PyTorch."""
    layer = torch.nn.Linear(4, 1, bias=False)
    layer.weight.data.copy_(torch.from_numpy(WEIGHT))
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    found = []
    for step in range(steps):
        x = torch.from_numpy(DATA[4 * (step % 3) : 4 * (step % 3) + 4])
        optimizer.zero_grad()
        ((layer(x) - x.sum(1, keepdim=True)) ** 2).mean().backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(layer.parameters(), clip)
        before = layer.weight.detach().clone()
        optimizer.step()
        update = layer.weight.detach() - before
        found.append([one.norm().item() for one in (layer.weight.grad, before, update)])
    return np.array(found)


@pytest.mark.parametrize("clip", [None, 0.1])
def test_norms_are_those_of_pytorchs_training(clip, tmp_path):
    ratios = UpdateRatios(every_n_steps=1)
    fitted(tmp_path, ratios, gradient_clip_val=clip)
    norms = ratios.norms
    assert norms.names == ["layer.weight"] and norms.steps == list(range(1, 13))
    np.testing.assert_allclose(norms.epochs, np.arange(1, 13) / 3, rtol=1e-12)
    np.testing.assert_allclose(norms.values[:, 0], by_torch(12, clip), rtol=2e-4, atol=1e-6)
    expected = norms.values[..., UPDATE] / norms.values[..., WEIGHTS]
    np.testing.assert_array_equal(norms.ratios(), expected)
    expected = norms.values[..., GRADIENT] / norms.values[..., WEIGHTS]
    np.testing.assert_array_equal(norms.ratios(GRADIENT), expected)


def test_other_steps_are_left_alone(tmp_path):
    looked = []

    class Counting(UpdateRatios):
        def _add(self, step, epoch, found):
            looked.append(step)
            super()._add(step, epoch, found)

    ratios = Counting(every_n_steps=5)
    fitted(tmp_path, ratios)
    assert looked == ratios.norms.steps == [5, 10]
    np.testing.assert_allclose(ratios.norms.values[:, 0], by_torch(12)[[4, 9]], rtol=2e-4)


def test_accumulated_batches_are_one_step(tmp_path):
    ratios = UpdateRatios(every_n_steps=1)
    fitted(tmp_path, ratios, accumulate_grad_batches=2, max_epochs=2)
    assert ratios.norms.steps == [1, 2, 3, 4]
    np.testing.assert_allclose(ratios.norms.epochs, [2 / 3, 1, 5 / 3, 2])


def test_the_weights_are_the_same_bits(tmp_path):
    plain = fitted(tmp_path)
    watched = fitted(tmp_path, UpdateRatios(every_n_steps=2))
    np.testing.assert_array_equal(
        plain.layer.weight.detach().numpy(), watched.layer.weight.detach().numpy()
    )


class Odd(ours.Line):
    """A frozen layer, one without gradients, zeros, and a half type."""

    def __init__(self):
        super().__init__()
        self.frozen = ours.nn.Linear(4, 4)
        self.frozen.requires_grad_(False)
        self.unused = ours.nn.Linear(1, 1)
        self.zero = ours.nn.Parameter(rl.zeros(1))
        self.bf16 = ours.nn.Parameter(rl.ones(1, dtype=rl.bfloat16))

    def forward(self, x):
        return self.layer(self.frozen(x)) * self.bf16.float() + self.zero


def test_parameters_without_gradients_are_nan(tmp_path):
    ratios = UpdateRatios(every_n_steps=1)
    fitted(tmp_path, ratios, model=Odd(), max_epochs=1)
    norms = ratios.norms
    of = {name: norms.values[:, k] for k, name in enumerate(norms.names)}
    assert np.isnan(of["frozen.weight"]).all() and np.isnan(of["unused.bias"]).all()
    for name in ("layer.weight", "zero", "bf16"):
        assert np.isfinite(of[name]).all(), name
    assert of["bf16"][0, 1] == 1.0
    assert math.isnan(norms.ratios()[0, norms.names.index("zero")])


def test_optimizers_stepped_by_hand(tmp_path):
    class ByHand(ours.Line):
        automatic_optimization = False

        def training_step(self, batch, batch_idx):
            optimizer = self.optimizers()
            optimizer.zero_grad()
            self.manual_backward(self.loss(batch))
            optimizer.step()

    ratios = UpdateRatios(every_n_steps=2)
    fitted(tmp_path, ratios, model=ByHand())
    assert ratios.norms.steps == [2, 4, 6, 8, 10, 12]
    np.testing.assert_allclose(ratios.norms.values[:, 0], by_torch(12)[1::2], rtol=2e-4)


def test_a_resumed_run_ends_with_the_same_norms(tmp_path):
    class Stop(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step == 7:
                raise KeyboardInterrupt

    def saving():
        return ModelCheckpoint(tmp_path / "c", every_n_train_steps=1, save_last=True)

    whole = UpdateRatios(every_n_steps=2)
    fitted(tmp_path, whole, max_epochs=3)
    with pytest.raises(SystemExit):
        fitted(tmp_path, UpdateRatios(every_n_steps=2), Stop(), saving(), max_epochs=3)
    rest = UpdateRatios(every_n_steps=2)
    fitted(tmp_path, rest, saving(), path=tmp_path / "c" / "last.ckpt", max_epochs=3)
    assert rest.norms.steps == whole.norms.steps == [2, 4, 6, 8]
    assert rest.norms.epochs == whole.norms.epochs and rest.norms.names == whole.norms.names
    np.testing.assert_array_equal(rest.norms.values, whole.norms.values)


def test_long_runs_stay_small(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST", 8)
    ratios = UpdateRatios(every_n_steps=1)
    fitted(tmp_path, ratios, max_epochs=10)
    assert ratios.every_n_steps == 4 and ratios.norms.steps == [4, 8, 12, 16, 20, 24, 28]
    np.testing.assert_allclose(
        ratios.norms.values[:4, 0, UPDATE], by_torch(16)[3::4, UPDATE], rtol=1e-3
    )


def test_how_often_is_checked():
    with pytest.raises(ValueError, match="at least 1"):
        UpdateRatios(every_n_steps=0)


def drawn(names, ratios):
    values = np.ones((len(ratios), len(names), 3), np.float32)
    values[..., UPDATE] = ratios
    return Norms(names, list(range(len(ratios))), [k / 2 for k in range(len(ratios))], values)


def test_the_figure_shows_layers_and_the_rule():
    names = ["network.fc1.weight", "network.fc1.bias", "network.fc2.weight", "network.fc3.weight"]
    norms = drawn(names, [[0.01, 0.5, 0.0, np.nan], [0.02, 0.5, 0.03, np.nan]])
    (axes,) = draw_ratios(norms, UPDATE).axes
    assert axes.get_yscale() == "log" and axes.get_xlabel() == "epoch"
    *lines, rule = axes.lines
    assert len(lines) == 2 and set(rule.get_ydata()) == {1e-3}
    np.testing.assert_allclose(lines[0].get_ydata(), [0.01, 0.02], rtol=1e-6)
    assert np.isnan(lines[1].get_ydata()[0])  # no place on a logarithmic axis
    assert {"fc1", "fc2", "rule"} == {text.get_text() for text in axes.texts}


def test_the_figure_of_many_layers_names_some():
    names = [f"blocks.{k}.weight" for k in range(40)]
    (axes,) = draw_ratios(drawn(names, np.full((3, 40), 1e-2)), UPDATE).axes
    assert len(axes.lines) == 41 and len(axes.texts) == 8
    assert len({line.get_color() for line in axes.lines}) == 41


def test_there_is_no_figure_of_nothing():
    assert draw_ratios(drawn(["weight"], np.full((2, 1), np.nan)), UPDATE) is None
    assert draw_ratios(UpdateRatios().norms, UPDATE) is None
