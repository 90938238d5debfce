"""How many kernels things take, and that nothing is compiled twice."""

import importlib

import numpy as np
import pytest

import rushlight as rl
import rushlight.nn.functional as F
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.program import compiled
from rushlight.execute import tier
from rushlight.testing import assert_kernels, assert_no_recompile


def ready(*shape):
    x = rl.rand(*shape)
    rl.realize(x)
    return x


def test_bias_relu_is_one_kernel():
    x, bias = ready(64, 128), ready(128)
    with assert_kernels(1):
        rl.realize((x + bias).relu())


def test_softmax_of_a_row_is_one_kernel():
    x = ready(64, 100)
    with assert_kernels(1):
        rl.realize(rl.softmax(x, 1))


@pytest.mark.parametrize("columns", [8, 10, 32, 33])
def test_softmax_of_a_short_row_is_one_kernel(columns):
    x = ready(64, columns)
    with assert_kernels(1):
        rl.realize(rl.softmax(x, 1), rl.log_softmax(x, 1))


def test_arithmetic_over_a_broadcast_is_one_kernel():
    x = ready(7, 1, 5)
    with assert_kernels(1):
        rl.realize((x * 2 + 1).expand(7, 3, 5) + x)


def test_a_sum_of_products_is_one_kernel():
    x = ready(64, 128)
    with assert_kernels(1):
        rl.realize((x * x).sum())


FUNCTIONS = {"gelu": F.gelu, "tanh": rl.tanh, "sigmoid": rl.sigmoid, "erf": rl.erf, "exp": rl.exp}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("rows", [1, 20, 33])
def test_functions_in_registers_of_a_product_are_those_of_memory(name, rows):
    x, weight = ready(rows, 70), ready(50, 70)
    with rl.no_grad():
        weight.sub_(0.5)
    rl.realize(weight)
    with assert_kernels(1):
        joined = FUNCTIONS[name](F.linear(x, weight))
        rl.realize(joined)
    with tier.only("compiled"):
        product = F.linear(x, weight)
        rl.realize(product)
        apart = FUNCTIONS[name](product)
        rl.realize(apart)
    assert joined.numpy().tobytes() == apart.numpy().tobytes()


def test_an_outer_product_joins_what_it_is_part_of():
    a, b = ready(30, 1), ready(1, 50)
    with assert_kernels(1):
        y = (a.sigmoid() @ b.exp()).relu()
        total = y.sum()
        rl.realize(y, total)
    expected = np.maximum(1 / (1 + np.exp(-a.numpy())) * np.exp(b.numpy()), 0)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(total.item(), expected.sum(), rtol=1e-5)


@pytest.mark.parametrize("shapes", [((4, 1, 3, 1), (5, 1, 2)), ((0, 1), (1, 3)), ((2, 0), (0, 3))])
@pytest.mark.parametrize("dtype", [rl.float32, rl.float64, rl.int64, rl.bfloat16])
def test_outer_products_of_any_type_and_many_at_once(shapes, dtype):
    a, b = ((rl.rand(*shape) * 8 - 4).to(dtype) for shape in shapes)
    rl.realize(a, b)
    y = a @ b
    assert y.dtype is dtype
    expected = np.matmul(a.double().numpy(), b.double().numpy())
    np.testing.assert_allclose(
        y.double().numpy(), expected, rtol=4e-3 if dtype is rl.bfloat16 else 1e-6
    )


def test_a_linear_layer_with_relu_is_one_kernel():
    x, weight, bias = ready(64, 20), ready(10, 20), ready(10)
    with assert_kernels(1):
        rl.realize(F.linear(x, weight, bias).relu())


def test_one_parameters_adam_step_is_one_kernel():
    weight = ready(20, 10).requires_grad_()
    weight.grad = ready(20, 10)
    optimizer = rl.optim.Adam([weight])
    optimizer.step()
    rl.realize(weight)
    with assert_kernels(1):
        optimizer.step()
        rl.realize(weight)


