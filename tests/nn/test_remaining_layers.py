"""Folding, resampling, unpooling, adaptive softmax and others, against PyTorch's layers."""

import numpy as np
import pytest
import torch
from layers import FRAMEWORKS, agree, built, random, same_structure, whole

import rushlight as rl

LAYERS = [
    ("Fold((4, 5), 2)", random(2, 12, 12)),
    ("Fold(output_size=(4, 6), kernel_size=(2, 3), dilation=1, padding=(0, 1), stride=2)",
     random(12, 6)),
    ("Unfold(2)", random(2, 3, 4, 5)),
    ("Unfold((2, 3), dilation=(2, 1), padding=1, stride=(1, 2))", random(3, 4, 5)),
    ("Upsample(scale_factor=2)", random(2, 3, 4)),
    ("Upsample(size=(5, 7), mode='bilinear')", random(1, 2, 3, 4)),
    ("Upsample(scale_factor=(2, 1.5), mode='bicubic', align_corners=True)", random(1, 2, 4, 4)),
    ("Upsample(scale_factor=1.6, mode='linear', recompute_scale_factor=True)", random(1, 2, 5)),
    ("Upsample(size=3, mode='trilinear')", random(1, 1, 2, 4, 5)),
    ("UpsamplingNearest2d(scale_factor=3)", random(1, 2, 3, 2)),
    ("UpsamplingBilinear2d(size=(4, 5))", random(1, 2, 3, 2)),
    ("LPPool1d(2, 3)", random(2, 3, 7)),
    ("LPPool2d(3, (2, 3), stride=1, ceil_mode=True)", random(2, 5, 6, low=0.1)),
    ("LPPool3d(2, 2)", random(1, 2, 4, 4, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x"), LAYERS, ids=[text for text, _ in LAYERS])
def test_layers_equal_torch(text, x):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    agree(ours, theirs, x)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("channels", [1, 2, 6, 9])
def test_old_response_norm_has_torchs_neighbours(size, channels):
    x = random(1, channels, 2, 2)
    results = [f.nn.CrossMapLRN2d(size, 0.7, 0.75, 1)(f.tensor(x)).numpy() for f in FRAMEWORKS]
    np.testing.assert_allclose(*results, rtol=1e-12)
    same_structure(*built(f"CrossMapLRN2d({size}, beta=0.5)"))
    with pytest.raises(ValueError, match="Expected input to be 4D"):
        rl.nn.CrossMapLRN2d(size)(rl.zeros(2, 3))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_unpooling_undoes_pooling(rank):
    results = []
    for f in FRAMEWORKS:
        pool = getattr(f.nn, f"MaxPool{rank}d")(2, return_indices=True)
        unpool = getattr(f.nn, f"MaxUnpool{rank}d")(2)
        x = f.tensor(random(2, 3, *(5, 4, 6)[:rank]))
        values, places = pool(x)
        values = values.detach().requires_grad_()
        back = [unpool(values, places), unpool(values, places, output_size=x.size())]
        sum((y * y).sum() for y in back).backward()
        results.append([*(y.detach().numpy() for y in back), values.grad.numpy(), repr(unpool)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# Adaptive softmax ---------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"div_value": 2.0, "head_bias": True}])
@pytest.mark.parametrize("shape", [(9,), ()])
def test_adaptive_softmax_equals_torch(options, shape):
    text = f"AdaptiveLogSoftmaxWithLoss(8, 12, [3, 7], **{options})"
    ours, theirs = built(text)
    same_structure(ours, theirs)
    x, target = random(*shape, 8), whole(*shape, low=0, high=11)
    results = []
    for f, layer in zip(FRAMEWORKS, (ours, theirs), strict=True):
        inputs = f.tensor(x).requires_grad_()
        output, loss = layer(inputs, f.tensor(target))
        (loss + output.sum()).backward()
        grads = [p.grad for p in (inputs, *layer.parameters())]
        results.append([output.detach(), loss.detach(), *grads])
        if shape:
            results[-1] += [layer.log_prob(inputs).detach(), layer.predict(inputs)]
    for mine, other in zip(*results, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            assert tuple(mine.shape) == tuple(other.shape)
            np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-9, atol=1e-12)


BAD = [
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, []),
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, [3, 2]),
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, [0, 2]),
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, [2, 8]),
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, [2])(f.zeros(3, 4), f.tensor([0, 8, 1])),
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, [2])(f.zeros(3, 4), f.tensor([0, 1])),
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, [2])(f.zeros(4), f.tensor([0, 1, 2, 3])),
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, [2])(f.zeros(3, 4), f.tensor(0)),
    lambda f: f.nn.AdaptiveLogSoftmaxWithLoss(4, 8, [2])(f.zeros(3, 4), f.tensor([[0]])),
    lambda f: f.nn.FractionalMaxPool2d(2),
    lambda f: f.nn.FractionalMaxPool2d(2, output_size=3, output_ratio=0.5),
    lambda f: f.nn.FractionalMaxPool3d(2, output_ratio=1.5),
    lambda f: f.nn.FractionalMaxPool3d((2, 0, 2), output_ratio=0.5),
    lambda f: f.nn.LinearCrossEntropyLoss(3, 4, weight=f.ones(3)),
    lambda f: f.nn.LinearCrossEntropyLoss(3, 4, label_smoothing=2.0),
    lambda f: f.nn.LinearCrossEntropyOptions(acc_policy="other"),
    lambda f: f.nn.LinearCrossEntropyOptions(chunking_method="aspect_ratio:0"),
    lambda f: f.nn.LinearCrossEntropyOptions(batch_chunk_size=0),
    lambda f: f.nn.SyncBatchNorm(3)(f.zeros(3)),
    lambda f: f.nn.SyncBatchNorm(3)(f.zeros(3, 0)),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_mistakes_raise_as_in_torch(number):
    found = []
    for f in FRAMEWORKS:
        with pytest.raises(Exception) as caught:
            BAD[number](f)
        found.append(caught.value)
    ours, theirs = found
    assert isinstance(ours, type(theirs))
    assert str(theirs).split(".")[0].strip() in str(ours)


