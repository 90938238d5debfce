"""Mistakes that show in an optimizer's first steps."""

from __future__ import annotations

import pytest
from said import assert_says, findings

import rushlight as rl
from rushlight import nn
from rushlight.nn import functional as F

X = rl.randn(6, 4, generator=rl.Generator().manual_seed(2))
LABELS = rl.tensor([0, 1, 2, 0, 1, 2])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 5)
        self.head = nn.Linear(5, 3)
        self.spare = nn.Linear(2, 2)

    def forward(self, x):
        return self.head(self.body(x).tanh())


def test_gradients_that_nobody_clears():
    def run():
        net = Net()
        optimizer = rl.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            F.cross_entropy(net(X), LABELS).backward()
            optimizer.step()

    text = """
[SGD] step 2 uses gradients that a step before has used already, of body.weight (5, 4), body.bias \
(5,), head.weight (3, 5) and 1 more.
  backward() adds to grad, and nothing has cleared it in between, so every step goes along the sum \
of all gradients so far. Call optimizer.zero_grad() before backward(), or after step().
  recorded at {at}"""
    assert_says(run, "never-zeroed", text, at="optimizer.step")


def test_gradients_that_nobody_clears_are_clipped():
    def run():
        net = Net()
        optimizer = rl.optim.Adam(net.parameters())
        for _ in range(3):
            loss = F.cross_entropy(net(X), LABELS)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0).item()
            optimizer.step()
            loss.item()

    assert [each.code for each in findings(run)] == ["never-zeroed"]


def test_a_parameter_that_no_optimizer_holds():
    def run():
        net = Net()
        optimizer = rl.optim.AdamW(net.head.parameters())
        for _ in range(5):
            optimizer.zero_grad()
            F.cross_entropy(net(X), LABELS).backward()
            optimizer.step()

    text = """
[AdamW] gradients arrive at body.weight (5, 4), body.bias (5,), which no optimizer holds.
  They are part of the loss and never change, and their gradients grow. Give them to an optimizer, \
or call requires_grad_(False) on them.
  recorded at {at}"""
    assert_says(run, "unheld-parameter", text, at="optimizer.step")


def test_a_whole_module_that_no_optimizer_holds():
    def run():
        encoder, decoder = nn.Linear(4, 2), nn.Linear(2, 4)
        optimizer = rl.optim.SGD(decoder.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            F.mse_loss(decoder(encoder(X)), X).backward()
            optimizer.step()

    assert [each.code for each in findings(run)] == ["unheld-parameter"]


def test_a_gradient_that_never_arrives():
    def run():
        net = Net()
        optimizer = rl.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(101):
            optimizer.zero_grad()
            F.cross_entropy(net.head(net.body(X).tanh().detach()), LABELS).backward()
            optimizer.step()

    text = """
[SGD] no gradient has arrived in 100 steps at body.weight (5, 4), body.bias (5,), spare.weight \
(2, 2) and 1 more.
  The loss does not depend on them: they are not used in forward(), or cut off, by detach(), \
.data, no_grad(), argmax or a conversion to NumPy. Use them, or call requires_grad_(False) on them.
  recorded at {at}"""
    assert_says(run, "no-gradient", text, at="optimizer.step")


def test_dropout_at_evaluation():
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5))

    def run():
        with rl.no_grad():
            model(X).argmax(1).tolist()

    text = """
[dropout] the result (6, 8) was computed in training mode under no_grad.
  Elements are dropped at random, so this is not what the trained model gives. Call model.eval() \
before evaluating, and model.train() after; F.dropout wants training=self.training.
  recorded at {at}"""
    assert_says(run, "training-mode", text, at="model(X)")


def test_batch_norm_at_evaluation():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))

    def run():
        with rl.inference_mode():
            F.cross_entropy(model(X), LABELS).item()

    text = """
[batch_norm] the result (6, 8) was computed in training mode under no_grad.
  It takes each batch's own mean and variance, so this is not what the trained model gives. Call \
model.eval() before evaluating, and model.train() after.
  recorded at {at}"""
    assert_says(run, "training-mode", text, at="model(X)")


@pytest.mark.parametrize(
    "drop",
    [
        lambda: F.dropout(X).sum(),
        lambda: F.alpha_dropout(X, training=True).sum(),
        lambda: nn.Dropout2d()(X.reshape(1, 2, 3, 4)).sum(),
        lambda: F.scaled_dot_product_attention(X[None], X[None], X[None], dropout_p=0.5).sum(),
        lambda: nn.MultiheadAttention(4, 2, dropout=0.5)(X, X, X)[0].sum(),
        lambda: nn.LSTM(4, 3, num_layers=2, dropout=0.5)(X)[0].sum(),
        lambda: nn.TransformerEncoderLayer(4, 2, 8)(X[None]).sum(),
    ],
)
def test_ways_to_drop(drop):
    def run():
        with rl.no_grad():
            drop().item()

    assert {each.code for each in findings(run)} == {"training-mode"}
