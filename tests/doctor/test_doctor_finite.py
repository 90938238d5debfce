"""Losses that are nan or infinite."""

from __future__ import annotations

import math

import pytest
from said import findings, line_of

import rushlight as rl
from rushlight import nn
from rushlight.nn import functional as F

X = rl.tensor([[1.0, -2.0], [0.5, 3.0], [-1.0, 1.0]])


class Logs(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.out = nn.Linear(2, 1)

    def forward(self, x, factor=1.0):
        h = self.fc(x)
        y = (h * factor).log()
        return self.out(y)


def logs():
    model = Logs()
    with rl.no_grad():
        model.fc.weight.copy_(rl.tensor([[0.25, 0.0], [0.0, 0.25]]))
        model.fc.bias.fill_(1.0)
    return model


def train(model, factors, look=False):
    optimizer = rl.optim.SGD(model.parameters(), lr=1e-3)
    losses = []
    for factor in factors:
        optimizer.zero_grad()
        loss = model(X, factor).square().mean()
        if look:
            loss.item()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("look", [False, True])
def test_the_operation_the_layer_and_the_line(look):
    model = logs()
    results = []
    (found,) = findings(lambda: results.extend(train(model, [1.0, 1.0, 1.0, -1.0, 1.0], look)))
    assert list(map(math.isnan, results)) == [False, False, False, True, True]
    assert found.code == "not-finite"
    first, rule, *rest = str(found).split("\n")
    assert first == "[log] made 6 nan of 6 elements (3, 2), and the loss is nan."
    assert rule.startswith("  It was given (3, 2) from -1.7")
    assert rule.endswith(
        "Give it more than 0, as in log(x + 1e-8); of a softmax or a sigmoid take log_softmax or"
        " logsigmoid."
    )
    assert rest == [
        f"  recorded at {line_of(Logs, '.log()')}",
        "  after layer fc (Linear)",
        '  If it is meant: rushlight.doctor.silence("not-finite")',
    ]


def test_strict_takes_no_step():
    model = logs()
    optimizer = rl.optim.Adam(model.parameters())
    for factor in (1.0, 1.0, -1.0):
        before = [p.tolist() for p in model.parameters()]
        optimizer.zero_grad()
        model(X, factor).mean().backward()
        if factor > 0:
            optimizer.step()
    with rl.doctor("strict"), pytest.raises(rl.doctor.DoctorWarning, match=r"^\[log\] made 6 nan"):
        optimizer.step()
    assert [p.tolist() for p in model.parameters()] == before
    optimizer.zero_grad()
    model(X).mean().backward()
    optimizer.step()
    assert all(p.isfinite().all() for p in model.parameters())


def test_where_infinity_comes_from():
    layer = nn.Linear(2, 2)

    def run():
        scores = layer(X) * 1e30 * 1e30
        loss = F.cross_entropy(scores, rl.tensor([0, 1, 0]))
        loss.backward()
        layer.weight.grad.tolist()

    (found,) = findings(run)
    assert f"What is infinite there was made by mul, at {line_of(run, 'layer(X)')}." in str(found)


def test_an_infinite_loss():
    weight = nn.Parameter(rl.zeros(2))

    def run():
        loss = -(weight.abs().log()).sum()
        loss.backward()
        return loss.item()

    (found,) = findings(run)
    assert str(found).startswith("[log] made 2 infinite of 2 elements (2,), and the loss is inf")


def test_data_that_is_not_finite():
    layer, x = nn.Linear(2, 1), X.clone()
    x[1, 0] = float("nan")
    x.tolist()

    def run():
        loss = F.mse_loss(layer(x), rl.zeros(3, 1))
        loss.backward()
        layer.weight.grad.tolist()

    (found,) = findings(run)
    assert str(found).startswith(
        "[loss] the loss is nan: what it is computed from has 1 nan of 6 elements (3, 2), before"
        " any operation of this step.\n  Look at the data: x.isfinite().all() should hold."
    )


def test_a_gradient_that_was_not_finite():
    weight = nn.Parameter(rl.zeros(2))
    model = nn.ParameterList([weight])
    optimizer = rl.optim.SGD(model.parameters(), lr=0.1)

    def run():
        for _ in range(3):
            optimizer.zero_grad()
            loss = (weight * weight).sqrt().sum()
            loss.backward()  # 0 / 0 in the gradient
            optimizer.step()

    (found,) = findings(run)
    assert "[loss] the loss is nan: 0 (2,) has 2 nan of 2 elements (2,), before any" in str(found)
    assert "RUSHLIGHT_NANCHECK=1" in str(found)


def test_masks_and_values_that_nobody_differentiates_are_left_alone():
    scores = nn.Parameter(rl.ones(3, 3))
    mask = rl.ones(3, 3).triu(1).bool()

    def run():
        weights = scores.masked_fill(mask, -math.inf).softmax(1)
        (weights * weights).sum().backward()
        scores.grad.tolist()
        (scores - 2).log().sum().item()
        rl.tensor(math.nan, requires_grad=True).item()
        scores.grad.norm().div(0).item()

    assert not findings(run)
