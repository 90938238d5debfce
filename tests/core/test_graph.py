"""Nodes, graphs and their text."""

from __future__ import annotations

import pickle
import re

import pytest

import rushlight as rl
from rushlight import ops
from rushlight.base.errors import InternalError, ShapeError
from rushlight.execute.cut import Cut
from rushlight.graph.op import Op, table
from rushlight.graph.show import show
from rushlight.graph.spec import Spec


def graph_of(*tensors):
    return Cut([t.node for t in tensors]).graph()


def test_a_graph_prints_with_types_and_lines():
    x = rl.tensor([[1.0, 2.0]])
    y = (x * 2.0).relu()
    y = y.sum()
    text = re.sub(r"test_graph\.py:\d+", "test_graph.py:N", show(graph_of(y)))
    assert text == GOLDEN


GOLDEN = """\
graph (x0: f32[1, 2], n0: f32[]) {
  %0 = mul x0, n0                       : f32[1, 2]   # test_graph.py:N
  %1 = relu %0                          : f32[1, 2]   # test_graph.py:N
  %2 = sum %1 dims=(0, 1) keepdim=False : f32[]       # test_graph.py:N
  return %2
}"""


def test_numbers_are_no_part_of_a_graphs_identity():
    x = rl.ones(3)
    rl.realize(x)
    assert Cut([(x * 2.0).node]).key == Cut([(x * 3.0).node]).key
    assert Cut([(x * 2.0).node]).key != Cut([(x + 2.0).node]).key


def test_who_holds_a_node_is_part_of_a_graphs_identity():
    x = rl.ones(3)
    rl.realize(x)
    y = x.exp()
    z = y + 1
    assert _outputs(z) == ["exp", "add"]
    del y
    assert _outputs(z) == ["add"]


def _outputs(tensor):
    return [node.op.name for node in Cut([tensor.node]).outputs]


def test_equal_specs_are_one_object():
    assert Spec.of((2, 3), rl.float32) is Spec.of((2, 3), rl.float32)
    assert Spec.of((2, 3), rl.float32) is not Spec.of((2, 3), rl.float64)
    assert repr(Spec.of((2, 3), rl.bfloat16)) == "bf16[2, 3]"


def test_two_operations_cannot_share_a_name():
    class Twin(Op):
        name = "add"

    with pytest.raises(InternalError, match="two operations are called add"):
        Twin()
    assert type(table["add"]).__name__ == "Add"


def test_an_error_has_operation_values_rule_and_line():
    a, b = rl.ones(2), rl.ones(3)
    with pytest.raises(RuntimeError) as caught:
        a + b  # written here
    text = str(caught.value)
    assert text.startswith("[add] The size of tensor a (2) must match the size of tensor b (3)")
    assert "a is (2,), b is (3,)" in text
    assert re.search(r"recorded at test_graph\.py:\d+: a \+ b  # written here", text)


def test_an_error_travels_between_processes():
    with pytest.raises(ShapeError) as caught:
        rl.ones(2) + rl.ones(3)
    twin = pickle.loads(pickle.dumps(caught.value))
    assert type(twin) is ShapeError
    assert str(twin) == str(caught.value)


def test_an_operation_that_was_called_can_be_recorded():
    x, y = rl.ones(3), rl.ones(2, 3, dtype=rl.float64)
    for a, b in ((x, x), (x, y)):
        called = (a + b).node
        inputs = tuple(ops.cast(tensor.node, called.dtype) for tensor in (a, b))
        assert ops.add.record(inputs).spec is called.spec