def stepped(kind, **options):
    """A layer's calls in a training step, its first one done, and what its weight became."""
    rl.manual_seed(0)
    layer, x = rl.nn.Linear(70, 50, bias=False), ready(20, 70)
    optimizer = kind(layer.parameters(), lr=0.1, **options)
    for _ in range(2):
        optimizer.zero_grad()
        layer(x).square().mean().backward()
        optimizer.step()
    optimizer.zero_grad()
    layer(x).square().mean().backward()
    ran = []
    realize = importlib.import_module("rushlight.execute.realize")
    watch = lambda cut, known: ran.append(compiled(cut.graph(), host()).calls)
    realize.watchers.append(watch)
    try:
        optimizer.step()
    finally:
        realize.watchers.remove(watch)
    return [call.code.name for call in ran[-1]], layer.weight.detach().numpy()


def test_a_step_of_many_arrays_is_a_kernel_behind_the_product():
    few, _ = stepped(rl.optim.SGD)
    assert any(name.startswith("product") and "epilogue" in name for name in few[-1:])
    many, _ = stepped(rl.optim.Adam)
    assert many[-2].startswith("product") and "epilogue" not in many[-2]
    assert many[-1].startswith("loops")


@pytest.mark.parametrize("kind", [rl.optim.SGD, rl.optim.Adam, rl.optim.AdamW])
def test_steps_behind_products_are_those_of_references(kind):
    _, ours = stepped(kind)
    with tier.only("reference"):
        _, expected = stepped(kind)
    np.testing.assert_allclose(ours, expected, rtol=2e-5, atol=2e-6)


def test_sums_of_columns_are_taken_along_rows_whatever_else_there_is():
    """Results inside of rows would turn the vectors across what is summed."""
    x, weight, rate = ready(1600, 64), ready(64, 40), ready(1)
    with assert_kernels(2):
        total = x.sum(0) * rate
        rl.realize(total, weight * rate)
    np.testing.assert_allclose(total.numpy(), x.numpy().sum(0) * rate.item(), rtol=1e-5)


def test_the_failure_lists_kernels_and_the_graph():
    x = ready(6, 6)
    with pytest.raises(AssertionError, match=r"1 kernels instead of 3(.|\n)*exp_\w\w(.|\n)*graph"):
        with assert_kernels(3):
            rl.realize(x.exp())
    with pytest.raises(AssertionError, match="nothing was computed"):
        with assert_kernels(1):
            x + 1


def test_runs_are_counted_and_references_too():
    x = ready(3, 3) + rl.eye(3)
    rl.realize(x)
    with assert_kernels(4):
        for _ in range(2):
            rl.realize(rl.linalg.inv(x) * 2)


def test_the_tier_is_as_before_afterwards():
    from rushlight.execute import tier

    before = tier.chosen()
    with pytest.raises(ZeroDivisionError), assert_kernels(1):
        1 / 0
    assert tier.chosen() == before


def test_second_call_another_number_and_another_slice_compile_nothing():
    x = ready(10, 4)

    def work(rate, start):
        return rl.realize((x[start : start + 3] * rate).sin())

    work(0.1, 0)
    with assert_no_recompile():
        work(0.1, 0)
        work(0.2, 0)
        work(0.3, 5)


def test_another_learning_rate_compiles_nothing():
    weight = ready(5, 3).requires_grad_()
    optimizer = rl.optim.SGD([weight], lr=0.1, momentum=0.9)

    def step():
        optimizer.zero_grad()
        (weight * weight).sum().backward()
        optimizer.step()

    for _ in range(3):
        step()
    optimizer.param_groups[0]["lr"] = 0.05
    with assert_no_recompile():
        step()


def test_another_shape_is_a_new_graph():
    def work(x):
        rl.realize(x.tan() * 3)

    work(ready(17))
    fresh = ready(19)
    with pytest.raises(AssertionError, match=r"1 graphs were new(.|\n)*f32\[19\]"):
        with assert_no_recompile():
            work(fresh)
