"""``func``: derivatives of functions, batches of examples, modules as functions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
import rushlight.func

X = np.random.default_rng(0).standard_normal((5, 3, 4), dtype=np.float32)
W = np.random.default_rng(1).standard_normal((4, 6), dtype=np.float32)
CLASSES = [[0, 1, 2], [1, 1, 1], [0, 0, 0], [3, 3, 2], [0, 1, 3]]


def flat(found: Any) -> list[Any]:
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, (tuple, list)):
        return [each for part in found for each in flat(part)]
    return [found]


def agree(run: Callable[[Any], Any]) -> None:
    for found, expected in zip(flat(run(rl)), flat(run(torch)), strict=True):
        assert tuple(found.shape) == tuple(expected.shape)
        assert str(found.dtype) == str(expected.dtype)
        assert found.requires_grad == expected.requires_grad
        np.testing.assert_allclose(
            found.detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5
        )


# Of one example; vmap is asked to do them for a batch.
EXAMPLES: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "elementwise": lambda f: lambda x: x * 2 + x.exp() / 3 - f.tensor(W)[:, :1].t(),
    "broadcast": lambda f: lambda x: x[0] + x[:, :1] * f.ones(2, 3, 4),
    "number": lambda f: lambda x: x[0, 0] * 3 + f.tensor(X[0]),
    "compare": lambda f: lambda x: f.where(x > 0, x, -0.5),
    "convert": lambda f: lambda x: (x * 10).to(f.int64),
    "reduce": lambda f: lambda x: (x.sum(), x.mean(0), x.amax(-1, keepdim=True), x.std(1)),
    "choose": lambda f: lambda x: (x.max(1).values, x.argmin(0), x.sort(1)[0], x.topk(2, 0)[1]),
    "cumulate": lambda f: lambda x: (x.cumsum(0), x.cumprod(1), x.logcumsumexp(1)),
    "norm": lambda f: lambda x: (x.norm(), x.norm(dim=1), f.logsumexp(x, 0)),
    "truth": lambda f: lambda x: ((x > 0).any(), (x > -9).all(1)),
    "views": lambda f: lambda x: (
        x.t(), x.reshape(2, 6), x.view(-1)[1:9:3], x.unsqueeze(1).squeeze(1), x[..., None, 2],
        x.expand(2, 3, 4), x.permute(1, 0), x.flatten(), x.diagonal(), x.unfold(1, 2, 1),
    ),
    "arrange": lambda f: lambda x: (
        f.cat([x, x * 2], 1), f.stack([x, x], 0), x.flip(0), x.roll(1, 1), x.tril(), x.repeat(2, 1)
    ),
    "pad": lambda f: lambda x: f.nn.functional.pad(x, (1, 2)),
    "products": lambda f: lambda x: (
        x @ f.tensor(W), f.tensor(W).t() @ x.t(), x @ x.t(), x[0] @ x[1], x @ x[0],
        x[:2, 0].outer(x[0]),
    ),
    "gather": lambda f: lambda x: (
        x.gather(1, (x > 0).long()), x.index_select(1, f.tensor([2, 0])), x[f.tensor([0, 2])],
        x.scatter_add(0, (x > 0).long(), x),
    ),
    "softmax": lambda f: lambda x: (f.softmax(x, 0), f.log_softmax(x, -1)),
    "linear": lambda f: lambda x: f.nn.functional.linear(x, f.tensor(W).t(), f.ones(6)),
    "layer norm": lambda f: lambda x: f.nn.functional.layer_norm(x, (4,), f.ones(4) * 2),
    "convolution": lambda f: lambda x: f.nn.functional.conv1d(x[None], f.ones(2, 3, 3))[0],
    "pooling": lambda f: lambda x: f.nn.functional.max_pool1d(x[None], 2),
    "loss": lambda f: lambda x: f.nn.functional.mse_loss(x, f.zeros(3, 4)),
    "linalg": lambda f: lambda x: (
        f.linalg.inv(x @ x.t() + f.eye(3)), f.linalg.det(x @ x.t() + f.eye(3))
    ),
    "constant": lambda f: lambda x: f.ones(2),
    "dictionary": lambda f: lambda x: {"a": x, "b": [x[0], x[1] * 2]},
    "in place": lambda f: lambda x: x.clone().mul_(2).add_(x[0]),
    "function": lambda f: lambda x: f.func.grad(lambda y: (y**3).sum())(x),
    "jacobian": lambda f: lambda x: f.func.jacrev(lambda y: y.exp().sum(0))(x),
    "nested": lambda f: lambda x: f.vmap(lambda row: row * row.sum())(x),
    "nested over columns": lambda f: lambda x: f.vmap(lambda c: c.cumsum(0), 1, 1)(x),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_batches_are_pytorchs(name: str) -> None:
    agree(lambda f: f.vmap(EXAMPLES[name](f))(f.tensor(X)))


@pytest.mark.parametrize("name", ["elementwise", "products", "arrange", "softmax"])
def test_batches_along_another_dimension(name: str) -> None:
    agree(lambda f: f.vmap(EXAMPLES[name](f), 1, -1)(f.tensor(X.transpose(1, 0, 2).copy())))


@pytest.mark.parametrize("name", ["elementwise", "products", "gather", "loss", "linalg"])
def test_batches_are_differentiated(name: str) -> None:
    def run(f: Any) -> Any:
        x = f.tensor(X, requires_grad=True)
        total = sum((y.float() ** 2).sum() for y in flat(f.vmap(EXAMPLES[name](f))(x)))
        return f.autograd.grad(total, x)

    agree(run)


def test_two_arguments() -> None:
    agree(lambda f: f.vmap(lambda x, w: x @ w, (0, None))(f.tensor(X), f.tensor(W)))
    agree(lambda f: f.vmap(lambda w, x: x @ w, (None, 1))(f.tensor(W), f.tensor(X[0].T.copy())))
    agree(lambda f: f.vmap(lambda x, y: x.dot(y))(f.tensor(X[:, 0]), f.tensor(X[:, 1])))
    agree(
        lambda f: f.vmap(lambda x, y: f.nn.functional.cross_entropy(x, y))(
            f.tensor(X), f.tensor(CLASSES)
        )
    )
    agree(lambda f: f.vmap(lambda d, k: d["a"] * k, ({"a": 0}, None))({"a": f.tensor(X)}, 3))
    agree(lambda f: f.vmap(lambda x, *, y: x * y)(f.tensor(X), y=f.tensor(X)))


def test_in_chunks() -> None:
    agree(lambda f: f.vmap(lambda x: (x.sum(0), x), 0, (0, 1), chunk_size=2)(f.tensor(X)))


def test_a_batch_of_one_and_none() -> None:
    agree(lambda f: f.vmap(lambda x: x.sum(0))(f.tensor(X[:1])))
    agree(lambda f: f.vmap(lambda x: x * 2)(f.tensor(X[:0])))


def test_what_is_written_in_an_argument() -> None:
    def run(f: Any) -> Any:
        x = f.tensor(X)
        y = f.vmap(lambda row: row.add_(1))(x)
        return x, y

    agree(run)


def test_random_numbers() -> None:
    x = rl.zeros(3, 4)
    with pytest.raises(RuntimeError, match="randomness error mode"):
        rl.vmap(lambda row: row + rl.rand(4))(x)
    same = rl.vmap(lambda row: row + rl.rand(4), randomness="same")(x)
    assert rl.equal(same[0], same[2])
    different = rl.vmap(lambda row: row + rl.rand(4), randomness="different")(x)
    assert not rl.equal(different[0], different[1])
    assert not rl.equal(different[1], different[2])


def test_no_value_can_be_looked_at() -> None:
    with pytest.raises(RuntimeError, match="looking at the value"):
        rl.vmap(lambda x: x * x.item())(rl.ones(3))
    with pytest.raises(RuntimeError, match="looking at the value"):
        rl.vmap(lambda x: x if x > 0 else -x)(rl.ones(3))
    leaked = []
    rl.vmap(lambda x: leaked.append(x) or x)(rl.ones(3))
    with pytest.raises(RuntimeError, match="no value after it"):
        leaked[0].tolist()


REFUSALS: dict[str, Callable[[Any], Any]] = {
    "sizes": lambda f: f.vmap(lambda x, y: x)(f.ones(2), f.ones(3)),
    "no batch": lambda f: f.vmap(lambda x: x, None)(f.ones(2)),
    "all None": lambda f: f.vmap(lambda x: x, (None,))(f.ones(2)),
    "no argument": lambda f: f.vmap(lambda: f.ones(2))(),
    "number": lambda f: f.vmap(lambda x: x)(3),
    "dimension": lambda f: f.vmap(lambda x: x, 2)(f.ones(2)),
    "form": lambda f: f.vmap(lambda x: x, (0, 0))(f.ones(2)),
    "returns a number": lambda f: f.vmap(lambda x: 3)(f.ones(2)),
    "out_dims": lambda f: f.vmap(lambda x: x, 0, (0, 0))(f.ones(2)),
    "out_dims None": lambda f: f.vmap(lambda x: x, 0, None)(f.ones(2)),
    "randomness": lambda f: f.vmap(lambda x: x, randomness="often")(f.ones(2)),
    "chunk": lambda f: f.vmap(lambda x: x, chunk_size=0)(f.ones(2)),
    "gradient of several": lambda f: f.func.grad(lambda x: x)(f.ones(2)),
    "argnums": lambda f: f.func.grad(lambda x: x.sum(), 1)(f.ones(2)),
    "primals": lambda f: f.func.jvp(lambda x: x, f.ones(2), f.ones(2)),
    "tangents": lambda f: f.func.jvp(lambda x: x, (f.ones(2),), (f.ones(3),)),
    "no model": lambda f: f.func.stack_module_state([]),
    "modes": lambda f: f.func.stack_module_state(
        [f.nn.Linear(1, 1), f.nn.Linear(1, 1).eval()]
    ),
    "twice": lambda f: f.func.functional_call(
        f.nn.Linear(1, 1), [{"bias": f.ones(1)}, {"bias": f.ones(1)}], f.ones(1)
    ),
    "strict": lambda f: f.func.functional_call(
        f.nn.Linear(1, 1), {"bias": f.ones(1)}, f.ones(1), strict=True
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_faults_are_pytorchs(name: str) -> None:
    with pytest.raises(Exception) as expected:
        REFUSALS[name](torch)
    with pytest.raises(expected.type):
        REFUSALS[name](rl)


DERIVATIVES: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: f.func.grad(lambda x: x.sin().sum())(f.tensor(X)),
    "third": lambda f: f.func.grad(f.func.grad(f.func.grad(lambda x: x.sin())))(f.tensor(0.3)),
    "several": lambda f: f.func.grad(lambda x, y: (x * y).sum(), (1, 0))(
        f.tensor(X), f.tensor(X + 1)
    ),
    "nested arguments": lambda f: f.func.grad(lambda p: (p["a"] * p["b"][0]).sum())(
        {"a": f.tensor(X), "b": [f.tensor(X + 1)]}
    ),
    "aux": lambda f: f.func.grad(lambda x: (x.sum(), x * 2), has_aux=True)(f.tensor(X)),
    "value": lambda f: f.func.grad_and_value(lambda x: (x**2).sum())(f.tensor(X)),
    "unused": lambda f: f.func.grad(lambda x, y: x.sum(), (0, 1))(f.tensor(X), f.tensor(X)),
    "outer history": lambda f: outer_history(f.ones(4, requires_grad=True), f),
    "vjp": lambda f: f.func.vjp(lambda x: x @ f.tensor(W), f.tensor(X))[1](f.ones(5, 3, 6)),
    "jvp": lambda f: f.func.jvp(
        lambda x, y: (x @ y).sin(), (f.tensor(X), f.tensor(W)), (f.tensor(X), f.tensor(W + 1))
    ),
    "jvp of jvp": lambda f: f.func.jvp(
        lambda x: f.func.jvp(lambda y: y.sin(), (x,), (x,))[1], (f.tensor(X),), (f.tensor(X),)
    ),
    "linearize": lambda f: f.func.linearize(lambda x: x**3, f.tensor(X))[1](f.tensor(X)),
    "jacrev": lambda f: f.func.jacrev(lambda x: (x @ f.tensor(W)).sin())(f.tensor(X[0])),
    "jacfwd": lambda f: f.func.jacfwd(lambda x: (x @ f.tensor(W)).sin())(f.tensor(X[0])),
    "jacrev of two": lambda f: f.func.jacrev(lambda x, y: (x * y, x.sum()), (0, 1))(
        f.tensor(X[0]), f.tensor(X[1])
    ),
    "jacfwd of two": lambda f: f.func.jacfwd(lambda x, y: (x * y, x.sum()), (0, 1))(
        f.tensor(X[0]), f.tensor(X[1])
    ),
    "hessian": lambda f: f.func.hessian(lambda x: (x @ f.tensor(W)).sin().sum())(f.tensor(X[0])),
    "batched hessian": lambda f: f.vmap(f.func.hessian(lambda x: x.sin().prod()))(
        f.tensor(X[:, 0])
    ),
    "gradient of a batch": lambda f: f.func.grad(
        lambda w: f.vmap(lambda x: (x @ w).tanh().sum())(f.tensor(X)).sum()
    )(f.tensor(W)),
}


def outer_history(w: Any, f: Any) -> Any:
    return f.func.grad(lambda x: (x * w).sum())(f.tensor(X))


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_are_pytorchs(name: str) -> None:
    agree(DERIVATIVES[name])


def network(f: Any, seed: int = 0) -> Any:
    net = f.nn.Sequential(f.nn.Linear(4, 3), f.nn.Tanh(), f.nn.Linear(3, 2))
    with f.no_grad():
        for k, parameter in enumerate(net.parameters()):
            values = np.random.default_rng(seed + k).standard_normal(tuple(parameter.shape))
            parameter.copy_(f.tensor(values, dtype=f.float32))
    return net


def test_gradients_of_each_example() -> None:
    def run(f: Any) -> Any:
        net = network(f)
        weights = {name: p.detach() for name, p in net.named_parameters()}

        def loss(weights: Any, x: Any, y: Any) -> Any:
            scores = f.func.functional_call(net, weights, (x[None],))
            return f.nn.functional.cross_entropy(scores, y[None])

        each = f.vmap(f.func.grad(loss), (None, 0, 0))
        return each(weights, f.tensor(X[:, 0]), f.tensor([0, 1, 1, 0, 1]))

    agree(run)


def test_several_models_as_one() -> None:
    def run(f: Any) -> Any:
        models = [network(f, seed) for seed in range(3)]
        parameters, buffers = f.func.stack_module_state(models)
        call = lambda p, b, x: f.func.functional_call(models[0], (p, b), (x,))
        return f.vmap(call, (0, 0, None))(parameters, buffers, f.tensor(X[0]))

    agree(run)


def test_a_call_leaves_the_module_as_it_was() -> None:
    net = network(rl)
    before = dict(net.named_parameters())
    rl.func.functional_call(net, {"0.weight": rl.zeros(3, 4)}, rl.ones(1, 4))
    with pytest.raises(RuntimeError):
        rl.func.functional_call(net, {"0.weight": rl.zeros(3, 4)}, rl.ones(1, 5))
    assert all(net.get_parameter(name) is x for name, x in before.items())
