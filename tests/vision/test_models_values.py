"""Networks with torchvision's weights: outputs and gradients of small ones, outputs of all.

Gradients run through everything, so they are compared in float64, where rounding excuses nothing.
"""

import contextlib
import functools
import sys

import pytest
import torch
from zoo import close, flat, image, pair

import rushlight as rl
from rushlight.execute import tier
from rushlight.vision import models


def home(network):
    """The module of a network, where a function has taken its name."""
    return sys.modules[network.__module__]


def linear(m, width):
    nn = rl.nn if "rushlight" in m.__name__ else torch.nn
    return nn.Linear(width, 5)


def alexnet(m):
    model = m.AlexNet()
    model.classifier = linear(m, 256 * 36)  # its own holds 50 million numbers
    return model


def vgg(m, layers=(8, "M", 12, "M", 512, "M"), norm=True):
    model = m.VGG(m.vgg.make_layers(list(layers), batch_norm=norm), init_weights=False)
    model.classifier = linear(m, 512 * 49)
    return model


def resnet(m):
    return m.ResNet(m.resnet.BasicBlock, [1, 1, 1, 1], num_classes=5)


def convnext(m):
    stages = [m.convnext.CNBlockConfig(8, 16, 2), m.convnext.CNBlockConfig(16, None, 2)]
    return m.ConvNeXt(stages, layer_scale=0.5, num_classes=5)


def efficientnet(m):
    plain, fused = m.efficientnet.MBConvConfig, m.efficientnet.FusedMBConvConfig
    stages = [
        fused(1, 3, 1, 8, 8, 2),
        fused(4, 3, 2, 8, 16, 2),
        plain(4, 3, 2, 16, 24, 2, 1.0, 1.1),
    ]
    return m.EfficientNet(stages, 0.0, stochastic_depth_prob=0.0, num_classes=5, last_channel=32)


def mobilenet_v3(m):
    row = functools.partial(m.mobilenetv3.InvertedResidualConfig, width_mult=0.5)
    rows = [row(16, 3, 16, 16, True, "RE", 2, 1), row(16, 5, 72, 16, True, "HS", 1, 2)]
    return m.MobileNetV3(rows, 32, num_classes=5)


def regnet(m):
    make = m.regnet.BlockParams.from_init_params
    params = make(depth=5, w_0=16, w_a=10.0, w_m=2.0, group_width=8, se_ratio=0.25)
    return m.RegNet(params, num_classes=5)


def swin(m, **kwargs):
    # Nine by nine patches in windows of four: padded, shifted, and merged at an odd size.
    return m.SwinTransformer([4, 4], 8, [2, 2], [2, 2], [4, 4], num_classes=5, **kwargs)


def swin_v2(m):
    home = m.swin_transformer
    return swin(m, block=home.SwinTransformerBlockV2, downsample_layer=home.PatchMergingV2)


def vit_stem(m):
    rows = [
        m.vision_transformer.ConvStemConfig(8, 3, 2),
        m.vision_transformer.ConvStemConfig(8, 3, 4),
    ]
    return m.VisionTransformer(
        16, 8, 1, 2, 16, 24, num_classes=5, representation_size=12, conv_stem_configs=rows
    )


# Network, image size.
SMALL = {
    "alexnet": (alexnet, 63),
    "vgg": (vgg, 32),
    "convnext": (convnext, 20),
    "densenet": (lambda m: m.DenseNet(8, (2, 1, 2, 1), 16, num_classes=5), 32),
    "efficientnet": (efficientnet, 25),
    "inception_module": (lambda m: home(m.GoogLeNet).Inception(3, 4, 6, 8, 2, 4, 3), 9),
    "googlenet_half_way": (lambda m: home(m.GoogLeNet).InceptionAux(3, 5), 9),
    "inception_a": (lambda m: m.inception.InceptionA(3, 8), 9),
    "inception_b": (lambda m: m.inception.InceptionB(3), 9),
    "inception_c": (lambda m: m.inception.InceptionC(3, 8), 9),
    "inception_d": (lambda m: m.inception.InceptionD(3), 9),
    "inception_e": (lambda m: m.inception.InceptionE(3), 5),
    "inception_half_way": (lambda m: m.inception.InceptionAux(3, 5), 17),
    "maxvit": (lambda m: m.MaxVit((32, 32), 8, 4, [16], [2], 8, 0.0, num_classes=5), 32),
    "mnasnet": (lambda m: m.MNASNet(0.2, num_classes=5), 32),
    "mobilenet_v2": (lambda m: m.MobileNetV2(5, 0.5, [[1, 16, 1, 1], [6, 24, 2, 2]]), 32),
    "mobilenet_v3": (mobilenet_v3, 32),
    "regnet": (regnet, 32),
    "resnet": (lambda m: resnet(m), 32),
    "shufflenet": (lambda m: m.ShuffleNetV2([2, 1, 2], [8, 16, 24, 32, 40], 5), 32),
    "squeezenet": (lambda m: m.SqueezeNet("1_1", 5), 35),
    "swin": (swin, 36),
    "swin_v2": (swin_v2, 36),
    "vit": (lambda m: m.VisionTransformer(16, 8, 2, 2, 16, 24, num_classes=5), 16),
    "vit_stem": (vit_stem, 16),
}


