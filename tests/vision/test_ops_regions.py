"""Pooling of regions, deformable convolution and pyramids.

torchvision's poolings are compiled and do not load here; each is written out as a loop instead, and
where torchvision has the same in Python, that is compared too.
"""

from __future__ import annotations

import math
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
from peers import torchvision
from rushlight.vision import ops
from rushlight.vision.ops import feature_pyramid_network as pyramids

theirs = torchvision.ops

ROIS = np.array(
    [[0, 1, 2, 7.3, 8.1], [1, 0, 0, 3, 9], [1, 4.2, 3.9, 4.6, 4.1], [0, -3, -2, 4, 5],
     [0, 6, 7, 15, 14], [1, 8, 8, 8, 8], [0, 30, 30, 40, 40], [1, 2.5, 0.5, 6.5, 3.5]]
)  # fmt: skip


def feature_maps(channels: int = 3, kind: Any = np.float64) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, channels, 10, 9)).astype(kind)


# Pooling, written out.


def between(maps: np.ndarray, y: float, x: float) -> np.ndarray:
    """The value (C,) at a point, interpolated, with edges repeated for one pixel."""
    H, W = maps.shape[1:]
    if y < -1 or y > H or x < -1 or x > W:
        return np.zeros(len(maps))
    y, x = min(max(y, 0), H - 1), min(max(x, 0), W - 1)
    i, j = int(y), int(x)
    k, m = min(i + 1, H - 1), min(j + 1, W - 1)
    a, b = y - i, x - j
    top = (1 - b) * maps[:, i, j] + b * maps[:, i, m]
    return (1 - a) * top + a * ((1 - b) * maps[:, k, j] + b * maps[:, k, m])


def loop_align(
    maps: np.ndarray, size: tuple[int, int], scale: float, ratio: int, aligned: bool, own: bool
) -> np.ndarray:
    P, Q = size
    C = maps.shape[1] // (P * Q) if own else maps.shape[1]
    out = np.zeros((len(ROIS), C, P, Q))
    for k, (n, *corners) in enumerate(ROIS):
        x1, y1, x2, y2 = (value * scale - (0.5 if aligned else 0) for value in corners)
        w, h = (x2 - x1, y2 - y1) if aligned else (max(x2 - x1, 1), max(y2 - y1, 1))
        down = ratio if ratio > 0 else math.ceil(h / P)
        across = ratio if ratio > 0 else math.ceil(w / Q)
        for p in range(P):
            for q in range(Q):
                picture = maps[int(n)]
                if own:
                    picture = picture.reshape(C, P, Q, *picture.shape[1:])[:, p, q]
                total = np.zeros(C)
                for i in range(down):
                    for j in range(across):
                        y = y1 + (p + (i + 0.5) / down) * h / P
                        x = x1 + (q + (j + 0.5) / across) * w / Q
                        total += between(picture, y, x)
                out[k, :, p, q] = total / max(down * across, 1)
    return out


def loop_pool(maps: np.ndarray, size: tuple[int, int], scale: float, own: bool) -> np.ndarray:
    P, Q = size
    C, H, W = maps.shape[1] // (P * Q if own else 1), *maps.shape[2:]
    out = np.zeros((len(ROIS), C, P, Q))
    rounded = lambda v: int(math.copysign(math.floor(abs(v) + 0.5), v))
    for k, (n, *corners) in enumerate(ROIS):
        x1, y1, x2, y2 = (rounded(value * scale) for value in corners)
        more, last = (0, (H - 1, W - 1)) if own else (1, (H, W))
        h, w = max(y2 - y1 + more, 1), max(x2 - x1 + more, 1)
        for p in range(P):
            for q in range(Q):
                top, bottom = (
                    min(max(f + y1, 0), last[0])
                    for f in (math.floor(p * h / P), math.ceil((p + 1) * h / P))
                )
                left, right = (
                    min(max(f + x1, 0), last[1])
                    for f in (math.floor(q * w / Q), math.ceil((q + 1) * w / Q))
                )
                picture = maps[int(n)]
                if own:
                    picture = picture.reshape(C, P, Q, H, W)[:, p, q]
                part = picture[:, top:bottom, left:right].reshape(C, -1)
                if part.size:
                    out[k, :, p, q] = part.mean(1) if own else part.max(1)
    return out  # fmt: skip


