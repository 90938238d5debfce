"""A model drawn as a graph of its layers."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

import rushlight as rl
from rushlight import nn
from rushlight.train.layer_graph import boxes_of
from rushlight.train.network_picture import draw_network


def told(boxes):
    """Each box with the names of what it reads."""
    return [(box.name, box.kind, [b.name for b in box.before]) for box in boxes]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.drop = nn.Dropout()

    def forward(self, x):
        return self.drop(self.act(self.conv(x)) + x)


def test_layers_and_what_lies_between():
    assert told(boxes_of(Residual(), rl.ones(1, 2, 4, 4))) == [
        ("input", "", []),
        ("conv", "Conv2d", ["input"]),
        ("act", "ReLU", ["conv"]),
        ("add", "", ["act", "input"]),  # dropout does nothing in evaluation
    ]


def test_shapes_and_weights():
    _, linear = boxes_of(nn.Linear(3, 5), rl.ones(7, 3))
    assert (linear.shape, linear.parameters) == ((7, 5), 20)


def test_several_inputs_and_results():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 8)
            self.head = nn.Linear(8, 3)

        def forward(self, x, y, scale):
            states, (h, _) = self.lstm(x)
            return {"a": self.head(states[-1]) * scale, "b": [y + 1, h]}

    boxes = boxes_of(Two(), rl.zeros(5, 2, 4), rl.zeros(3), 2.0)
    names = [name for name, _, _ in told(boxes)]
    assert {"input 0", "input 1", "lstm", "head"} <= set(names)
    assert names.index("lstm") < names.index("head")


def test_a_layer_called_twice_has_two_boxes():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(self.layer(x))

    assert [name for name, _, _ in told(boxes_of(Twice(), rl.ones(1, 3)))] == [
        "input", "layer", "layer",
    ]  # fmt: skip


def test_attention_is_one_box():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    assert ("self_attn", "MultiheadAttention", ["input"]) in told(
        boxes_of(layer, rl.zeros(1, 5, 8))
    )


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout())
    model[2].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    draw_network(model, rl.ones(4, 3))
    assert [part.training for part in model.modules()] == [True, True, True, False]
    assert all(rl.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert all(parameter.grad_fn is None for parameter in model.parameters())


@pytest.mark.parametrize("name", ["<script>", 'a"b', "ä & ö"])
def test_the_picture_is_well_formed(name):
    model = nn.Sequential()
    model.add_module(name, nn.Linear(3, 2))
    root = ET.fromstring(draw_network(model, rl.ones(1, 3)))
    assert root.tag.endswith("svg")
    assert name in "".join(root.itertext())


def test_a_deep_network():
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(400)])
    assert draw_network(model, rl.ones(1, 2)).count("<rect") == 401
