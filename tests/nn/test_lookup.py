"""Embeddings and one-hot rows against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from both import same
from layers import agree, built, random, same_structure, whole

import rushlight as rl

TABLES = [
    "Embedding(5, 3)", "Embedding(5, 3, padding_idx=1)", "Embedding(5, 3, -1)",
    "Embedding(5, 3, scale_grad_by_freq=True)", "Embedding(5, 3, max_norm=0.7)",
    "Embedding(5, 3, max_norm=0.7, norm_type=1.0, padding_idx=0)", "Embedding(5, 3, sparse=True)",
    "Embedding.from_pretrained(rl.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))",
    "Embedding.from_pretrained(rl.tensor([[1.0], [3.0], [5.0]]), freeze=False, padding_idx=2)",
]  # fmt: skip


@pytest.mark.parametrize("text", TABLES)
@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,)])
def test_embedding(text, shape):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    if "sparse" in text:
        theirs.sparse = False  # PyTorch's sparse gradient would not compare
    if "max_norm" in text and "freq" not in text:
        theirs(torch.tensor(whole(*shape, high=2)))  # both shorten rows before any gradient
        ours(rl.tensor(whole(*shape, high=2)))
    agree(ours, theirs, whole(*shape, high=2), second=False)
    np.testing.assert_allclose(
        ours.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-12
    )


def test_shortened_rows_stay_short():
    layer = rl.nn.Embedding(4, 8, max_norm=0.5)
    untouched = layer.weight[3].tolist()
    layer(rl.tensor([0, 1, 1]))
    norms = layer.weight.detach().norm(dim=1).numpy()
    np.testing.assert_allclose(norms[:2], 0.5, rtol=1e-5)
    assert layer.weight[3].tolist() == untouched
    assert layer.weight.is_leaf and layer.weight.requires_grad


def test_first_values_are_normal_and_the_padding_row_is_0():
    rl.manual_seed(0)
    values = rl.nn.Embedding(1000, 10, padding_idx=3).weight.detach().numpy()
    assert not values[3].any()
    assert abs(values.mean()) < 0.05 and abs(values.std() - 1) < 0.05


def test_training_leaves_the_padding_row_alone():
    layer = rl.nn.Embedding(4, 2, padding_idx=1)
    optimizer = rl.optim.SGD(layer.parameters(), lr=1.0)
    layer(rl.tensor([0, 1, 1])).sum().backward()
    optimizer.step()
    assert layer.weight[1].tolist() == [0.0, 0.0]


BAGS = [
    "EmbeddingBag(5, 3)", "EmbeddingBag(5, 3, mode='sum')", "EmbeddingBag(5, 3, mode='max')",
    "EmbeddingBag(5, 3, mode='sum', padding_idx=1)", "EmbeddingBag(5, 3, padding_idx=-4)",
    "EmbeddingBag(5, 3, mode='max', padding_idx=1)", "EmbeddingBag(5, 3, max_norm=0.6)",
]  # fmt: skip


@pytest.mark.parametrize("text", BAGS)
def test_embedding_bag(text):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    if "max_norm" in text:
        for layer, f in ((ours, rl), (theirs, torch)):
            layer(f.tensor([[0, 1, 2, 3, 4]]))
    agree(ours, theirs, whole(2, 3), second=False)
    agree(ours, theirs, whole(6), np.array([0, 2, 2, 5]), second=False)
    agree(ours, theirs, whole(2), np.array([0, 2, 2]), second=False)


def test_embedding_bag_with_the_last_offset():
    ours, theirs = built("EmbeddingBag(5, 3, mode='sum', include_last_offset=True)")
    same_structure(ours, theirs)
    agree(ours, theirs, whole(6), np.array([0, 2, 6]), second=False)


def test_embedding_bag_with_weights():
    ours, theirs = built("EmbeddingBag(5, 3, mode='sum')")
    agree(ours, theirs, whole(2, 3), None, random(2, 3), second=False)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_one_hot(shape):
    numbers = whole(*shape, high=3)
    for classes in (-1, 4, 6):
        same(lambda f, n=classes: f.nn.functional.one_hot(f.tensor(numbers), n))


PROGRAMS = {
    "one hot below 0": lambda f: f.nn.functional.one_hot(f.tensor([-1])),
    "one hot too few": lambda f: f.nn.functional.one_hot(f.tensor([2]), 2),
    "one hot of nothing": lambda f: f.nn.functional.one_hot(f.tensor([], dtype=f.int64)),
    "one hot of nothing with classes": lambda f: f.nn.functional.one_hot(
        f.tensor([], dtype=f.int64), 3
    ),
    "one hot of floats": lambda f: f.nn.functional.one_hot(f.tensor([2.0])),
    "padding outside": lambda f: f.nn.Embedding(3, 4, 5),
    "padding below": lambda f: f.nn.Embedding(3, 4, -5),
    "wrong weight": lambda f: f.nn.Embedding(3, 4, _weight=f.zeros(2, 2)),
    "pretrained vector": lambda f: f.nn.Embedding.from_pretrained(f.zeros(2)),
    "row outside": lambda f: f.nn.Embedding(3, 4)(f.tensor([3])),
    "floats": lambda f: f.nn.Embedding(3, 4)(f.tensor([1.0])),
    "weight is no matrix": lambda f: f.nn.functional.embedding(f.tensor([0]), f.zeros(3)),
    "padding of a function": lambda f: f.nn.functional.embedding(
        f.tensor([0]), f.zeros(3, 1), padding_idx=3
    ),
    "bag without offsets": lambda f: f.nn.EmbeddingBag(3, 4)(f.tensor([1])),
    "bag weights": lambda f: f.nn.EmbeddingBag(3, 4, mode="sum")(f.tensor([[1]]), None, f.ones(2)),
    "bag rank": lambda f: f.nn.EmbeddingBag(3, 4)(f.tensor([[[1]]])),
    "frozen": lambda f: f.nn.Embedding.from_pretrained(f.zeros(2, 1)).weight,
    "not frozen": lambda f: f.nn.Embedding.from_pretrained(f.zeros(2, 1), freeze=False).weight,
    "bag frozen": lambda f: f.nn.EmbeddingBag.from_pretrained(f.zeros(2, 1)).weight,
    "shows all": lambda f: repr(f.nn.Embedding(3, 4, -1, 2.0, 3.0, True, True)),
    "bag shows all": lambda f: repr(
        f.nn.EmbeddingBag(3, 4, 2.0, 3.0, True, "sum", False, None, True, 1)
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_end_alike(name):
    same(PROGRAMS[name])


def test_rows_can_be_named_by_int32():
    layer = rl.nn.Embedding(3, 2)
    assert layer(rl.tensor([1, 2], dtype=rl.int32)).shape == (2, 2)
