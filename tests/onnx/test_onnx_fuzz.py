"""Models with something changed: whatever it is, it runs or is refused in a sentence of ours."""

import random
import signal
import warnings

import numpy as np
import pytest
from onnx.backend.test.loader import load_model_tests

import onnx
from rushlight.base.errors import Fault
from rushlight.execute import tier
from rushlight.onnx.loading import load

ODD = {"ints": [0, -1, 1, 2, 3, 7, 100, -5], "floats": [0.0, -1.0, float("nan"), 1e9]}


@pytest.fixture(scope="module")
def models():
    """The small models of onnx's tests with their inputs, but for what runs long by design."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_model_tests(kind="node")
    return [
        (case.model, [_array(one) for one in case.data_sets[0][0]])
        for case in found
        if not any(word in case.name for word in ("loop", "range", "image_decoder"))
    ]


def _array(value):
    return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def changed(model, draw):
    """A copy with one node's attribute, input or length changed."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    node = draw.choice(copy.graph.node)
    way = draw.randrange(5)
    if way < 3 and node.attribute:
        attribute = draw.choice(node.attribute)
        if way == 0:
            _change_value(attribute, draw)
        elif way == 1:
            node.attribute.remove(attribute)
        elif attribute.ints:
            attribute.ints.append(1)
    elif way == 3 and node.input:
        node.input[draw.randrange(len(node.input))] = draw.choice([*node.input, ""])
    elif way == 4 and len(node.input) > 1:
        del node.input[draw.randrange(len(node.input))]
    return copy


def _change_value(attribute, draw):
    if attribute.ints:
        attribute.ints[draw.randrange(len(attribute.ints))] = draw.choice(ODD["ints"])
    elif attribute.type == attribute.INT:
        attribute.i = draw.choice(ODD["ints"])
    elif attribute.type == attribute.FLOAT:
        attribute.f = draw.choice(ODD["floats"])
    elif attribute.type == attribute.STRING:
        attribute.s = draw.choice([b"nonsense", b"\xff\xfe", b"", b"linear"])


def other_inputs(inputs, draw):
    inputs = list(inputs)
    if inputs and draw.random() < 0.3:
        at = draw.randrange(len(inputs))
        if isinstance(inputs[at], np.ndarray) and inputs[at].ndim:
            one = inputs[at]
            inputs[at] = draw.choice([one[:0], one[..., :1], one.reshape(-1)])
    return inputs


def fuzzed(models, seed, count):
    draw = random.Random(seed)
    before = tier.choose("reference")
    signal.signal(signal.SIGALRM, signal.default_int_handler)  # a hang ends in KeyboardInterrupt
    try:
        for _ in range(count):
            model, inputs = draw.choice(models)
            model, inputs = changed(model, draw), other_inputs(inputs, draw)
            signal.alarm(20)
            try:
                load(model).run(inputs)
            except (Fault, MemoryError):
                pass  # refused in our words, or too large for this machine
            finally:
                signal.alarm(0)
    finally:
        tier.choose(before)


@pytest.mark.filterwarnings("ignore")
def test_a_changed_model_runs_or_is_refused(models):
    fuzzed(models, 0, 300)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_changed_models_run_or_are_refused(models, seed):
    fuzzed(models, seed, 4000)
