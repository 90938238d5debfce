"""Boxes, compared with torchvision, and with loops where theirs is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
from peers import torchvision
from rushlight.vision import ops

theirs = torchvision.ops


def both(array: Any) -> tuple[rl.Tensor, torch.Tensor]:
    return rl.from_numpy(np.array(array)), torch.from_numpy(np.array(array))


def same(our: rl.Tensor, their: torch.Tensor, tolerance: float = 1e-6) -> None:
    assert str(our.dtype) == str(their.dtype) and tuple(our.shape) == tuple(their.shape)
    np.testing.assert_allclose(
        our.detach().numpy(), their.detach().numpy(), rtol=tolerance, atol=tolerance
    )


def boxes_of(count: int, seed: int = 0, kind: Any = np.float32, size: float = 20) -> np.ndarray:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, size, (count, 2))
    return np.concatenate((corner, corner + random.uniform(1, size, (count, 2))), 1).astype(kind)


# Suppression.


def loop_nms(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    kept: list[int] = []
    for i in order:
        a = boxes[i]
        for j in kept:
            b = boxes[j]
            w = min(a[2], b[2]) - max(a[0], b[0])
            h = min(a[3], b[3]) - max(a[1], b[1])
            shared = max(w, 0) * max(h, 0)
            area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
            if shared / area > threshold:
                break
        else:
            kept.append(i)
    return kept


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("count", [0, 1, 7, 120])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_nms(threshold: float, count: int, kind: Any) -> None:
    boxes = boxes_of(count, kind=kind)
    scores = np.random.default_rng(1).permutation(count).astype(kind)
    found = ops.nms(rl.from_numpy(boxes), rl.from_numpy(scores), threshold)
    assert found.dtype == rl.int64 and found.tolist() == loop_nms(boxes, scores, threshold)


def test_nms_of_equal_scores_and_odd_boxes() -> None:
    boxes = rl.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [5, 5, 5, 5], [5, 5, 5, 5]])
    assert ops.nms(boxes, rl.ones(4), 0.5).tolist() == [0, 2, 3]  # nothing over nothing is nan
    scores = rl.tensor([0.1, float("nan"), 0.3, float("inf")])
    assert ops.nms(boxes, scores, 0.5).tolist() == [1, 3, 2]
    grown = boxes.clone().requires_grad_()
    assert not ops.nms(grown, scores.half(), 0.5).requires_grad


@pytest.mark.parametrize("count", [0, 60, 1100])
def test_batched_nms(count: int) -> None:
    boxes = boxes_of(count, size=60)
    random = np.random.default_rng(2)
    scores, kinds = random.permutation(count).astype(np.float32), random.integers(0, 4, count)
    wanted = [
        int(np.nonzero(kinds == kind)[0][i])
        for kind in range(4)
        for i in loop_nms(boxes[kinds == kind], scores[kinds == kind], 0.3)
    ]
    wanted.sort(key=lambda i: -scores[i])
    found = ops.batched_nms(*(rl.from_numpy(one) for one in (boxes, scores, kinds)), 0.3)
    assert found.tolist() == wanted


# Formats.

FORMATS = {"xyxy": 4, "xywh": 4, "cxcywh": 4, "xywhr": 5, "cxcywhr": 5, "xyxyxyxy": 8}


@pytest.mark.parametrize("old", FORMATS)
@pytest.mark.parametrize("new", FORMATS)
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", [(6,), (2, 3), ()], ids=str)
def test_box_convert(old: str, new: str, kind: Any, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).uniform(3, 60, (*shape, FORMATS[old])).astype(kind)
    if old == "xyxyxyxy":  # rectangles that stand at an angle
        turned = torch.from_numpy(values[..., :5].astype(np.float64))
        values = theirs.box_convert(turned, "xywhr", "xyxyxyxy").numpy().astype(kind)
    ours, their = both(values)
    try:
        wanted = theirs.box_convert(their, old, new)
    except NotImplementedError as error:
        with pytest.raises(NotImplementedError) as caught:
            ops.box_convert(ours, old, new)
        assert str(caught.value) == str(error)
        return
    integer_centres = kind is np.int64 and "cxcywh" in (old, new) and old != new
    if integer_centres:  # halves become floats in both
        assert wanted.dtype == torch.float32
    same(ops.box_convert(ours, old, new), wanted, 3e-5 if kind is np.float32 else 1e-5)


def test_box_convert_copies_and_refuses() -> None:
    boxes = rl.tensor([[1.0, 2, 3, 4]])
    ops.box_convert(boxes, "xyxy", "xyxy").zero_()
    assert boxes.sum().item() == 10
    with pytest.raises(ValueError, match="Unsupported Bounding Box Conversions for given in_fmt x"):
        ops.box_convert(boxes, "x", "xyxy")


# Areas and overlaps.


@pytest.mark.parametrize("fmt", ["xyxy", "xywh", "cxcywh"])
@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "int16", "uint8", "float16"])
def test_area_and_iou(fmt: str, kind: str) -> None:
    ours1, their1 = both(boxes_of(4, kind=kind))
    ours2, their2 = both(boxes_of(5, 1, kind=kind))
    same(ops.box_area(ours1, fmt), theirs.box_area(their1, fmt))
    if kind != "uint8" or fmt != "cxcywh":  # theirs goes below zero there
        same(ops.box_iou(ours1, ours2, fmt), theirs.box_iou(their1, their2, fmt), 2e-3
             if kind == "float16" else 1e-6)  # fmt: skip


IOUS = ["box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"]


@pytest.mark.parametrize("name", IOUS)
@pytest.mark.parametrize("shapes", [((4,), (5,)), ((0,), (5,)), ((2, 3), (2, 4))], ids=str)
def test_pairwise_overlaps_and_their_gradients(name: str, shapes: Any) -> None:
    arrays = [
        boxes_of(int(np.prod(shape)), i, np.float64).reshape(*shape, 4)
        for i, shape in enumerate(shapes)
    ]
    (a, x), (b, y) = (both(one) for one in arrays)
    for one in (a, b, x, y):
        one.requires_grad_()
    found, wanted = getattr(ops, name)(a, b), getattr(theirs, name)(x, y)
    same(found, wanted, 1e-10)
    (found * found).sum().backward(), (wanted * wanted).sum().backward()
    same(a.grad, x.grad, 1e-9), same(b.grad, y.grad, 1e-9)


def test_boxes_that_do_not_meet() -> None:
    (a, x), (b, y) = both([[0.0, 0, 1, 1]]), both([[5.0, 5, 6, 7], [1, 0, 2, 1]])
    for name in IOUS:
        same(getattr(ops, name)(a, b), getattr(theirs, name)(x, y))
    for name in ("box_area", "box_iou"):
        with pytest.raises(ValueError, match=r"Unsupported (Bounding Box area for given )?format"):
            getattr(ops, name)(*([a] if name == "box_area" else [a, b]), fmt="abc")


def clipped_area(subject: np.ndarray, clip: np.ndarray) -> float:
    """Sutherland and Hodgman's way: cut one polygon by each side of the other."""
    points = [tuple(point) for point in subject]
    turn = np.sign(np.cross(np.append(clip[1] - clip[0], 0), np.append(clip[2] - clip[1], 0))[2])
    for a, b in zip(clip, np.roll(clip, -1, axis=0)):
        side = lambda p, a=a, d=b - a: turn * (d[0] * (p[1] - a[1]) - d[1] * (p[0] - a[0]))
        cut: list[Any] = []
        for p, q in zip(points, points[1:] + points[:1]):
            if side(p) >= 0:
                cut.append(p)
            if side(p) * side(q) < 0:
                t = side(p) / (side(p) - side(q))
                cut.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
        points = cut
        if not points:
            return 0.0
    x, y = np.array(points).T
    return abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2


