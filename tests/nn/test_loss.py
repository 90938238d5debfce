"""Losses as layers against PyTorch's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from both import same
from layers import agree, built, random, same_structure, whole

import rushlight as rl

X, T = random(3, 4), random(3, 4, seed=1)
PART = random(3, 4, low=0.05, high=0.95)
OTHER_PART = random(3, 4, low=0.05, high=0.95, seed=1)
CLASSES = whole(3, low=0, high=3)
SIGNS = whole(3, low=0, high=1) * 2 - 1
TABLE_SIGNS = whole(3, 4, low=0, high=1) * 2 - 1
LISTS = np.array([[3, 0, -1, 1], [-1, 0, 1, 2], [2, 1, 0, 3]])
WEIGHT = "weight=rl.tensor([0.5, 1.0, 2.0, 1.5])"

LOSSES = [
    ("L1Loss({})", X, T), ("MSELoss({})", X, T), ("SmoothL1Loss({})", X, T),
    ("SmoothL1Loss(beta=0.3, {})", X, T), ("HuberLoss({})", X, T),
    ("HuberLoss(delta=0.4, {})", X, T), ("CrossEntropyLoss({})", X, CLASSES),
    (f"CrossEntropyLoss({WEIGHT}, ignore_index=2, {{}})", X, CLASSES),
    ("CrossEntropyLoss(label_smoothing=0.1, {})", X, CLASSES),
    (f"CrossEntropyLoss({WEIGHT}, label_smoothing=0.1, {{}})", X, PART),
    ("CrossEntropyLoss({})", random(2, 4, 3), whole(2, 3, low=0, high=3)),
    ("NLLLoss({})", X, CLASSES), (f"NLLLoss({WEIGHT}, ignore_index=0, {{}})", X, CLASSES),
    ("BCELoss({})", PART, OTHER_PART), (f"BCELoss({WEIGHT}, {{}})", PART, OTHER_PART),
    ("BCEWithLogitsLoss({})", X, PART), (f"BCEWithLogitsLoss(pos_{WEIGHT}, {{}})", X, PART),
    (f"BCEWithLogitsLoss({WEIGHT}, {{}})", X, PART), ("KLDivLoss({})", X, PART),
    ("KLDivLoss(log_target=True, {})", X, T), ("PoissonNLLLoss({})", X, PART),
    ("PoissonNLLLoss(False, True, eps=1e-3, {})", PART, random(3, 4, low=2, high=9)),
    ("GaussianNLLLoss({})", X, T, PART), ("GaussianNLLLoss(full=True, {})", X, T, 0.5),
    ("GaussianNLLLoss({})", X, T, random(3, low=0.1)), ("MarginRankingLoss({})", X, T, TABLE_SIGNS),
    ("MarginRankingLoss(0.5, {})", X[0], T[0], TABLE_SIGNS[0]),
    ("HingeEmbeddingLoss({})", X, TABLE_SIGNS), ("HingeEmbeddingLoss(0.5, {})", X, TABLE_SIGNS),
    ("SoftMarginLoss({})", X, TABLE_SIGNS), ("CosineEmbeddingLoss({})", X, T, SIGNS),
    ("CosineEmbeddingLoss(0.2, {})", X, T, -SIGNS), ("TripletMarginLoss({})", X, T, PART),
    ("TripletMarginLoss(2.0, 1, swap=True, {})", X, T, PART),
    ("TripletMarginWithDistanceLoss({})", X, T, PART),
    ("TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().sum(-1),"
     " margin=2.0, swap=True, {})", X, T, PART),
    ("MultiMarginLoss({})", X, CLASSES), (f"MultiMarginLoss(2, 0.5, {WEIGHT}, {{}})", X, CLASSES),
    ("MultiLabelMarginLoss({})", X, LISTS), ("MultiLabelMarginLoss({})", X[0], LISTS[0]),
    ("MultiLabelSoftMarginLoss({})", X, PART),
    (f"MultiLabelSoftMarginLoss({WEIGHT}, {{}})", X, PART),
]  # fmt: skip
NO_SECOND_GRADIENT_IN_PYTORCH = ("MultiMargin", "MultiLabelMargin")


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("text, inputs", [(text, inputs) for text, *inputs in LOSSES])
def test_loss_is_pytorchs(text, inputs, reduction):
    ours, theirs = built(text.format(f"reduction={reduction!r}"))
    if "lambda" not in text:
        same_structure(ours, theirs)
    agree(ours, theirs, *inputs, second=not text.startswith(NO_SECOND_GRADIENT_IN_PYTORCH))


def test_kl_divergence_by_batch():
    ours, theirs = built("KLDivLoss(reduction='batchmean')")
    agree(ours, theirs, X, PART)


OLD = [(None, False), (None, True), (False, None), (True, None), (False, False), (False, True)]


@pytest.mark.parametrize("size_average, reduce", OLD)
@pytest.mark.parametrize("name", ["L1Loss", "CrossEntropyLoss", "BCELoss", "TripletMarginLoss",
                                  "KLDivLoss", "MultiMarginLoss", "PoissonNLLLoss"])  # fmt: skip
def test_older_arguments_warn_and_count(name, size_average, reduce):
    make = lambda f: getattr(f.nn, name)(size_average=size_average, reduce=reduce)
    same(lambda f: make(f).reduction)
    with pytest.warns(UserWarning, match="size_average and reduce args") as caught:
        make(rl)
    assert len(caught) == 1


@pytest.mark.parametrize("size_average, reduce", OLD)
@pytest.mark.parametrize("name", ["l1_loss", "margin_ranking_loss", "multilabel_soft_margin_loss"])
def test_older_arguments_of_functions_warn_and_count(name, size_average, reduce):
    def program(f):
        x, t = f.tensor([[0.5, -0.5]]), f.tensor([[1.0, 0.0]])
        inputs = (x, t, t) if name.startswith("margin") else (x, t)
        call = getattr(f.nn.functional, name)
        result = call(*inputs, size_average=size_average, reduce=reduce)
        return result.shape, [round(value, 4) for value in result.reshape(-1).tolist()]

    same(program)


def test_the_older_arguments_of_a_function_warn_at_the_users_line():
    with pytest.warns(UserWarning, match="size_average and reduce args") as caught:
        rl.nn.functional.soft_margin_loss(rl.ones(2), rl.ones(2), size_average=False)
    assert caught[0].filename == __file__


def test_another_size_warns_at_the_users_line():
    with pytest.warns(UserWarning, match="that is different to the input size") as caught:
        rl.nn.functional.mse_loss(rl.ones(2, 1), rl.ones(2))
    assert caught[0].filename == __file__


PROGRAMS = {
    "no such reduction": lambda f: f.nn.L1Loss(reduction="all")(f.ones(2), f.ones(2)),
    "margin ranking reduction": lambda f: f.nn.functional.margin_ranking_loss(
        f.ones(2), f.ones(2), f.ones(2), reduction="all"
    ),
    "multilabel reduction": lambda f: f.nn.functional.multilabel_soft_margin_loss(
        f.ones(2), f.ones(2), reduction="all"
    ),
    "gaussian reduction": lambda f: f.nn.functional.gaussian_nll_loss(
        f.ones(2), f.ones(2), f.ones(2), reduction="all"
    ),
    "multi margin p": lambda f: f.nn.MultiMarginLoss(p=3),
    "multi margin weight": lambda f: f.nn.MultiMarginLoss(weight=f.ones(3, 3)),
    "multi margin target": lambda f: f.nn.MultiMarginLoss()(f.ones(3, 2), f.tensor([0, 1])),
    "multi margin class": lambda f: f.nn.MultiMarginLoss()(f.ones(2, 2), f.tensor([0, 2])),
    "triplet margin": lambda f: f.nn.TripletMarginLoss(margin=0),
    "triplet distance margin": lambda f: f.nn.TripletMarginWithDistanceLoss(margin=-1),
    "triplet ranks": lambda f: f.nn.TripletMarginLoss()(f.ones(2, 3), f.ones(3), f.ones(2, 3)),
    "triplet distance ranks": lambda f: f.nn.TripletMarginWithDistanceLoss()(
        f.ones(2, 3), f.ones(3), f.ones(2, 3)
    ),
    "variance size": lambda f: f.nn.GaussianNLLLoss()(f.ones(3, 2), f.ones(3, 2), f.ones(2)),
    "variance below 0": lambda f: f.nn.GaussianNLLLoss()(
        f.ones(3, 2), f.ones(3, 2), -f.ones(3, 2)
    ).item(),
    "variance number below 0": lambda f: f.nn.GaussianNLLLoss()(f.ones(3), f.ones(3), -1.0),
    "cosine rank": lambda f: f.nn.CosineEmbeddingLoss()(f.ones(2, 3), f.ones(3), f.ones(2)),
    "cosine target": lambda f: f.nn.CosineEmbeddingLoss()(f.ones(2, 3), f.ones(2, 3), f.ones(2, 2)),
    "bce size": lambda f: f.nn.BCELoss()(f.ones(2), f.ones(3)),
    "bce logits size": lambda f: f.nn.BCEWithLogitsLoss()(f.ones(2), f.ones(3)),
    "a class too many": lambda f: f.nn.CrossEntropyLoss()(f.ones(2, 3), f.tensor([0, 3])),
    "classes as floats": lambda f: f.nn.CrossEntropyLoss()(f.ones(2, 3), f.ones(2)),
    "huber delta": lambda f: f.nn.HuberLoss(delta=0.0)(f.ones(2), f.ones(2)),
    "weight is a buffer": lambda f: f.nn.CrossEntropyLoss(f.ones(3)).state_dict(),
    "no weight is no entry": lambda f: f.nn.BCEWithLogitsLoss().state_dict(),
    "weights move": lambda f: f.nn.NLLLoss(f.ones(3)).double().weight.dtype,
    "gaussian takes names": lambda f: f.nn.GaussianNLLLoss(True),
    "ranking sizes": lambda f: f.nn.MarginRankingLoss()(f.ones(3), f.ones(3), f.ones(1, 3)),
    "empty mean": lambda f: f.nn.MSELoss()(f.ones(0), f.ones(0)).isnan(),
    "empty sum": lambda f: f.nn.MSELoss(reduction="sum")(f.ones(0), f.ones(0)),
    "whole targets": lambda f: (
        f.nn.SoftMarginLoss(reduction="none")(f.zeros(2), f.tensor([1, -1])).shape
    ),
    "scalar losses": lambda f: f.nn.MSELoss()(f.tensor(1.0), f.tensor(3.0)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_end_alike(name):
    same(PROGRAMS[name])


def test_soft_margin_is_exact_far_out():
    loss = rl.nn.SoftMarginLoss()
    assert loss(rl.tensor([200.0]), rl.tensor([-1.0])).item() == 200.0


def test_poisson_has_a_gradient_for_counts_of_0():
    x, t = rl.zeros(2, requires_grad=True), rl.tensor([0.0, 1.0], requires_grad=True)
    rl.nn.PoissonNLLLoss(full=True)(x, t).backward()
    assert np.isfinite(x.grad.numpy()).all() and np.isfinite(t.grad.numpy()).all()


def test_distance_function_may_be_a_module():
    make = lambda f: f.nn.TripletMarginWithDistanceLoss(distance_function=f.nn.PairwiseDistance(1))
    assert repr(make(rl)) == repr(make(torch))


def test_nothing_warns_without_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rl.nn.CrossEntropyLoss()(rl.ones(2, 3), rl.tensor([0, 1])).item()
        rl.nn.MSELoss()(rl.ones(2), rl.ones(2)).item()
