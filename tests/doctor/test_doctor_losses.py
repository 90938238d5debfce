"""Losses that are given what they are not for."""

from __future__ import annotations

import pytest
from said import assert_says, findings

import rushlight as rl
from rushlight import nn
from rushlight.execute.realize import programs
from rushlight.nn import functional as F

LABELS = rl.tensor([0, 2, 1, 0])


def scores(*shape):
    return rl.randn(*shape, generator=rl.Generator().manual_seed(1)).requires_grad_()


def test_softmax_before_cross_entropy():
    x = scores(4, 3)

    def run():
        p = x.softmax(-1)
        F.cross_entropy(p, LABELS).backward()

    text = """
[cross_entropy] applies log_softmax itself, and its input (4, 3) is the result of softmax already, \
made at {made}.
  It takes scores, as they leave the last layer. Applied twice it is nearly flat: training is \
slow, and the loss cannot get near 0. Leave the softmax out of what is trained.
  recorded at {at}"""
    assert_says(run, "softmax-before-loss", text, at="cross_entropy(p", made="softmax(-1)")


def test_log_softmax_twice():
    def run():
        nn.CrossEntropyLoss()(scores(4, 3).log_softmax(1), LABELS)

    text = """
[cross_entropy] applies log_softmax itself, and its input (4, 3) is the result of log_softmax \
already.
  It takes scores, as they leave the last layer. The second one changes nothing and costs time. \
Leave the log_softmax out of what is trained.
  recorded at {at}"""
    assert_says(run, "softmax-before-loss", text, at="nn.CrossEntropyLoss")


def test_sigmoid_before_logits():
    def run():
        F.binary_cross_entropy_with_logits(scores(4, 1).sigmoid().squeeze(1), rl.ones(4))

    text = """
[binary_cross_entropy_with_logits] applies sigmoid itself, and its input (4,) is the result of \
sigmoid already.
  It takes scores, as they leave the last layer. Applied twice it is nearly flat: training is \
slow, and the loss cannot get near 0. Leave the sigmoid out of what is trained.
  recorded at {at}"""
    assert_says(run, "sigmoid-before-loss", text, at="with_logits")


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: F.cross_entropy(x.softmax(1).reshape(4, 3), LABELS),
        lambda x: F.cross_entropy(nn.Softmax(1)(x).detach(), LABELS),
        lambda x: F.cross_entropy(x.sigmoid(), LABELS),
        lambda x: F.cross_entropy(x.softmax(1).double(), LABELS),
        lambda x: F.multilabel_soft_margin_loss(x.sigmoid(), rl.ones(4, 3)),
        lambda x: F.nll_loss(x.softmax(1), LABELS),
        lambda x: F.kl_div(x.softmax(1), x.softmax(1).detach(), reduction="batchmean"),
    ],
)
def test_ways_to_write_it(loss):
    assert len(findings(lambda: loss(scores(4, 3)))) == 1


def test_inside_of_a_model_the_layer_is_named():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Sequential(nn.Linear(3, 3), nn.Softmax(1))
            self.loss = nn.CrossEntropyLoss()

        def forward(self, x):
            return self.loss(self.head(x), LABELS)

    with rl.doctor("strict"), pytest.raises(rl.doctor.DoctorWarning) as raised:
        Net()(rl.ones(4, 3))
    assert "in layer loss (CrossEntropyLoss)" in str(raised.value)


def test_probabilities_where_logarithms_are_meant():
    def run():
        F.nll_loss(scores(4, 3).softmax(1), LABELS)

    text = """
[nll_loss] takes logarithms of probabilities, and its input (4, 3) is the result of softmax.
  Logarithms of probabilities are 0 or less; these are from 0 to 1. Did you mean log_softmax?
  recorded at {at}"""
    assert_says(run, "probabilities-not-logs", text, at="nll_loss")


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss])
def test_a_column_against_a_row(loss):
    def run():
        loss(scores(4, 1), rl.ones(4))

    text = (
        f"[{loss.__name__}]"
        """ Using a target size (torch.Size([4])) that is different to the input size \
(torch.Size([4, 1])): the input is a column, and the other is not.
  They broadcast to (4, 4), so each of 4 predictions is compared with all 4 targets, and the best \
prediction is their mean. Did you mean input.squeeze(-1)?
  recorded at {at}"""
    )
    assert_says(run, "broadcast-target", text, at="loss(scores")


