"""Lazy layers against PyTorch's: what they are before and after they have seen an input."""

import copy
import pickle

import numpy as np
import pytest
import torch

import rushlight as rl

FRAMEWORKS = (rl, torch)
LAYERS = [
    ("LazyLinear(3)", (2, 4)),
    ("LazyLinear(3, bias=False)", (5, 2, 4)),
    ("LazyConv1d(4, 3)", (2, 3, 8)),
    ("LazyConv1d(4, 3)", (3, 8)),
    ("LazyConv2d(4, (2, 3), stride=2, padding=1, groups=2, padding_mode='circular')", (2, 6, 5, 5)),
    ("LazyConv3d(2, 2, bias=False)", (1, 3, 3, 3, 3)),
    ("LazyConvTranspose1d(4, 3)", (2, 3, 8)),
    ("LazyConvTranspose2d(4, 3, 2, 1, output_padding=1, groups=2)", (2, 6, 3, 3)),
    ("LazyConvTranspose3d(2, 2)", (1, 3, 2, 2, 2)),
    ("LazyBatchNorm1d()", (4, 3)),
    ("LazyBatchNorm2d(affine=False)", (4, 3, 2, 2)),
    ("LazyBatchNorm3d(0.1, None, track_running_stats=False, bias=False)", (2, 3, 2, 2, 2)),
    ("LazyInstanceNorm1d()", (2, 3, 4)),
    ("LazyInstanceNorm2d(affine=False, track_running_stats=False)", (2, 3, 4, 2)),
    ("LazyInstanceNorm3d(bias=False)", (2, 3, 2, 2, 2)),
]
each = pytest.mark.parametrize(("text", "shape"), LAYERS, ids=[text for text, _ in LAYERS])


def built(text):
    return [eval(text, dict(vars(f.nn))) for f in FRAMEWORKS]


def array(shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def forms(layers):
    """What is known of the layers' parameters and buffers."""
    lazy = [f.nn.parameter.UninitializedTensorMixin if f is torch else None for f in FRAMEWORKS]
    lazy[0] = (rl.nn.UninitializedParameter, rl.nn.UninitializedBuffer)
    found = []
    for layer, kind in zip(layers, lazy, strict=True):
        state = [*layer.named_parameters(), *layer.named_buffers()]
        found.append(
            [(n, repr(t) if isinstance(t, kind) else tuple(t.shape), t.requires_grad)
             for n, t in state]
        )  # fmt: skip
    return found


@each
def test_layers_become_what_torchs_do(text, shape):
    layers = built(text)
    assert repr(layers[0]) == repr(layers[1])
    mine, other = forms(layers)
    assert mine == other
    assert list(layers[0].state_dict()) == list(layers[1].state_dict())
    for f, layer in zip(FRAMEWORKS, layers, strict=True):
        layer(f.tensor(array(shape)))
    assert repr(layers[0]) == repr(layers[1])
    assert type(layers[0]).__name__ == type(layers[1]).__name__
    mine, other = forms(layers)
    assert mine == other
    state = {name: rl.tensor(value.numpy()) for name, value in layers[1].state_dict().items()}
    layers[0].load_state_dict(state)
    results = [layer(f.tensor(array(shape))) for f, layer in zip(FRAMEWORKS, layers, strict=True)]
    np.testing.assert_allclose(*[y.detach().numpy() for y in results], rtol=1e-4, atol=1e-5)
    if results[0].requires_grad:
        results[0].sum().backward()


@each
def test_loading_gives_the_shapes(text, shape):
    """PyTorch's InstanceNorm forgets how many features there are, and refuses the next input."""
    known, fresh = (eval(text, dict(vars(rl.nn))) for _ in range(2))
    fresh.load_state_dict(known.state_dict())
    known(rl.tensor(array(shape)))
    fresh.load_state_dict(known.state_dict())
    assert not fresh.has_uninitialized_params()
    x = rl.tensor(array(shape))
    known.eval(), fresh.eval()
    assert fresh(x).tolist() == known(x).tolist()
    if list(known.parameters()):
        for f in FRAMEWORKS:
            lazy, layer = (eval(text, dict(vars(f.nn))) for _ in range(2))
            layer(f.tensor(array(shape)))
            with pytest.raises((RuntimeError, ValueError)):
                layer.load_state_dict(lazy.state_dict())


@each
def test_layers_are_converted_and_copied_before(text, shape):
    """PyTorch's pickles forget the dtype, and its lazy buffers cannot be copied."""
    layer = eval(text, dict(vars(rl.nn))).double()
    copied = pickle.loads(pickle.dumps(copy.deepcopy(layer)))
    copied(rl.tensor(array(shape)).double())
    assert all(p.dtype == rl.float64 for p in copied.parameters())
    assert layer.has_uninitialized_params() or not list(layer.parameters())


def test_a_whole_network():
    model = rl.nn.Sequential(
        rl.nn.LazyConv2d(4, 3), rl.nn.LazyBatchNorm2d(), rl.nn.Flatten(), rl.nn.LazyLinear(2)
    )
    model(rl.zeros(3, 1, 5, 5)).sum().backward()
    kinds = ["Conv2d", "BatchNorm2d", "Flatten", "Linear"]
    assert [type(layer).__name__ for layer in model] == kinds
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("kind", ["SGD", "Adam", "RMSprop", "ASGD", "Rprop", "Adafactor"])
def test_optimizers_take_them_before_they_have_a_shape(kind):
    weights = []
    for f in FRAMEWORKS:
        layer = f.nn.LazyLinear(2)
        optimizer = getattr(f.optim, kind)(layer.parameters(), lr=0.1)
        layer(f.ones(1, 3))
        with f.no_grad():
            layer.weight.fill_(0.5)
        layer(f.ones(1, 3)).sum().backward()
        optimizer.step()
        weights.append(layer.weight.detach().numpy())
    np.testing.assert_allclose(*weights, rtol=1e-6)


def test_nothing_is_computed_with_them():
    weight = rl.nn.UninitializedParameter()
    uses = [lambda: weight + 1, lambda: rl.relu(weight), lambda: weight.sum(), lambda: 2 * weight]
    for use in uses:
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            use()
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        assert weight.shape
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized"):
        weight.share_memory_()
    weight.materialize((2, 3), dtype=rl.float64)
    assert type(weight) is rl.nn.Parameter
    assert (weight * 2).shape == (2, 3)
    assert weight.requires_grad
    assert weight.dtype == rl.float64


def test_ones_own_lazy_module():
    for f in FRAMEWORKS:

        class Scale(
            f.nn.modules.lazy.LazyModuleMixin if f is torch else rl.nn.lazy.LazyModuleMixin,
            f.nn.Module,
        ):
            def __init__(self, lib):
                super().__init__()
                self.weight = lib.nn.UninitializedParameter()
                self.lib = lib

            def initialize_parameters(self, x, *, power):
                if power:
                    self.weight.materialize(x.shape)
                    with self.lib.no_grad():
                        self.weight.fill_(power)

            def forward(self, x, *, power):
                return x * self.weight

        module = Scale(f)
        with pytest.raises(RuntimeError, match="has not been fully initialized"):
            module(f.ones(2), power=0)
        assert module(f.ones(2), power=3).tolist() == [3.0, 3.0]
        assert module(f.ones(2), power=5).tolist() == [3.0, 3.0]


def test_inputs_that_do_not_fit():
    for f in FRAMEWORKS:
        with pytest.raises(RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\)"):
            f.nn.LazyConv2d(2, 1)(f.zeros(3, 3))
        with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
            f.nn.LazyConv2d(2, 1, groups=2)(f.zeros(3, 3, 3))
