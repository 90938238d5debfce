"""Files of programs: what is kept, and that nothing of a damaged or foreign one runs."""

import hashlib
import io
import json
import random
import struct
import subprocess
import sys
import textwrap
from fractions import Fraction

import numpy as np
import pytest

import rushlight as rl
from rushlight import nn
from rushlight.export import Dim, Varying, container, export, load, save
from rushlight.export.values import plain, restored
from rushlight.ops.windows import Adaptive, Sliding


def content_of(program, **more):
    file = io.BytesIO()
    save(program, file, **more)
    return file.getvalue()


def network():
    rl.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(36, 3),
    ).eval()  # fmt: skip


@pytest.fixture(scope="module")
def program():
    return export(network(), (rl.randn(2, 1, 8, 8),), dynamic_shapes=({0: Dim("n", max=40)},))


@pytest.fixture(scope="module")
def content(program):
    return content_of(program)


def test_all_of_a_program_is_kept(program, content):
    again = load(io.BytesIO(content))
    assert again.selftest() < 1e-6
    for name in (
        "inputs", "outputs", "numbers", "attrs", "changes", "layers", "dims", "example",
        "arguments", "keywords", "result", "parameter_names", "buffer_names", "name",
    ):  # fmt: skip
        assert getattr(again, name) == getattr(program, name), name
    assert list(again.state) == list(program.state)
    assert str(again) == str(program)  # lines included
    x = rl.randn(17, 1, 8, 8)
    assert rl.allclose(again(x), program(x))
    assert content_of(again) == content, "a second file differs from the first"


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -7, 2**70, 1.5, -0.0, float("inf"), float("nan"), "text", 2 + 3j,
        complex("inf"), (), (1, (2.0, "a")), rl.float32, rl.bool, rl.device("cpu"),
        Sliding(3, 2, 1, 1, 8), Adaptive(4), (Adaptive(1), None),
        Varying(((("b",), Fraction(2)), ((), Fraction(-1, 3)))),
    ],
)  # fmt: skip
def test_attributes_come_back_as_they_were(value):
    again = restored(json.loads(json.dumps(plain(value), allow_nan=False)))
    assert type(again) is type(value)
    assert repr(again) == repr(value)


@pytest.mark.parametrize("value", [object(), [1], {"a": 1}, len, np.float32(1), rl.ones(1)])
def test_other_attributes_are_refused(value):
    with pytest.raises(TypeError):
        plain(value)


