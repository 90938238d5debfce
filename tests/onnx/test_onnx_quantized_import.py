"""Models of few bits: loaded ones against onnxruntime."""

import io

import numpy as np
import onnxruntime
import pytest
from onnxruntime import quantization
from written import draw, model_of

import rushlight as rl
from rushlight.onnx.loading import load

RANDOM = np.random.default_rng(7)


def answers(proto, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return load(proto).run(feeds), session.run(None, feeds)


def integers(kind, *shape):
    info = np.iinfo(kind)
    return RANDOM.integers(info.min, info.max, shape, endpoint=True).astype(kind)


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_quantising_and_back(kind, axis):
    count = () if axis is None else ((4, 3)[axis],)
    proto = model_of(
        f"""net (float[4, 3] x) => ({kind}[4, 3] q, float[4, 3] y) {{
            q = QuantizeLinear <axis = {axis or 0}> (x, scale, zero)
            y = DequantizeLinear <axis = {axis or 0}> (q, scale, zero)
        }}""",
        {
            "scale": RANDOM.uniform(0.01, 0.1, count).astype(np.float32),
            "zero": integers(kind, *count),
        },
        version=19,
    )
    x = draw(4, 3) * 5
    x[0] = [np.inf, -np.inf, 0.5]
    mine, theirs = answers(proto, {"x": x})
    np.testing.assert_array_equal(mine[0], theirs[0])
    np.testing.assert_allclose(mine[1], theirs[1], rtol=1e-6)


def test_halves_are_rounded_to_even():
    proto = model_of(
        "net (float[6] x) => (uint8[6] q) { q = QuantizeLinear (x, scale, zero) }",
        {"scale": np.float32(2).reshape(()), "zero": np.uint8(3).reshape(())},
    )
    x = np.float32([-1, 1, 3, 5, 7, 9])
    mine, theirs = answers(proto, {"x": x})
    np.testing.assert_array_equal(mine[0], theirs[0])
    assert mine[0].tolist() == [3, 3, 5, 5, 7, 7]


def test_products_of_integers_are_exact():
    proto = model_of(
        "net (uint8[5, 64] a, int8[64, 3] b, uint8 z) => (int32[5, 3] y)"
        " { y = MatMulInteger (a, b, z) }"
    )
    feeds = {
        "a": integers("uint8", 5, 64), "b": integers("int8", 64, 3), "z": np.array(200, np.uint8)
    }  # fmt: skip
    mine, theirs = answers(proto, feeds)
    np.testing.assert_array_equal(mine[0], theirs[0])


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 2, 0]])
def test_convolutions_of_integers_are_exact(pads):
    proto = model_of(
        f"""net (uint8[2, 3, 6, 5] x, uint8[4, 3, 3, 2] w, uint8 z) => (int32[2, 4, H, W] y)
            {{ y = ConvInteger <pads = {pads}, strides = [2, 1]> (x, w, z) }}"""
    )
    feeds = {
        "x": integers("uint8", 2, 3, 6, 5), "w": integers("uint8", 4, 3, 3, 2),
        "z": np.array(11, np.uint8),
    }  # fmt: skip
    mine, theirs = answers(proto, feeds)
    np.testing.assert_array_equal(mine[0], theirs[0])


def test_a_convolution_of_bytes_is_within_one_step():
    proto = model_of(
        """net (uint8[1, 2, 6, 6] x, int8[4, 2, 3, 3] w, int32[4] b) => (uint8[1, 4, 6, 6] y)
            { y = QLinearConv <pads = [1, 1, 1, 1]> (x, xs, xz, w, ws, wz, ys, yz, b) }""",
        {
            "xs": np.float32(0.02).reshape(()), "xz": np.uint8(120).reshape(()),
            "ws": np.float32([0.01, 0.02, 0.03, 0.04]), "wz": np.zeros(4, np.int8),
            "ys": np.float32(0.3).reshape(()), "yz": np.uint8(100).reshape(()),
        },
    )  # fmt: skip
    feeds = {
        "x": integers("uint8", 1, 2, 6, 6), "w": integers("int8", 4, 2, 3, 3),
        "b": RANDOM.integers(-500, 500, 4).astype(np.int32),
    }  # fmt: skip
    mine, theirs = answers(proto, feeds)
    assert np.abs(mine[0].astype(int) - theirs[0].astype(int)).max() <= 1


def calibrated(proto, tmp_path, form):
    """What onnxruntime's own quantiser makes of a model."""

    class Samples(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = [{"x": draw(4, 4, seed=at)} for at in range(8)]

        def get_next(self):
            return self.left.pop() if self.left else None

    path, small = tmp_path / "model.onnx", tmp_path / "small.onnx"
    path.write_bytes(proto.SerializeToString())
    if form == "dynamic":
        quantization.quantize_dynamic(path, small)
    else:
        quantization.quantize_static(
            path, small, Samples(), quant_format=getattr(quantization.QuantFormat, form),
            per_channel=form == "QDQ",
        )  # fmt: skip
    return small


@pytest.mark.parametrize("form", ["dynamic", "QDQ", "QOperator"])
@pytest.mark.filterwarnings("ignore")
def test_what_onnxruntime_quantises_is_loaded(tmp_path, form):
    text = """net (float[N, 4] x) => (float[N, 3] y) {
        h = MatMul (x, w1)
        r = Relu (h)
        y = MatMul (r, w2)
    }"""
    weights = {"w1": draw(4, 8, seed=1), "w2": draw(8, 3, seed=2)}
    small = calibrated(model_of(text, weights), tmp_path, form)
    x = draw(4, 4, seed=3)  # one of those that the ranges are from
    session = onnxruntime.InferenceSession(small, providers=["CPUExecutionProvider"])
    try:
        model = load(small)
    except NotImplementedError as fault:  # com.microsoft has operators of its own
        assert "com.microsoft" in str(fault)
        assert form == "QOperator"
        return
    (want,) = session.run(None, {"x": x})
    (got,) = model.run([x])
    plain = load(model_of(text, weights)).run([x])[0]
    step = np.abs(plain).max() / 100
    np.testing.assert_allclose(got, want, atol=step)
    np.testing.assert_allclose(got, plain, atol=8 * step)


def test_a_model_of_few_bits_that_leaves_here_comes_back(tmp_path):
    network = rl.nn.Sequential(rl.nn.Linear(16, 32), rl.nn.ReLU(), rl.nn.Linear(32, 4)).eval()
    small = rl.ao.quantization.quantize_dynamic(network, {rl.nn.Linear}, dtype=rl.qint8)
    file = io.BytesIO()
    x = rl.randn(5, 16)
    rl.onnx.export(small, (x,), file, input_names=["x"])
    back = load(file.getvalue())
    np.testing.assert_allclose(
        back(x).detach().numpy(), small(x).detach().numpy(), rtol=1e-4, atol=1e-4
    )
