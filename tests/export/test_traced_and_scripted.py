"""``jit``: traces and scripts, beside PyTorch's where it has the same."""

import io
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight import nn

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


def saved(module):
    file = io.BytesIO()
    rl.jit.save(module, file)
    return rl.jit.load(io.BytesIO(file.getvalue()))


class Choosing(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        if x.sum() > 0:
            return self.fc(x)
        return -self.fc(x)

    @rl.jit.export
    def double(self, x):
        return 2 * x

    @rl.jit.ignore
    def told(self):
        return "told"

    @rl.jit.unused
    def unused(self, x):
        return x


def test_a_trace_has_the_modules_own_parameters():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    traced = rl.jit.trace(model, rl.randn(2, 3))
    assert isinstance(traced, rl.jit.ScriptModule) and isinstance(traced, nn.Module)
    assert list(traced.state_dict()) == list(model.state_dict())
    assert all(a is b for a, b in zip(traced.parameters(), model.parameters(), strict=True))
    optimizer = rl.optim.SGD(model.parameters(), lr=0.1)
    traced(rl.ones(5, 3)).sum().backward()
    optimizer.step()
    assert rl.allclose(traced(rl.ones(4, 3)), model(rl.ones(4, 3)))
    again = saved(traced)
    assert rl.allclose(again(rl.ones(4, 3)), model(rl.ones(4, 3)))
    assert list(again.state_dict()) == list(model.state_dict())
    with rl.no_grad():
        again.get_parameter("0.weight").zero_()
    assert not rl.allclose(again(rl.ones(4, 3)), model(rl.ones(4, 3)))


@pytest.mark.parametrize(
    "make, shapes",
    [
        (lambda: nn.Conv1d(2, 3, 3, padding=1), [(1, 2, 9), (4, 2, 9), (4, 2, 30)]),
        (lambda: nn.LSTM(3, 4), [(5, 2, 3), (9, 7, 3)]),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), [(2, 3, 4), (9, 3, 4)]),
        (lambda: nn.Softmax(-1), [(4, 4), (2, 9)]),
    ],
)
def test_a_trace_takes_the_sizes_that_the_model_allows(make, shapes):
    model = make().eval()
    traced = saved(rl.jit.trace(model, rl.randn(*shapes[0])))
    for shape in shapes:
        x = rl.randn(*shape)
        found, wanted = (r[0] if isinstance(r, tuple) else r for r in (traced(x), model(x)))
        np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), atol=1e-5)


def test_a_look_at_values_is_warned_of_as_pytorch_does():
    def choose(x):
        return x + 1 if x.sum() > 0 else x - 1

    with pytest.warns(torch.jit.TracerWarning, match="might cause the trace to be incorrect"):
        theirs = torch.jit.trace(choose, torch.ones(2))
    with pytest.warns(rl.jit.TracerWarning, match="might cause the trace to be incorrect"):
        ours = rl.jit.trace(choose, rl.ones(2))
    assert ours(-rl.ones(2)).tolist() == theirs(-torch.ones(2)).tolist() == [0.0, 0.0]


def test_values_that_were_looked_at_are_still_computed_from_the_inputs():
    def looked(x):
        y = x * 2
        assert y.sum().item() > 0
        return y + 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = rl.jit.trace(looked, rl.ones(2))
    assert traced(rl.tensor([3.0, 4.0])).tolist() == [7.0, 9.0]


def test_results_in_dictionaries_need_strict_to_be_off():
    for jit, one in ((torch.jit, torch.ones(1)), (rl.jit, rl.ones(1))):
        with pytest.raises(RuntimeError, match="Encountering a dict at the output"):
            jit.trace(lambda x: {"a": x}, one)
        assert jit.trace(lambda x: {"a": x + 1}, one, strict=False)(one)["a"].item() == 2


def test_a_traced_forward_is_its_modules():
    layer = nn.Linear(2, 2)
    assert list(rl.jit.trace(layer.forward, rl.ones(1, 2)).state_dict()) == ["weight", "bias"]


def test_a_compiled_module_is_recorded_as_it_was():
    compiled = rl.compile(nn.Linear(2, 2))
    compiled(rl.ones(1, 2))
    traced = rl.jit.trace(compiled, rl.ones(1, 2))
    assert rl.allclose(traced(rl.ones(3, 2)), compiled(rl.ones(3, 2)))
    assert rl.export.export(compiled, (rl.ones(1, 2),)).parameter_names == ("weight", "bias")


def test_examples_by_name():
    class Two(nn.Module):
        def forward(self, a, b):
            return a - b

    given = {"a": rl.ones(2), "b": rl.zeros(2)}
    traced = rl.jit.trace(Two(), example_kwarg_inputs=given)
    assert traced(b=rl.ones(2), a=rl.zeros(2)).tolist() == [-1.0, -1.0]
    with pytest.raises(RuntimeError, match="One of example_inputs or example_kwarg_inputs"):
        rl.jit.trace(Two())


