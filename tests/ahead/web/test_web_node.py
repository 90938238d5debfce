"""Exported models in Node, against Python's answers."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from web_browser import asked, needs_node
from web_models import made

import rushlight as rl
from rushlight import nn
from rushlight.ahead.web import check, write_folder
from rushlight.export import export

pytestmark = needs_node
LIMIT = 200_000
"""Bytes of a model's code."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes a model's folder, once."""

    @functools.cache
    def folder_of(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        write_folder(made(name), folder)
        return folder

    return folder_of


@pytest.mark.parametrize("name", ["mlp", "cnn", "lstm", "gpt", "sizes"])
def test_answers_are_those_of_python(name: str, written: Callable[[str], Path]) -> None:
    found = check(written(name))
    assert found is not None and found < 2e-6
    assert (written(name) / "model.wasm").stat().st_size < LIMIT


def test_values_are_given_by_name_or_in_order(written: Callable[[str], Path]) -> None:
    x = [0.5 * k - 3 for k in range(14)]
    right = made("sizes")(rl.tensor(x).reshape(2, 7)).detach().numpy().ravel()
    for given in (f"[{x}]", f"{{input: {x}}}", f"[Float32Array.from({x})]"):
        found = asked(written("sizes"), f"return Array.from(model.run({given}).output);")
        np.testing.assert_allclose(found, right, atol=1e-6)


def test_what_does_not_fit_is_refused(written: Callable[[str], Path]) -> None:
    folder = written("sizes")
    found = asked(folder, "return model.run([[1, 2, 3]]);")
    assert found == "ModelError: the model takes input (batch, 7); it was given 3 numbers"
    found = asked(folder, "return model.run({});")
    assert found == "ModelError: the model's input input is missing"
    found = asked(folder, "return model.train([]);")
    assert found == "ModelError: this model was exported without its training step"


def test_an_index_out_of_range_is_refused(written: Callable[[str], Path]) -> None:
    folder = written("gpt")
    found = asked(folder, "return model.run([Array(16).fill(30)]);")
    assert found == "ModelError: an index among the inputs is out of range"
    assert isinstance(asked(folder, "return model.selftest();"), float)  # and it goes on


def test_weights_inside(tmp_path: Path) -> None:
    write_folder(made("mlp"), tmp_path)
    names = {path.name for path in write_folder(made("mlp"), tmp_path, inside=True)}
    assert "model.weights" not in names and not (tmp_path / "model.weights").exists()
    assert check(tmp_path) is not None


@pytest.mark.parametrize("name", ["model.wasm", "model.weights", "model.goldens"])
def test_a_damaged_file_is_refused(
    name: str, written: Callable[[str], Path], tmp_path: Path
) -> None:
    shutil.copytree(written("mlp"), tmp_path, dirs_exist_ok=True)
    file = tmp_path / name
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    with pytest.raises(RuntimeError, match=f"{name} is damaged: its checksum"):
        check(tmp_path)
    file.write_bytes(whole[:-1])
    with pytest.raises(RuntimeError, match=f"{name} has {len(whole) - 1} bytes instead of"):
        check(tmp_path)
    file.unlink()
    with pytest.raises(RuntimeError, match=f"{name} cannot be read .* Copy the whole folder"):
        check(tmp_path)


def test_wrong_answers_are_refused(tmp_path: Path) -> None:
    program = made("mlp")
    program.goldens[1][1][0][0, 3] += 0.01
    write_folder(program, tmp_path)
    with pytest.raises(RuntimeError, match=r"the model's answers differ by 0\.0"):
        check(tmp_path)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_no_number_is_no_answer(wrong: float, tmp_path: Path) -> None:
    program = made("mlp")
    program.goldens[0][1][0][0, 3] = wrong
    write_folder(program, tmp_path)
    with pytest.raises(RuntimeError, match="the model's answers differ by NaN"):
        check(tmp_path)


def test_a_program_without_goldens_is_refused(tmp_path: Path) -> None:
    program = made("mlp")
    program.goldens.clear()
    with pytest.raises(ValueError, match="no golden examples"):
        write_folder(program, tmp_path)


class Solved(nn.Module):
    def forward(self, x: rl.Tensor) -> rl.Tensor:
        return rl.linalg.inv(x)


def test_what_has_no_kernel_is_refused(tmp_path: Path) -> None:
    program = export(nn.Sequential(nn.Linear(4, 4), Solved()), (rl.randn(4, 4),))
    with pytest.raises(NotImplementedError, match=r"\[linalg_inv.*no kernel(.|\n)*web_node"):
        write_folder(program, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_types_without_arrays_are_refused(tmp_path: Path) -> None:
    program = export(nn.Identity(), (rl.ones(3, dtype=rl.bfloat16),))
    with pytest.raises(NotImplementedError, match="bfloat16, of which JavaScript has no arrays"):
        write_folder(program, tmp_path)


class Halves(nn.Module):
    def forward(self, x: rl.Tensor) -> rl.Tensor:
        return (x.half() * 2).float()


def test_half_precision_is_refused_where_it_is(tmp_path: Path) -> None:
    program = export(nn.Sequential(nn.ReLU(), Halves()), (rl.randn(3),))
    with pytest.raises(NotImplementedError, match=r"float16(.|\n)*web_node(.|\n)*in layer 1"):
        write_folder(program, tmp_path)


NAMES = """exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh
atanh sigmoid erf erfc erfinv sqrt rsqrt reciprocal floor ceil round trunc frac abs sign lgamma
digamma sinc logit"""


class Functions(nn.Module):
    def forward(self, x: rl.Tensor) -> tuple[rl.Tensor, ...]:
        return tuple(getattr(rl, name)(x) for name in NAMES.split())


@pytest.mark.parametrize(
    "dtype, limit",
    [(np.float32, 1e-6), pytest.param(np.float64, 2e-15, marks=pytest.mark.slow)],
)
def test_functions_of_mathematics(dtype: type, limit: float, tmp_path: Path) -> None:
    """Products are rounded before they are added there; what needs more is written out."""
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, 1e30, 88.9, -103.5, 710.5, 0.5, -2.5]
    x = np.concatenate([np.linspace(-1, 1, 41), np.linspace(-30, 30, 81), special]).astype(dtype)
    write_folder(export(Functions(), (rl.from_numpy(x),)), tmp_path)
    found = check(tmp_path)
    assert found is not None and found < limit


class Layers(nn.Module):
    """Kernels of every template."""

    def __init__(self) -> None:
        super().__init__()
        self.stride = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.depth = nn.Conv2d(8, 8, 3, groups=8, padding=1)
        self.turned = nn.ConvTranspose2d(8, 5, 3, stride=2)
        self.words = nn.EmbeddingBag(9, 12)
        self.gru = nn.GRU(15, 11, bidirectional=True)
        self.blocks = nn.TransformerEncoderLayer(22, 2, 30)

    def forward(self, x: rl.Tensor, ids: rl.Tensor) -> tuple[rl.Tensor, ...]:
        y = self.turned(self.depth(self.stride(x)).relu())  # (1, 5, 15, 15)
        states, _ = self.gru(y[0, 0])
        summed = states.cumsum(0).scatter_add(0, ids, rl.ones(4, 22)).amax(1)
        wide = rl.cat([self.words(ids), states[:4, :12].double().float()], dim=1)
        return self.blocks(states), summed, wide, states.argmax(1), ids % 3, ids // -2


def test_kernels_of_every_template(tmp_path: Path) -> None:
    rl.manual_seed(2)
    example = (rl.randn(1, 3, 14, 14), rl.randint(0, 9, (4, 22)))
    write_folder(export(Layers().eval(), example), tmp_path)
    found = check(tmp_path)
    assert found is not None and found < 1e-5
