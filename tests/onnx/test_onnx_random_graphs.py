"""Graphs drawn at random: loaded models against onnxruntime."""

import numpy as np
import onnxruntime
import pytest
from random_graphs import Drawing

from rushlight.execute import tier
from rushlight.onnx.loading import load


def compared(seed, length):
    """Both answers to a drawn graph, with the graph's operators for the message."""
    model, feeds = Drawing(seed).drawn(length)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    want = session.run(None, feeds)
    got = load(model).run(feeds)
    for info, mine, theirs in zip(model.graph.output, got, want, strict=True):
        np.testing.assert_allclose(
            mine, theirs, rtol=2e-4, atol=2e-5, err_msg=f"seed {seed}, {info.name}"
        )


@pytest.fixture
def reference():
    """References only: what is compared is the meaning of a graph."""
    before = tier.choose("reference")
    yield
    tier.choose(before)


@pytest.mark.usefixtures("reference")
@pytest.mark.parametrize("seed", range(25))
def test_small_graphs_agree_with_onnxruntime(seed):
    compared(seed, 8)


@pytest.mark.slow
@pytest.mark.usefixtures("reference")
@pytest.mark.parametrize("seed", range(1000, 1400))
def test_larger_graphs_agree_with_onnxruntime(seed):
    compared(seed, 25)
