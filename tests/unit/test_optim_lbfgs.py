"""L-BFGS against PyTorch's, iteration by iteration."""

import numpy as np
import pytest
import torch

import rushlight as rl

LIBRARIES = (torch, rl)


def rosenbrock(lib, params):
    x = lib.cat([param.reshape(-1) for param in params])
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def bowl(lib, params):
    return sum(((i + 1) * (param - i) ** 2).sum() for i, param in enumerate(params))


def steep(lib, params):
    return sum((param.abs() ** 1.5).sum() + lib.cos(3 * param).sum() for param in params)


class Run:
    """A loss, its parameters and the optimizer in one of the libraries."""

    def __init__(self, lib, loss, options, dtype="float64"):
        random = np.random.default_rng(3)
        kind = getattr(lib, dtype)
        self.params = [
            lib.tensor(random.standard_normal(shape), dtype=kind).requires_grad_()
            for shape in ((2, 2), (3,), ())
        ]
        self.optimizer = lib.optim.LBFGS(self.params, **options)
        self.lib, self.loss, self.calls = lib, loss, 0

    def closure(self):
        assert self.lib.is_grad_enabled()
        self.calls += 1
        self.optimizer.zero_grad()
        loss = self.loss(self.lib, self.params)
        loss.backward()
        return loss

    def step(self):
        return self.optimizer.step(self.closure).item()

    @property
    def memory(self):
        return self.optimizer.state[self.params[0]]

    def values(self):
        return [param.detach().numpy().copy() for param in self.params]


def numbers(value):
    """A state's entry as NumPy arrays."""
    if isinstance(value, list):
        return [numbers(item) for item in value if item is not None]
    return np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)


def same(ours, theirs, relative=1e-9):
    assert ours.calls == theirs.calls
    for mine, other in zip(ours.values(), theirs.values(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=relative, atol=relative)
    assert ours.memory.keys() == theirs.memory.keys()
    for name, other in theirs.memory.items():
        mine, other = numbers(ours.memory[name]), numbers(other)
        pairs = zip(mine, other, strict=True) if isinstance(other, list) else [(mine, other)]
        for one, two in pairs:
            # Differences of nearly equal gradients lose digits.
            np.testing.assert_allclose(one, two, rtol=1e4 * relative, atol=1e2 * relative)


@pytest.mark.parametrize("loss", [rosenbrock, bowl, steep])
@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.01},
        {"lr": 0.1, "max_iter": 4, "history_size": 2},
        {"line_search_fn": "strong_wolfe", "max_iter": 5},
        {"line_search_fn": "strong_wolfe", "lr": 0.1, "max_iter": 6, "max_eval": 7},
        {"line_search_fn": "strong_wolfe", "lr": 5.0, "max_iter": 1},
    ],
    ids=lambda options: "-".join(options),
)
def test_steps_equal_torch(loss, options):
    theirs, ours = (Run(lib, loss, options) for lib in LIBRARIES)
    for _ in range(2):  # in a third, the bowl's bottom is reached to the last digit
        assert ours.step() == pytest.approx(theirs.step(), rel=1e-9)
        same(ours, theirs)


def test_it_gets_to_the_bottom():
    run = Run(rl, bowl, {"line_search_fn": "strong_wolfe"}, "float32")
    run.step()
    assert bowl(rl, run.params).item() < 1e-8


def test_a_gradient_that_is_small_enough_ends_at_once():
    for lib in LIBRARIES:
        run = Run(lib, bowl, {"tolerance_grad": 1e6})
        before = run.values()
        run.step()
        assert run.calls == 1
        assert all((a == b).all() for a, b in zip(before, run.values(), strict=True))
        assert dict(run.memory) == {"func_evals": 1, "n_iter": 0}


def test_a_parameter_without_gradient_stays():
    runs = []
    for lib in LIBRARIES:
        run = Run(lib, lambda lib, params: bowl(lib, params[:2]), {"lr": 0.1})
        before = run.values()[2]
        run.step()
        assert run.values()[2] == before
        runs.append(run)
    same(*reversed(runs))


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_complex_parameters(search):
    results = []
    for lib in LIBRARIES:
        x = lib.tensor([1 + 2j, -0.5j], dtype=lib.complex128).requires_grad_()
        y = lib.tensor([0.5], dtype=lib.float64).requires_grad_()
        optimizer = lib.optim.LBFGS([x, y], lr=0.3, max_iter=4, line_search_fn=search)

        def closure(lib=lib, x=x, y=y, optimizer=optimizer):
            optimizer.zero_grad()
            loss = ((x - 1j).abs() ** 2).sum() + ((x * y).abs() ** 2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        results.append(np.concatenate([x.detach().numpy(), y.detach().numpy()]))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)


def test_states_are_saved_and_loaded():
    theirs, ours = (Run(lib, rosenbrock, {"lr": 0.01, "max_iter": 3}) for lib in LIBRARIES)
    for run in (theirs, ours):
        run.step()
        state = run.optimizer.state_dict()
        fresh = run.lib.optim.LBFGS(run.params, lr=0.01, max_iter=3)
        fresh.load_state_dict(state)
        run.optimizer = fresh
        run.step()
    same(ours, theirs)


def test_mistakes():
    for lib in LIBRARIES:
        one, two = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
        with pytest.raises(ValueError, match="doesn't support per-parameter options"):
            lib.optim.LBFGS([{"params": [one]}, {"params": [two]}])
        with pytest.raises(ValueError, match="Invalid learning rate"):
            lib.optim.LBFGS([one], lr=-1)
        run = Run(lib, bowl, {"line_search_fn": "armijo"})
        with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
            run.step()
    with pytest.raises(RuntimeError, match="needs a closure"):
        rl.optim.LBFGS([rl.ones(2, requires_grad=True)]).step()
