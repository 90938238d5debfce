"""``onnx.export``: PyTorch's signature, dynamic sizes, refusals, files, and the proof."""

import io
import warnings

import numpy as np
import pytest

import onnx
import rushlight as rl
from rushlight import nn
from rushlight.onnx.build import GOLDENS
from rushlight.onnx.errors import (
    OnnxExporterError,
    OnnxExporterWarning,
    UnsupportedOperatorError,
)
from rushlight.ops.activation import Relu

onnxruntime = pytest.importorskip("onnxruntime")
functional = nn.functional


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def run(path, **inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {name: x.numpy() for name, x in inputs.items()})


def sizes(info) -> list:
    dims = info.type.tensor_type.shape.dim
    return [dim.dim_param or dim.dim_value for dim in dims]


# Files ----------------------------------------------------------------------------------------


def test_older_export_writes_one_file_and_returns_nothing(tmp_path) -> None:
    model, x, path = network(), rl.randn(2, 4), tmp_path / "m.onnx"
    with pytest.warns(DeprecationWarning, match="dynamo=False"):
        made = rl.onnx.export(model, x, path, input_names=["x"], output_names=["y"], dynamo=False)
    assert made is None
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]
    np.testing.assert_allclose(run(path, x=x)[0], model(x).detach().numpy(), atol=1e-5)


def test_older_export_takes_a_file_object() -> None:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rl.onnx.export(network(), (rl.randn(2, 4),), file, dynamo=False)
    onnx.checker.check_model(onnx.load_from_string(file.getvalue()))


def test_newer_export_puts_weights_beside(tmp_path) -> None:
    model, path = nn.Linear(40, 30), tmp_path / "m.onnx"
    made = rl.onnx.export(model, (rl.randn(2, 40),), path, input_names=["x"])
    assert {file.name for file in tmp_path.iterdir()} == {"m.onnx", "m.onnx.data"}
    x = rl.randn(2, 40)
    np.testing.assert_allclose(run(path, x=x)[0], made(x)[0].numpy(), atol=1e-6)
    rl.onnx.export(model, (x,), path)  # again over it: the weights are not added to
    assert (tmp_path / "m.onnx.data").stat().st_size < 2 * 4 * 40 * 30
    assert rl.onnx.selftest(path) < 1e-4


def test_weights_can_be_left_out_or_be_inputs(tmp_path) -> None:
    made = rl.onnx.export(network(), (rl.randn(2, 4),))
    made.save(tmp_path / "none.onnx", include_initializers=False, keep_initializers_as_inputs=True)
    graph = onnx.load(tmp_path / "none.onnx").graph
    assert not graph.initializer
    assert {"0.weight", "2.bias"} <= {info.name for info in graph.input}
    with pytest.raises(TypeError, match="need a path"):
        made.save(io.BytesIO(), external_data=True)


def test_weights_have_the_names_and_numbers_of_the_state() -> None:
    model = network()
    graph = rl.onnx.export(model, (rl.randn(2, 4),)).model_proto.graph
    found = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


def test_half_types_keep_their_bits() -> None:
    for dtype in (rl.float16, rl.bfloat16):
        model = nn.Linear(3, 2).to(dtype)
        made = rl.onnx.export(model, (rl.randn(2, 3).to(dtype),))
        (info,) = made.model_proto.graph.output
        kind = {rl.float16: onnx.TensorProto.FLOAT16, rl.bfloat16: onnx.TensorProto.BFLOAT16}
        assert info.type.tensor_type.elem_type == kind[dtype]


def test_weights_can_be_replaced() -> None:
    made = rl.onnx.export(network(), (rl.randn(2, 4),), dynamic_shapes={"input": {0: "n"}})
    other, x = network(), rl.randn(3, 4)
    made.apply_weights(other.state_dict())
    for found in (made(x), made.call_reference(x)):
        np.testing.assert_allclose(found[0].numpy(), other(x).detach().numpy(), atol=1e-5)
    with pytest.raises(ValueError, match=r"0\.weight is"):
        made.apply_weights({"0.weight": rl.ones(2)})
    with pytest.warns(OnnxExporterWarning, match="'other' not found"):
        made.apply_weights({"other": rl.ones(2)})
    made.rename_axes({"n": "rows"})
    assert sizes(made.model_proto.graph.input[0]) == ["rows", 4]


# Arguments ------------------------------------------------------------------------------------


class Named(nn.Module):
    def forward(self, x, *, scale=None, pair=()):
        y = x if scale is None else x * scale
        return {"sum": y.sum(), "rest": [y + each for each in pair]}


