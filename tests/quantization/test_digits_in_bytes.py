"""The digits network in bytes: as accurate, in Python, ONNX and C."""

import shutil

import numpy as np
import pytest

import rushlight as rl
from rushlight.ahead.c.write import library
from rushlight.experiments.networks import cnn
from rushlight.export import Dim, export
from rushlight.quantization import quantize_for_export
from rushlight.train.datasets import digits


@pytest.fixture(scope="module")
def data():
    found = digits()
    parts = []
    for part in (found.train, found.test):
        parts.append(rl.from_numpy(part.images.astype(np.float32) / found.levels))
        parts.append(rl.from_numpy(part.labels))
    return parts


@pytest.fixture(scope="module")
def trained(data):
    images, labels, _, _ = data
    rl.manual_seed(0)
    model = cnn((16, 32), 10)
    optimizer = rl.optim.Adam(model.parameters(), lr=4e-3)
    for _ in range(6):
        order = rl.randperm(len(images))
        for k in range(0, len(images) - 59, 60):
            picked = order[k : k + 60]
            optimizer.zero_grad()
            loss = rl.nn.functional.cross_entropy(model(images[picked]), labels[picked])
            loss.backward()
            optimizer.step()
    return model.eval()


@pytest.mark.parametrize("mode", ["static", "dynamic"])
def test_accuracy_stays(mode, data, trained):
    images, _, others, labels = data
    small, _ = quantize_for_export(trained, [images[:256]], mode)
    before = (trained(others).argmax(1) == labels).float().mean().item()
    after = (small(others).argmax(1) == labels).float().mean().item()
    assert before > 0.9 and before - after < 0.005
    _, told = quantize_for_export(trained, [(others, labels)], mode)
    assert told.accuracy == pytest.approx((before, told.accuracy[1]))


@pytest.fixture(scope="module")
def program(data, trained):
    small, _ = quantize_for_export(trained, [data[0][:128]], "static")
    return export(small, (data[2][:4],), dynamic_shapes=({0: Dim("batch")},))


def test_program_gives_the_same_bits(program, data, trained, tmp_path):
    rl.export.save(program, tmp_path / "small.pt2")
    loaded = rl.export.load(tmp_path / "small.pt2")
    x = data[2][:9]
    assert np.array_equal(loaded(x).numpy(), program(x).numpy())
    assert (tmp_path / "small.pt2").stat().st_size < 40_000


def test_onnx_says_it_with_quantize_and_dequantize(program, data, tmp_path):
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "small.onnx"
    rl.onnx.export(program, (), path)
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds.count("QuantizeLinear") == 3 and kinds.count("DequantizeLinear") == 6
    assert kinds.count("Conv") == 2 and kinds.count("Gemm") == 1
    x = data[2][:50].numpy()
    session = runtime.InferenceSession(path)
    (y,) = session.run(None, {session.get_inputs()[0].name: x})
    expected = program(rl.from_numpy(x)).numpy()
    assert np.abs(y - expected).max() < 0.02 * np.abs(expected).max()
    assert (y.argmax(1) == expected.argmax(1)).all()


@pytest.mark.parametrize("target", ["host", "x86-64", "aarch64"])
def test_c_gives_the_same_bits(target, program, tmp_path):
    """The library is run on the golden inputs before it is said to be written."""
    if shutil.which("cc") is None:
        pytest.skip("wants cc")
    written = library(program, tmp_path, "small", target=target, batches=range(1, 6))
    assert "largest difference is 0" in written.said or "not checked" in written.said