def test_a_process_without_the_models_source_runs_it(program, tmp_path):
    save(program, tmp_path / "model.pt2")
    rl.save(rl.ones(3, 1, 8, 8), tmp_path / "x.pt")
    script = """
        import pickle
        import rushlight as rl
        pickle.Unpickler = pickle.load = pickle.loads = None  # nothing may ask for it
        program = rl.export.load("model.pt2")
        print(program(rl.ones(3, 1, 8, 8)).tolist())
        program.selftest()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = np.array(json.loads(done.stdout))
    np.testing.assert_allclose(found, program(rl.ones(3, 1, 8, 8)).detach().numpy(), rtol=1e-5)


def test_every_cut_is_refused(content):
    for length in [*range(200), *range(200, len(content), 97)]:
        with pytest.raises(RuntimeError, match="cannot be loaded"):
            load(io.BytesIO(content[:length]))


def test_every_changed_byte_is_refused(content):
    source = random.Random(0)
    places = [*range(120), *(source.randrange(len(content)) for _ in range(300))]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << source.randrange(8)
        with pytest.raises(RuntimeError, match="cannot be loaded"):
            load(io.BytesIO(bytes(damaged)))


def test_more_at_the_end_is_refused(content):
    with pytest.raises(RuntimeError, match="and should have"):
        load(io.BytesIO(content + b"\0"))


def foreign():
    pickled = io.BytesIO()
    rl.save({"a": rl.ones(1)}, pickled)
    yield pickled.getvalue()
    yield b""
    yield b"RUSHPROG"
    yield b"\x80\x04cos\nsystem\n(S'true'\ntR."
    yield b"PK\x03\x04" + bytes(400)


@pytest.mark.parametrize("data", list(foreign()))
def test_other_files_are_refused(data):
    with pytest.raises(RuntimeError, match="no saved program"):
        load(io.BytesIO(data))


def test_another_version_is_told():
    data = bytearray(content_of(export(nn.ReLU(), (rl.ones(1),))))
    data[8] = 9
    with pytest.raises(RuntimeError, match="its layout is version 9"):
        load(io.BytesIO(bytes(data)))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.pt2")


def forged(content, change):
    """The file with another description, and a checksum that is right for it."""
    text, memory = struct.unpack_from("<QQ", content, 48)
    description = json.loads(content[64 : 64 + text])
    change(description)
    new = json.dumps(description).encode()
    new += b" " * (-(len(new) + 64) % 64)
    body = struct.pack("<QQ", len(new), memory) + new + content[64 + text :]
    return container._HEAD.pack(b"RUSHPROG", 1, hashlib.sha256(body).digest()) + body


def step(name, k, value):
    def change(data):
        row = next(row for row in data["steps"] if row[0] == name)
        row[k] = value

    return change


def put(*path, value):
    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


DOUBLED = {"tuple": [{"varying": [[["n"], 2, 1]]}, 36]}
FORGERIES = {
    "an operation that there is none of": step("relu", 0, "system"),
    "Python's function": step("relu", 0, "applied"),
    "a composite": step("relu", 0, "std"),
    "memory as an operation": step("relu", 0, "data"),
    "reads a later value": step("relu", 1, [10_000]),
    "reads a negative place": step("relu", 1, [-1]),
    "reads itself": step("conv", 1, [10, 1, 2]),
    "no places": step("relu", 1, "0"),
    "another type": step("relu", 4, ["float32", [2, 4, 9, 9]]),
    "a wider type": step("relu", 4, ["float64", [2, 4, 6, 6]]),
    "negative sizes": step("relu", 4, ["float32", [2, 4, -6, -6]]),
    "an unknown type": step("relu", 4, ["float31", [2, 4, 6, 6]]),
    "more attributes": step("relu", 2, [1]),
    "fewer attributes": step("conv", 2, []),
    "an attribute of another type": step("reshape", 2, ["abc"]),
    "an attribute of no type": step("reshape", 2, [{"pickle": "x"}]),
    "a size for another shape": step("reshape", 2, [{"tuple": [2, 37]}]),
    "formulas of nothing": step("reshape", 3, [{"tuple": [{"varying": [[["m"], 1, 1]]}, 36]}]),
    "a formula by 0": step("reshape", 3, [{"tuple": [{"varying": [[["n"], 1, 0]]}, 36]}]),
    "a formula that gives another shape": step(
        "reshape", 3, [{"tuple": [{"varying": [[["n"], 2, 1]]}, 36]}]
    ),
    "windows that end behind the image": step(
        "max_pool", 2, [{"tuple": [{"Sliding": [2, 2, 0, 1, 30]}, {"Sliding": [2, 2, 0, 1, 3]}]}]
    ),
    "windows in front of the image": step(
        "max_pool", 2, [{"tuple": [{"Sliding": [2, 2, -9, 1, 3]}, {"Sliding": [2, 2, 0, 1, 3]}]}]
    ),
    "a convolution that goes backwards": step(
        "conv",
        2,
        [
            {"tuple": [-1, 1]},
            {"tuple": [{"tuple": [0, 0]}, {"tuple": [0, 0]}]},
            {"tuple": [1, 1]},
            1,
        ],
    ),
    "a line of no number": step("relu", 6, ["a.py", 10**12, ""]),
    "outputs that there are not": put("results", value=[99_999]),
    "no outputs": put("results", value=[]),
    "memory behind the end": put("state", 0, 3, "at", value=10**9),
    "memory before the beginning": put("state", 0, 3, "at", value=-64),
    "a huge array": put("state", 0, 3, "shape", value=[2**62, 2**62]),
    "objects as memory": put("state", 0, 3, "kind", value="object"),
    "weights of another shape": put("state", 0, 3, "shape", value=[36]),
    "weights of another type": put("state", 0, 1, value="int32"),
    "an input of another rank": put("inputs", 0, 1, value=["float32", [2, 1, 8]]),
    "a size that is not dynamic": put("inputs", 0, 2, value=["k", 1, 8, 8]),
    "bounds that are empty": put("dims", 0, value=["n", 5, 4]),
    "a name with a space": put("dims", 0, value=["n n", 0, None]),
    "an example outside of bounds": put("example", value={"n": 10**6}),
    "no example": put("example", value={}),
    "changes of nothing": put("changes", value=["weight"]),
    "a form without end": put("result", value=["tensor", 7]),
    "a form of no kind": put("result", value=["module", 0]),
    "no steps": put("steps", value=None),
    "steps that are missing": put("steps", value=[]),
    "goldens of nothing": put("goldens", value=[[[{"at": 0}], []]]),
    "a list for a dictionary": put("state", value=[["weight"]]),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_description_is_refused(name, content):
    data = forged(content, FORGERIES[name])
    with pytest.raises(RuntimeError, match="cannot be loaded: it does not describe a program"):
        load(io.BytesIO(data))


def test_views_that_types_alone_would_allow_are_refused():
    """Each of these passes the operation's type rule, and reads what is not there."""

    class Views(nn.Module):
        def forward(self, x):
            return x.permute(2, 0, 1)[1:, 1:2].roll(1, 0), x.as_strided((2,), (1,))

    program = export(Views(), (rl.ones(3, 4, 2),))
    content = content_of(program)
    assert len(program.numbers) == 3  # where the slices and the strides begin

    def number(k, value):
        return put("numbers", k, value=value)

    for change in (
        step("permute", 2, [{"tuple": [0, 0, 1]}]), step("permute", 2, [{"tuple": [5, 7, 0]}]),
        step("as_strided", 2, [{"tuple": [2]}, {"tuple": [1000]}]),
        step("as_strided", 2, [{"tuple": [2]}, {"tuple": [-3]}]),
        step("roll", 2, [{"tuple": [1]}, {"tuple": [3]}]),
        *(number(k, value) for k in range(3) for value in (1000, -1000)),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="does not describe a program"):
            load(io.BytesIO(forged(content, change)))


