"""What networks refuse, images without objects, and what an image goes through first."""

import numpy as np
import pytest
import torch
from PIL import Image
from test_models_detection import compiled_parts, faster, retinanet, ssd  # noqa: F401
from zoo import close, pair, torchvision

import rushlight as rl
from rushlight.vision import models

DETECTORS = {"faster": faster, "retinanet": retinanet, "ssd": ssd}


def picture(lib, value=0.5, size=(40, 56)):
    return lib.full((3, *size), value)


def good(lib):
    return [{"boxes": lib.tensor([[4.0, 6, 22, 25]]), "labels": lib.tensor([1])}]


def empty(lib):
    return [{"boxes": lib.zeros((0, 4)), "labels": lib.zeros((0,), dtype=lib.int64)}]


FAULTS = {
    "no targets": lambda lib: ([picture(lib)], None),
    "boxes of three": lambda lib: ([picture(lib)], [{**good(lib)[0], "boxes": lib.ones(1, 3)}]),
    "boxes as a list": lambda lib: ([picture(lib)], [{**good(lib)[0], "boxes": [[1, 2, 3, 4]]}]),
    "a box without area": lambda lib: (
        [picture(lib)], [{**good(lib)[0], "boxes": lib.tensor([[4.0, 6, 4, 25]])}],
    ),
    "no channels": lambda lib: ([lib.ones(40, 56)], good(lib)),
    "whole numbers": lambda lib: ([lib.ones((3, 40, 56), dtype=lib.uint8)], good(lib)),
}  # fmt: skip


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_those_of_torchvision(name, fault):
    mine, theirs = (model.train() for model in pair(DETECTORS[name]))
    with pytest.raises(Exception) as wanted:
        theirs(*FAULTS[fault](torch))
    with pytest.raises(type(wanted.value)):
        mine(*FAULTS[fault](rl))


@pytest.mark.parametrize("name", DETECTORS)
def test_an_image_of_background(name):
    mine, theirs = pair(DETECTORS[name])
    mine, theirs = mine.train(), theirs.train()
    got, wanted = mine([picture(rl)], empty(rl)), theirs([picture(torch)], empty(torch))
    for key, value in wanted.items():
        close(got[key], value, 1e-4)
    sum(got.values()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in mine.parameters())


@pytest.mark.parametrize("name", DETECTORS)
def test_no_detections(name):
    mine = pair(DETECTORS[name])[0].eval()
    heads = mine.roi_heads if name == "faster" else mine
    heads.score_thresh = 2.0
    (found,) = mine([picture(rl)])
    assert found["boxes"].shape == (0, 4)
    assert found["scores"].shape == found["labels"].shape == (0,)
    assert found["labels"].dtype == rl.int64


REFUSED = [
    lambda m: m.detection.FasterRCNN(m.alexnet(), 2),
    lambda m: m.detection.FasterRCNN(faster(m).backbone),
    lambda m: m.detection.FasterRCNN(faster(m).backbone, 2, rpn_anchor_generator=1),
    lambda m: m.detection.FasterRCNN(faster(m).backbone, 2, box_roi_pool=1),
    lambda m: m.ResNet(m.resnet.BasicBlock, [1] * 4, replace_stride_with_dilation=[True]),
    lambda m: m.ResNet(m.resnet.BasicBlock, [1] * 4, width_per_group=32),
    lambda m: m.ResNet(m.resnet.BasicBlock, [1] * 4, 5, False, 1, 64, [False, True, True]),
    lambda m: m.SqueezeNet("2_0"),
    lambda m: m.MobileNetV2(inverted_residual_setting=[]),
    lambda m: m.MobileNetV2(inverted_residual_setting=[[1, 16, 1, 3]]),
    lambda m: m.MobileNetV3([], 8),
    lambda m: m.MobileNetV3([1], 8),
    lambda m: m.EfficientNet([], 0.1),
    lambda m: m.EfficientNet([1], 0.1),
    lambda m: m.ConvNeXt([]),
    lambda m: m.ConvNeXt([1]),
    lambda m: m.ShuffleNetV2([1, 1], [8] * 5),
    lambda m: m.ShuffleNetV2([1, 1, 1], [8] * 4),
    lambda m: m.MNASNet(0.0),
    lambda m: m.GoogLeNet(blocks=[], init_weights=False),
    lambda m: m.Inception3(inception_blocks=[], init_weights=False),
    lambda m: m.VisionTransformer(15, 8, 1, 2, 16, 24),
    lambda m: m.MaxVit((33, 33), 8, 4, [16], [2], 8, 0.0),
    lambda m: m.regnet.BlockParams.from_init_params(4, 7, 1.0, 2.0, 8),
    lambda m: m.resnext50_32x4d(groups=2),
    lambda m: m.segmentation.lraspp_mobilenet_v3_large(weights_backbone=None, aux_loss=True),
    lambda m: m.detection.backbone_utils._validate_trainable_layers(True, 6, 5, 3),
    lambda m: m.detection._utils.Matcher(0.3, 0.5),
]  # fmt: skip