@pytest.mark.parametrize("fmt", ["cxcywhr", "xywhr", "xyxyxyxy"])
def test_iou_of_rotated_boxes(fmt: str) -> None:
    random = np.random.default_rng(0)
    sets = [
        np.concatenate((random.uniform(0, 30, (n, 2)), random.uniform(5, 25, (n, 2)),
                        random.uniform(-180, 180, (n, 1))), 1) for n in (12, 15)
    ]  # fmt: skip
    quads = [
        theirs.box_convert(torch.from_numpy(one), "cxcywhr", "xyxyxyxy").reshape(-1, 4, 2).numpy()
        for one in sets
    ]
    wanted = np.zeros((12, 15))
    for i, a in enumerate(quads[0]):
        for j, b in enumerate(quads[1]):
            shared = clipped_area(a, b)
            wanted[i, j] = shared / (sets[0][i, 2:4].prod() + sets[1][j, 2:4].prod() - shared)
    assert 0.2 < (wanted > 0).mean() < 0.98
    given = [ops.box_convert(rl.tensor(one), "cxcywhr", fmt).float() for one in sets]
    np.testing.assert_allclose(ops.box_iou(*given, fmt).numpy(), wanted, atol=3e-6)


def test_rotated_boxes_on_each_other() -> None:
    boxes = rl.tensor([[5.0, 5, 4, 2, 30], [5, 5, 4, 2, 210], [5, 5, 4, 2, 120], [50, 50, 1, 1, 0],
                       [5, 5, 0, 2, 10]])  # fmt: skip
    found = ops.box_iou(boxes, boxes, "cxcywhr").numpy()
    np.testing.assert_allclose(np.diag(found), [1, 1, 1, 1, 0], atol=1e-6)
    np.testing.assert_allclose(found[0, :4], [1, 1, 4 / 12, 0], atol=1e-6)
    assert ops.box_iou(boxes[:0], boxes, "cxcywhr").shape == (0, 5)