def test_an_unchanged_description_is_not_refused(content):
    assert load(io.BytesIO(forged(content, lambda data: None))).selftest() < 1e-6


def test_random_changes_of_the_description_never_do_anything_else(content):
    """Whatever is in a file, loading it works or is refused with one kind of fault."""
    source = random.Random(1)

    def places(data):
        if isinstance(data, dict):
            for key, value in data.items():
                yield data, key
                yield from places(value)
        elif isinstance(data, list):
            for k, value in enumerate(data):
                yield data, k
                yield from places(value)

    def change(data):
        owner, key = source.choice(list(places(data)))
        owner[key] = source.choice(
            [None, -1, 0, 1, 2**63, 1.5, "", "n", [], {}, [[]], {"tuple": []}, True, [0, 0]]
        )

    for _ in range(300):
        try:
            load(io.BytesIO(forged(content, change)))
        except RuntimeError as error:
            assert "cannot be loaded" in str(error)


def test_state_that_moved_on_is_saved_as_it_is():
    program = export(nn.BatchNorm1d(2), (rl.randn(4, 2),))
    program(rl.randn(4, 2))
    again = load(io.BytesIO(content_of(program)))
    assert again.state["num_batches_tracked"].item() == 1
    assert again.selftest() < 1e-6


@pytest.mark.parametrize("dtype", [rl.float16, rl.bfloat16, rl.complex128, rl.bool, rl.uint8])
def test_weights_of_every_type(dtype):
    class Held(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("held", rl.tensor([0.0, 1.0, 1.0]).to(dtype))

        def forward(self, x):
            return rl.cat([x, self.held])

    again = load(io.BytesIO(content_of(export(Held(), (rl.ones(2).to(dtype),)))))
    assert again(rl.ones(2).to(dtype)).dtype is dtype
    assert again.selftest() == 0.0


def test_files_beside_it(program):
    data = content_of(program, extra_files={"labels.txt": "a b", "raw": b"\x00\xff"})
    found = {"labels.txt": "", "raw": "", "other": "stays"}
    load(io.BytesIO(data), extra_files=found)
    assert found == {"labels.txt": "a b", "raw": b"\x00\xff", "other": "stays"}


def test_a_full_disk_leaves_the_old_file(program, tmp_path, monkeypatch):
    path = tmp_path / "model.pt2"
    save(program, path)
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError):
        save(program, path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_an_operation_of_the_users_is_refused_with_its_line():
    from rushlight.graph.op import Op, table

    class Mine(Op):
        name = "mine_of_this_test"

        def infer(self, x):
            return x

        def ref(self, x):
            return x + 1

    mine = Mine()

    class Using(nn.Module):
        def forward(self, x):
            return rl.Tensor(mine(x.node))

    try:
        with pytest.raises(RuntimeError, match=r"mine_of_this_test cannot be saved") as fault:
            save(export(Using(), (rl.ones(1),)), io.BytesIO())
        assert "test_saved_programs.py" in str(fault.value)
    finally:
        del table["mine_of_this_test"]


def test_what_is_no_program():
    with pytest.raises(TypeError, match="must be an instance of 'ExportedProgram'"):
        save(nn.ReLU(), io.BytesIO())