def test_arguments_by_name_and_nested() -> None:
    made = rl.onnx.export(
        Named(), (rl.ones(3),), kwargs={"scale": rl.tensor(2.0), "pair": (rl.ones(3), rl.zeros(3))}
    )
    names = [info.name for info in made.model_proto.graph.input]
    assert names == ["x", "scale", "pair_0", "pair_1"]
    found = made(rl.ones(3), scale=rl.tensor(3.0), pair=(rl.ones(3), rl.zeros(3)))
    assert [x.tolist() for x in found] == [9.0, [4.0] * 3, [3.0] * 3]


def test_a_dictionary_behind_the_arguments_names_some() -> None:
    made = rl.onnx.export(Named(), (rl.ones(3), {"scale": rl.tensor(2.0)}))
    assert [info.name for info in made.model_proto.graph.input] == ["x", "scale"]


def test_too_many_names_are_refused() -> None:
    with pytest.raises(OnnxExporterError, match="2 names are given for 1"):
        rl.onnx.export(network(), (rl.randn(2, 4),), input_names=["a", "b"])


def test_an_opset_that_is_not_written() -> None:
    with pytest.raises(OnnxExporterError, match="opset_version is 27; 17 to 26"):
        rl.onnx.export(network(), (rl.randn(2, 4),), opset_version=27)


def test_an_older_opset_is_converted_or_told_of() -> None:
    made = rl.onnx.export(network(), (rl.randn(2, 4),), opset_version=11)
    assert made.model_proto.opset_import[0].version == 11
    with pytest.warns(OnnxExporterWarning, match="17 is the oldest"):
        made = rl.onnx.export(nn.LayerNorm(4), (rl.randn(2, 4),), opset_version=11)
    assert made.model_proto.opset_import[0].version == 17


def test_pytorch_s_own_options_are_refused() -> None:
    with pytest.raises(ValueError, match="report belongs to PyTorch"):
        rl.onnx.export(network(), (rl.randn(2, 4),), report=True)
    with pytest.warns(DeprecationWarning), pytest.raises(ValueError, match="through parameter"):
        rl.onnx.export(network(), (rl.randn(2, 4),), dynamo=False, dynamic_shapes={"input": None})


# Sizes ----------------------------------------------------------------------------------------


class Shapes(nn.Module):
    def forward(self, x, y):
        B, T, C = x.shape
        flat = x.reshape(B * T, C)
        padded = functional.pad(x, (0, 0, 0, 2 * T + 1))
        ones = rl.ones(B, 3 * T) * rl.arange(3 * T)
        return flat, padded, ones, x.view(B, -1)[:, : T * C - 1], x.mean(1).expand(B, C) + y


def test_sizes_that_vary_are_read_from_shapes() -> None:
    made = rl.onnx.export(
        Shapes(), (rl.randn(2, 5, 3), rl.randn(2, 3)), input_names=["x", "y"],
        output_names=["flat", "padded"],
        dynamic_axes={"x": {0: "batch", 1: "time"}, "y": [0], "flat": {0: "rows"}},
    )  # fmt: skip
    graph = made.model_proto.graph
    assert sizes(graph.input[0]) == ["batch", "time", 3]
    assert sizes(graph.input[1]) == ["y_dynamic_axes_1", 3]
    assert sizes(graph.output[0]) == ["rows", 3]
    for B, T in ((1, 1), (3, 2), (4, 9)):
        given = rl.randn(B, T, 3), rl.randn(B, 3)
        for got, wanted in zip(made(*given), Shapes()(*given), strict=True):
            np.testing.assert_allclose(got.numpy(), wanted.numpy(), atol=1e-6)


def test_one_batch_in_the_example_may_be_any() -> None:
    made = rl.onnx.export(network(), (rl.randn(1, 4),), dynamic_shapes={"input": {0: "batch"}})
    assert made(rl.randn(6, 4))[0].shape == (6, 3)


class Both(nn.Module):
    def forward(self, x, y):
        return x + y


def test_dimensions_that_have_to_be_equal_are_one() -> None:
    made = rl.onnx.export(
        Both(), (rl.ones(2, 3), rl.ones(2, 3)), input_names=["x", "y"],
        dynamic_axes={"x": {0: "n"}, "y": {0: "m"}},
    )  # fmt: skip
    assert made(rl.ones(4, 3), rl.ones(4, 3))[0].shape == (4, 3)


class Branching(nn.Module):
    def forward(self, x):
        return x + 1 if x.shape[0] > 3 else x * 2


def test_another_path_at_another_size_is_refused() -> None:
    with pytest.raises(RuntimeError, match="other operations"):
        rl.onnx.export(Branching(), (rl.randn(3, 2),), dynamic_shapes={"x": {0: "n"}})


# Outputs --------------------------------------------------------------------------------------


