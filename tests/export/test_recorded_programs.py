"""A program does what the model does, for every size that it was exported for."""

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight import nn
from rushlight.export import Dim, export
from rushlight.func.tree import tensors
from rushlight.nn import functional as F

BATCH, TIME = Dim("batch"), Dim("time", min=2, max=500)


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        B, T, E = x.shape
        y, _ = self.attention(x, x, x, need_weights=False)
        return self.norm((x + y).reshape(B * T, E)).view(B, T, E)


class Convolving(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 5),
        )  # fmt: skip


class Masked(nn.Module):
    def forward(self, x):
        T = x.shape[1]
        causal = rl.ones(T, T, dtype=rl.bool).tril()
        return x.unsqueeze(1).masked_fill(~causal, -1.0), {"last": x[:, -1], "all": [x.sum(1)]}


CASES = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), (4,), {0: BATCH}),
    "cnn": (Convolving, (3, 8, 8), {0: BATCH}),
    "lstm": (lambda: nn.LSTM(4, 6, 2, batch_first=True), (5, 4), {0: BATCH, 1: TIME}),
    "gru": (lambda: nn.GRU(4, 6, batch_first=True, bidirectional=True), (5, 4), {0: BATCH}),
    "attention": (Attending, (5, 8), {0: BATCH, 1: TIME}),
    "masked": (Masked, (5,), {0: BATCH, 1: TIME}),
    "encoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
        (5, 8),
        {0: BATCH, 1: TIME},
    ),
}


def arrays(result):
    return [x.detach().numpy() for x in tensors(result)]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_it_gives_the_models_results_for_all_sizes(name, rows):
    make, shape, dims = CASES[name]
    rl.manual_seed(0)
    model = make().eval()
    program = export(model, (rl.randn(rows, *shape),), dynamic_shapes=(dims,))
    assert program.selftest() < 1e-5
    other = (9, *shape[1:]) if 1 in dims else shape
    for x in (rl.randn(rows, *shape), rl.randn(7, *other), rl.randn(1, *other)):
        for found, wanted in zip(arrays(program(x)), arrays(model(x)), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
        graph = program.at(program.sizes_of([x]))
        assert graph.inputs[0].shape == tuple(x.shape)


@pytest.mark.parametrize("name", CASES)
def test_types_at_a_size_are_those_that_recording_there_gives(name):
    make, shape, dims = CASES[name]
    model = make().eval()
    program = export(model, (rl.randn(2, *shape),), dynamic_shapes=(dims,))
    larger = (4, *((7, *shape[1:]) if 1 in dims else shape))
    sizes = {dim.name: larger[axis] for axis, dim in dims.items()}
    there = export(model, (rl.randn(*larger),)).graph
    graph = program.at(sizes)
    assert [(s.op, s.inputs, s.attrs, s.spec) for s in graph.steps] == [
        (s.op, s.inputs, s.attrs, s.spec) for s in there.steps
    ]


def test_outputs_have_the_shapes_that_pytorch_tells_of():
    program = export(
        CASES["attention"][0]().eval(), (rl.randn(2, 5, 8),),
        dynamic_shapes={"x": {0: BATCH, 1: TIME}},
    )  # fmt: skip
    assert program.inputs[0].shape == ("batch", "time", 8)
    assert program.outputs[0].shape == ("batch", "time", 8)


def test_state_is_in_the_order_of_pytorchs_state_dict():
    ours = export(Convolving().eval(), (rl.ones(1, 3, 8, 8),))
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3), torch.nn.BatchNorm2d(6), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(24, 5),
    )  # fmt: skip
    exported = torch.export.export(theirs.eval(), (torch.ones(1, 3, 8, 8),))
    assert set(ours.state_dict) == set(exported.state_dict)
    assert [name for name, _ in ours.named_parameters()] == [
        name for name, _ in exported.named_parameters()
    ]
    assert ours.layers == ("0", "1", "2", "3", "3", "4", "5", "6")


