"""Parametrized tensors against PyTorch's."""

import copy
import pickle

import numpy as np
import pytest
import torch

import rushlight as rl

FRAMEWORKS = (rl, torch)


def symmetric(lib):
    class Symmetric(lib.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).transpose(-1, -2)

        def right_inverse(self, x):
            return x.triu()

    return Symmetric()


def doubled(lib):
    class Doubled(lib.nn.Module):
        def forward(self, x):
            return 2 * x

    return Doubled()


def split(lib):
    class Split(lib.nn.Module):
        def forward(self, low, high):
            return low + high

        def right_inverse(self, x):
            return x.clamp(max=0), x.clamp(min=0)

    return Split()


def layer(lib, *, rows=3, columns=3):
    made = lib.nn.Linear(columns, rows).double()
    values = np.random.default_rng(2).standard_normal((rows, columns))
    with lib.no_grad():
        made.weight.copy_(lib.tensor(values))
        made.bias.fill_(0.5)
    return made


def register(lib, module, *functions, **options):
    for function in functions:
        lib.nn.utils.parametrize.register_parametrization(module, "weight", function, **options)
    return module


def close(ours, theirs):
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-10)


def same(ours, theirs, lib=rl):
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    for name, value in ours.state_dict().items():
        close(value, state[name])
    close(ours.weight, theirs.weight)
    outputs = [
        m(f.ones(2, m.in_features, dtype=f.float64))
        for f, m in zip(FRAMEWORKS, (ours, theirs), strict=True)
    ]
    close(*outputs)
    for output, module in zip(outputs, (ours, theirs), strict=True):
        module.zero_grad()
        output.square().sum().backward()
    for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
        close(one.grad, two.grad)


@pytest.mark.parametrize(
    "functions", [[symmetric], [doubled], [symmetric, doubled], [split], [split, doubled]],
    ids=lambda functions: "-".join(f.__name__ for f in functions),
)  # fmt: skip
def test_parametrizations_equal_torch(functions):
    ours, theirs = (register(f, layer(f), *(make(f) for make in functions)) for f in FRAMEWORKS)
    same(ours, theirs)
    assert ours.weight is not ours.weight
    with rl.nn.utils.parametrize.cached():
        assert ours.weight is ours.weight


def test_assigning_goes_through_the_inverse():
    made = [register(f, layer(f), symmetric(f)) for f in FRAMEWORKS]
    for f, module in zip(FRAMEWORKS, made, strict=True):
        kept = module.parametrizations.weight.original
        module.weight = f.arange(9.0, dtype=f.float64).reshape(3, 3)
        assert module.parametrizations.weight.original is kept
    same(*made)
    for f in FRAMEWORKS:
        module = register(f, layer(f), doubled(f))
        with pytest.raises(RuntimeError, match="Doubled does not implement right_inverse"):
            module.weight = f.zeros(3, 3)


@pytest.mark.parametrize("leave", [True, False])
@pytest.mark.parametrize("make", [symmetric, doubled])
def test_removal(make, leave):
    made = []
    for f in FRAMEWORKS:
        module = layer(f)
        weight = module.weight
        register(f, module, make(f))
        parametrize = f.nn.utils.parametrize
        assert parametrize.is_parametrized(module, "weight")
        assert not parametrize.is_parametrized(module, "bias")
        assert parametrize.type_before_parametrizations(module) is f.nn.Linear
        parametrize.remove_parametrizations(module, "weight", leave_parametrized=leave)
        assert module.weight is weight
        assert type(module) is f.nn.Linear
        assert not parametrize.is_parametrized(module)
        made.append(module)
    same(*made)


def test_removal_of_several():
    made = []
    for f in FRAMEWORKS:
        module = register(f, layer(f), split(f))
        with pytest.raises(ValueError, match="Cannot leave unparametrized"):
            f.nn.utils.parametrize.remove_parametrizations(module, "weight", False)
        made.append(f.nn.utils.parametrize.remove_parametrizations(module, "weight"))
        with pytest.raises(ValueError, match="does not have a parametrization"):
            f.nn.utils.parametrize.remove_parametrizations(module, "weight")
    same(*made)


def test_copies_and_pickles():
    made = []
    for f in FRAMEWORKS:
        module = register(f, layer(f), symmetric(f))
        copied = copy.deepcopy(module)
        assert (
            copied.parametrizations.weight.original is not module.parametrizations.weight.original
        )
        with pytest.raises(RuntimeError, match=r"only supported through state_dict\(\)"):
            pickle.dumps(module)
        made.append(copied)
    same(*made)


def test_transfer():
    made = []
    for f in FRAMEWORKS:
        source, target = register(f, layer(f), symmetric(f)), f.nn.Linear(3, 3).double()
        f.nn.utils.parametrize.transfer_parametrizations_and_params(source, target)
        target.bias = source.bias
        made.append(target)
    same(*made)


def wrong(lib, what):
    class Wrong(lib.nn.Module):
        def forward(self, x):
            return {"shape": lambda: x[0], "dtype": lambda: x.float(), "type": lambda: None}[what]()

    return Wrong()


