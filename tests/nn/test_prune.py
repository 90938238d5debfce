"""Pruning, fusing and calling with other parameters, against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.utils.prune
import torch.nn.utils.stateless

import rushlight as rl

FRAMEWORKS = (rl, torch)


def layer(lib, kind="Linear"):
    made = {"Linear": lambda: lib.nn.Linear(4, 3), "Conv2d": lambda: lib.nn.Conv2d(2, 3, 2)}[kind]()
    made = made.double()
    random = np.random.default_rng(4)
    with lib.no_grad():
        for param in made.parameters():
            param.copy_(lib.tensor(random.standard_normal(param.shape)))
    return made


def same(ours, theirs):
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():
        assert str(value.dtype) == str(state[name].dtype)
        np.testing.assert_allclose(value.numpy(), state[name].numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.weight.detach().numpy())


WAYS = [
    lambda lib, m: lib.nn.utils.prune.identity(m, "weight"),
    lambda lib, m: lib.nn.utils.prune.l1_unstructured(m, "weight", 0.3),
    lambda lib, m: lib.nn.utils.prune.l1_unstructured(m, "weight", 0),
    lambda lib, m: lib.nn.utils.prune.l1_unstructured(
        m, "weight", 2, importance_scores=-m.weight.detach()
    ),
    lambda lib, m: lib.nn.utils.prune.ln_structured(m, "weight", 1, n=2, dim=0),
    lambda lib, m: lib.nn.utils.prune.ln_structured(m, "weight", 0.5, n=1, dim=1),
    lambda lib, m: lib.nn.utils.prune.ln_structured(m, "weight", 1, n=float("inf"), dim=-1),
    lambda lib, m: lib.nn.utils.prune.custom_from_mask(
        m, "weight", lib.arange(m.weight.numel()).reshape(m.weight.shape) % 3
    ),
]


PAIRS = [(first, second) for first in range(len(WAYS)) for second in range(len(WAYS))]


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [(kind, first, None) for kind in ("Linear", "Conv2d") for first in range(len(WAYS))]
    + [(("Linear", "Conv2d")[sum(pair) % 2], *pair) for pair in PAIRS],
)
def test_masks_equal_torch(kind, first, second):
    made = [layer(f, kind) for f in FRAMEWORKS]
    for f, module in zip(FRAMEWORKS, made, strict=True):
        WAYS[first](f, module)
        if second is not None:
            WAYS[second](f, module)
        assert f.nn.utils.prune.is_pruned(module)
    same(*made)
    for f, module in zip(FRAMEWORKS, made, strict=True):
        with f.no_grad():
            module.weight_orig.add_(1.0)
        shape = (2, 4) if kind == "Linear" else (1, 2, 3, 3)
        module(f.ones(shape, dtype=f.float64)).sum().backward()
    gradients = [module.weight_orig.grad.numpy() for module in made]
    np.testing.assert_allclose(*gradients)
    for f, module in zip(FRAMEWORKS, made, strict=True):
        original = module.weight_orig
        f.nn.utils.prune.remove(module, "weight")
        assert module.weight is original
        assert not f.nn.utils.prune.is_pruned(module)
    same(*made)


def test_several_as_one():
    made = []
    for f in FRAMEWORKS:
        modules = f.nn.Sequential(layer(f), layer(f, "Conv2d"))
        pairs = [(m, "weight") for m in modules]
        prune = f.nn.utils.prune
        prune.global_unstructured(pairs, prune.L1Unstructured, amount=0.4)
        prune.global_unstructured(
            pairs, prune.L1Unstructured, {pairs[0]: -pairs[0][0].weight.detach()}, amount=3
        )
        made.append(modules)
    for ours, theirs in zip(*made, strict=True):
        same(ours, theirs)


@pytest.mark.parametrize("structured", [True, False])
def test_random_pruning_prunes_as_many(structured):
    prune = rl.nn.utils.prune
    module = rl.nn.Linear(10, 6)
    if structured:
        prune.random_structured(module, "weight", 2, dim=0)
        kept = module.weight_mask.sum(1)
        assert sorted(kept.tolist()) == [0.0, 0.0, 10.0, 10.0, 10.0, 10.0]
    else:
        prune.random_unstructured(module, "weight", 0.25)
        assert (module.weight_mask == 0).sum().item() == 15


def test_a_tensor_alone():
    results = []
    for f in FRAMEWORKS:
        method = f.nn.utils.prune.L1Unstructured(2)
        results.append(method.prune(f.tensor([3.0, -1.0, 0.5, 2.0])).tolist())
    assert results[0] == results[1] == [3.0, 0.0, 0.0, 2.0]


MISTAKES = [
    lambda lib, m: lib.nn.utils.prune.l1_unstructured(m, "weight", -1),
    lambda lib, m: lib.nn.utils.prune.l1_unstructured(m, "weight", 1.5),
    lambda lib, m: lib.nn.utils.prune.l1_unstructured(m, "weight", "all"),
    lambda lib, m: lib.nn.utils.prune.l1_unstructured(m, "weight", 100),
    lambda lib, m: lib.nn.utils.prune.ln_structured(m, "bias", 1, 2, 0),
    lambda lib, m: lib.nn.utils.prune.ln_structured(m, "weight", 1, 2, 5),
    lambda lib, m: lib.nn.utils.prune.ln_structured(m, "weight", 7, 2, 0),
    lambda lib, m: lib.nn.utils.prune.remove(m, "weight"),
    lambda lib, m: lib.nn.utils.prune.global_unstructured(1, lib.nn.utils.prune.L1Unstructured),
    lambda lib, m: lib.nn.utils.prune.global_unstructured(
        [(m, "weight")], lib.nn.utils.prune.LnStructured, amount=1, n=2
    ),
    lambda lib, m: lib.nn.utils.prune.PruningContainer().add_pruning_method("no"),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_raise_as_in_torch(number):
    found = []
    for lib in FRAMEWORKS:
        module = layer(lib)
        with pytest.raises(Exception) as caught:
            MISTAKES[number](lib, module)
        found.append((type(caught.value), str(caught.value).replace("rushlight", "torch")))
        assert sorted(module._parameters) == ["bias", "weight"]
    assert found[0] == found[1]


# Fusing -------------------------------------------------------------------------------------------


def norm(lib, size, rank, affine=True):
    made = getattr(lib.nn, f"BatchNorm{rank}d")(size, affine=affine).double().eval()
    random = np.random.default_rng(6)
    made.running_mean.copy_(lib.tensor(random.standard_normal(size)))
    made.running_var.copy_(lib.tensor(random.uniform(0.5, 2.0, size)))
    return made


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_fused_convolutions(affine, bias):
    for kind, transpose in (("Conv2d", False), ("ConvTranspose2d", True)):
        results = []
        for f in FRAMEWORKS:
            f.manual_seed(0)
            conv = getattr(f.nn, kind)(2, 3, 2, bias=bias).double().eval()
            with f.no_grad():
                conv.weight.copy_(f.arange(24.0).reshape(conv.weight.shape))
                if bias:
                    conv.bias.fill_(0.5)
            bn = norm(f, 3, 2, affine)
            fused = f.nn.utils.fuse_conv_bn_eval(conv, bn, transpose)
            x = f.arange(32.0, dtype=f.float64).reshape(1, 2, 4, 4)
            np.testing.assert_allclose(
                fused(x).detach().numpy(), bn(conv(x)).detach().numpy(), rtol=1e-10
            )
            results.append((fused.weight.detach().numpy(), fused.bias.requires_grad))
        np.testing.assert_allclose(results[0][0], results[1][0])
        assert results[0][1] == results[1][1]


def test_fused_linear_layers():
    for f in FRAMEWORKS:
        linear, bn = layer(f).eval(), norm(f, 3, 1)
        x = f.arange(8.0, dtype=f.float64).reshape(2, 4)
        fused = f.nn.utils.fuse_linear_bn_eval(linear, bn)
        np.testing.assert_allclose(fused(x).detach().numpy(), bn(linear(x)).detach().numpy())
        with pytest.raises(AssertionError, match="Fusion only for eval!"):
            f.nn.utils.fuse_linear_bn_eval(linear.train(), bn)
        with pytest.raises(AssertionError, match="To fuse"):
            f.nn.utils.fuse_linear_bn_eval(linear.eval(), norm(f, 2, 1))


# Other parameters ---------------------------------------------------------------------------------


def test_calls_with_other_parameters():
    results = []
    for f in FRAMEWORKS:
        model = f.nn.Sequential(layer(f), f.nn.BatchNorm1d(3).double())
        weight = f.full((3, 4), 0.5, dtype=f.float64).requires_grad_()
        mean = f.zeros(3, dtype=f.float64)
        with pytest.warns(FutureWarning):
            y = f.nn.utils.stateless.functional_call(
                model, {"0.weight": weight, "1.running_mean": mean}, f.ones(2, 4, dtype=f.float64)
            )
        (y * y).sum().backward()
        assert model[0].weight.grad is None
        results.append([y.detach().numpy(), weight.grad.numpy(), mean.numpy()])
        assert model[1].running_mean.tolist() == [0.0, 0.0, 0.0]
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_tied_parameters_are_replaced_under_both_names():
    for f in FRAMEWORKS:
        model = f.nn.Sequential(f.nn.Linear(2, 2), f.nn.Linear(2, 2))
        model[1].weight = model[0].weight
        call = f.nn.utils.stateless.functional_call
        eye = f.eye(2)
        zero = {"0.bias": f.zeros(2), "1.bias": f.zeros(2)}
        with pytest.warns(FutureWarning):
            y = call(model, {"0.weight": 2 * eye, **zero}, f.ones(1, 2))
        assert y.tolist() == [[4.0, 4.0]]
        with pytest.warns(FutureWarning), pytest.raises(ValueError, match="multiple values"):
            call(model, {"0.weight": eye, "1.weight": 2 * eye}, f.ones(1, 2))
        with pytest.warns(FutureWarning), pytest.raises(RuntimeError, match="Missing key"):
            call(model, {"0.weight": eye}, f.ones(1, 2), strict=True)
        assert model[0].weight is model[1].weight


def test_modules_without_drawing():
    made = rl.nn.utils.skip_init(rl.nn.Conv2d, 1, 2, 3, dtype=rl.float64)
    assert made.weight.shape == (2, 1, 3, 3)
    for f in FRAMEWORKS:
        with pytest.raises(RuntimeError, match="Module must support a 'device' arg"):
            f.nn.utils.skip_init(f.nn.ReLU)
