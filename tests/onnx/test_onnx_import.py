"""Loading ONNX models: what they compute, how they train, and what is refused."""

import numpy as np
import onnx.parser
import onnxruntime
import pytest

import onnx
import rushlight as rl
from onnx import TensorProto, helper, numpy_helper
from rushlight.onnx.loading import load


def model_of(text, weights=None, version=17):
    """A model written as text, with weights by name."""
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {version}]>\n{text}')
    for name, array in (weights or {}).items():
        proto.graph.initializer.append(numpy_helper.from_array(array, name))
    return proto


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture
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


def test_a_function_that_calls_itself_is_refused():
    proto = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
        net (float[N] x) => (float[N] y) { y = mine.f (x) }
        <domain: "mine", opset_import: ["" : 17, "mine" : 1]>
        f (a) => (b) { b = mine.f (a) }"""
    )
    with pytest.raises(ValueError, match=r"onnx\.load"):
        load(proto)


def test_functions_that_multiply_are_refused(monkeypatch):
    monkeypatch.setattr("rushlight.onnx.loading_graph.MOST_STEPS", 1000)
    parts = [
        """<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
        net (float[N] x) => (float[N] y) { y = mine.f0 (x) }"""
    ]
    for at in range(8):
        inner = f"mine.f{at + 1}" if at < 7 else "Neg"
        lines = "\n".join(f"a{i + 1} = {inner} (a{i})" for i in range(10))
        parts.append(
            f'<domain: "mine", opset_import: ["" : 17, "mine" : 1]>\n'
            f"f{at} (a0) => (a10) {{ {lines} }}"
        )
    with pytest.raises(ValueError, match="more than 1000 steps"):
        load(onnx.parser.parse_model("\n".join(parts)))


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


def test_strings_are_refused_when_loading():
    text = "net (string[N] x) => (string[N] y) { y = Identity (x) }"
    with pytest.raises(NotImplementedError, match="value 'x' holds strings"):
        load(model_of(text))


def test_an_operator_that_is_not_there_is_named_with_node_and_domain():
    proto = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 17, "com.acme" : 1]>
        net (float[N] x) => (float[N] y) { y = com.acme.Warp (x) }"""
    )
    with pytest.raises(NotImplementedError, match=r"'Warp' of domain 'com.acme'.*node 'y'"):
        load(proto)


def test_a_fault_inside_names_the_node(perceptron):
    proto = model_of(
        "net (float[M, N] x, float[K] z) => (float[M, K] y)"
        " { h = Relu (x)\n y = Add (h, z) }"
    )  # fmt: skip
    proto.graph.node[1].name = "sum/both"
    with pytest.raises(RuntimeError, match="sum/both"):
        load(proto)(rl.zeros(2, 3), rl.zeros(2))


@pytest.mark.parametrize("cut", [0, 1, 7, 40, 150])
def test_a_truncated_file_is_refused(perceptron, cut):
    with pytest.raises(ValueError, match=r"onnx\.load"):
        load(perceptron.SerializeToString()[:cut])


@pytest.mark.parametrize("data", [b"not a model", b"\x80\x04\x95", b"PK\x03\x04" + b"\0" * 50])
def test_a_foreign_file_is_refused(data):
    with pytest.raises(ValueError, match=r"onnx\.load"):
        load(data)


def test_a_damaged_byte_never_gives_another_kind_of_fault(perceptron):
    data = bytearray(perceptron.SerializeToString())
    random = np.random.default_rng(5)
    for _ in range(300):
        broken = data.copy()
        for at in random.integers(0, len(data), 3):
            broken[at] = random.integers(0, 256)
        try:
            load(bytes(broken))
        except (ValueError, NotImplementedError, RuntimeError) as fault:
            assert type(fault).__module__.startswith("rushlight"), repr(fault)


def test_sizes_that_do_not_fit_their_data_are_refused(perceptron):
    for sizes in ([10**9, 10**9], [-1, 4], [8, 5]):
        proto = onnx.ModelProto()
        proto.CopyFrom(perceptron)
        proto.graph.initializer[0].dims[:] = sizes
        with pytest.raises(ValueError, match=r"onnx\.load"):
            load(proto)


def outside(perceptron, folder, location="weights.bin", offset=0, length=None):
    """The model with its first weight in another file."""
    proto = onnx.ModelProto()
    proto.CopyFrom(perceptron)
    tensor = proto.graph.initializer[0]
    data = tensor.raw_data
    (folder / "weights.bin").write_bytes(b"\0" * 8 + data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    length = len(data) if length is None else length
    for key, value in {"location": location, "offset": offset, "length": length}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_data_beside_the_file_are_read(perceptron, tmp_path):
    path = outside(perceptron, tmp_path, offset=8)
    x = rl.tensor(draw(2, 4))
    assert load(path)(x).tolist() == load(perceptron)(x).tolist()
    assert load(path.read_bytes(), folder=tmp_path)(x).tolist() == load(perceptron)(x).tolist()
    with pytest.raises(ValueError, match="lie in another file"):
        load(path.read_bytes())


@pytest.mark.parametrize(
    "location", ["../weights.bin", "/etc/passwd", "a/../../weights.bin", "", "..\\weights.bin", "."]
)
def test_data_outside_of_the_folder_are_refused(perceptron, tmp_path, location):
    (tmp_path / "inner").mkdir()
    (tmp_path / "weights.bin").write_bytes(b"\0" * 200)
    with pytest.raises(ValueError, match=r"onnx\.load"):
        load(outside(perceptron, tmp_path / "inner", location))


def test_data_behind_a_link_are_refused(perceptron, tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret").write_bytes(b"\0" * 200)
    (tmp_path / "inner" / "link.bin").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="outside of the model's folder"):
        load(outside(perceptron, tmp_path / "inner", "link.bin"))


@pytest.mark.parametrize(("offset", "length"), [(100, None), ("-8", None), (0, 4), (0, "1e9")])
def test_data_that_do_not_fit_are_refused(perceptron, tmp_path, offset, length):
    with pytest.raises(ValueError, match=r"onnx\.load"):
        load(outside(perceptron, tmp_path, offset=offset, length=length))


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