SIZES = [(2, 3), (1, 1), (7, 7)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("ratio", [2, -1, 0, 3])
@pytest.mark.parametrize("aligned", [True, False])
def test_roi_align(size: tuple[int, int], scale: float, ratio: int, aligned: bool) -> None:
    maps = feature_maps()
    found = ops.roi_align(rl.tensor(maps), rl.tensor(ROIS), size, scale, ratio, aligned)
    wanted = loop_align(maps, size, scale, ratio, aligned, own=False)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-12)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("ratio", [2, -1])
def test_roi_align_as_torchvision_in_python(ratio: int, aligned: bool) -> None:
    """For regions inside of the map; outside theirs does not leave points out."""
    rois = ROIS[[0, 1, 2, 7]]
    maps = feature_maps()
    written = sys.modules["torchvision.ops.roi_align"]._roi_align.__wrapped__
    x = torch.from_numpy(maps).requires_grad_()
    wanted = written(x, torch.from_numpy(rois), 1.0, 4, 5, ratio, aligned)
    a = rl.tensor(maps, requires_grad=True)
    found = ops.roi_align(a, rl.tensor(rois), (4, 5), 1.0, ratio, aligned)
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), atol=1e-12)
    weights = np.random.default_rng(1).standard_normal(found.shape)
    (found * rl.tensor(weights)).sum().backward()
    (wanted * torch.from_numpy(weights)).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), x.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("size", [(2, 3), (1, 1), (3, 3)], ids=str)
@pytest.mark.parametrize("scale", [1.0, 0.7])
def test_the_other_poolings(size: tuple[int, int], scale: float) -> None:
    plain, own = feature_maps(), feature_maps(2 * size[0] * size[1])
    rois = rl.tensor(ROIS)
    pairs = [
        (ops.roi_pool(rl.tensor(plain), rois, size, scale), loop_pool(plain, size, scale, False)),
        (ops.ps_roi_pool(rl.tensor(own), rois, size, scale), loop_pool(own, size, scale, True)),
        *(
            (ops.ps_roi_align(rl.tensor(own), rois, size, scale, ratio),
             loop_align(own, size, scale, ratio, True, True))
            for ratio in (2, -1)
        ),
    ]  # fmt: skip
    for found, wanted in pairs:
        np.testing.assert_allclose(found.numpy(), wanted, atol=1e-12)


POOLINGS: dict[str, Callable[[Any], Any]] = {
    "roi_align": lambda x: ops.roi_align(x, rl.tensor(ROIS), (2, 3), 1.0, -1, True),
    "roi_pool": lambda x: ops.roi_pool(x, rl.tensor(ROIS), (2, 3)),
    "ps_roi_align": lambda x: ops.ps_roi_align(x, rl.tensor(ROIS), (2, 3), 1.0, 2),
    "ps_roi_pool": lambda x: ops.ps_roi_pool(x, rl.tensor(ROIS), (2, 3)),
}


@pytest.mark.parametrize("name", POOLINGS)
def test_gradients(name: str) -> None:
    """Pooling is linear (or picks), so its gradient is known from small steps exactly."""
    pool = POOLINGS[name]
    maps = feature_maps(6)
    x = rl.tensor(maps, requires_grad=True)
    y = pool(x)
    weights = rl.tensor(np.random.default_rng(1).standard_normal(y.shape))
    (gradient,) = rl.autograd.grad((y * weights).sum(), x, create_graph=True)
    direction = np.random.default_rng(2).standard_normal(maps.shape)
    step = 1e-6
    ends = [pool(rl.tensor(maps + sign * step * direction)) for sign in (1, -1)]
    slope = ((ends[0] - ends[1]) * weights).sum().item() / (2 * step)
    assert abs((gradient.detach() * rl.tensor(direction)).sum().item() - slope) < 1e-7
    if gradient.requires_grad:  # by the weights only, which do not require one
        (again,) = rl.autograd.grad((gradient * gradient).sum(), x, allow_unused=True)
        assert again is None or again.abs().max().item() == 0