# Several devices, and names -----------------------------------------------------------------------


def test_synchronized_norms():
    results = []
    for f in FRAMEWORKS:
        model = f.nn.Sequential(f.nn.BatchNorm1d(3, eps=0.1), f.nn.Sequential(f.nn.BatchNorm1d(3)))
        made = f.nn.SyncBatchNorm.convert_sync_batchnorm(model.double())
        assert made[0].weight.dtype == f.float64
        y = made(f.tensor(random(4, 3)))
        results.append((y.detach().numpy(), repr(made), list(made.state_dict())))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-10)
    assert results[0][1:] == results[1][1:]


def test_parallel_modules():
    model = rl.nn.DataParallel(rl.nn.Linear(2, 3))
    assert list(model.state_dict()) == list(
        torch.nn.DataParallel(torch.nn.Linear(2, 3)).state_dict()
    )
    assert model(rl.ones(1, 2)).tolist() == model.module(rl.ones(1, 2)).tolist()
    assert repr(model) == repr(torch.nn.DataParallel(torch.nn.Linear(2, 3)))


def test_loss_options_are_of_no_effect():
    layer = rl.nn.LinearCrossEntropyLoss(4, 5, bias=True)
    x, target = rl.tensor(random(3, 4)).float(), rl.tensor([0, 4, 2])
    plain = layer(x, target).item()
    layer.options = rl.nn.LinearCrossEntropyOptions(batch_chunk_size=1, acc_policy="compact")
    assert layer(x, target).item() == plain
    fields = "allow_retain_graph=False, batch_chunk_size=1, chunking_method='auto'"
    assert fields in repr(layer)


def test_pickles_of_before_upsampling_had_the_choice():
    for f in FRAMEWORKS:
        layer = f.nn.Upsample(scale_factor=2.0)
        state = {k: v for k, v in layer.__dict__.items() if k != "recompute_scale_factor"}
        fresh = f.nn.Upsample.__new__(f.nn.Upsample)
        fresh.__setstate__(state)
        assert fresh.recompute_scale_factor is True
