"""Loading ONNX models: what they compute, how they train, and what is refused."""

import copy

import numpy as np
import onnx.parser
import onnxruntime
import pytest
from written import draw, model_of, perceptron

import onnx
import rushlight as rl
from onnx import TensorProto, helper, numpy_helper
from rushlight.onnx.loading import load


@pytest.fixture(name="perceptron")
def the_perceptron():
    return perceptron()


def by_onnxruntime(proto, feeds):
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)


def test_a_model_comes_from_a_path_bytes_or_a_message(perceptron, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(perceptron, path)
    x = draw(5, 4)
    want = by_onnxruntime(perceptron, {"x": x})[0]
    for source in (path, str(path), path.read_bytes(), perceptron):
        got = load(source)(rl.tensor(x))
        np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-5, atol=1e-6)


def test_weights_are_parameters_under_their_own_names(perceptron):
    model = load(perceptron)
    assert list(model.state_dict()) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    assert [name for name, _ in model.named_parameters()] == list(model.state_dict())
    assert not model.training
    assert "x -> y" in repr(model)


def test_the_caller_s_message_is_left_alone(perceptron):
    before = perceptron.SerializeToString()
    load(perceptron)(rl.zeros(1, 4))
    assert perceptron.SerializeToString() == before


def test_a_loaded_model_is_fine_tuned(perceptron):
    model = load(perceptron).train()
    optimizer = rl.optim.Adam(model.parameters(), lr=0.05)
    x, target = rl.tensor(draw(32, 4)), rl.tensor(np.arange(32) % 3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = rl.nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_gradients_are_those_of_the_same_layers(perceptron):
    model = load(perceptron)
    same = rl.nn.Sequential(rl.nn.Linear(4, 8), rl.nn.ReLU(), rl.nn.Linear(8, 3))
    with rl.no_grad():
        for mine, theirs in zip(same.parameters(), model.parameters(), strict=True):
            mine.copy_(theirs)
    x = rl.tensor(draw(6, 4))
    same(x).square().sum().backward()
    model(x).square().sum().backward()
    for mine, theirs in zip(same.parameters(), model.parameters(), strict=True):
        np.testing.assert_allclose(theirs.grad.numpy(), mine.grad.numpy(), rtol=1e-6)


def test_running_values_are_buffers_that_training_moves():
    proto = model_of(
        "net (float[N, 3] x) => (float[N, 3] y)"
        " { y = BatchNormalization (x, scale, bias, mean, var) }",
        {
            "scale": np.ones(3, np.float32), "bias": np.zeros(3, np.float32),
            "mean": np.zeros(3, np.float32), "var": np.ones(3, np.float32),
        },
    )  # fmt: skip
    model = load(proto)
    assert [name for name, _ in model.named_parameters()] == ["scale", "bias"]
    layer = rl.nn.BatchNorm1d(3)
    x = rl.tensor(draw(10, 3) * 3 + 1)
    np.testing.assert_allclose(model(x).detach().numpy(), layer.eval()(x).detach().numpy())
    assert model.mean.abs().sum().item() == 0  # nothing moves in evaluation mode
    got, want = model.train()(x), layer.train()(x)
    np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.mean.numpy(), layer.running_mean.numpy(), rtol=1e-5)
    np.testing.assert_allclose(model.var.numpy(), layer.running_var.numpy(), rtol=1e-5)


def test_settings_and_single_numbers_do_not_train():
    proto = model_of(
        "net (float[4] x) => (float[4] y) { a = Clip (x, low, high)\n y = Mul (a, half) }",
        {
            "low": np.float32(-1).reshape(()), "high": np.float32(1).reshape(()),
            "half": np.float32(0.5).reshape(()),
        },
    )  # fmt: skip
    model = load(proto)
    assert list(model.parameters()) == []
    assert model(rl.tensor([-3.0, -1, 0.5, 9])).tolist() == [-0.5, -0.5, 0.25, 0.5]


