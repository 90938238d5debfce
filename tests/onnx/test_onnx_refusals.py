"""What loading refuses: files that are damaged, foreign, or made to do harm."""

import numpy as np
import onnx.parser
import pytest
from written import draw, model_of, perceptron

import onnx
import rushlight as rl
from onnx import TensorProto
from rushlight.onnx.loading import load


@pytest.fixture(name="perceptron")
def the_perceptron():
    return perceptron()


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


def test_a_version_that_nobody_knows_is_refused(perceptron):
    perceptron.opset_import[0].version = 999
    with pytest.raises(ValueError, match="opset version 999, and the newest known is"):
        load(perceptron)


def test_a_result_that_no_memory_holds_is_refused_where_it_is_asked_for():
    proto = model_of("net (int64[1] n) => (float[K] y) { y = ConstantOfShape (n) }")
    with pytest.raises(RuntimeError, match="node 'y' asks for 1152921504606846976 elements"):
        load(proto)(rl.tensor([2**60]))


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
