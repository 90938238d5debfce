"""Adafactor and Muon, which see more than one element at a time, against PyTorch's."""

import numpy as np
import pytest
import torch

import rushlight as rl

LIBRARIES = (torch, rl)


class Run:
    """The same parameters, gradients and optimizer in one of the libraries."""

    def __init__(self, lib, kind, shapes, options, dtype="float32"):
        self.lib, self.dtype = lib, getattr(lib, dtype)
        self.random = np.random.default_rng(1)
        self.params = [self.tensor(shape).requires_grad_() for shape in shapes]
        self.optimizer = getattr(lib.optim, kind)(self.params, **options)

    def tensor(self, shape):
        return self.lib.tensor(self.random.standard_normal(shape)).to(self.dtype)

    def step(self, without=()):
        for index, param in enumerate(self.params):
            grad = self.tensor(param.shape)
            param.grad = None if index in without else grad
        self.optimizer.step()


def same(ours, theirs, relative, absolute):
    for mine, other in zip(ours.params, theirs.params, strict=True):
        np.testing.assert_allclose(
            mine.detach().numpy(), other.detach().numpy(), rtol=relative, atol=absolute
        )
        kept, others = ours.optimizer.state[mine], theirs.optimizer.state[other]
        assert list(kept) == list(others)
        for name, value in others.items():
            assert str(kept[name].dtype) == str(value.dtype)
            assert tuple(kept[name].shape) == tuple(value.shape)
            np.testing.assert_allclose(
                kept[name].detach().numpy(), value.numpy(), rtol=max(relative, 1e-6), atol=1e-7
            )


ADAFACTOR = [
    {},
    {"lr": 0.5, "beta2_decay": -0.3, "d": 1.5, "weight_decay": 0.1, "maximize": True},
    {"eps": (1e-2, 0.5)},
    {"lr": torch.tensor(0.25, dtype=torch.float64)},
]


@pytest.mark.parametrize("options", ADAFACTOR, ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adafactor_equals_torch(options, dtype):
    shapes = [(3, 4), (5,), (), (2, 1, 2)]
    theirs = Run(torch, "Adafactor", shapes, options, dtype)
    if "lr" in options:
        options = {**options, "lr": float(options["lr"])}
    ours = Run(rl, "Adafactor", shapes, options, dtype)
    relative = 2e-6 if dtype == "float32" else 1e-12
    for without in [(), (), (1, 3), (0,), (), ()]:
        theirs.step(without)
        ours.step(without)
        same(ours, theirs, relative, relative)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (4, 6)),
        ({"lr": 0.1}, (6, 4)),
        ({"nesterov": False, "momentum": 0.5, "adjust_lr_fn": "match_rms_adamw"}, (3, 5)),
        ({"ns_steps": 2, "ns_coefficients": (2.0, -1.5, 0.5), "weight_decay": 0.0}, (1, 4)),
        ({"eps": 5.0, "ns_steps": 0, "adjust_lr_fn": "original"}, (5, 2)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_muon_equals_torch(options, shape, dtype):
    """Both compute the direction in bfloat16, rounding sums of products in other places."""
    theirs, ours = (Run(lib, "Muon", [shape, (2, 2)], options, dtype) for lib in LIBRARIES)
    rate = options.get("lr", 1e-3)
    for without in [(), (1,), (), ()]:
        theirs.step(without)
        ours.step(without)
        same(ours, theirs, 1e-6, 0.03 * rate)


def test_half_matrices():
    for kind in ("Adafactor", "Muon"):
        results = []
        for lib in LIBRARIES:
            run = Run(lib, kind, [(3, 4)], {"lr": 0.1}, "bfloat16")
            for _ in range(3):
                run.step()
            assert str(run.params[0].dtype) == "torch.bfloat16"
            results.append(run.params[0].detach().to(lib.float32).numpy())
        np.testing.assert_allclose(results[1], results[0], rtol=0.02, atol=0.01)


@pytest.mark.parametrize("kind", ["Adafactor", "Muon"])
def test_states_are_saved_and_loaded(kind):
    theirs, ours = (Run(lib, kind, [(3, 4), (2, 2)], {}) for lib in LIBRARIES)
    for run in (theirs, ours):
        run.step()
        fresh = getattr(run.lib.optim, kind)(run.params, lr=0.5)
        fresh.load_state_dict(run.optimizer.state_dict())
        run.optimizer = fresh
        run.step()
    assert (
        ours.optimizer.state_dict()["param_groups"] == theirs.optimizer.state_dict()["param_groups"]
    )
    same(ours, theirs, 1e-5, 1e-4)


MISTAKES = [
    lambda lib: lib.optim.Adafactor([lib.ones(2)], lr=-1),
    lambda lib: lib.optim.Adafactor([lib.ones(2)], beta2_decay=0.5),
    lambda lib: lib.optim.Adafactor([lib.ones(2)], eps=(-1.0, 1e-3)),
    lambda lib: lib.optim.Adafactor([lib.ones(2)], eps=(None, -1.0)),
    lambda lib: lib.optim.Adafactor([lib.ones(2)], d=0.5),
    lambda lib: lib.optim.Adafactor([lib.ones(2)], weight_decay=-1),
    lambda lib: lib.optim.Adafactor([lib.ones(2)], lr=lib.ones(2)),
    lambda lib: lib.optim.Muon([lib.ones(2)]),
    lambda lib: lib.optim.Muon([lib.ones(2, 2)], lr=-1),
    lambda lib: lib.optim.Muon([lib.ones(2, 2)], momentum=-1),
    lambda lib: lib.optim.Muon([lib.ones(2, 2)], weight_decay=-1),
    lambda lib: lib.optim.Muon([lib.ones(2, 2)], adjust_lr_fn="arbitrary"),
    lambda lib: stepped(lib, "Muon", ns_steps=100),
    lambda lib: stepped(lib, "Muon", ns_coefficients=(1.0, 2.0)),
    lambda lib: stepped(lib, "Adafactor", complex=True),
    lambda lib: stepped(lib, "Muon", complex=True),
]


def stepped(lib, kind, complex=False, **options):
    param = lib.ones(2, 2, dtype=lib.complex64 if complex else None).requires_grad_()
    optimizer = getattr(lib.optim, kind)([param], **options)
    param.grad = lib.ones_like(param)
    optimizer.step()


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_raise_as_in_torch(number):
    found = []
    for lib in LIBRARIES:
        with pytest.raises((ValueError, RuntimeError)) as caught:
            MISTAKES[number](lib)
        found.append(caught.value)
    theirs, ours = found
    assert isinstance(ours, type(theirs))
    assert str(theirs) in str(ours)