def test_a_branch_sees_what_surrounds_it():
    proto = model_of(
        """net (float[N] x, bool c) => (float[N] y) {
            twice = Add (x, x)
            y = If (c) <
                then_branch = then_one () => (float[N] a) { a = Neg (twice) },
                else_branch = else_one () => (float[N] b) { b = Add (twice, x) }
            >
        }"""
    )
    model = load(proto)
    x = rl.tensor([1.0, 2.0])
    assert model(x, rl.tensor(True)).tolist() == [-2.0, -4.0]
    assert model(x, rl.tensor(False)).tolist() == [3.0, 6.0]
    x.requires_grad_()
    model(x, rl.tensor(False)).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_loop_without_a_turn_gives_empty_results():
    proto = model_of(
        """net (int64 n, float[2] x) => (float[2] last, float[T, 2] all) {
            t = Constant <value = bool {1}> ()
            last, all = Loop (n, t, x) <
                body = turn (int64 i, bool c, float[2] s) => (bool d, float[2] u, float[2] v) {
                    d = Identity (c)
                    u = Add (s, s)
                    v = Identity (u)
                }
            >
        }"""
    )
    model = load(proto)
    last, gathered = model(rl.tensor(3), rl.tensor([1.0, 2.0]))
    assert last.tolist() == [8.0, 16.0]
    assert gathered.tolist() == [[2.0, 4.0], [4.0, 8.0], [8.0, 16.0]]
    last, gathered = model(rl.tensor(0), rl.tensor([1.0, 2.0]))
    assert last.tolist() == [1.0, 2.0]
    assert tuple(gathered.shape) == (0, 2)


