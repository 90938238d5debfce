"""Exported libraries built with a plain C compiler give what Python gives."""

import subprocess

import numpy as np
import pytest
from c_caller import AARCH64, Caller, needs
from c_models import CASES, made, program_of

import rushlight as rl
from rushlight.ahead.c.write import check, library
from rushlight.ahead.machines import machine_of, runs_here

BATCHES = (1, 3, 5)
LEVELS = ("x86-64", "x86-64-v3", "x86-64-v4")
slow = pytest.mark.slow


def wanted(model, x):
    return model(x).detach().numpy()


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", [pytest.param(n, marks=slow) if n == "gru" else n for n in CASES])
def test_a_library_gives_what_python_gives(name, tmp_path):
    model, inputs = made(name)
    library(program_of(model, inputs), tmp_path, name, batches=BATCHES)
    call = Caller(tmp_path, name)
    for n in BATCHES:
        x = inputs(n)
        expected = wanted(model, x)
        (found,) = call(n, [x.numpy()], [expected])
        same(found, expected)


def test_nothing_outside_of_its_memory_is_touched(tmp_path):
    model, inputs = made("cnn")
    library(program_of(model, inputs), tmp_path, "cnn", batches=BATCHES)
    call = Caller(tmp_path, "cnn", sanitised=True)
    for n in BATCHES:
        x = inputs(n)
        expected = wanted(model, x)
        (found,) = call(n, [x.numpy()], [expected])
        same(found, expected)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["mlp", *(pytest.param(n, marks=slow) for n in ("cnn", "gpt"))])
def test_levels_of_x86(name, level, tmp_path):
    if not runs_here(machine_of(level)):
        pytest.skip(f"this processor is below {level}")
    model, inputs = made(name)
    library(program_of(model, inputs), tmp_path, name, target=level, batches=(1, 3))
    call = Caller(tmp_path, name)
    x = inputs(3)
    expected = wanted(model, x)
    (found,) = call(3, [x.numpy()], [expected])
    same(found, expected)


@pytest.mark.parametrize("name", ["cnn", *(pytest.param(n, marks=slow) for n in ("gpt", "lstm"))])
def test_aarch64_under_qemu(name, tmp_path):
    needs(*AARCH64)
    model, inputs = made(name)
    made_one = library(program_of(model, inputs), tmp_path, name, target="aarch64", batches=(1, 3))
    assert "checked by qemu-aarch64" in made_one.said
    call = Caller(tmp_path, name, aarch64=True)
    x = inputs(1)
    expected = wanted(model, x)
    (found,) = call(1, [x.numpy()], [expected])
    same(found, expected)


@slow
def test_files_for_apple_are_proved_as_files_for_linux(tmp_path):
    needs(*AARCH64)
    model, inputs = made("mlp")
    one = library(program_of(model, inputs), tmp_path, "mlp", target="ios", batches=(3,))
    assert "checked by qemu-aarch64 as a file for Linux" in one.said
    content = (tmp_path / "libmlp.a").read_bytes()
    assert b"__.SYMDEF SORTED" in content and b"_mlp_parallel\0" in content
    assert b"\xcf\xfa\xed\xfe" in content  # a Mach-O file


def test_a_library_needs_no_other(tmp_path):
    needs("nm")
    model, inputs = made("cnn")
    for level in ("host", "x86-64"):
        library(program_of(model, inputs), tmp_path, "cnn", target=level, batches=(3,))
        found = subprocess.run(
            ["nm", "-u", str(tmp_path / "libcnn.a")], capture_output=True, text=True, check=True
        )
        assert " U " not in found.stdout
    shown = subprocess.run(
        ["nm", "-g", "--defined-only", str(tmp_path / "libcnn.a")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = {line.split()[-1] for line in shown.stdout.splitlines() if len(line.split()) == 3}
    assert names == {"cnn", "cnn_parallel", "cnn_weights"}


@pytest.mark.parametrize("weights", ["inside", "beside"])
def test_a_written_library_checks_itself(weights, tmp_path):
    needs("cc")
    model, inputs = made("mlp")
    library(program_of(model, inputs), tmp_path, "mlp", weights=weights, batches=(3,))
    assert "the largest difference is" in check(tmp_path)


def test_a_damaged_library_fails_its_check(tmp_path):
    needs("cc")
    model, inputs = made("mlp")
    one = library(program_of(model, inputs), tmp_path, "mlp", batches=(3,))
    path = tmp_path / "libmlp.a"
    content = bytearray(path.read_bytes())
    at = content.find(one.entry.weights[:64])
    content[at : at + 4] = np.float32(100).tobytes()
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match="self-test of mlp fails"):
        check(tmp_path)


def test_damaged_weights_are_refused(tmp_path):
    needs("cc")
    model, inputs = made("mlp")
    library(program_of(model, inputs), tmp_path, "mlp", weights="beside", batches=(3,))
    path = tmp_path / "mlp.weights"
    whole = path.read_bytes()
    for place in (0, 9, 17, 25, 64, len(whole) - 1):
        content = bytearray(whole)
        content[place] ^= 1
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match="the weights are damaged, or of other code"):
            check(tmp_path)
    path.write_bytes(whole[:-1])
    with pytest.raises(RuntimeError, match="cannot be read"):
        check(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path):
    needs("cc")
    for name, batch in (("a", 3), ("b", 3)):
        model, inputs = made("mlp")
        library(program_of(model, inputs), tmp_path / name, "mlp", weights="beside",
                batches=(batch,), threads=name == "a")  # fmt: skip
    (tmp_path / "a" / "mlp.weights").write_bytes((tmp_path / "b" / "mlp.weights").read_bytes())
    with pytest.raises(RuntimeError, match="of other code"):
        check(tmp_path / "a")


@slow
@pytest.mark.parametrize("target", ["host", "aarch64"])
def test_resnet18(target, tmp_path):
    from rushlight.vision.models import resnet18

    needs("cc")
    if target == "aarch64":
        needs(*AARCH64)
    rl.manual_seed(0)
    model = resnet18().eval()
    program = program_of(model, lambda n: rl.randn(n, 3, 64, 64))
    library(program, tmp_path, "resnet18", target=target, weights="beside", batches=(1, 3))
    assert "the largest difference is" in check(tmp_path)


@pytest.mark.parametrize("target", ["host", pytest.param("aarch64", marks=slow)])
def test_networks_of_bytes(target, tmp_path):
    from rushlight.quantization import quantize_for_export

    rl.manual_seed(0)
    model, inputs = made("cnn")
    small, _ = quantize_for_export(model, [inputs(8)], "static")
    program = program_of(small.eval(), inputs)
    one = library(program, tmp_path, "cnn", target=target, batches=(3,))
    assert "checked" in one.said and "NOT" not in one.said
