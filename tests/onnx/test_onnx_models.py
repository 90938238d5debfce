"""Models of the zoo, exported and run by onnxruntime with the same answers (``convert`` proves it).

The answers are compared on the example and, with a dynamic batch, on another number of samples.
"""

from collections import Counter

import pytest

import rushlight as rl
from rushlight import nn
from rushlight.audio import models as audio
from rushlight.text.models import bert, gpt
from rushlight.vision import models as vision

pytest.importorskip("onnxruntime")

SMALL = [
    "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_b1", "efficientnet_v2_s",
    "googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0",
    "mnasnet1_3", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_x_1_6gf",
    "regnet_x_400mf", "regnet_x_800mf", "regnet_y_1_6gf", "regnet_y_400mf", "regnet_y_800mf",
    "resnet18", "resnet34", "resnet50", "resnext50_32x4d", "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "squeezenet1_0",
    "squeezenet1_1", "swin_t", "swin_v2_t", "vit_b_16",
]  # fmt: skip
SIZES = {"vit_b_16": 224, "maxvit_t": 224, "inception_v3": 96}


def kinds(made) -> Counter:
    return Counter(node.op_type for node in made.model_proto.graph.node)


def exported(model: nn.Module, example: rl.Tensor, opset: int = 20):
    rl.manual_seed(0)
    return rl.onnx.export(
        model.eval(), (example,), input_names=["x"], dynamic_axes={"x": {0: "batch"}},
        opset_version=opset,
    )  # fmt: skip


def image_model(name: str, size: int):
    settings = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model = getattr(vision, name)(weights=None, **settings)
    return exported(model, rl.randn(1, 3, size, size))


def test_squeezenet_has_onnx_s_own_operators() -> None:
    found = kinds(image_model("squeezenet1_1", 33))
    assert found == {
        "Conv": 26, "Relu": 26, "Concat": 8, "MaxPool": 3, "ReduceMean": 1, "Reshape": 1,
    }  # fmt: skip


def test_parameters_keep_their_names() -> None:
    model = vision.shufflenet_v2_x0_5(weights=None)
    made = exported(model, rl.randn(1, 3, 32, 32))
    names = {tensor.name for tensor in made.model_proto.graph.initializer}
    wanted = {name for name in model.state_dict() if not name.endswith("num_batches_tracked")}
    assert wanted <= names


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_image_models_agree(name: str) -> None:
    image_model(name, SIZES.get(name, 64))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "fcn_resnet50"]
)
def test_segmentation_models_agree(name: str) -> None:
    model = getattr(vision.segmentation, name)(weights=None, weights_backbone=None)
    exported(model, rl.randn(1, 3, 64, 64))


@pytest.mark.parametrize("opset", [17, 20])
def test_gpt_of_any_batch_and_length(opset: int) -> None:
    model = gpt.GPT(gpt.GPTConfig(vocab_size=50, n_positions=16, n_layer=1, n_head=2, n_embd=16))
    made = rl.onnx.export(
        model.eval(), (rl.randint(0, 50, (2, 6)),), opset_version=opset, input_names=["ids"],
        dynamic_axes={"ids": {0: "batch", 1: "time"}},
    )  # fmt: skip
    (logits,) = made(rl.randint(0, 50, (3, 9)))
    assert logits.shape == (3, 9, 50)
    assert kinds(made)["LayerNormalization"] == 3


def test_bert() -> None:
    model = bert.BERT(
        bert.BERTConfig(
            vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=32,
        )
    )  # fmt: skip
    found = kinds(exported(model, rl.randint(0, 50, (2, 6))))
    assert found["Gelu"] == 1


@pytest.mark.parametrize(
    "model, shape",
    [
        pytest.param(lambda: audio.M5(), (2, 1, 8000), id="m5"),
        pytest.param(lambda: audio.DeepSpeech(20, n_hidden=8, n_class=5), (2, 1, 7, 20), id="ds"),
    ],
)
def test_audio_models(model, shape) -> None:
    exported(model(), rl.randn(*shape))