def test_functions_of_the_file_take_attributes_and_call_each_other():
    proto = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
        net (float[N] x) => (float[N] y) { y = mine.outer <slope = 0.5> (x) }
        <domain: "mine", opset_import: ["" : 17, "mine" : 1]>
        outer <slope> (a) => (b) { h = mine.inner <alpha: float = @slope> (a)
            b = Add (h, a) }
        <domain: "mine", opset_import: ["" : 17]>
        inner <alpha> (a) => (b) { b = LeakyRelu <alpha: float = @alpha> (a) }"""
    )
    assert load(proto)(rl.tensor([-2.0, 2.0])).tolist() == [-3.0, 4.0]


def test_an_input_with_a_default_may_be_left_out():
    proto = model_of(
        "net (float[2] x, float[2] w) => (float[2] y) { y = Mul (x, w) }",
        {"w": np.float32([2, 3])},
    )
    model = load(proto)
    assert model(rl.tensor([1.0, 1.0])).tolist() == [2.0, 3.0]
    assert model(rl.tensor([1.0, 1.0]), rl.tensor([5.0, 5.0])).tolist() == [5.0, 5.0]
    assert model(x=rl.tensor([1.0, 1.0]), w=rl.tensor([7.0, 7.0])).tolist() == [7.0, 7.0]
    assert [one.name for one in model.parameters()] == [] or model.w.requires_grad


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ((rl.zeros(2, 5),), RuntimeError, r"input 'x' is \(2, 5\)"),
        ((rl.zeros(2, 4, dtype=rl.float64),), RuntimeError, "input 'x' is torch.float64"),
        ((rl.zeros(4),), RuntimeError, r"takes \('N', 4\)"),
        (([1, 2],), TypeError, "input 'x' is a list"),
        ((), ValueError, "input 'x' is missing"),
        ((rl.zeros(2, 4), rl.zeros(2, 4)), ValueError, "2 inputs were given for 1"),
    ],
)
def test_wrong_inputs_are_named(perceptron, given, error, message):
    with pytest.raises(error, match=message):
        load(perceptron)(*given)


@pytest.mark.parametrize("name", ["uint16", "uint32", "uint64", "int16", "float16", "float64"])
def test_arrays_of_the_file_s_types(name):
    info = [
        helper.make_tensor_value_info(one, helper.np_dtype_to_tensor_dtype(np.dtype(name)), ["N"])
        for one in ("x", "y")
    ]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "net", *zip(info))
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    x = np.array([1, 2, 100], name)
    (y,) = load(proto).run([x])
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, x + x)


def test_what_a_wide_type_does_with_a_narrow_one_s_overflow():
    proto = model_of("net (uint64[N] x, uint64[N] z) => (bool[N] y) { y = Less (x, z) }")
    x, z = np.array([2**63 + 1, 1], np.uint64), np.array([1, 2**64 - 1], np.uint64)
    assert load(proto).run([x, z])[0].tolist() == [False, True]
    proto = model_of("net (uint16[N] x, uint16[N] z) => (uint16[N] y) { y = Sub (x, z) }")
    x, z = np.array([1], np.uint16), np.array([3], np.uint16)
    assert load(proto).run([x, z])[0].tolist() == [65534]


def test_a_saved_state_goes_back_into_a_loaded_model(perceptron):
    model, other = load(perceptron), load(perceptron)
    with rl.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
    other.load_state_dict(model.state_dict())
    x = rl.tensor(draw(3, 4))
    assert other(x).tolist() == model(x).tolist()


def test_a_copy_trains_by_itself(perceptron):
    model = load(perceptron)
    twin = copy.deepcopy(model)
    with rl.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    x = rl.tensor(draw(3, 4))
    assert twin(x).abs().sum().item() == 0
    assert model(x).abs().sum().item() > 0
    assert twin.train().training
    assert not model.training


def test_shapes_that_are_worked_out_follow_the_input_and_its_buffers():
    proto = model_of(
        """net (float[N, M] x) => (float[K] y) {
            s = Shape (x)
            first = Gather (s, zero)
            both = ReduceProd <keepdims = 1> (s)
            scaled = Mul (both, one)
            y = Reshape (x, scaled)
        }""",
        {"zero": np.int64(0).reshape(()), "one": np.int64([1])},
    )
    model = load(proto)
    for size in ((2, 3), (4, 5), (2, 3), (0, 3)):
        assert model(rl.zeros(size)).shape == (size[0] * size[1],)
    model.one.fill_(-1)  # what was worked out before does not outlive a change
    with pytest.raises(RuntimeError):
        model(rl.zeros(2, 3))


def test_half_precision_and_double_are_a_call_away():
    proto = model_of(
        "net (float[N, 2] x) => (float[N, 2] y) { y = MatMul (x, w) }",
        {"w": np.float32([[1, 2], [3, 4]])},
    )
    model = load(proto).to(rl.float64)
    assert model.w.dtype is rl.float64


def test_a_sparse_weight_is_read_with_its_zeros():
    proto = model_of("net (float[N, 3] x) => (float[N, 2] y) { y = MatMul (x, w) }")
    values = helper.make_tensor("w", TensorProto.FLOAT, [2], [5.0, 7.0])
    places = helper.make_tensor("places", TensorProto.INT64, [2], [1, 4])
    proto.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [3, 2]))
    assert load(proto).w.tolist() == [[0, 5], [0, 0], [7, 0]]
    proto.graph.sparse_initializer[0].indices.int64_data[:] = [1, 6]
    with pytest.raises(ValueError, match=r"onnx\.load"):
        load(proto)


def test_a_bundle_of_weights_inside_a_branch_trains():
    inner = helper.make_graph(
        [helper.make_node("Mul", ["x", "scale"], ["a"])], "then", [],
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, [2])],
        [numpy_helper.from_array(np.float32([2, 3]), "scale")],
    )  # fmt: skip
    other = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["b"])], "else", [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, [2])],
    )  # fmt: skip
    proto = model_of("net (float[2] x, bool c) => (float[2] y) { y = Identity (x) }")
    proto.graph.node[0].CopyFrom(
        helper.make_node("If", ["c"], ["y"], name="branch", then_branch=inner, else_branch=other)
    )
    model = load(proto)
    assert [name for name, _ in model.named_parameters()] == ["branch.scale"]
    model(rl.tensor([1.0, 1.0]), rl.tensor(True)).sum().backward()
    assert model.branch.scale.grad.tolist() == [1, 1]


def test_the_server_reads_onnx_files(perceptron, tmp_path):
    from rushlight.serve.models import read
    from rushlight.serve.signature import Signature

    onnx.save(perceptron, tmp_path / "model.onnx")
    signature = Signature.of(read(tmp_path / "model.onnx"))
    assert [(port.name, port.sizes) for port in signature.inputs] == [("x", [-1, 4])]
    assert signature.apart == ""
