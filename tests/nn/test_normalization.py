"""Normalizations as layers, against PyTorch's: values, gradients and running averages."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from layers import agree, built, random, same_structure

import rushlight as rl

LAYERS = [
    ("BatchNorm1d(3)", (5, 3)),
    ("BatchNorm1d(3, eps=0.1, momentum=0.3)", (4, 3, 2)),
    ("BatchNorm1d(3, affine=False)", (4, 3)),
    ("BatchNorm1d(3, bias=False)", (4, 3)),
    ("BatchNorm1d(3, track_running_stats=False)", (4, 3)),
    ("BatchNorm1d(3, momentum=None)", (4, 3)),
    ("BatchNorm2d(3)", (2, 3, 4, 5)),
    ("BatchNorm3d(2)", (2, 2, 2, 3, 2)),
    ("InstanceNorm1d(3)", (2, 3, 4)),
    ("InstanceNorm1d(3, affine=True, track_running_stats=True)", (2, 3, 4)),
    ("InstanceNorm2d(3, affine=True)", (3, 4, 2)),
    ("InstanceNorm3d(2, momentum=0.5, track_running_stats=True)", (2, 2, 2, 3, 2)),
    ("LayerNorm(4)", (3, 4)),
    ("LayerNorm((3, 4), eps=0.1)", (2, 3, 4)),
    ("LayerNorm([4], elementwise_affine=False)", (2, 4)),
    ("LayerNorm(4, bias=False)", (3, 2, 4)),
    ("RMSNorm(4)", (3, 4)),
    ("RMSNorm((3, 4), eps=0.1)", (2, 3, 4)),
    ("RMSNorm(4, elementwise_affine=False)", (3, 4)),
    ("GroupNorm(2, 6)", (3, 6)),
    ("GroupNorm(3, 6, eps=0.1)", (2, 6, 4)),
    ("GroupNorm(1, 4, affine=False)", (2, 4, 3, 2)),
    ("GroupNorm(4, 4, bias=False)", (2, 4, 3)),
    ("LocalResponseNorm(3, alpha=0.5)", (2, 5, 4)),
    ("LocalResponseNorm(2, 0.5, 0.6, 2.0)", (2, 4, 3, 2)),
]


def same_buffers(ours, theirs):
    for (name, a), (_, b) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        assert str(a.dtype) == str(b.dtype)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, err_msg=name)


def stepped(ours, theirs, x):
    with torch.no_grad():
        for step in range(3):
            np.testing.assert_allclose(
                ours(rl.tensor(x + step)).detach().numpy(),
                theirs(torch.tensor(x + step)).numpy(),
                rtol=1e-9, atol=1e-11,
            )  # fmt: skip


# PyTorch's second derivatives of these fail for want of a weight or a bias.
ONLY_FIRST = ("affine=False", "bias=False", "LayerNorm([4]", "InstanceNorm1d(3)")


@pytest.mark.parametrize("text, shape", LAYERS)
def test_layers_are_pytorchs(text, shape):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    x = random(*shape)
    agree(ours, theirs, x, second=not any(part in text for part in ONLY_FIRST))
    stepped(ours, theirs, x)
    same_buffers(ours, theirs)
    stepped(ours.eval(), theirs.eval(), x)
    agree(ours, theirs, x, second=False)
    same_buffers(ours, theirs)


def affine_parts(x, weight, bias, axes, shape):
    centred = x - x.mean(axes, keepdim=True)
    scale = (centred.square().mean(axes, keepdim=True) + 1e-5).rsqrt()
    y = centred * scale
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


@pytest.mark.parametrize("weight", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", ["batch", "layer", "group", "instance"])
def test_second_gradients_are_those_of_the_definition(kind, weight, bias):
    F = rl.nn.functional
    x = rl.tensor(random(4, 6, 3)).requires_grad_()
    wide = {"layer": (3,)}.get(kind, (6,))
    w, b = (rl.tensor(random(*wide, seed=k)).requires_grad_() for k in (1, 2))
    given = (w if weight else None, b if bias else None)
    if kind == "batch":
        y = F.batch_norm(x, None, None, *given, training=True)
        z = affine_parts(x, *given, (0, 2), (6, 1))
    elif kind == "layer":
        y, z = F.layer_norm(x, (3,), *given), affine_parts(x, *given, (2,), (3,))
    elif kind == "instance":
        y = F.instance_norm(x, weight=given[0], bias=given[1])
        z = affine_parts(x, *given, (2,), (6, 1))
    else:
        y = F.group_norm(x, 2, *given)
        groups = affine_parts(x.reshape(4, 2, 3, 3), *given, (2, 3), (2, 3, 1))
        z = groups.reshape(4, 6, 3)
    leaves = [x, *(p for p in given if p is not None)]
    probe = rl.tensor(random(4, 6, 3, seed=5))
    found = []
    for result in (y, z):
        first = rl.autograd.grad(result, leaves, probe, create_graph=True)
        curved = [g.sin().sum() for g in first if g.requires_grad]
        again = rl.autograd.grad(curved, leaves, materialize_grads=True)
        found.append([t.detach().numpy() for t in (result, *first, *again)])
    for a, c in zip(*found, strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    "text, shape, said",
    [
        ("BatchNorm1d(3)", (2, 3, 4, 5), r"expected 2D or 3D input \(got 4D input\)"),
        ("BatchNorm2d(3)", (2, 3, 4), r"expected 4D input \(got 3D input\)"),
        ("BatchNorm1d(3)", (1, 3), "Expected more than 1 value per channel when training"),
        ("BatchNorm1d(3)", (2, 4), "running_mean should contain 4 elements not 3"),
        ("InstanceNorm1d(3)", (2, 3, 1), "Expected more than 1 spatial element when training"),
        ("InstanceNorm1d(3, affine=True)", (2, 4, 2), r"to match num_features \(3\), but got: 4"),
        ("GroupNorm(3, 3)", (1, 3), "Expected more than 1 value per channel when training"),
        ("LayerNorm(3)", (2, 4), r"expected input with shape \[\*, 3\]"),
        ("LocalResponseNorm(2)", (2, 4), "Expected 3D or higher dimensionality"),
    ],
)
def test_inputs_that_do_not_fit(text, shape, said):
    ours, theirs = built(text)
    with pytest.raises((ValueError, RuntimeError), match=said) as caught:
        ours(rl.tensor(random(*shape)))
    with pytest.raises((ValueError, RuntimeError), match=said) as expected:
        theirs(torch.tensor(random(*shape)))
    assert isinstance(caught.value, expected.type)


def test_groups_that_do_not_divide_the_channels():
    with pytest.raises(ValueError, match=r"num_channels \(5\) must be divisible by num_groups"):
        rl.nn.GroupNorm(2, 5)


def test_old_state_dictionaries_have_no_count():
    norm = rl.nn.BatchNorm1d(3)
    state = norm.state_dict()
    del state["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="Missing key"):
        norm.load_state_dict(state)
    state._metadata[""]["version"] = 1
    norm.load_state_dict(state)


def test_half_input_with_averages_in_float():
    x, results = random(6, 3), []
    for framework in (rl, torch):
        mean, variance = framework.zeros(3), framework.ones(3)
        y = framework.nn.functional.batch_norm(
            framework.tensor(x, dtype=framework.float16), mean, variance, training=True
        )
        assert y.dtype == framework.float16 and mean.dtype == framework.float32
        results.append((y.double().numpy(), mean.numpy(), variance.numpy()))
    for a, b, step in zip(*results, (2**-9, 1e-6, 1e-6), strict=True):
        np.testing.assert_allclose(a, b, rtol=step, atol=step)


def test_mixed_types_are_refused():
    with pytest.raises(RuntimeError, match="mixed dtype"):
        rl.nn.BatchNorm1d(3)(rl.zeros(4, 3).double())


def test_an_empty_batch_changes_no_averages():
    norm = rl.nn.BatchNorm1d(3)
    norm(rl.zeros(0, 3)).sum().backward()
    assert norm.running_mean.tolist() == [0, 0, 0]
    assert norm.running_var.tolist() == [1, 1, 1]
    assert norm.weight.grad.tolist() == [0, 0, 0]


def test_averages_are_computed_with_the_step():
    """They do not wait, holding the values of every step, until somebody looks."""
    norm = rl.nn.BatchNorm1d(3)
    optimizer = rl.optim.SGD(norm.parameters(), lr=0.1)
    for _ in range(3):
        norm(rl.randn(8, 3)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    mean = norm.running_mean.node
    assert mean.buffer is not None or all(x.buffer is not None for x in mean.inputs)


def test_averages_have_no_history():
    norm = rl.nn.BatchNorm1d(3)
    norm(rl.randn(8, 3))
    assert not norm.running_mean.requires_grad and norm.running_mean.grad_fn is None