def test_buffers_that_training_changes_are_outputs():
    rl.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    x = rl.randn(6, 3)
    program = export(model, (x,))
    assert program.changes == ("1.running_mean", "1.running_var", "1.num_batches_tracked")
    assert model[1].num_batches_tracked.item() == 0, "the model was changed"
    assert model[1].running_mean.tolist() == [0.0] * 4
    for _ in range(3):
        np.testing.assert_allclose(
            program(x).detach().numpy(), model(x).detach().numpy(), atol=1e-6
        )
    for name, tensor in model.named_buffers():
        np.testing.assert_allclose(program.state[name].numpy(), tensor.numpy(), rtol=1e-6)
    assert program.selftest() < 1e-6  # from the state that its goldens begin from


def test_draws_go_on_from_call_to_call_and_leave_the_generator_alone():
    rl.manual_seed(3)
    before = rl.get_rng_state()
    program = export(nn.Dropout(0.5), (rl.ones(4, 4),), dynamic_shapes=({0: BATCH},))
    assert rl.equal(before, rl.get_rng_state())
    assert program.changes == ("random.offset",)
    first, second = program(rl.ones(8, 4)), program(rl.ones(8, 4))
    assert not rl.equal(first, second)
    assert set(first.flatten().tolist()) == {0.0, 2.0}


def test_plain_tensors_become_constants_under_their_names():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = rl.tensor([2.0, 3.0])

        def forward(self, x):
            return x * self.scale + rl.tensor([1.0, 1.0])

    program = export(Scaled(), (rl.ones(2),))
    assert program(rl.ones(2)).tolist() == [3.0, 4.0]
    assert list(program.constants)[0] == "scale" and len(program.constants) == 2
    assert not program.state_dict


def test_copies_that_show_one_value_are_told_apart():
    import copy

    norm = nn.BatchNorm1d(2)
    model = nn.Sequential(norm, copy.deepcopy(norm)).eval()
    program = export(model, (rl.ones(3, 2),))
    program.state["1.running_mean"].copy_(rl.tensor([1.0, 1.0]))
    assert program(rl.ones(3, 2)).round().tolist() == [[0.0, 0.0]] * 3


def test_tied_parameters_are_there_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2, bias=False)
            self.b = nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    assert list(export(Tied(), (rl.ones(1, 2),)).state) == ["a.weight"]


def test_the_module_of_a_program_trains():
    rl.manual_seed(0)
    model = nn.LSTM(3, 4, batch_first=True)
    module = export(model, (rl.randn(2, 5, 3),), dynamic_shapes=({0: BATCH, 1: TIME},)).module()
    assert [name for name, _ in module.named_parameters()] == [
        name for name, _ in model.named_parameters()
    ]
    x = rl.randn(4, 6, 3)
    module(x)[0].sum().backward()
    model(x)[0].sum().backward()
    for ours, wanted in zip(module.parameters(), model.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad.numpy(), wanted.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_arguments_may_come_by_name_and_be_nested():
    class Nested(nn.Module):
        def forward(self, pair, *, options, scale=2):
            return (pair[0] + pair[1]) * options["weight"] * scale

    program = export(
        Nested(), ((rl.ones(2), rl.ones(2)),), {"options": {"weight": rl.tensor(3.0)}, "scale": 4}
    )
    assert [entry.name for entry in program.inputs] == ["pair_0", "pair_1", "options_weight"]
    given = {"options": {"weight": rl.tensor(1.0)}, "scale": 4}
    assert program((rl.zeros(2), rl.ones(2)), **given).tolist() == [4.0, 4.0]
    with pytest.raises(RuntimeError, match=r"scale.* was recorded as 4"):
        program((rl.zeros(2), rl.ones(2)), options={"weight": rl.tensor(1.0)}, scale=5)


def test_what_only_passes_through_is_returned():
    class Same(nn.Module):
        def forward(self, x):
            return x, rl.tensor([1, 2]), None, "text", 3

    given = rl.ones(2)
    first, *rest = export(Same(), (rl.zeros(2),))(given)
    assert first is given
    assert rest[0].tolist() == [1, 2] and rest[1:] == [None, "text", 3]


def test_dimensions_without_names():
    class Added(nn.Module):
        def forward(self, x, y):
            return (x + y) @ rl.ones(4, 2)

    def exported(*hints):
        shapes = (dict(enumerate(hints)), dict(enumerate(hints)))
        return export(Added(), (rl.ones(3, 4), rl.ones(3, 4)), dynamic_shapes=shapes)

    program = exported(Dim.AUTO, Dim.AUTO)
    assert program.inputs[0].shape == program.inputs[1].shape == ("size_0_3", 4)
    assert program(rl.ones(7, 4), rl.ones(7, 4)).shape == (7, 2)
    assert exported(Dim.DYNAMIC, Dim.STATIC).inputs[0].shape == ("size_0_3", 4)
    with pytest.raises(RuntimeError, match="does not run with"):
        exported(Dim.DYNAMIC, Dim.DYNAMIC)


def test_writes_to_an_input_are_warned_of():
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(2, 2))
    with pytest.warns(UserWarning, match="writes to its input input in place"):
        program = export(model, (rl.randn(3, 2),))
    x = rl.randn(3, 2)
    before = x.clone()
    found = program(x)
    assert rl.equal(x, before)
    assert rl.allclose(found, model(x))


