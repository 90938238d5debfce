"""Small detectors with torchvision's weights: detections, losses and gradients.

torchvision's compiled nms and roi_align do not load here; the first is written out below, the
second exists in Python there.
"""

import contextlib
import sys

import numpy as np
import pytest
import torch
from zoo import close, pair, torchvision

import rushlight as rl
from rushlight.execute import tier


def nms(boxes, scores, threshold):
    """Greedy: the best box, and no box that overlaps a kept one too much."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    for i in torch.argsort(scores, descending=True, stable=True).tolist():
        near = torch.minimum(boxes[i, 2:], boxes[kept, 2:]) - torch.maximum(
            boxes[i, :2], boxes[kept, :2]
        )
        inside = near.clamp(min=0).prod(1)
        if not (inside / (area[i] + area[kept] - inside) > threshold).any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def roi_align(input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=False):
    written_out = sys.modules["torchvision.ops.roi_align"]._roi_align.__wrapped__
    return written_out(input, boxes, spatial_scale, *output_size, sampling_ratio, aligned)


@pytest.fixture(autouse=True)
def compiled_parts(monkeypatch):
    monkeypatch.setattr(sys.modules["torchvision.ops.boxes"], "nms", nms)
    for name in ("torchvision.ops.poolers", "torchvision.models.detection.roi_heads"):
        monkeypatch.setattr(sys.modules[name], "roi_align", roi_align)
    with tier.only("reference") if tier.chosen() == "auto" else contextlib.nullcontext():
        yield


def pyramid(m):
    """Two small feature maps, at an eighth and a sixteenth of the size, and a feature pyramid."""
    nn = rl.nn if "rushlight" in m.__name__ else torch.nn
    first = nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.BatchNorm2d(8), nn.ReLU())
    second = nn.Sequential(nn.Conv2d(8, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU())
    names = {"0": "0", "1": "1"}
    return m.detection.backbone_utils.BackboneWithFPN(
        nn.Sequential(first, second), names, [8, 12], 32
    )


def parts(m):
    home = m.detection.faster_rcnn
    anchors = m.detection.anchor_utils.AnchorGenerator(((8,), (16,), (32,)), ((0.5, 1.0),) * 3)
    return {
        "min_size": 48, "max_size": 72, "rpn_anchor_generator": anchors, "box_roi_pool": pool(m, 3),
        "box_head": home.TwoMLPHead(32 * 9, 16), "rpn_post_nms_top_n_test": 20,
        "box_predictor": home.FastRCNNPredictor(16, 4), "box_score_thresh": 0.1,
        "rpn_pre_nms_top_n_test": 60, "rpn_batch_size_per_image": 5000,
        "box_batch_size_per_image": 5000, "rpn_positive_fraction": 0.9,
        "box_positive_fraction": 0.9,
    }  # fmt: skip


def faster(m):
    return m.detection.FasterRCNN(pyramid(m), **parts(m))


def pool(m, size):
    home = rl.vision.ops if "rushlight" in m.__name__ else torchvision.ops
    return home.MultiScaleRoIAlign(["0", "1"], size, 2)


def mask(m):
    home = m.detection.mask_rcnn
    more = {
        "mask_roi_pool": pool(m, 4),
        "mask_head": home.MaskRCNNHeads(32, (8,), 1),
        "mask_predictor": home.MaskRCNNPredictor(8, 8, 4),
    }
    return m.detection.MaskRCNN(pyramid(m), **more, **parts(m))


def keypoint(m):
    home = m.detection.keypoint_rcnn
    more = {
        "keypoint_roi_pool": pool(m, 4),
        "keypoint_head": home.KeypointRCNNHeads(32, (8,)),
        "keypoint_predictor": home.KeypointRCNNPredictor(8, 3),
    }
    return m.detection.KeypointRCNN(pyramid(m), **more, **parts(m))


def retinanet(m, loss="l1"):
    anchors = m.detection.anchor_utils.AnchorGenerator(((8,), (16,), (32,)), ((0.5, 1.0),) * 3)
    head = m.detection.retinanet.RetinaNetHead(32, 2, 4)
    head.regression_head._loss_type = loss
    return m.detection.RetinaNet(
        pyramid(m), 4, min_size=48, max_size=72, anchor_generator=anchors, head=head,
        score_thresh=0.01, topk_candidates=20,
    )  # fmt: skip


def fcos(m):
    anchors = m.detection.anchor_utils.AnchorGenerator(((8,), (16,), (32,)), ((1.0,),) * 3)
    return m.detection.FCOS(
        pyramid(m), 4, min_size=48, max_size=72, anchor_generator=anchors, score_thresh=0.06,
        topk_candidates=20,
    )  # fmt: skip


def ssd(m):
    nn = rl.nn if "rushlight" in m.__name__ else torch.nn
    net = nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.ReLU(), nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU())
    body = m._utils.IntermediateLayerGetter(net, {"1": "0", "3": "1"})
    shapes = m.detection.anchor_utils.DefaultBoxGenerator([[2], [2, 3]], steps=[8, 16])
    return m.detection.ssd.SSD(body, shapes, (56, 48), 4, score_thresh=0.2, topk_candidates=20)


NETWORKS = {
    "ssd": ssd,
    "faster": faster, "mask": mask, "keypoint": keypoint, "retinanet": retinanet, "fcos": fcos,
}  # fmt: skip


def images(dtype, device_of):
    rng = np.random.default_rng(3)
    arrays = [rng.random((3, 40, 56)).astype(dtype), rng.random((3, 64, 33)).astype(dtype)]
    return [device_of.from_numpy(array) for array in arrays]


def targets(lib, dtype):
    boxes = [[[4, 6, 22, 25], [20, 2, 50, 30], [1, 30, 9, 38]], [[3, 10, 30, 50]]]
    labels = [[1, 3, 2], [2]]
    make = lambda value, kind: lib.from_numpy(np.array(value, kind))
    return [
        {
            "boxes": make(box, dtype),
            "labels": make(label, "int64"),
            "masks": make(masks(box, size), "uint8"),
            "keypoints": make(points(box), "float32"),
        }
        for box, label, size in zip(boxes, labels, [(40, 56), (64, 33)])
    ]


def masks(boxes, size):
    """Lower halves of boxes."""
    pictures = np.zeros((len(boxes), *size))
    for picture, (left, top, right, bottom) in zip(pictures, boxes):
        picture[(top + bottom) // 2 : bottom, left:right] = 1
    return pictures


def points(boxes):
    """A corner, a point inside and one that is not visible."""
    return [
        [[right, bottom, 1], [left + 2, top + 3, 2], [left + 1, top + 1, 0]]
        for left, top, right, bottom in boxes
    ]


def compare_detections(build, dtype, rtol, at_least=5):
    mine, theirs = pair(build, dtype)
    got = mine.eval()(images(dtype, rl))
    with torch.no_grad():
        wanted = theirs.eval()(images(dtype, torch))
    found = 0
    for a, b in zip(got, wanted, strict=True):
        assert set(a) == set(b)
        for key, value in b.items():
            close(a[key], value, rtol)
        found += len(b["boxes"])
    assert found >= at_least  # or nothing was compared


def compare_losses(build, make_targets=targets):
    mine, theirs = pair(build, "float64")
    mine.train(), theirs.train()
    got = mine(images("float64", rl), make_targets(rl, "float64"))
    wanted = theirs(images("float64", torch), make_targets(torch, "float64"))
    assert set(got) == set(wanted)
    # The labels of anchors are float32, and PyTorch works their loss out in that.
    for key, value in wanted.items():
        close(got[key].double(), value.double(), 1e-6)
    sum(got.values()).backward()
    sum(wanted.values()).backward()
    gradients = dict(mine.named_parameters())
    largest = max(float(p.grad.abs().max()) for p in theirs.parameters() if p.grad is not None)
    for key, parameter in theirs.named_parameters():
        if parameter.grad is not None:
            close(gradients[key].grad, parameter.grad, 1e-5, least=1e-3 * largest)


@pytest.mark.parametrize("name", NETWORKS)
def test_detections(name):  # in float64, since scores that nearly tie decide the order
    compare_detections(NETWORKS[name], "float64", 1e-6)


def test_detections_in_float32():
    compare_detections(faster, "float32", 1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_losses(name):
    compare_losses(NETWORKS[name])


def test_losses_of_boxes_themselves():
    compare_losses(lambda m: retinanet(m, "giou"))
