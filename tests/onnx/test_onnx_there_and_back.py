"""Models that leave as ONNX and come back, from rushlight and from PyTorch."""

import io
import warnings

import numpy as np
import pytest
import torch
from written import model_of

import rushlight as rl
from rushlight import export
from rushlight import nn as rnn
from rushlight.onnx.loading import load


class Sequence(rnn.Module):
    """A recurrent layer with one above it."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.out = rnn.Linear(layer.hidden_size * (2 if layer.bidirectional else 1), 2)

    def forward(self, x):
        return self.out(self.layer(x)[0])


class Words(rnn.Module):
    """Numbers of words through an attention layer."""

    def __init__(self):
        super().__init__()
        self.embedding = rnn.Embedding(11, 8)
        self.layer = rnn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x):
        return self.layer(self.embedding(x))


MODELS = {
    "mlp": lambda: (
        rnn.Sequential(
            rnn.Linear(4, 8), rnn.GELU(), rnn.LayerNorm(8), rnn.Dropout(0.5), rnn.Linear(8, 3)
        ),
        rl.randn(3, 4),
    ),
    "cnn": lambda: (
        rnn.Sequential(
            rnn.Conv2d(1, 4, 3, padding=1), rnn.BatchNorm2d(4), rnn.ReLU(), rnn.MaxPool2d(2),
            rnn.Conv2d(4, 4, 3, stride=2, groups=2), rnn.Flatten(), rnn.Linear(4, 10),
        ),
        rl.randn(2, 1, 8, 8),
    ),
    "lstm": lambda: (Sequence(rnn.LSTM(5, 4, bidirectional=True)), rl.randn(6, 2, 5)),
    "gru": lambda: (Sequence(rnn.GRU(5, 4, batch_first=True)), rl.randn(2, 6, 5)),
    "attention": lambda: (Words(), rl.randint(0, 11, (2, 7))),
}  # fmt: skip


def sent_and_back(name, folder):
    """A model, its input, and the model that comes back."""
    rl.manual_seed(0)
    model, x = MODELS[name]()
    model.eval()
    path = folder / "model.onnx"
    axis = 1 if name == "lstm" else 0
    rl.onnx.export(model, (x,), path, input_names=["x"], dynamic_axes={"x": {axis: "batch"}})
    return model, x, load(path)


@pytest.mark.parametrize("name", MODELS)
def test_what_comes_back_answers_the_same(name, tmp_path):
    model, x, back = sent_and_back(name, tmp_path)
    np.testing.assert_allclose(
        back(x).detach().numpy(), model(x).detach().numpy(), rtol=1e-5, atol=1e-6
    )
    names = {key for key, _ in model.named_parameters()}
    assert {key for key, _ in back.named_parameters()} == names
    more = rl.cat([x, x, x], 1 if name == "lstm" else 0)
    assert back(more).shape == model(more).shape


@pytest.mark.parametrize("name", ["mlp", "cnn", "attention"])
def test_gradients_come_back_as_well(name, tmp_path):
    model, x, back = sent_and_back(name, tmp_path)
    model(x).square().sum().backward()
    back(x).square().sum().backward()
    theirs = dict(back.named_parameters())
    for key, parameter in model.named_parameters():
        np.testing.assert_allclose(
            theirs[key].grad.numpy(), parameter.grad.numpy(), rtol=1e-4, atol=1e-5, err_msg=key
        )


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_is_exported_as_a_program(name, tmp_path):
    model, x, back = sent_and_back(name, tmp_path)
    axis = 1 if name == "lstm" else 0
    program = export.export(back, (x,), dynamic_shapes=({axis: export.Dim("batch")},))
    export.save(program, tmp_path / "model.rushlight")
    again = export.load(tmp_path / "model.rushlight")
    more = rl.cat([x, x, x], axis)
    for given in (x, more):
        np.testing.assert_allclose(
            again(given).detach().numpy(), model(given).detach().numpy(), rtol=1e-5, atol=1e-6
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mobilenet_v3_small", "shufflenet_v2_x0_5", "efficientnet_b0", "resnet18", "swin_t"]
)
def test_models_of_the_zoo_come_back(name, tmp_path):
    rl.manual_seed(0)
    model, x = getattr(rl.vision.models, name)().eval(), rl.randn(2, 3, 64, 64)
    path = tmp_path / "model.onnx"
    rl.onnx.export(model, (x,), path, input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    back = load(path)
    names = {key for key, _ in model.named_parameters()}
    assert {key for key, _ in back.named_parameters()} == names
    program = back.program()
    with rl.no_grad():
        for given in (x, x[:1]):
            want = model(given).numpy()
            np.testing.assert_allclose(back(given).numpy(), want, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(program(given).numpy(), want, rtol=1e-4, atol=1e-5)


def test_a_size_that_is_free_in_name_only_is_to_be_said():
    proto = model_of(
        "net (float[N, T] x) => (float[N, 6] y) { y = Reshape (x, s) }", {"s": np.int64([0, 6])}
    )
    with pytest.raises(RuntimeError, match=r"Or say a size .*: N=\.\.\. or T=\.\.\."):
        load(proto).program()
    assert load(proto).program(T=6).inputs[0].shape == ("N", 6)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_recurrent_layer_leaves_without_random_numbers(name, tmp_path):
    _, _, back = sent_and_back(name, tmp_path)
    assert not [key for key in back.program().state if key.startswith("random")]


def from_torch(model, x, opset, axes):
    """A PyTorch model as the bytes of its own export."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(), (x,), file, dynamo=False, opset_version=opset, input_names=["x"],
            dynamic_axes={"x": axes},
        )  # fmt: skip
    return file.getvalue()


