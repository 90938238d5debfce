"""Blocks that vision models share, with torchvision's weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
from peers import torchvision
from rushlight import nn
from rushlight.vision import ops

theirs = torchvision.ops


def same_module(ours: nn.Module, their: torch.nn.Module) -> None:
    """Copies their parameters, named alike, into ours, with random statistics."""
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.rand(value.shape, generator=generator) + 0.5
        if value.is_floating_point()
        else value
        for name, value in their.state_dict().items()
    }
    their.load_state_dict(state)
    ours.load_state_dict({name: rl.from_numpy(value.numpy()) for name, value in state.items()})


def same(ours: rl.Tensor, their: torch.Tensor) -> None:
    scale = float(their.abs().max()) + 1.0
    np.testing.assert_allclose(ours.numpy() / scale, their.numpy() / scale, rtol=0, atol=1e-11)


BLOCKS: list[tuple[str, Callable[[Any, Any], Any], tuple[int, ...]]] = [
    ("frozen", lambda ops, nn: ops.FrozenBatchNorm2d(3, eps=1e-3), (2, 3, 4, 5)),
    ("conv", lambda ops, nn: ops.Conv2dNormActivation(3, 4), (2, 3, 5, 6)),
    ("conv even", lambda ops, nn: ops.Conv2dNormActivation(3, 4, 4, 2, dilation=2), (1, 3, 9, 9)),
    ("conv tuples", lambda ops, nn: ops.Conv2dNormActivation(
        4, 4, (3, 5), groups=2, dilation=(2, 1), norm_layer=None, inplace=None,
        activation_layer=nn.SiLU), (1, 4, 7, 7)),
    ("conv plain", lambda ops, nn: ops.Conv2dNormActivation(
        3, 4, 1, padding=0, bias=True, activation_layer=None), (1, 3, 4, 4)),
    ("conv dilation", lambda ops, nn: ops.Conv2dNormActivation(3, 4, 3, dilation=(1, 2)),
     (1, 3, 4, 4)),
    ("conv 3d", lambda ops, nn: ops.Conv3dNormActivation(2, 3), (1, 2, 3, 4, 5)),
    ("squeeze", lambda ops, nn: ops.SqueezeExcitation(4, 2), (2, 4, 3, 3)),
    ("squeeze hard", lambda ops, nn: ops.SqueezeExcitation(
        4, 2, nn.SiLU, nn.Tanh), (2, 4, 3, 3)),
    ("mlp", lambda ops, nn: ops.MLP(4, [5, 6, 3], nn.LayerNorm, nn.GELU), (2, 3, 4)),
    ("mlp one", lambda ops, nn: ops.MLP(4, [3], bias=False, inplace=True), (2, 4)),
    ("permute", lambda ops, nn: ops.Permute([0, 2, 3, 1]), (2, 3, 4, 5)),
]  # fmt: skip


@pytest.mark.parametrize("name, make, shape", BLOCKS, ids=[one[0] for one in BLOCKS])
@pytest.mark.parametrize("training", [True, False])
def test_blocks(
    name: str, make: Callable[..., Any], shape: tuple[int, ...], training: bool
) -> None:
    our, their = make(ops, nn), make(theirs, torch.nn)
    same_module(our, their)
    our.train(training), their.train(training)
    our.double(), their.double()
    x = np.random.default_rng(0).standard_normal(shape)
    a, b = rl.from_numpy(x).requires_grad_(), torch.from_numpy(x).requires_grad_()
    ya, yb = our(a), their(b)
    (ya * ya * ya).sum().backward(), (yb * yb * yb).sum().backward()
    same(ya.detach(), yb.detach())
    same(a.grad, b.grad)
    for (mine, p), (other, q) in zip(our.named_parameters(), their.named_parameters(), strict=True):
        assert mine == other
        same(p.grad, q.grad)
    assert repr(our) == repr(their)


def test_frozen_batch_norm_takes_the_state_of_a_batch_norm() -> None:
    state = nn.BatchNorm2d(3).state_dict()
    assert "num_batches_tracked" in state
    nn.Sequential(ops.FrozenBatchNorm2d(3)).load_state_dict(
        {f"0.{name}": value for name, value in state.items()}
    )
    assert not list(ops.FrozenBatchNorm2d(3).parameters())


def test_the_base_block_warns() -> None:
    with pytest.warns(UserWarning, match="Don't use ConvNormActivation directly"):
        ops.misc.ConvNormActivation(3, 4)


@pytest.mark.parametrize("mode", ["row", "batch"])
@pytest.mark.parametrize("shape", [(64,), (32, 3), (16, 2, 3, 1)], ids=str)
def test_stochastic_depth(mode: str, shape: tuple[int, ...]) -> None:
    rl.manual_seed(0)
    x = rl.ones(shape, requires_grad=True)
    seen = set()
    for _ in range(20):
        y = ops.stochastic_depth(x, 0.25, mode)
        rows = y.detach().numpy().reshape(shape[0], -1)
        assert (rows == rows[:, :1]).all()
        values = np.unique(rows).tolist()
        assert set(values) <= {0.0, np.float32(1 / 0.75)}
        assert mode == "row" or len(values) == 1
        seen |= set(values)
    assert len(seen) == 2
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), y.detach().numpy())


def test_stochastic_depth_at_its_ends() -> None:
    x = rl.ones(3, 2)
    assert ops.stochastic_depth(x, 0.0, "row") is x
    assert ops.stochastic_depth(x, 0.5, "row", training=False) is x
    assert ops.stochastic_depth(x, 1.0, "batch").sum().item() == 0.0
    assert ops.stochastic_depth(rl.ones(0, 2), 0.5, "row").shape == (0, 2)
    layer = ops.StochasticDepth(0.5, "row")
    assert layer.eval()(x) is x and repr(layer) == repr(theirs.StochasticDepth(0.5, "row"))
    for p, mode, words in ((1.5, "row", "between 0 and 1"), (-0.1, "row", "between"),
                           (0.5, "column", "mode has to be either")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            ops.stochastic_depth(x, p, mode)
