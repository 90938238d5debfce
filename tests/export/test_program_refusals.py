"""What cannot be part of a program is refused, with operation, layer and line."""

import pytest

import rushlight as rl
from rushlight import nn
from rushlight.export import Dim, ExportedProgram, export


class Named(nn.Module):
    """A model with what is tested in the layer ``body.inner``."""

    def __init__(self, inner):
        super().__init__()
        self.body = nn.Sequential()
        self.body.add_module("inner", inner)

    def forward(self, x):
        return self.body(x)


def layer(function):
    class Inner(nn.Module):
        def forward(self, x):
            return function(x)

    return Named(Inner())


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * x.max().item(),
        lambda x: x[: int(x[0, 0])],
        lambda x: x[x > 0],
        lambda x: rl.nonzero(x),
        lambda x: x + len(x.unique()),
        lambda x: rl.tensor(x.tolist()),
        lambda x: rl.from_numpy(x.numpy() + 1),
    ],
)
def test_looks_at_values(look):
    with pytest.raises(RuntimeError, match="looks at a value") as fault:
        export(layer(look), (rl.ones(2, 3),))
    assert fault.value.layer == "body.inner"
    assert "test_program_refusals.py" in str(fault.value)


def test_looks_at_what_does_not_depend_on_inputs_are_allowed():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("on", rl.tensor(True))

        def forward(self, x):
            return 2 * x if self.on else x

    assert export(Scaled(), (rl.ones(2),))(rl.ones(2)).tolist() == [2.0, 2.0]


def test_a_check_of_a_distribution_is_no_look():
    program = export(layer(lambda x: rl.distributions.Normal(x, x.exp()).mean), (rl.ones(2),))
    assert program(rl.zeros(2)).tolist() == [0.0, 0.0]


class Odd(rl.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g


def test_a_custom_function():
    with pytest.raises(RuntimeError, match=r"\[Odd\] a custom autograd Function") as fault:
        export(layer(Odd.apply), (rl.ones(2),))
    assert fault.value.layer == "body.inner"


def test_a_mean_over_all_batches():
    model = Named(nn.BatchNorm1d(2, momentum=None))
    with pytest.raises(RuntimeError, match="momentum=None") as fault:
        export(model, (rl.randn(4, 2),))
    assert fault.value.layer == "body.inner"
    assert export(model.eval(), (rl.randn(4, 2),)).changes == ()


def test_a_tensor_that_requires_grad_and_is_no_parameter():
    class Held(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = [rl.ones(2, requires_grad=True)]

        def forward(self, x):
            return x * self.weights[0]

    with pytest.raises(RuntimeError, match="Cannot insert a Tensor that requires grad"):
        export(Held(), (rl.ones(2),))


@pytest.mark.parametrize(
    "function, said",
    [
        (lambda x: x[::3], "length depends on sizes"),
        (lambda x: x.reshape(-1, 2) if x.shape[0] % 2 == 0 else x, "other operations"),
        (lambda x: x / x.shape[0] ** 0.5, "a number depends on sizes"),
        (lambda x: x + rl.tensor(list(range(x.shape[0])))[:, None], "Python's data"),
        (lambda x: x.expand(3, 4), "does not run with 'n' other than"),
        (lambda x: list(x), "other operations|returns something else"),
    ],
)
def test_what_a_size_decides_in_another_way(function, said):
    with pytest.raises(RuntimeError, match=said) as fault:
        export(layer(function), (rl.ones(3, 4),), dynamic_shapes=({0: Dim("n")},))
    assert "dynamic_shapes" in str(fault.value)


def test_sizes_may_be_multiplied_and_added():
    def function(x):
        B, T = x.shape
        return rl.cat([x.reshape(B * T), x.new_zeros(2 * T + 1), rl.arange(B - 1)])

    dims = {0: Dim("B", min=1), 1: Dim("T")}
    program = export(layer(function), (rl.ones(3, 4),), dynamic_shapes=(dims,))
    assert program.outputs[0].shape == ("B*T + B + 2*T",)
    for B, T in ((1, 1), (5, 2), (2, 9)):
        assert program(rl.ones(B, T)).shape == (B * T + 2 * T + 1 + B - 1,)


def test_a_result_of_a_class():
    from dataclasses import dataclass

    @dataclass
    class Result:
        x: rl.Tensor

    with pytest.raises(TypeError, match="asdict"):
        export(layer(Result), (rl.ones(2),))


def test_another_shape_or_number_of_arguments():
    program = export(
        nn.Bilinear(2, 3, 1), (rl.ones(4, 2), rl.ones(4, 3)),
        dynamic_shapes={"input1": {0: Dim("n", max=8)}, "input2": {0: Dim("n", max=8)}},
    )  # fmt: skip
    with pytest.raises(RuntimeError, match=r"input2 is \(5, 3\), but must be \(n, 3\) with n = 4"):
        program(rl.ones(4, 2), rl.ones(5, 3))
    with pytest.raises(RuntimeError, match="outside of"):
        program(rl.ones(9, 2), rl.ones(9, 3))
    with pytest.raises(RuntimeError, match="tuple of 2"):
        program(rl.ones(4, 2))
    with pytest.raises(RuntimeError, match="must be a Tensor, not list"):
        program(rl.ones(4, 2), [1, 2, 3])
    assert program(rl.ones(4, 2), input2=rl.ones(4, 3)).shape == (4, 1)


def test_wrong_arguments_of_export():
    with pytest.raises(TypeError, match=r"instance of `torch.nn.Module`"):
        export(lambda x: x, (rl.ones(1),))
    with pytest.raises(TypeError, match="tuple"):
        export(nn.ReLU(), rl.ones(1))
    with pytest.raises(ValueError, match="names 'y', which is no argument"):
        export(nn.ReLU(), (rl.ones(1),), dynamic_shapes={"y": {0: Dim("n")}})
    with pytest.raises(RuntimeError, match="has no dimension 3"):
        export(nn.ReLU(), (rl.ones(1),), dynamic_shapes={"input": {3: Dim("n")}})
    with pytest.raises(RuntimeError, match="outside of"):
        export(nn.ReLU(), (rl.ones(9),), dynamic_shapes=({0: Dim("n", max=8)},))
    with pytest.raises(ValueError, match="identifier"):
        Dim("two words")
    with pytest.raises(ValueError, match="inconsistent"):
        Dim("n", min=4, max=4)


def test_the_model_is_as_it_was_after_a_fault():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(2)

        def forward(self, x):
            self.norm(x)
            raise KeyError("broken")

    model, random = Broken(), rl.get_rng_state()
    with pytest.raises(KeyError):
        export(model, (rl.ones(3, 2),))
    assert model.norm.running_mean.tolist() == [0.0, 0.0]
    assert model.norm.num_batches_tracked.item() == 0
    assert rl.equal(random, rl.get_rng_state())
    assert nn.ReLU()(rl.ones(1)).item() == 1  # nothing is watched any more
    assert not nn.module.everywhere.mark or not nn.module.everywhere.forward


def test_a_selftest_tells_which_output_differs():
    program: ExportedProgram = export(nn.Linear(2, 2), (rl.ones(1, 2),))
    with rl.no_grad():
        program.state["bias"].add_(1.0)
    with pytest.raises(RuntimeError, match="output differs from its golden values by"):
        program.selftest()