# Small functions.


def test_small_boxes_and_edges() -> None:
    ours, their = both(boxes_of(20))
    for size in (0, 5.5, 100):
        same(ops.remove_small_boxes(ours, size), theirs.remove_small_boxes(their, size))
    for size in ((10, 15), (1, 100)):
        same(ops.clip_boxes_to_image(ours, size), theirs.clip_boxes_to_image(their, size))
    a, x = both(boxes_of(6).reshape(2, 3, 4) - 10)
    same(ops.clip_boxes_to_image(a, (5, 6)), theirs.clip_boxes_to_image(x, (5, 6)))


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.float32])
def test_masks_to_boxes(kind: Any) -> None:
    masks = (np.random.default_rng(0).random((5, 6, 7)) > 0.9).astype(kind)
    masks[2] = 0
    masks[3] = 1
    ours, their = both(masks)
    same(ops.masks_to_boxes(ours), theirs.masks_to_boxes(their))
    same(ops.masks_to_boxes(ours[:0]), theirs.masks_to_boxes(their[:0]))


# Losses.

LOSSES = ["generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", [(8,), (), (0,), (2, 3)], ids=str)
def test_losses(name: str, reduction: str, shape: tuple[int, ...]) -> None:
    count = int(np.prod(shape))
    arrays = [boxes_of(count, i, np.float64).reshape(*shape, 4) for i in range(2)]
    (a, x), (b, y) = (both(one) for one in arrays)
    for one in (a, b, x, y):
        one.requires_grad_()
    found = getattr(ops, name)(a, b, reduction=reduction)
    wanted = getattr(theirs, name)(x, y, reduction=reduction)
    same(found, wanted, 1e-10)
    found.sum().backward(), wanted.sum().backward()
    same(a.grad, x.grad, 1e-9), same(b.grad, y.grad, 1e-9)


def test_losses_of_other_dtypes() -> None:
    (a, x), (b, y) = both(boxes_of(4).astype(np.float16)), both(boxes_of(4, 1).astype(np.int64))
    for name in LOSSES:
        same(getattr(ops, name)(a, b, eps=1e-3), getattr(theirs, name)(x, y, eps=1e-3), 1e-5)
        with pytest.raises(ValueError, match="Invalid Value for arg 'reduction': 'max"):
            getattr(ops, name)(a, b, reduction="max")


@pytest.mark.parametrize("alpha", [0.25, 0.0, 1, -1])
@pytest.mark.parametrize("gamma", [0, 2, 3.5])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_focal_loss(alpha: float, gamma: float, reduction: str) -> None:
    random = np.random.default_rng(0)
    (a, x), (t, u) = both(random.normal(0, 4, (5, 6))), both(random.integers(0, 2, (5, 6)) * 1.0)
    a.requires_grad_(), x.requires_grad_()
    options: Any = {"alpha": alpha, "gamma": gamma, "reduction": reduction}
    found = ops.sigmoid_focal_loss(a, t, **options)
    wanted = theirs.sigmoid_focal_loss(x, u, **options)
    same(found, wanted, 1e-12)
    found.sum().backward(), wanted.sum().backward()
    same(a.grad, x.grad, 1e-12)


MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: ops.nms(rl.zeros(4), rl.zeros(4), 0.5), RuntimeError, "boxes should be a 2d tensor"),
    (lambda: ops.nms(rl.zeros(2, 5), rl.zeros(2), 0.5), RuntimeError, "have 4 elements in dimens"),
    (lambda: ops.nms(rl.zeros(2, 4), rl.zeros(2, 1), 0.5), RuntimeError, "scores should be a 1d"),
    (lambda: ops.nms(rl.zeros(2, 4), rl.zeros(3), 0.5), RuntimeError, "same number of elements"),
    (lambda: ops.sigmoid_focal_loss(rl.zeros(2), rl.zeros(2), 1.5), ValueError, "Invalid alpha"),
    (lambda: ops.sigmoid_focal_loss(rl.zeros(2), rl.zeros(2), reduction="x"), ValueError, "Inval"),
]


@pytest.mark.parametrize("mistake, kind, words", MISTAKES)
def test_mistakes(mistake: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        mistake()


def test_every_name_is_there() -> None:
    assert set(theirs.__all__) <= set(ops.__all__)


def test_modules_that_scripts_import() -> None:
    from rushlight.cli.names import resolve

    for name in ("ciou", "diou", "giou"):
        found = resolve(f"torchvision.ops.{name}_loss")
        assert any(hasattr(found, f"{kind}_box_iou_loss") for kind in ("complete", "distance"))
    assert resolve("torchvision.ops.boxes").nms is ops.nms