def fcn(m):
    """A small ResNet with FCN's heads."""
    body = resnet(m)
    layers = m._utils.IntermediateLayerGetter(body, {"layer2": "aux", "layer3": "out"})
    head = m.segmentation.fcn.FCNHead
    return m.segmentation.FCN(layers, head(256, 5), head(128, 5))


def deeplab(m):
    body = resnet(m)
    layers = m._utils.IntermediateLayerGetter(body, {"layer2": "out"})
    return m.segmentation.DeepLabV3(layers, m.segmentation.deeplabv3.DeepLabHead(128, 5, (2, 3)))


def lraspp(m):
    body = m._utils.IntermediateLayerGetter(mobilenet_v3(m).features, {"1": "low", "3": "high"})
    return m.segmentation.LRASPP(body, 8, 48, 5, inter_channels=12)


SMALL |= {"fcn": (fcn, 24), "deeplabv3": (deeplab, 24), "lraspp": (lraspp, 40)}
# Too long to be quick; their modules are compared above.
LARGE = {
    "googlenet": (lambda m: m.GoogLeNet(5, init_weights=False, transform_input=True), 33),
    "inception": (lambda m: m.Inception3(5, False, True, init_weights=False), 75),
}
# Builder, image size.
WHOLE = {
    "convnext_tiny": 32,
    "densenet121": 32,
    "efficientnet_b0": 32,
    "efficientnet_v2_s": 33,
    "mobilenet_v2": 32,
    "mobilenet_v3_large": 32,
    "mobilenet_v3_small": 32,
    "regnet_x_400mf": 32,
    "regnet_y_400mf": 32,
    "resnet50": 32,
    "resnext50_32x4d": 32,
    "shufflenet_v2_x1_0": 32,
    "squeezenet1_0": 32,
    "swin_t": 56,
    "swin_v2_t": 64,
}


@pytest.fixture(autouse=True, scope="module")
def by_reference():
    with tier.only("reference") if tier.chosen() == "auto" else contextlib.nullcontext():
        yield


def run(both, size, dtype, batch=2):
    x = image(batch, 3, size, size, dtype=dtype)
    mine, theirs = both
    return mine(rl.from_numpy(x)), theirs(torch.from_numpy(x))


def compare_outputs(build, size, dtype, rtol):
    both = [model.eval() for model in pair(build, dtype)]
    got, wanted = run(both, size, dtype)
    for a, b in zip(flat(got), flat(wanted), strict=True):
        close(a, b, rtol)


@pytest.mark.parametrize("name", SMALL)
def test_outputs_in_float32(name):
    compare_outputs(*SMALL[name], "float32", 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_outputs_of_whole_networks(name):
    compare_outputs(lambda m: m.get_model(name, num_classes=5), WHOLE[name], "float64", 1e-9)


def no_chance(model):
    """Dropout off; the two libraries draw different numbers."""
    for layer in model.modules():
        for name in ("p", "dropout", "attention_dropout"):
            if isinstance(getattr(layer, name, None), float):
                setattr(layer, name, 0.0)


@pytest.mark.parametrize("name", SMALL)
def test_gradients_in_training(name):
    compare_gradients(*SMALL[name], 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_outputs_of_large_networks(name):
    compare_outputs(*LARGE[name], "float32", 1e-4)


@pytest.mark.slow
def test_gradients_of_googlenet():
    compare_gradients(*LARGE["googlenet"], 6)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_gradients_of_inception_with_its_classifier_half_way():  # which needs large images
    compare_gradients(lambda m: m.Inception3(5, init_weights=False), 299, 3)


def compare_gradients(build, size, batch):
    mine, theirs = both = pair(build, "float64")
    for model in both:
        no_chance(model.train())
    # With a batch of two, norms over single pixels would magnify rounding a thousand times.
    got, wanted = run(both, size, "float64", batch)
    for a, b in zip(flat(got), flat(wanted), strict=True):
        close(a, b, 1e-9)
    sum((one**2).sum() for one in flat(got)).backward()
    sum((one**2).sum() for one in flat(wanted)).backward()
    gradients = dict(mine.named_parameters())
    largest = max(float(one.grad.abs().max()) for one in theirs.parameters())
    for key, parameter in theirs.named_parameters():  # some cancel to 0: a bias before a norm
        close(gradients[key].grad, parameter.grad, 1e-7, least=1e-5 * largest)
    statistics = dict(mine.named_buffers())
    for key, buffer in theirs.named_buffers():
        close(statistics[key], buffer, 1e-9)


def test_densenet_that_computes_again_is_the_same():
    """But for one thing: PyTorch changes running statistics twice then, and we once."""
    plain, again = (
        models.DenseNet(8, (2, 1, 1, 1), 16, num_classes=5, memory_efficient=flag)
        for flag in (False, True)
    )
    again.load_state_dict(plain.state_dict())
    x = image(4, 3, 32, 32)
    for model in (plain, again):
        (model(rl.from_numpy(x)) ** 2).sum().backward()
    for a, b in zip(again.parameters(), plain.parameters(), strict=True):
        close(a.grad, b.grad, 1e-4, least=1e-2)
    for a, b in zip(again.buffers(), plain.buffers(), strict=True):
        close(a, b, 1e-5)