def test_gradients_of_gradients() -> None:
    x = rl.tensor(feature_maps(), requires_grad=True)
    pool = lambda value: ops.roi_align(value, rl.tensor(ROIS[:3]), 2, 1.0, 2)
    (first,) = rl.autograd.grad((pool(x) ** 2).sum(), x, create_graph=True)
    other = rl.tensor(np.random.default_rng(3).standard_normal(x.shape))
    (second,) = rl.autograd.grad((first * other).sum(), x)
    wanted = 2 * pool(x).detach() * 0 + 2 * pool(other)  # the Hessian is twice pooling and back
    np.testing.assert_allclose(pool(second).numpy(), pool(_spread(wanted, x)).numpy(), atol=1e-10)


def _spread(pooled: rl.Tensor, x: rl.Tensor) -> rl.Tensor:
    leaf = x.detach().clone().requires_grad_()
    (ops.roi_align(leaf, rl.tensor(ROIS[:3]), 2, 1.0, 2) * pooled).sum().backward()
    return leaf.grad


@pytest.mark.parametrize("kind", [rl.float32, rl.float16, rl.bfloat16])
@pytest.mark.parametrize("name", POOLINGS)
def test_dtypes(name: str, kind: rl.dtype) -> None:
    maps = rl.tensor(feature_maps(6)).to(kind)
    exact = POOLINGS[name](maps.double())
    found = POOLINGS[name](maps)
    assert found.dtype == kind
    tolerance = 1e-5 if kind == rl.float32 else 1e-2
    np.testing.assert_allclose(found.double().numpy(), exact.numpy(), atol=tolerance)


def test_boxes_by_image_and_nothing() -> None:
    maps = rl.tensor(feature_maps(6))
    rois = rl.tensor(ROIS)
    by_image = [rois[rois[:, 0] == n][:, 1:] for n in range(2)]
    order = rl.cat([rl.where(rois[:, 0] == n)[0] for n in range(2)])
    for pool in (ops.roi_align, ops.roi_pool, ops.ps_roi_align, ops.ps_roi_pool):
        assert rl.equal(pool(maps, by_image, (2, 3)), pool(maps, rois[order], (2, 3)))
        none = pool(maps, [rl.zeros(0, 4), rl.zeros(0, 4)], (2, 3))
        assert none.shape == (0, 1 if "ps" in pool.__name__ else 6, 2, 3)
        for boxes in (rl.zeros(2, 4), [rl.zeros(2, 5)], 3):
            with pytest.raises(AssertionError, match="boxes"):
                pool(maps, boxes, 2)
        with pytest.raises(RuntimeError, match="a region is of image 2, and there are 2"):
            pool(maps, rl.tensor([[2.0, 0, 0, 1, 1]]), (2, 3))
        with pytest.raises(RuntimeError, match="expected feature maps"):
            pool(maps[0], rois, (2, 3))
    for pool in (ops.ps_roi_align, ops.ps_roi_pool):
        with pytest.raises(RuntimeError, match="multiple of pooling height"):
            pool(maps, rois, (2, 2))


def test_layers_of_pooling() -> None:
    maps, rois = rl.tensor(feature_maps(6)), rl.tensor(ROIS)
    for name, arguments, function in (
        ("RoIAlign", ((2, 3), 0.5, 2, True), ops.roi_align),
        ("RoIPool", ((2, 3), 0.5), ops.roi_pool),
        ("PSRoIAlign", ((2, 3), 0.5, 2), ops.ps_roi_align),
        ("PSRoIPool", ((2, 3), 0.5), ops.ps_roi_pool),
    ):
        layer = getattr(ops, name)(*arguments)
        assert repr(layer) == repr(getattr(theirs, name)(*arguments))
        assert rl.equal(layer(maps, rois), function(maps, rois, *arguments))