def test_a_trace_in_training_mode_changes_the_module_as_the_module_does():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    with pytest.warns(rl.jit.TracerWarning, match="is not compared"):
        traced = rl.jit.trace(model, rl.randn(5, 3))
    assert model[1].num_batches_tracked.item() == 0
    traced(rl.randn(8, 3))
    assert model[1].num_batches_tracked.item() == 1
    assert saved(traced).get_buffer("1.num_batches_tracked").item() == 1


def test_a_trace_that_differs_is_told():
    state = []

    def changing(x):
        state.append(0)
        return x * len(state)

    with pytest.raises(rl.jit.TracingCheckError, match="Output 0"):
        rl.jit.trace(changing, rl.ones(2))


def test_methods_are_traced_with_their_module():
    class Coder(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(rl.tensor(2.0))

        def forward(self, x):
            return self.decode(self.encode(x))

        def encode(self, x):
            return x * self.weight

        def decode(self, x):
            return x / self.weight

    model = Coder()
    traced = rl.jit.trace_module(model, {"forward": rl.ones(3), "encode": rl.ones(3)})
    assert traced(rl.ones(3)).tolist() == [1.0] * 3
    assert traced.encode(rl.ones(3)).tolist() == [2.0] * 3
    with pytest.raises(RuntimeError, match="has encode as well"):
        saved(traced)
    with pytest.raises(AttributeError):
        rl.jit.trace_module(model, {"sing": rl.ones(1)})


def test_a_script_runs_as_it_is():
    model = Choosing()
    scripted = rl.jit.script(model)
    assert isinstance(scripted, rl.jit.ScriptModule) and isinstance(scripted, Choosing)
    for x in (rl.ones(1, 3), -rl.ones(1, 3)):
        assert rl.equal(scripted(x), model(x))
    assert scripted.double(3) == 6 and scripted.told() == "told"
    assert list(scripted.parameters())[0] is model.fc.weight
    assert repr(scripted).startswith("RecursiveScriptModule(\n  original_name=Choosing")
    assert rl.jit.script(scripted) is scripted
    scripted.eval()
    assert not scripted.fc.training


def test_what_has_no_program_is_refused_when_it_is_saved():
    scripted = rl.jit.script(Choosing())
    with pytest.raises(RuntimeError, match="never called"):
        saved(scripted)
    scripted(rl.ones(1, 3))
    with pytest.raises(RuntimeError, match="looks at a value") as fault:
        saved(scripted)
    assert "x.sum() > 0" in str(fault.value)
    with pytest.raises(TypeError, match="neither traced nor scripted"):
        rl.jit.save(nn.ReLU(), io.BytesIO())


def test_a_script_is_saved_from_its_first_call_or_an_example():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh()).eval()
    called = rl.jit.script(model)
    called(rl.ones(2, 3))
    for scripted in (called, rl.jit.script(model, example_inputs=[(rl.ones(1, 3),)])):
        x = rl.randn(7, 3)
        assert rl.allclose(saved(scripted)(x), model(x))


def test_functions_are_scripted_and_traced():
    @rl.jit.script
    def scaled(x, by: int = 2):
        """Scales."""
        total = x
        for _ in range(by - 1):
            total = total + x
        return total

    assert scaled(rl.ones(2), 3).tolist() == [3.0, 3.0]
    assert scaled.__doc__ == "Scales." and scaled.name == "scaled"
    assert saved(scaled)(rl.ones(5), 3).tolist() == [3.0] * 5
    assert "add" in scaled.code and scaled.graph.steps
    with pytest.raises(RuntimeError, match=r"inherits from nn\.Module"):
        rl.jit.script(Choosing)
    with pytest.raises(TypeError):
        rl.jit.script(3)


def test_a_function_that_holds_a_parameter():
    weight = rl.ones(2, requires_grad=True)
    for jit, held, x in (
        (torch.jit, torch.ones(2, requires_grad=True), torch.ones(2)),
        (rl.jit, weight, rl.ones(2)),
    ):
        with pytest.raises(RuntimeError, match="Cannot insert a Tensor that requires grad"):
            jit.trace(lambda x, held=held: x * held, x)


