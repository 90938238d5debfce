"""What leaves as ONNX comes back: the same answers, and parameters under the same names."""

import pytest

import rushlight as rl
from rushlight import nn
from rushlight.text.models import gpt
from rushlight.vision import models as vision

pytest.importorskip("onnxruntime")

MODELS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3)), (2, 4), (5, 4)),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(36, 2),
        ), (2, 3, 8, 8), (3, 3, 8, 8),
    ),
    "lstm": (lambda: nn.LSTM(4, 6, 2, bidirectional=True), (5, 2, 4), (7, 2, 4)),
    "norms": (lambda: nn.Sequential(nn.GroupNorm(2, 4), nn.LayerNorm(5)), (2, 4, 5), (3, 4, 5)),
    "shufflenet": (lambda: vision.shufflenet_v2_x0_5(weights=None), (1, 3, 32, 32), (2, 3, 32, 32)),
}  # fmt: skip


def close(found, wanted) -> None:
    found, wanted = (x if isinstance(x, (tuple, list)) else (x,) for x in (found, wanted))
    for a, b in zip(found, wanted, strict=True):
        rl.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_models_come_back(name: str, tmp_path) -> None:
    make, shape, other = MODELS[name]
    model = make().eval()
    path = tmp_path / "model.onnx"
    rl.onnx.export(model, (rl.randn(*shape),), path, dynamic_axes={"input": [0], "x": [0]})
    again = rl.onnx.load(path)
    x = rl.randn(*other)
    with rl.no_grad():
        wanted = model(x)
        found = again(x)
    if name == "lstm":
        wanted = (wanted[0], *wanted[1])
    close(found, wanted)
    ours = {key for key, tensor in model.named_parameters()}
    assert ours <= set(dict(again.named_parameters())) | set(dict(again.named_buffers()))


def test_a_language_model_comes_back_and_trains(tmp_path) -> None:
    model = gpt.GPT(gpt.GPTConfig(vocab_size=20, n_positions=8, n_layer=1, n_head=2, n_embd=8))
    ids, path = rl.randint(0, 20, (2, 6)), tmp_path / "gpt.onnx"
    rl.onnx.export(model.eval(), (ids,), path, dynamic_axes={"ids": {0: "batch", 1: "time"}})
    again = rl.onnx.load(path)
    other = rl.randint(0, 20, (3, 8))
    close(again(other), model(other))
    loss = nn.functional.cross_entropy(again(other).flatten(0, 1), other.flatten())
    loss.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in again.parameters())
