"""Padding, distances and shuffles as layers against PyTorch's."""

from __future__ import annotations

import pytest
import torch
from both import same
from layers import agree, built, random, same_structure

import rushlight as rl

PADS = [
    ("ZeroPad1d(1)", (2, 3, 4)), ("ZeroPad1d((1, 2))", (4,)), ("ZeroPad2d(2)", (1, 2, 3, 3)),
    ("ZeroPad2d((1, 0, 2, 1))", (2, 3)), ("ZeroPad3d(1)", (1, 2, 2, 2, 2)),
    ("ConstantPad1d(2, 3.5)", (2, 4)), ("ConstantPad1d((-1, 2), 3.5)", (2, 4)),
    ("ConstantPad2d((1, 2, 0, 1), -1)", (2, 3, 3)), ("ConstantPad3d(1, 0.5)", (2, 2, 2, 2)),
    ("ReflectionPad1d(2)", (2, 3)), ("ReflectionPad1d((0, 3))", (1, 2, 4)),
    ("ReflectionPad2d((1, 0, 2, 1))", (2, 3, 3)), ("ReflectionPad3d(1)", (1, 2, 2, 3, 2)),
    ("ReplicationPad1d((1, 4))", (2, 3)), ("ReplicationPad2d(2)", (1, 2, 2, 3)),
    ("ReplicationPad3d(1)", (1, 2, 2, 2, 2)), ("CircularPad1d((1, 3))", (2, 3)),
    ("CircularPad2d(2)", (1, 2, 2, 3)), ("CircularPad3d(1)", (1, 2, 2, 2, 2)),
]  # fmt: skip
SHUFFLES = [
    ("PixelShuffle(2)", (2, 8, 3, 2)), ("PixelShuffle(3)", (9, 1, 2)),
    ("PixelUnshuffle(2)", (2, 2, 4, 6)), ("PixelUnshuffle(3)", (1, 3, 3)),
    ("ChannelShuffle(3)", (2, 6, 2, 2)), ("ChannelShuffle(1)", (2, 3, 2)),
]  # fmt: skip
DISTANCES = [
    ("PairwiseDistance()", (3, 4), (3, 4)), ("PairwiseDistance(1, 0.1, True)", (3, 4), (4,)),
    ("PairwiseDistance(inf)", (4,), (4,)), ("PairwiseDistance(3.0)", (2, 3, 4), (3, 4)),
    ("CosineSimilarity()", (3, 4), (3, 4)), ("CosineSimilarity(0, 1e-3)", (3, 4), (3, 1)),
    ("CosineSimilarity(-1)", (2, 3, 4), (4,)),
]  # fmt: skip


@pytest.mark.parametrize("text, shape", PADS + SHUFFLES)
def test_rearranging_layers(text, shape):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, random(*shape), second=False)


@pytest.mark.parametrize("text, one, two", DISTANCES)
def test_distances(text, one, two):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, random(*one), random(*two, seed=1))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("dim", [0, 1, -1, (0, 1)])
def test_normalize(p, dim):
    functions = [lambda x, f=f: f.nn.functional.normalize(x, p, dim) for f in (rl, torch)]
    agree(*functions, random(3, 4))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf"), 0.0])
def test_distances_of_all_pairs(p):
    functions = [lambda x, f=f: f.nn.functional.pdist(x, p) for f in (rl, torch)]
    agree(*functions, random(5, 3), second=False)


def test_vectors_of_length_0_stay_0_and_have_a_gradient():
    functions = [
        lambda x, f=f: f.nn.functional.normalize(x * f.tensor([[0.0], [1.0]]), eps=1e-3)
        for f in (rl, torch)
    ]
    agree(*functions, random(2, 3), second=False)
    similar = [
        lambda x, y, f=f: f.nn.functional.cosine_similarity(x * f.tensor([[0.0], [1.0]]), y)
        for f in (rl, torch)
    ]
    agree(*similar, random(2, 3), random(2, 3, seed=1), second=False)


PROGRAMS = {
    "reflection too wide": lambda f: f.nn.functional.pad(f.ones(1, 1, 3), (4, 4), "wrong"),
    "circular rank": lambda f: f.nn.CircularPad1d(1)(f.ones(3)),
    "circular 2d rank": lambda f: f.nn.CircularPad2d(1)(f.ones(3, 3)),
    "padding is kept": lambda f: f.nn.ZeroPad2d([1, 2, 3, 4]).padding,
    "pad families": lambda f: [
        isinstance(f.nn.ZeroPad1d(1), f.nn.ConstantPad1d),
        isinstance(f.nn.ZeroPad2d(1), f.nn.ConstantPad2d),
    ],
    "shuffle rank": lambda f: f.nn.PixelShuffle(2)(f.ones(3, 4)),
    "shuffle channels": lambda f: f.nn.PixelShuffle(2)(f.ones(3, 2, 2)),
    "unshuffle size": lambda f: f.nn.PixelUnshuffle(2)(f.ones(3, 3, 2)),
    "channel groups": lambda f: f.nn.ChannelShuffle(2)(f.ones(2, 3, 2)),
    "distance shapes": lambda f: f.nn.PairwiseDistance()(f.ones(3, 4), f.ones(3, 5)),
    "cosine of whole numbers": lambda f: f.nn.CosineSimilarity()(
        f.ones(2, 2, dtype=f.int64), f.ones(2, 2, dtype=f.int64)
    ),
    "normalize into": lambda f: _normalized_into(f),
    "normalize whole numbers": lambda f: f.nn.functional.normalize(f.ones(1, 1)).dtype,
    "names of pytorch's": lambda f: f.nn.functional.native_channel_shuffle(f.ones(1, 4, 1), 2),
}


def _normalized_into(f):
    out = f.zeros(1, 1)
    result = f.nn.functional.normalize(f.ones(1, 1) * 4, out=out)
    return result is out, out


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_end_alike(name):
    same(PROGRAMS[name])