@pytest.mark.parametrize(
    "layer, kind",
    [
        (lambda: nn.LSTM(4, 6, 2, bidirectional=True), "LSTM"),
        (lambda: nn.GRU(4, 6, bidirectional=True, bias=False), "GRU"),
        (lambda: nn.RNN(4, 6), "RNN"),
        (lambda: nn.RNN(4, 6, nonlinearity="relu"), "RNN"),
    ],
)
def test_recurrent_layers_of_any_length(layer, kind: str) -> None:
    made = rl.onnx.export(
        layer(), (rl.randn(5, 2, 4),), dynamic_shapes={"input": {0: "time", 1: "batch"}}
    )
    assert kinds(made)[kind]
    assert made(rl.randn(7, 3, 4))[0].shape[:2] == (7, 3)


class Segments(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.up = nn.ConvTranspose2d(4, 4, 2, 2)

    def forward(self, x):
        low = self.down(x)
        size = x.shape[-2:]
        smooth = nn.functional.interpolate(low, size=size, mode="bilinear", align_corners=False)
        return smooth, self.up(low), nn.functional.adaptive_avg_pool2d(low, 1).flatten(1)


def test_images_of_any_size() -> None:
    sizes = {0: "batch", 2: "height", 3: "width"}
    made = rl.onnx.export(
        Segments().eval(), (rl.randn(1, 3, 16, 12),), input_names=["x"], output_names=["mask"],
        dynamic_axes={"x": sizes, "mask": sizes},
    )  # fmt: skip
    assert kinds(made)["Resize"] == 2
    assert made.model_proto.graph.output[0].type.tensor_type.shape.dim[2].dim_param == "height"
    mask, up, pooled = made(rl.randn(2, 3, 21, 30))
    assert (mask.shape, up.shape, pooled.shape) == ((2, 4, 21, 30), (2, 4, 12, 16), (2, 4))


def test_transformer() -> None:
    model = nn.Transformer(8, 2, 1, 1, 16, batch_first=True).eval()
    sizes = {"src": {0: "batch", 1: "source"}, "tgt": {0: "batch", 1: "target"}}
    made = rl.onnx.export(model, (rl.randn(2, 5, 8), rl.randn(2, 4, 8)), dynamic_shapes=sizes)
    assert made(rl.randn(1, 3, 8), rl.randn(1, 7, 8))[0].shape == (1, 7, 8)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (nn.ConvTranspose2d(3, 4, 3, 2, 1, output_padding=1), (2, 3, 5, 5)),
        (nn.Conv1d(3, 4, 3, padding="same", padding_mode="circular"), (2, 3, 8)),
        (nn.Conv2d(4, 4, 3, groups=2, padding=1, padding_mode="reflect"), (2, 4, 6, 6)),
        (nn.Upsample(scale_factor=2, mode="bilinear"), (2, 3, 4, 5)),
        (nn.Upsample(scale_factor=2, mode="bicubic"), (2, 3, 4, 5)),
        (nn.Upsample(size=7), (2, 3, 4, 5)),
        (nn.MaxPool2d(3, 2, ceil_mode=True), (2, 3, 8, 8)),
        (nn.AvgPool2d(3, 2, 1, ceil_mode=True), (2, 3, 8, 8)),
        (nn.AdaptiveAvgPool2d((3, 2)), (2, 3, 7, 4)),
        (nn.AdaptiveMaxPool2d(2), (2, 3, 7, 4)),
        (nn.GroupNorm(2, 4), (2, 4, 5)),
        (nn.InstanceNorm2d(3, affine=True), (2, 3, 4, 4)),
        (nn.PixelShuffle(2), (2, 8, 3, 3)),
        (nn.Unfold(2), (2, 3, 4, 4)),
        (nn.MultiheadAttention(8, 2), None),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, nn.Module) else "",
)
def test_layers_of_any_batch(layer: nn.Module, shape) -> None:
    if shape is None:
        made = rl.onnx.export(layer.eval(), (rl.randn(3, 2, 8),) * 3)
        assert len(made.model_proto.graph.output) == 2
    else:
        exported(layer, rl.randn(*shape))