def test_frozen_modules_have_constants():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    with pytest.raises(RuntimeError, match="eval mode"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rl.jit.freeze(rl.jit.trace(model, rl.randn(2, 3)))
    with pytest.raises(RuntimeError, match="expects a ScriptModule"):
        rl.jit.freeze(model)
    model.eval()
    traced = rl.jit.trace(model, rl.randn(2, 3))
    x = rl.randn(4, 3)
    for frozen in (rl.jit.freeze(traced), rl.jit.optimize_for_inference(traced)):
        assert not list(frozen.parameters()) and not frozen.state_dict()
        assert rl.allclose(frozen(x), model(x))
        assert rl.allclose(saved(frozen)(x), model(x))
        assert not frozen(x).requires_grad


def test_marks_leave_things_as_they_are():
    assert rl.jit.is_scripting() is False and rl.jit.is_tracing() is False
    seen = []
    rl.jit.trace(lambda x: (seen.append(rl.jit.is_tracing()), x + 1)[1], rl.ones(1),
                 check_trace=False)  # fmt: skip
    assert True in seen and not rl.jit.is_tracing()
    assert rl.jit.annotate(list[int], [1]) == [1]
    assert rl.jit.Attribute(1, int).value == 1
    assert rl.jit.ignore(drop=True)(len) is len
    assert rl.jit.interface(Choosing) is Choosing
    assert rl.jit.script_if_tracing(len) is len
    future = rl.jit.fork(lambda a, b: a + b, 1, b=2)
    assert rl.jit.wait(future) == future.value() == 3 and future.done()
    with rl.jit.optimized_execution(True), rl.jit.strict_fusion():
        pass

    class Typed(nn.Module):
        size: rl.jit.Final[int]

    assert Typed()


@pytest.mark.parametrize(
    "value, kind",
    [
        (1, int), ([1], list[int]), ([1, "a"], list[int]), ({"a": 1.0}, dict[str, float]),
        ({"a": 1}, dict[str, float]), ((1, "a"), tuple[int, str]), ((1,), tuple[int, str]),
        (None, int | None), ("a", int | None), ([[1], []], list[list[int]]), (1, (int, str)),
    ],
)  # fmt: skip
def test_isinstance_is_pytorchs(value, kind):
    assert rl.jit.isinstance(value, kind) == torch.jit.isinstance(value, kind)


def test_a_loaded_module_needs_no_source(tmp_path):
    (tmp_path / "source.py").write_text(
        textwrap.dedent("""
        import rushlight as torch
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(2, 2)
            def forward(self, x):
                return self.fc(x).relu()
        torch.jit.trace(Net(), torch.ones(1, 2)).save("net.pt")
        """)
    )
    subprocess.run([sys.executable, "source.py"], cwd=tmp_path, check=True)
    (tmp_path / "source.py").unlink()
    loaded = rl.jit.load(tmp_path / "net.pt")
    assert loaded(rl.ones(5, 2)).shape == (5, 2) and loaded.original_name == "Net"
    files = {"a.txt": ""}
    loaded.save(tmp_path / "again.pt", _extra_files={"a.txt": "beside"})
    rl.jit.load(str(tmp_path / "again.pt"), map_location="cpu", _extra_files=files)
    assert files == {"a.txt": "beside"}


def test_files_that_are_no_programs(tmp_path):
    for jit in (torch.jit, rl.jit):
        with pytest.raises(ValueError, match="does not exist"):
            jit.load(str(tmp_path / "none.pt"))
    (tmp_path / "other.pt").write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(RuntimeError, match="no saved program"):
        rl.jit.load(tmp_path / "other.pt")
    with pytest.raises(ValueError, match="is a directory"):
        rl.jit.load(tmp_path)


def test_an_unmodified_script_runs(tmp_path):
    (tmp_path / "script.py").write_text(
        textwrap.dedent("""
        import torch
        from torch import nn
        from torch.jit import Final
        from torch.export import Dim, export

        @torch.jit.script
        def gelu(x: torch.Tensor) -> torch.Tensor:
            return x * torch.sigmoid(1.702 * x)

        class Net(torch.jit.ScriptModule):
            size: Final[int] = 3
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(3, 3)
            @torch.jit.script_method
            def forward(self, x):
                if torch.jit.is_scripting():
                    raise RuntimeError
                return gelu(self.fc(x))

        net = Net().eval()
        traced = torch.jit.trace(net, torch.ones(2, 3))
        torch.jit.save(traced, "net.pt")
        print(torch.allclose(torch.jit.load("net.pt")(torch.ones(4, 3)), net(torch.ones(4, 3))))
        program = export(nn.Linear(3, 1), (torch.ones(2, 3),), dynamic_shapes=({0: Dim("n")},))
        torch.export.save(program, "net.pt2")
        print(tuple(torch.export.load("net.pt2").module()(torch.ones(9, 3)).shape))
        """)
    )
    done = subprocess.run(
        [sys.executable, "-m", "rushlight", "run", "script.py"], cwd=tmp_path, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.stdout == "True\n(9, 1)\n", done.stderr
