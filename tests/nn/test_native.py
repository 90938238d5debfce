"""Functions of networks under ``torch`` itself, whose parameters differ from nn.functional's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl


def tensors(lib):
    random = np.random.default_rng(0)
    values = random.uniform(0.1, 0.9, (2, 3, 8)), random.uniform(0.1, 0.9, (2, 3, 8))
    return [lib.tensor(v.astype(np.float32)) for v in values]


CALLS = {
    "celu": lambda t, x, y: t.celu(x - 0.5, 0.7),
    "celu_": lambda t, x, y: t.celu_(x - 0.5),
    "selu": lambda t, x, y: t.selu(x - 0.5),
    "selu_": lambda t, x, y: t.selu_(x - 0.5),
    "rrelu": lambda t, x, y: t.rrelu(x - 0.5, 0.2, 0.3),
    "threshold": lambda t, x, y: t.threshold(x, 0.5, 0.1),
    "threshold_": lambda t, x, y: t.threshold_(x, 0.5, 0.1),
    "prelu": lambda t, x, y: t.prelu(x - 0.5, y[0, :, 0]),
    "prelu method": lambda t, x, y: (x - 0.5).prelu(y[0, :1, 0]),
    "hardshrink": lambda t, x, y: t.hardshrink(x, 0.4),
    "hardshrink method": lambda t, x, y: x.hardshrink(0.4),
    "hardshrink out": lambda t, x, y: t.hardshrink(x, out=t.empty(0)),
    "max_pool1d": lambda t, x, y: t.max_pool1d(x, 2),
    "max_pool2d": lambda t, x, y: t.max_pool2d(x, 2, 1),
    "max_pool3d": lambda t, x, y: t.max_pool3d(x[None], (1, 2, 2)),
    "with indices": lambda t, x, y: t.max_pool1d_with_indices(x, 3, 2, 1),
    "adaptive": lambda t, x, y: t.adaptive_max_pool1d(x, 3),
    "bce": lambda t, x, y: t.binary_cross_entropy_with_logits(x, y, None, None, 2),
    "bce mean": lambda t, x, y: t.binary_cross_entropy_with_logits(x, y),
    "cosine": lambda t, x, y: t.cosine_embedding_loss(x[0], y[0], t.ones(3), 0.2, 0),
    "ctc": lambda t, x, y: t.ctc_loss(
        x.log_softmax(2), t.ones(3, 2).long(), (2, 2, 2), (1, 1, 2), 0, 2, True
    ),
    "hinge": lambda t, x, y: t.hinge_embedding_loss(x, t.ones(8), 0.3, 2),
    "kl": lambda t, x, y: t.kl_div(x.log(), y, 0),
    "kl log": lambda t, x, y: t.kl_div(x.log(), y.log(), log_target=True),
    "ranking": lambda t, x, y: t.margin_ranking_loss(x, y, y, 0.1, 2),
    "poisson": lambda t, x, y: t.poisson_nll_loss(x, y, True, False, 1e-8, 1),
    "triplet": lambda t, x, y: t.triplet_margin_loss(x[0], x[1], y[0], 1.0, 2, 1e-6, True, 2),
    "no dropout": lambda t, x, y: t.dropout(x, 0.5, False),
    "all dropped": lambda t, x, y: t.dropout_(x, 1.0, True),
    "alpha": lambda t, x, y: t.alpha_dropout(x, 0.3, False),
    "features": lambda t, x, y: t.feature_dropout(x, 1.0, True),
    "alpha features": lambda t, x, y: t.feature_alpha_dropout(x, 0.3, False),
    "batch_norm": lambda t, x, y: t.batch_norm(
        x, y[0, :, 0], None, y[0, :, 1], y[0, :, 2], False, 0.1, 1e-5, False
    ),
    "instance_norm": lambda t, x, y: t.instance_norm(
        x, None, y[0, :, 0], None, None, True, 0.1, 1e-5, False
    ),
    "pad": lambda t, x, y: t.constant_pad_nd(x, (1, 2), 3.0),
    "grid": lambda t, x, y: t.grid_sampler(x[None], y[None, :, :, :2], 0, 2, True),
    "grid 2d": lambda t, x, y: t.grid_sampler_2d(x[None], y[None, :, :, :2], 1, 1, False),
    "affine": lambda t, x, y: t.affine_grid_generator(x[:, :2, :3], (2, 1, 2, 3), True),
    "conv_tbc": lambda t, x, y: t.conv_tbc(x, y[:, :1].expand(2, 8, 8), t.ones(8), 1),
    "convolution": lambda t, x, y: t.convolution(
        x, y[:, :, :3], None, (2,), (1,), (1,), False, (0,), 1
    ),
    "transposed": lambda t, x, y: t.convolution(
        x, t.ones(3, 2, 3), t.ones(2), (2,), (1,), (1,), True, (1,), 1
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_call_is_pytorchs(name):
    found = [CALLS[name](lib, *tensors(lib)) for lib in (rl, torch)]
    ours, theirs = (f if isinstance(f, tuple) else (f,) for f in found)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert str(a.dtype) == str(b.dtype) and tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_poolings_say_where(rank):
    values = np.random.default_rng(0).normal(size=(2, *(5,) * rank)).astype(np.float32)
    for name, size in (
        (f"max_pool{rank}d_with_indices", 2),
        (f"adaptive_max_pool{rank}d_with_indices", 3),
    ):
        ours = getattr(rl.nn.functional, name)(rl.tensor(values), size)
        theirs = getattr(torch.nn.functional, name)(torch.tensor(values), size)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_reduction_that_is_none_is_refused():
    with pytest.raises(ValueError, match="3 is not a valid value for reduction"):
        rl.kl_div(rl.zeros(2), rl.ones(2), 3)
