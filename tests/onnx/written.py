"""Models written as text, with weights."""

import numpy as np
import onnx.parser

from onnx import numpy_helper


def model_of(text, weights=None, version=17):
    """A model written as text, with weights by name."""
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {version}]>\n{text}')
    for name, array in (weights or {}).items():
        proto.graph.initializer.append(numpy_helper.from_array(array, name))
    return proto


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def perceptron():
    return model_of(
        """net (float[N, 4] x) => (float[N, 3] y) {
            h = Gemm <transB = 1> (x, "fc1.weight", "fc1.bias")
            r = Relu (h)
            y = Gemm <transB = 1> (r, "fc2.weight", "fc2.bias")
        }""",
        {
            "fc1.weight": draw(8, 4, seed=1), "fc1.bias": draw(8, seed=2),
            "fc2.weight": draw(3, 8, seed=3), "fc2.bias": draw(3, seed=4),
        },
    )  # fmt: skip