# Pyramids.


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_levels(kind: Any) -> None:
    sides = np.concatenate(([0.0, 1, 111.9, 112, 223.99, 224, 448, 5000], np.logspace(0, 4, 50)))
    boxes = np.stack([sides * 0, sides * 0, sides, sides], 1).astype(kind)
    written = theirs.poolers.LevelMapper(2, 5)([torch.from_numpy(boxes)])
    found = ops.poolers.LevelMapper(2, 5)([rl.from_numpy(boxes)])
    assert found.dtype == rl.int64 and found.tolist() == written.tolist()


@pytest.mark.parametrize("used", [["a", "b", "c"], ["b"]], ids=str)
def test_pooling_from_a_pyramid(used: list[str]) -> None:
    random = np.random.default_rng(0)
    maps = {
        name: rl.tensor(random.standard_normal((2, 3, size, size)), requires_grad=True)
        for name, size in (("a", 32), ("b", 16), ("c", 8))
    }
    boxes = [rl.tensor([[0.0, 0, 9, 9], [3, 2, 120, 127], [5, 5, 60, 70]]).double(),
             rl.tensor([[8.0, 8, 100, 40]]).double()]  # fmt: skip
    shapes = [(128, 100), (90, 128)]
    pool = ops.MultiScaleRoIAlign(used, 2, 2, canonical_scale=64, canonical_level=3)
    their = theirs.MultiScaleRoIAlign(used, 2, 2, canonical_scale=64, canonical_level=3)
    assert repr(pool) == repr(their)
    found = pool(maps, boxes, shapes)
    features = [torch.zeros(1, 3, maps[name].shape[-1], 8) for name in used]
    scales, mapper = theirs.poolers._setup_scales(features, shapes, 64, 3)
    assert pool.scales == scales and vars(pool.map_levels) == vars(mapper)
    levels = mapper([torch.from_numpy(one.numpy()) for one in boxes]).tolist()
    images = [0, 0, 0, 1]
    for k, (level, box) in enumerate(zip(levels, [row for one in boxes for row in one])):
        level = level if len(used) > 1 else 0
        wanted = ops.roi_align(
            maps[used[level]][images[k] : images[k] + 1], [box[None]], 2, scales[level], 2
        )
        assert rl.equal(found[k], wanted[0])
    found.sum().backward()
    assert all((value.grad is not None) == (name in used) for name, value in maps.items())
    with pytest.raises(ValueError, match="images list should not be empty"):
        ops.MultiScaleRoIAlign(used, 2, 2)(maps, boxes, [])


@pytest.mark.parametrize("extra", [None, "LastLevelMaxPool", "LastLevelP6P7"])
@pytest.mark.parametrize("norm", [False, True])
def test_feature_pyramid(extra: str | None, norm: bool) -> None:
    def made(home: Any, nn: Any, module: Any) -> Any:
        arguments = () if extra != "LastLevelP6P7" else (6, 4)
        block = getattr(module, extra)(*arguments) if extra else None
        return home.FeaturePyramidNetwork(
            [2, 3, 6], 4, block, nn.BatchNorm2d if norm else None
        ).double()

    their = made(theirs, torch.nn, theirs.feature_pyramid_network)
    our = made(ops, rl.nn, pyramids)
    our.load_state_dict({n: rl.from_numpy(v.numpy()) for n, v in their.state_dict().items()})
    assert repr(our) == repr(their)
    random = np.random.default_rng(0)
    arrays = [random.standard_normal((2, c, s, s + 1)) for c, s in ((2, 9), (3, 5), (6, 2))]
    found = our(OrderedDict(zip("abc", (rl.from_numpy(one) for one in arrays))))
    wanted = their(OrderedDict(zip("abc", (torch.from_numpy(one) for one in arrays))))
    assert list(found) == list(wanted) and isinstance(found, OrderedDict)
    for name, value in wanted.items():
        a, b = found[name].detach().numpy(), value.detach().numpy()
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_a_pyramid_s_older_state_and_mistakes() -> None:
    new = ops.FeaturePyramidNetwork([2, 3], 4)
    state = {}
    for name, value in new.state_dict().items():
        block, number, _, part = name.split(".")
        state[f"{block}.{number}.{part}"] = value + 1
    other = ops.FeaturePyramidNetwork([2, 3], 4)
    other.load_state_dict(state)
    for name, value in new.state_dict().items():
        assert rl.equal(other.state_dict()[name], value + 1)
    with pytest.raises(ValueError, match="in_channels=0"):
        ops.FeaturePyramidNetwork([2, 0], 4)
    with pytest.raises(TypeError, match="extra_blocks should be of type ExtraFPNBlock"):
        ops.FeaturePyramidNetwork([2], 4, rl.nn.ReLU())