@pytest.mark.parametrize("build", REFUSED, ids=range(len(REFUSED)))
def test_arguments_that_torchvision_refuses(build):
    with pytest.raises(Exception) as wanted:
        build(torchvision.models)
    with pytest.raises(type(wanted.value)) as got:
        build(models)
    first = str(wanted.value).splitlines()[0][:40].split("<")[0]
    assert str(got.value).startswith(first)


def test_an_image_of_another_size_for_a_transformer():
    net = models.VisionTransformer(16, 8, 1, 2, 16, 24)
    with pytest.raises(AssertionError, match="Wrong image height! Expected 16 but got 24!"):
        net(rl.zeros(1, 3, 24, 16))


@pytest.mark.parametrize("size, reset", [(24, False), (24, True), (16, True)])
def test_positions_for_another_size(size, reset):
    old = torchvision.models.VisionTransformer(16, 8, 1, 2, 16, 24, num_classes=5).state_dict()
    mine = {key: rl.from_numpy(value.numpy().copy()) for key, value in old.items()}
    wanted = torchvision.models.vision_transformer.interpolate_embeddings(
        size, 8, dict(old), reset_heads=reset
    )
    got = models.vision_transformer.interpolate_embeddings(size, 8, mine, reset_heads=reset)
    assert list(got) == list(wanted)
    for key, value in wanted.items():
        close(got[key], value, 1e-5)


def given(kind):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (48, 70, 3), dtype=np.uint8)
    if kind == "pil":
        image = Image.fromarray(pixels)
        return image, image
    planes = pixels.transpose(2, 0, 1).copy()
    return rl.from_numpy(planes), torch.from_numpy(planes.copy())


PRESETS = [
    ("ImageClassification", {"crop_size": 24, "resize_size": 30}),
    ("ImageClassification", {"crop_size": 60, "resize_size": 40}),
    ("SemanticSegmentation", {"resize_size": 20}),
    ("SemanticSegmentation", {"resize_size": None}),
    ("ObjectDetection", {}),
]


@pytest.mark.parametrize("kind", ["pil", "tensor"])
@pytest.mark.parametrize("name, kwargs", PRESETS)
def test_what_an_image_goes_through(kind, name, kwargs):
    from rushlight.vision.transforms import _presets

    mine, theirs = given(kind)
    preset = getattr(torchvision.transforms._presets, name)(**kwargs)
    ours = getattr(_presets, name)(**kwargs)
    assert repr(ours) == repr(preset)
    assert "[0.0, 1.0]" in ours.describe()
    # PyTorch resizes images of bytes in fixed point, so some pixels differ by one level.
    level = 1 / 255 / 0.224 if kind == "tensor" and kwargs.get("resize_size") else 0
    np.testing.assert_allclose(ours(mine).numpy(), preset(theirs).numpy(), 0, level * 1.01 + 1e-5)