class TorchSequence(torch.nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


TORCH = {
    "cnn": (
        lambda nn: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
            nn.AvgPool2d(2, ceil_mode=True), nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.ConvTranspose2d(4, 3, 3, stride=2, output_padding=1), nn.Flatten(),
        ),
        (2, 1, 7, 7), {0: "n"},
    ),
    "lstm": (lambda nn: TorchSequence(nn.LSTM(5, 7, 2, bidirectional=True)), (6, 2, 5), {1: "n"}),
    "gru": (lambda nn: TorchSequence(nn.GRU(5, 7, batch_first=True)), (2, 6, 5), {0: "n"}),
    "rnn": (lambda nn: TorchSequence(nn.RNN(5, 7, nonlinearity="relu")), (6, 2, 5), {1: "n"}),
    "attention": (
        lambda nn: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 1
        ),
        (2, 5, 16), {0: "n"},
    ),
    "norms": (
        lambda nn: nn.Sequential(
            nn.GroupNorm(2, 4), nn.InstanceNorm1d(4, affine=True), nn.LayerNorm(6), nn.PReLU(),
            nn.Hardswish(), nn.Softplus(), nn.LogSoftmax(-1),
        ),
        (2, 4, 6), {0: "n"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "opset",
    [pytest.param(13, marks=pytest.mark.slow), pytest.param(17, marks=pytest.mark.slow), 20],
)
@pytest.mark.parametrize("name", TORCH)
def test_what_pytorch_exports_is_loaded(name, opset):
    if name == "attention" and opset < 17:
        pytest.skip("PyTorch exports scaled_dot_product_attention from opset 14 on")
    torch.manual_seed(0)
    make, shape, axes = TORCH[name]
    model, x = make(torch.nn), torch.randn(shape)
    back = load(from_torch(model, x, opset, axes))
    for given in (x, torch.cat([x, x], next(iter(axes)))):
        with torch.no_grad():
            want = model(given).numpy()
        got = back(rl.tensor(given.numpy())).detach().numpy()
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_a_loaded_model_becomes_a_program_with_the_file_s_names(tmp_path):
    _, _, back = sent_and_back("cnn", tmp_path)
    program = back.program()
    assert [entry.name for entry in program.inputs] == ["x"]
    assert program.inputs[0].shape == ("batch", 1, 8, 8)
    assert [entry.name for entry in program.outputs] == [one.name for one in back.outputs]
    assert back.program(batch=5).inputs[0].shape == (5, 1, 8, 8)
    assert back.inputs[0].spec.shape == (1, 1, 8, 8)
    with pytest.raises(ValueError, match=r"no size is called 'bach'\n.*'batch'"):
        back.program(bach=5)


def test_rushlight_export_takes_onnx_files(tmp_path, capsys):
    from rushlight.cli.export import main

    sent_and_back("mlp", tmp_path)
    assert main([str(tmp_path / "model.onnx"), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "model.pt2").exists()
    assert main([str(tmp_path / "model.onnx"), "--format", "c", "--step", "train"]) == 1
    assert "has no training" in capsys.readouterr().err