@pytest.mark.parametrize("what", ["shape", "dtype", "type"])
@pytest.mark.parametrize("first", [True, False])
def test_changes_of_shape_and_dtype_are_refused(what, first):
    messages = []
    for f in FRAMEWORKS:
        module = layer(f) if first else register(f, layer(f), doubled(f))
        with pytest.raises(ValueError) as caught:
            register(f, module, wrong(f, what))
        messages.append(str(caught.value))
        if what != "type":
            register(f, layer(f), wrong(f, what), unsafe=True)
    assert messages[0] == messages[1]


def test_names_that_are_not_there():
    for f in FRAMEWORKS:
        with pytest.raises(ValueError, match="does not have a parameter, a buffer"):
            f.nn.utils.parametrize.register_parametrization(layer(f), "other", doubled(f))


# Ready-made ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [0, 1, -1, None])
def test_weight_norm(dim):
    ours, theirs = (f.nn.utils.parametrizations.weight_norm(layer(f), dim=dim) for f in FRAMEWORKS)
    same(ours, theirs)
    old, older = (f.nn.utils.weight_norm(layer(f), dim=dim) for f in FRAMEWORKS)
    assert list(old.state_dict()) == list(older.state_dict())
    same(old, older)
    for f, module in zip(FRAMEWORKS, (old, older), strict=True):
        with pytest.raises(RuntimeError, match="Cannot register two weight_norm hooks"):
            f.nn.utils.weight_norm(module)
    ours.load_state_dict(old.state_dict())
    same(*(f.nn.utils.remove_weight_norm(m) for f, m in zip(FRAMEWORKS, (old, older), strict=True)))
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found"):
        rl.nn.utils.remove_weight_norm(old)


def copied_state(ours, theirs):
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})


def test_spectral_norm():
    ours, theirs = (
        f.nn.utils.parametrizations.spectral_norm(layer(f), n_power_iterations=2)
        for f in FRAMEWORKS
    )
    copied_state(ours, theirs)
    for _ in range(2):
        close(ours.weight, theirs.weight)
    same(ours.eval(), theirs.eval())


@pytest.mark.parametrize("kind", ["Linear", "ConvTranspose1d"])
def test_old_spectral_norm(kind):
    arguments = (3, 3) if kind == "Linear" else (3, 4, 2)
    ours, theirs = (
        f.nn.utils.spectral_norm(getattr(f.nn, kind)(*arguments).double()) for f in FRAMEWORKS
    )
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.state_dict()._metadata[""] == theirs.state_dict()._metadata[""]
    copied_state(ours, theirs)
    x = np.random.default_rng(1).standard_normal((2, 3, 3))
    for _ in range(2):
        close(ours(rl.tensor(x)), theirs(torch.tensor(x)))
    results = [m(f.tensor(x)) for f, m in zip(FRAMEWORKS, (ours, theirs), strict=True)]
    for result in results:
        result.square().sum().backward()
    close(ours.weight_orig.grad, theirs.weight_orig.grad)
    for f, module in zip(FRAMEWORKS, (ours, theirs), strict=True):
        f.nn.utils.remove_spectral_norm(module)
    close(ours.weight, theirs.weight)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder", None])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal(orthogonal_map, shape, trivial):
    made = []
    for f in FRAMEWORKS:
        module = layer(f, rows=shape[0], columns=shape[1])
        options = {"orthogonal_map": orthogonal_map, "use_trivialization": trivial}
        made.append(f.nn.utils.parametrizations.orthogonal(module, **options))
    ours, theirs = made
    copied_state(ours, theirs)
    same(ours, theirs)
    wide = shape[0] < shape[1]
    weight = ours.weight.mT if wide else ours.weight
    if trivial or orthogonal_map not in ("matrix_exp", "cayley"):
        np.testing.assert_allclose(
            (weight.mT @ weight).detach().numpy(), np.eye(min(shape)), atol=1e-10
        )
    target = np.linalg.qr(np.random.default_rng(3).standard_normal((4, 4)))[0][
        : shape[0], : shape[1]
    ]
    if shape[0] == shape[1] or trivial:
        return
    for f, module in zip(FRAMEWORKS, made, strict=True):
        if orthogonal_map in ("matrix_exp", "cayley"):
            with pytest.raises((NotImplementedError, RuntimeError)):
                module.parametrizations.weight[0].right_inverse(f.tensor(target))
        else:
            module.weight = f.tensor(target)
    same(ours, theirs)


MISTAKES = [
    lambda lib: lib.nn.utils.parametrizations.orthogonal(layer(lib), "other"),
    lambda lib: lib.nn.utils.parametrizations.orthogonal(layer(lib), "bias"),
    lambda lib: lib.nn.utils.parametrizations.orthogonal(layer(lib), orthogonal_map="other"),
    lambda lib: lib.nn.utils.parametrizations.spectral_norm(layer(lib), dim=2),
    lambda lib: lib.nn.utils.parametrizations.spectral_norm(layer(lib), n_power_iterations=0),
    lambda lib: lib.nn.utils.spectral_norm(layer(lib), n_power_iterations=0),
    lambda lib: lib.nn.utils.remove_spectral_norm(layer(lib)),
    lambda lib: lib.nn.utils.parametrize.ParametrizationList([], lib.ones(2)),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_raise_as_in_torch(number):
    found = []
    for lib in FRAMEWORKS:
        with pytest.raises(Exception) as caught:
            MISTAKES[number](lib)
        found.append((type(caught.value), str(caught.value)))
    assert found[0] == found[1]