def test_threads_export_at_the_same_time():
    from concurrent.futures import ThreadPoolExecutor

    from rushlight.graph.node import Node

    original = Node.__init__
    models = [nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, n)) for n in range(1, 9)]
    with ThreadPoolExecutor(4) as pool:
        programs = list(pool.map(lambda model: export(model, (rl.ones(2, 3),)), models))
    assert [len(program.graph.steps) for program in programs] == [3] * 8
    assert Node.__init__ is original


@pytest.mark.parametrize("dtype", [rl.float16, rl.bfloat16, rl.float64, rl.complex64, rl.int8])
def test_other_types_stay_as_they_are(dtype):
    class Doubled(nn.Module):
        def forward(self, x):
            return x + x

    program = export(Doubled(), (rl.ones(3).to(dtype),))
    assert program(rl.ones(3).to(dtype)).dtype is dtype
    assert program.selftest() == 0.0
    with pytest.raises(RuntimeError, match="was exported for"):
        program(rl.ones(3).to(rl.int32))


@pytest.mark.parametrize("shape", [(0, 3), (1, 3)])
def test_empty_and_single_batches(shape):
    program = export(nn.Linear(3, 2), (rl.ones(4, 3),), dynamic_shapes=({0: BATCH},))
    assert tuple(program(rl.ones(*shape)).shape) == (shape[0], 2)


def test_scalars_are_inputs_too():
    class Add(nn.Module):
        def forward(self, x):
            return x + 1

    assert export(Add(), (rl.tensor(2.0),))(rl.tensor(5.0)).item() == 6.0


def test_a_gradient_inside_is_part_of_the_program():
    class Force(nn.Module):
        def __init__(self):
            super().__init__()
            self.energy = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))

        def forward(self, x):
            with rl.enable_grad():
                x = x.detach().requires_grad_()
                return rl.autograd.grad(self.energy(x).sum(), x)[0]

    model, x = Force(), rl.randn(2, 3)
    program = export(model, (rl.randn(4, 3),), dynamic_shapes=({0: BATCH},))
    np.testing.assert_allclose(program(x).detach().numpy(), model(x).numpy(), rtol=1e-5, atol=1e-6)


def test_functional_calls_are_recorded_with_their_layer_and_line():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.ModuleDict({"first": nn.Linear(2, 2)})

        def forward(self, x):
            return F.relu(self.body["first"](x))

    program = export(Deep(), (rl.ones(1, 2),))
    assert program.layers == ("body.first", "")
    assert "test_recorded_programs.py" in str(program)


def test_the_signature_has_pytorchs_names():
    ours = export(nn.BatchNorm1d(3), (rl.randn(4, 3),)).graph_signature
    theirs = torch.export.export(torch.nn.BatchNorm1d(3), (torch.randn(4, 3),)).graph_signature
    for name in ("user_inputs", "parameters", "buffers", "inputs_to_parameters",
                 "inputs_to_buffers", "lifted_tensor_constants"):  # fmt: skip
        assert getattr(ours, name) == getattr(theirs, name), name
    assert set(ours.buffers_to_mutate.values()) == set(ours.buffers)