class Same(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(rl.ones(3))

    def forward(self, x):
        y = x * self.weight
        return x, self.weight, y, y, rl.tensor([1.0, 2.0])


def test_outputs_that_are_inputs_weights_or_twice_the_same() -> None:
    made = rl.onnx.export(Same(), (rl.ones(3),), output_names=list("abcde"))
    assert [info.name for info in made.model_proto.graph.output] == list("abcde")
    assert [x.tolist() for x in made(rl.full((3,), 4.0))] == [
        [4.0] * 3, [1.0] * 3, [4.0] * 3, [4.0] * 3, [1.0, 2.0],
    ]  # fmt: skip


# Refusals -------------------------------------------------------------------------------------


class Inner(nn.Module):
    def forward(self, x):
        return rl.linalg.svd(x * 2)[1]


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()

    def forward(self, x):
        return self.inner(x) + 1


def test_a_refusal_names_operation_opset_layer_and_line() -> None:
    with pytest.raises(UnsupportedOperatorError) as caught:
        rl.onnx.export(Outer(), (rl.randn(3, 3),), opset_version=18)
    text = str(caught.value)
    assert "linalg_svd cannot become ONNX (opset 18)" in text
    assert "rl.linalg.svd(x * 2)[1]" in text
    assert "in layer inner" in text
    assert isinstance(caught.value, rl.onnx.OnnxExporterError)


def test_what_cannot_be_written_is_no_matter_where_nothing_needs_it() -> None:
    class Half(nn.Module):
        def forward(self, x):
            rl.linalg.svd(x)
            return x + 1

    assert rl.onnx.export(Half(), (rl.randn(3, 3),))


def test_draws_are_refused_and_other_state_is_told() -> None:
    with pytest.raises(OnnxExporterError, match=r"model.eval\(\)"):
        rl.onnx.export(nn.Sequential(nn.Dropout(0.5)), (rl.randn(3, 3),))
    with pytest.warns(OnnxExporterWarning, match="writes to 'running_mean'"):
        rl.onnx.export(nn.BatchNorm1d(3), (rl.randn(4, 3),))


def test_older_export_evaluates_and_leaves_the_mode() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2)).train()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rl.onnx.export(model, (rl.randn(3, 4),), io.BytesIO(), dynamo=False)
    assert model.training and model[0].training


# The proof ------------------------------------------------------------------------------------


def test_a_model_that_disagrees_is_not_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Relu, "onnx", "Abs")
    with pytest.raises(OnnxExporterError, match="gives another 'output'"):
        rl.onnx.export(network(), (rl.randn(20, 4),), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_written_model_is_checked_by_its_goldens(tmp_path) -> None:
    path = tmp_path / "m.onnx"
    rl.onnx.export(network(), (rl.randn(2, 4),), path, external_data=False)
    assert rl.onnx.selftest(path) < 1e-4
    made = onnx.load(path)
    bits = np.frombuffer(made.graph.initializer[0].raw_data, np.float32) + 1
    made.graph.initializer[0].raw_data = bits.tobytes()
    onnx.save(made, path)
    with pytest.raises(OnnxExporterError, match="differs by"):
        rl.onnx.selftest(path)
    del made.metadata_props[:]
    with pytest.raises(OnnxExporterError, match="carries no inputs"):
        rl.onnx.selftest(made)


def test_goldens_are_kept_as_plain_arrays() -> None:
    made = rl.onnx.export(network(), (rl.randn(2, 4),))
    assert [entry.key for entry in made.model_proto.metadata_props] == [GOLDENS]


# Names ----------------------------------------------------------------------------------------


class Asking(nn.Module):
    def forward(self, x):
        return x * 2 if rl.onnx.is_in_onnx_export() else x


def test_a_model_can_ask_whether_it_is_exported() -> None:
    made = rl.onnx.export(Asking(), (rl.ones(2),))
    assert made(rl.ones(2))[0].tolist() == [2.0, 2.0]
    assert not rl.onnx.is_in_onnx_export()


def test_names_of_pytorch() -> None:
    torch_onnx = pytest.importorskip("torch.onnx")
    ours = {"errors", "export", "is_in_onnx_export", "OnnxExporterError", "ONNXProgram"}
    assert ours <= set(torch_onnx.__all__)
    for name in ours | {"OperatorExportTypes", "TrainingMode"}:
        assert hasattr(rl.onnx, name)


def test_programs_and_traces_are_exported(tmp_path) -> None:
    model, x = network(), rl.randn(2, 4)
    program = rl.export.export(model, (x,), dynamic_shapes={"input": {0: rl.export.Dim("n")}})
    assert rl.onnx.export(program)(rl.randn(5, 4))[0].shape == (5, 3)
    assert rl.onnx.export(rl.jit.trace(model, (x,)), (x,))(x)[0].shape == (2, 3)