def test_a_column_against_a_row_by_hand():
    layer, x, y = nn.Linear(3, 1), rl.ones(4, 3), rl.ones(4)

    def run():
        loss = ((layer(x) - y) ** 2).mean()
        programs._kept.clear()  # graphs are looked at when they are new
        loss.backward()
        layer.weight.grad.tolist()

    text = """
[sub] the loss is that of a difference of (4, 1) and (4,), which is (4, 4).
  Each of 4 predictions is compared with all 4 targets, so the best prediction is their mean. Did \
you mean prediction.squeeze(-1)?
  recorded at {at}"""
    assert_says(run, "broadcast-target", text, at="layer(x)")


def test_other_sizes_are_told_in_pytorchs_words():
    with pytest.warns(UserWarning, match="This will likely lead to incorrect results"):
        F.mse_loss(scores(4, 3), rl.ones(3))
    with rl.doctor("off"), pytest.warns(UserWarning, match="Please ensure they have the same size"):
        F.mse_loss(scores(4, 1), rl.ones(4))


def test_labels_of_one_class():
    def run():
        F.cross_entropy(scores(4, 1), rl.tensor([[0.0], [1.0], [1.0], [0.0]]))

    text = """
[cross_entropy] has scores of one class, (4, 1), whose softmax is always 1: the loss is 0 times \
the target, whatever the scores.
  A target of the input's own shape holds a probability for each class. Did you mean \
binary_cross_entropy_with_logits?
  recorded at {at}"""
    assert_says(run, "float-class-labels", text, at="scores(4, 1)")


def test_labels_as_probabilities():
    def run():
        F.cross_entropy(scores(2, 4), rl.tensor([[3.0, 1.0, 0.0, 2.0]] * 2))

    text = """
[cross_entropy] takes a floating-point target (2, 4) as probabilities of 4 classes, and it holds \
whole numbers up to 3.
  A target of the input's own shape holds a probability for each class. Give class indices as \
int64, one for each sample, as in target.long().
  recorded at {at}"""
    assert_says(run, "float-class-labels", text, at="scores(2, 4)")


def test_float_labels_are_refused_with_the_cure():
    with pytest.raises(RuntimeError) as refused:
        F.cross_entropy(scores(4, 3), LABELS.float())
    assert str(refused.value).startswith(
        "[cross_entropy] expected target dtype to be Long or Byte, but got Float\n"
        "  A target (4,) for an input (4, 3) holds class indices. Convert it, as in target.long()."
        "\n  recorded at test_doctor_losses.py:"
    )


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: F.nll_loss(x.log_softmax(1), LABELS),
        lambda x: F.nll_loss(x.softmax(1).log(), LABELS),
        lambda x: F.cross_entropy(x, x.detach().softmax(1)),
        lambda x: F.kl_div(x.log_softmax(1), x.detach().softmax(1), reduction="batchmean"),
        lambda x: F.kl_div(
            x.log_softmax(1), x.detach().log_softmax(1), reduction="sum", log_target=True
        ),
        lambda x: F.cross_entropy(x.softmax(1) @ rl.ones(3, 3), LABELS),
        lambda x: F.cross_entropy(x.sigmoid() * x, LABELS),
        lambda x: F.cross_entropy(x.reshape(1, 3, 4).softmax(2), LABELS[None]),
        lambda x: F.binary_cross_entropy(x.sigmoid(), rl.ones(4, 3)),
        lambda x: F.binary_cross_entropy_with_logits(x, x.detach().sigmoid()),
        lambda x: F.cross_entropy(x, F.one_hot(LABELS, 3).float()),
        lambda x: F.cross_entropy(x, 2.5 * F.one_hot(LABELS, 3)),
        lambda x: F.mse_loss(x[:, :1], rl.ones(4, 1)),
        lambda x: (x[:, :1] - x[:, 0]).square().mean(),
        lambda x: (x[:, 0].unsqueeze(1) - rl.ones(4)).abs().mean(),
        lambda x: (x @ rl.ones(3, 1) - rl.ones(4)).exp().sum(),
    ],
)
def test_what_is_right_is_left_alone(loss):
    assert not findings(lambda: loss(scores(4, 3)).backward())