# Deformable convolution.


def zero_padded(picture: np.ndarray, y: float, x: float) -> float:
    H, W = picture.shape
    i, j = math.floor(y), math.floor(x)
    total = 0.0
    for p, a in ((i, 1 - (y - i)), (i + 1, y - i)):
        for q, b in ((j, 1 - (x - j)), (j + 1, x - j)):
            if 0 <= p < H and 0 <= q < W:
                total += a * b * picture[p, q]
    return total


CONVOLUTIONS: list[dict[str, Any]] = [
    {},
    {"stride": 2, "padding": (1, 2), "dilation": (2, 1)},
    {"groups": 2, "offset_groups": 2, "masked": True, "padding": 1},
    {"groups": 2, "offset_groups": 4, "masked": True, "bias": True, "stride": (1, 2)},
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=range(len(CONVOLUTIONS)))
def test_deformable_convolution(case: dict[str, Any]) -> None:
    random = np.random.default_rng(0)
    N, C, O, (kh, kw) = 2, 4, 6, (3, 2)
    stride, padding, dilation = (
        (one, one) if isinstance(one, int) else one
        for one in (case.get("stride", 1), case.get("padding", 0), case.get("dilation", 1))
    )
    groups, G = case.get("groups", 1), case.get("offset_groups", 1)
    x, weight = (
        random.standard_normal((N, C, 6, 5)),
        random.standard_normal((O, C // groups, kh, kw)),
    )
    H, W = ((n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip((6, 5), (kh, kw), stride, padding, dilation))  # fmt: skip
    offset = random.normal(0, 2, (N, 2 * G * kh * kw, H, W))
    mask = random.random((N, G * kh * kw, H, W)) if case.get("masked") else None
    bias = random.standard_normal(O) if case.get("bias") else None
    wanted = np.zeros((N, O, H, W)) + (0 if bias is None else bias[:, None, None])
    for n, o, i, j in np.ndindex(N, O, H, W):
        first = o // (O // groups) * (C // groups)
        for c, p, q in np.ndindex(C // groups, kh, kw):
            g, e = (first + c) // (C // G), p * kw + q
            dy, dx = offset[n, 2 * (g * kh * kw + e) : 2 * (g * kh * kw + e) + 2, i, j]
            y = i * stride[0] - padding[0] + p * dilation[0] + dy
            u = j * stride[1] - padding[1] + q * dilation[1] + dx
            value = zero_padded(x[n, first + c], y, u) * weight[o, c, p, q]
            wanted[n, o, i, j] += value * (1 if mask is None else mask[n, g * kh * kw + e, i, j])
    tensors = [None if one is None else rl.tensor(one, requires_grad=True)
               for one in (x, offset, weight, bias, mask)]  # fmt: skip
    call = lambda a, b, c, d, e: ops.deform_conv2d(a, b, c, d, stride, padding, dilation, e)
    found = call(*tensors)
    np.testing.assert_allclose(found.detach().numpy(), wanted, atol=1e-11)
    weights = rl.tensor(random.standard_normal(found.shape))
    (found * weights).sum().backward()
    step = 1e-6
    for k, tensor in enumerate(tensors):
        if tensor is None:
            continue
        direction = rl.tensor(random.standard_normal(tensor.shape))
        ends = [
            (call(*(t.detach() + sign * step * direction if i == k else t
                    for i, t in enumerate(tensors))) * weights).sum().item()
            for sign in (1, -1)
        ]  # fmt: skip
        slope = (tensor.grad * direction).sum().item()
        assert abs(slope - (ends[0] - ends[1]) / (2 * step)) < 1e-5 * (1 + abs(slope))


def test_without_offsets_it_is_convolution() -> None:
    layer = ops.DeformConv2d(4, 6, 3, stride=2, padding=1, groups=2)
    x = rl.randn(2, 4, 7, 8)
    plain = rl.nn.functional.conv2d(x, layer.weight, layer.bias, 2, 1, 1, 2)
    found = layer(x, rl.zeros(2, 18, 4, 4), rl.ones(2, 9, 4, 4))
    np.testing.assert_allclose(found.detach().numpy(), plain.detach().numpy(), atol=1e-5)


def test_deformable_layers_and_mistakes() -> None:
    for arguments, options in (((4, 6, 3), {}), ((4, 6, (3, 2), 2, 1, 2, 2, False), {})):
        our = ops.DeformConv2d(*arguments, **options)
        their = theirs.DeformConv2d(*arguments, **options)
        assert repr(our) == repr(their)
        assert {n: tuple(p.shape) for n, p in our.named_parameters()} == {
            n: tuple(p.shape) for n, p in their.named_parameters()
        }
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        ops.DeformConv2d(3, 4, 3, groups=2)
    with pytest.raises(ValueError, match="out_channels must be divisible by groups"):
        ops.DeformConv2d(4, 3, 3, groups=2)
    x, weight = rl.zeros(1, 2, 4, 4), rl.zeros(3, 2, 3, 3)
    for offset, mask, words in (
        ((1, 17, 2, 2), None, "the shape of the offset tensor at dimension 1 is not valid"),
        ((1, 18, 3, 2), None, r"offset should be \(1, 18, 2, 2\)"),
        ((2, 18, 2, 2), None, r"offset should be \(1, 18, 2, 2\)"),
        ((1, 54, 2, 2), None, "do not divide each other"),
        ((1, 18, 2, 2), (1, 8, 2, 2), r"mask should be \(1, 9, 2, 2\)"),
    ):
        with pytest.raises(RuntimeError, match=words):
            marks = None if mask is None else rl.zeros(mask)
            ops.deform_conv2d(x, rl.zeros(offset), weight, mask=marks)


# Dropping blocks.


@pytest.mark.parametrize("rank", [2, 3])
def test_drop_block(rank: int) -> None:
    rl.manual_seed(0)
    drop = ops.drop_block2d if rank == 2 else ops.drop_block3d
    x = rl.ones((4, 8) + (9,) * rank, requires_grad=True)
    y = drop(x, 0.2, 3)
    values = y.detach().numpy()
    kept = values != 0
    np.testing.assert_allclose(values[kept], kept.size / kept.sum(), rtol=1e-5)
    assert 0.65 < kept.mean() < 0.95
    alone = np.lib.stride_tricks.sliding_window_view(~kept, (3,) * rank, tuple(range(2, 2 + rank)))
    whole = alone.all(tuple(range(-rank, 0)))
    covered = np.zeros_like(kept)
    for place in np.argwhere(whole):
        covered[(*place[:2], *(slice(i, i + 3) for i in place[2:]))] = True
    assert np.array_equal(covered, ~kept)  # all that is gone is in whole blocks
    y.sum().backward()
    assert np.allclose(x.grad.numpy(), values)
    assert drop(x, 0.0, 3) is x and drop(x, 0.5, 3, training=False) is x
    z = rl.ones((1, 1) + (5,) * rank)
    assert drop(z, 0.3, 3, inplace=True) is z
    layer = (ops.DropBlock2d if rank == 2 else ops.DropBlock3d)(0.3, 3, inplace=True)
    their = (theirs.DropBlock2d if rank == 2 else theirs.DropBlock3d)(0.3, 3, inplace=True)
    assert repr(layer) == repr(their) and layer.eval()(x) is x
    for bad in ((x, 1.2, 3), (x, -0.1, 3), (x[0], 0.5, 3), (x, 0.5, 4), (x[..., :2], 0.5, 3)):
        with pytest.raises(ValueError) as caught:
            drop(*bad)
        their_x = torch.ones(tuple(bad[0].shape))
        with pytest.raises(ValueError) as wanted:
            getattr(theirs, f"drop_block{rank}d")(their_x, *bad[1:])
        assert str(caught.value) == str(wanted.value)
