"""``backward`` and ``grad``: what is collected where, what is refused, what can be done again."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from agree import same

import rushlight as rl


def leaf(lib: Any, *values: float, dtype: str = "float64") -> Any:
    return lib.tensor(values or (1.0, 2.0, 3.0), dtype=getattr(lib, dtype), requires_grad=True)


# What is collected --------------------------------------------------------------------------------


def inputs_that_are_no_leaves(lib):
    x = leaf(lib)
    y = x * 2
    y.sum().backward(inputs=[y])
    return y.grad, x.grad


def inputs_choose_leaves(lib):
    x, w = leaf(lib), leaf(lib)
    (x * w).sum().backward(inputs=w)
    return x.grad, w.grad


def inputs_twice_the_same(lib):
    x = leaf(lib)
    (x * x).sum().backward(inputs=[x])
    return x.grad


def inputs_not_in_the_graph(lib):
    x, w = leaf(lib), leaf(lib)
    (x * 2).sum().backward(inputs=[w])
    return x.grad, w.grad


def a_leaf_is_its_own_root(lib):
    x = leaf(lib)
    x.backward(lib.ones(3, dtype=lib.float64))
    return x.grad


def several_roots(lib):
    x = leaf(lib)
    lib.autograd.backward([x.sum(), x * 2], [None, lib.ones(3, dtype=lib.float64)])
    return x.grad


def the_same_root_twice(lib):
    x = leaf(lib)
    y = (x * x).sum()
    lib.autograd.backward([y, y])
    return x.grad


def gradients_add_up(lib):
    x = leaf(lib)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    return x.grad


def aliases_of_grad_see_it_grow(lib):
    x = leaf(lib)
    x.sum().backward()
    alias, part = x.grad, x.grad[0]
    (x * 3).sum().backward()
    return alias, part, alias is x.grad


def a_given_grad_is_added_to(lib):
    x = leaf(lib)
    x.grad = lib.ones(3, dtype=lib.float64)
    mine = x.grad
    x.sum().backward()
    return mine, x.grad is mine


def with_create_graph_grad_is_another(lib):
    x = leaf(lib)
    x.grad = lib.ones(3, dtype=lib.float64)
    mine = x.grad
    (x * x).sum().backward(create_graph=True)
    return mine, x.grad is mine, x.grad.requires_grad


def the_weight_is_not_grad(lib):
    x, g = leaf(lib), lib.ones(3, dtype=lib.float64)
    (x * 1).backward(g)
    g.zero_()
    return x.grad


def a_weight_of_another_dtype(lib):
    x = leaf(lib)
    (x * 2).sum().backward(lib.tensor(2.0, dtype=lib.float32))
    return x.grad


def grads_of_mixed_dtypes(lib):
    x, w = leaf(lib, dtype="float32"), leaf(lib)
    (x * w).sum().backward()
    return x.grad, w.grad


def a_scalar_with_dimensions(lib):
    x = leaf(lib, 3.0)
    (x * x).reshape(1, 1, 1).backward()
    return x.grad


def under_no_grad(lib):
    x = leaf(lib)
    y = (x * x).sum()
    with lib.no_grad():
        y.backward()
    return x.grad, x.grad.requires_grad


def frozen_since(lib):
    x = leaf(lib)
    y = (x * x).sum()
    x.requires_grad_(False)
    y.backward()
    return x.grad, x.requires_grad


def written_since(lib):
    x = leaf(lib)
    y = (x + 1).sum()
    with lib.no_grad():
        x.mul_(10)
    y.backward()
    return x, x.grad


def written_since_and_asked_for(lib):
    x = leaf(lib)
    y = (x * 3).sum()
    with lib.no_grad():
        x.mul_(10)
    return lib.autograd.grad(y, x)


def through_the_leaf_before_and_after(lib):
    x = leaf(lib)
    y = (x * 3).sum()
    with lib.no_grad():
        x.mul_(10)
    (y + (x * 2).sum()).backward()
    return x.grad


def data_replaced_since(lib):
    x = leaf(lib)
    y = (x * 3).sum()
    x.data = lib.zeros(3, dtype=lib.float64)
    y.backward()
    return x, x.grad


def unused_parts(lib):
    x = leaf(lib)
    x[0].backward()
    return x.grad


def diamonds(lib):
    x = leaf(lib)
    a = x * 2
    b = a * a
    (a + b + x).sum().backward()
    return x.grad


def a_deep_chain(lib):
    x = leaf(lib)
    y = x
    for _ in range(3000):
        y = y * 1.0 + 0.0
    y.sum().backward()
    return x.grad


def integers_on_the_way(lib):
    x = leaf(lib)
    i = (x * 2).long()
    (x * i).sum().backward()
    return i.requires_grad, x.grad


def detached_on_the_way(lib):
    x = leaf(lib)
    y = x * 2
    (y.detach() * x).sum().backward()
    return x.grad


def casts_on_the_way(lib):
    x = leaf(lib)
    y = x.float().double().half().to(lib.float32)
    y.sum().backward()
    return y, x.grad


def broadcasts_on_the_way(lib):
    x, w = leaf(lib, 1.0, 2.0), leaf(lib)
    (x[:, None] * w).sum().backward()
    return x.grad, w.grad


def retained(lib):
    x = leaf(lib)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    (y * y).sum().backward()
    return y.grad, y.retains_grad, x.retains_grad, x.grad


def retained_before_a_write(lib):
    x = leaf(lib)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return y.grad


def retained_on_a_leaf(lib):
    x = leaf(lib)
    x.retain_grad()
    x.sum().backward()
    return x.grad, x.retains_grad


def retained_twice_over(lib):
    x = leaf(lib)
    y = x * 2
    y.retain_grad()
    z = y.sum()
    z.backward(retain_graph=True)
    z.backward()
    return y.grad, x.grad


def grad_of_what_is_no_leaf_warns(lib):
    return (leaf(lib) * 2).grad


def grad_can_be_deleted(lib):
    x = leaf(lib)
    x.sum().backward()
    del x.grad
    return x.grad


def second_derivatives(lib):
    x = leaf(lib)
    (first,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = lib.autograd.grad(first.sum(), x, create_graph=True)
    second.sum().backward()
    return first, second, x.grad


def a_gradient_penalty(lib):
    x, w = leaf(lib), leaf(lib)
    y = (w * x * x).sum()
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    ((g * g).sum() + y).backward()
    return x.grad, w.grad


COLLECTED = [
    inputs_that_are_no_leaves, inputs_choose_leaves, inputs_twice_the_same,
    inputs_not_in_the_graph, a_leaf_is_its_own_root, several_roots, the_same_root_twice,
    gradients_add_up, aliases_of_grad_see_it_grow, a_given_grad_is_added_to,
    with_create_graph_grad_is_another, the_weight_is_not_grad, a_weight_of_another_dtype,
    grads_of_mixed_dtypes, a_scalar_with_dimensions, under_no_grad, frozen_since, written_since,
    written_since_and_asked_for, through_the_leaf_before_and_after, data_replaced_since,
    unused_parts, diamonds, a_deep_chain, integers_on_the_way, detached_on_the_way,
    casts_on_the_way, broadcasts_on_the_way, retained, retained_before_a_write,
    retained_on_a_leaf, retained_twice_over, grad_can_be_deleted, second_derivatives,
    a_gradient_penalty,
]  # fmt: skip


@pytest.mark.parametrize("program", COLLECTED)
def test_what_is_collected(program):
    # PyTorch warns once per process that create_graph makes a cycle, which here it does not.
    same(program, warned=False)


def test_grad_of_what_is_no_leaf_warns():
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf"):
        assert grad_of_what_is_no_leaf_warns(rl) is None


# What is refused ----------------------------------------------------------------------------------

REFUSED = {
    "no scalar": lambda lib: (leaf(lib) * 2).backward(),
    "no gradient": lambda lib: lib.ones(3).sum().backward(),
    "no gradient, no scalar": lambda lib: lib.ones(3).backward(),
    "second of two roots": lambda lib: lib.autograd.backward([leaf(lib).sum(), lib.ones(())]),
    "weight of another shape": lambda lib: leaf(lib).sum().backward(lib.ones(2)),
    "weight that broadcasts": lambda lib: (leaf(lib) * 2).backward(lib.tensor(1.0)),
    "None for no scalar": lambda lib: lib.autograd.backward(leaf(lib) * 2, [None]),
    "complex": lambda lib: lib.ones(1, dtype=lib.complex64, requires_grad=True).sum().backward(),
    "empty inputs": lambda lib: leaf(lib).sum().backward(inputs=[]),
    "unused": lambda lib: lib.autograd.grad(leaf(lib).sum(), leaf(lib)),
    "unused second": lambda lib: lib.autograd.grad((x := leaf(lib)).sum(), [x, leaf(lib)]),
    "target without gradients": lambda lib: lib.autograd.grad(leaf(lib).sum(), lib.ones(2)),
    "that with allow_unused": lambda lib: lib.autograd.grad(
        leaf(lib).sum(), lib.ones(2), allow_unused=True
    ),
    "contradiction": lambda lib: lib.autograd.grad(
        (x := leaf(lib)).sum(), x, materialize_grads=True, allow_unused=False
    ),
    "more roots than weights": lambda lib: lib.autograd.grad(
        [(x := leaf(lib)) * 2, x * 3], x, [lib.ones(3)]
    ),
    "no targets": lambda lib: lib.autograd.grad(leaf(lib).sum(), []),
    "no roots": lambda lib: lib.autograd.grad([], leaf(lib)),
    "both old and new name": lambda lib: lib.autograd.backward(
        leaf(lib).sum(), lib.ones(()), grad_variables=lib.ones(())
    ),
    "grad of another shape": lambda lib: setattr(leaf(lib), "grad", lib.ones(2).double()),
    "grad that is no tensor": lambda lib: setattr(leaf(lib), "grad", 3),
    "own grad": lambda lib: setattr(x := leaf(lib), "grad", x),
    "integers": lambda lib: lib.ones(3, dtype=lib.int64).requires_grad_(),
    "integers made so": lambda lib: lib.ones(3, dtype=lib.int64, requires_grad=True),
    "freezing no leaf": lambda lib: (leaf(lib) * 2).requires_grad_(False),
    "retaining nothing": lambda lib: lib.ones(3).retain_grad(),
    "hook on nothing": lambda lib: lib.ones(3).register_hook(print),
    "hook after no leaf": lambda lib: (leaf(lib) * 2).register_post_accumulate_grad_hook(print),
    "numpy": lambda lib: leaf(lib).numpy(),
    "item of several": lambda lib: leaf(lib).item(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    assert isinstance(same(REFUSED[name], warned=False), str)


def test_what_is_refused_in_other_words():
    same(lambda lib: leaf(lib).sum().backward(inputs=[lib.ones(3)]), text=False)
    same(lambda lib: copy.deepcopy(leaf(lib) * 2), text=False)


def test_a_weight_that_is_no_tensor_is_named():
    with pytest.raises(TypeError, match="gradients can be either Tensors or None, but got int"):
        rl.autograd.backward([leaf(rl).sum()], [1])
    with pytest.raises(RuntimeError, match=r"dtype 'torch\.float32'"):
        leaf(rl).grad = rl.ones(3)


# Once more ----------------------------------------------------------------------------------------

# Whether a second walk is refused depends on whether the function kept values for the first.
FUNCTIONS = {
    "x + 1": lambda x: x + 1, "x + x": lambda x: x + x, "-x": lambda x: -x,
    "x - 1": lambda x: x - 1,
    "x * x": lambda x: x * x, "x ** 2": lambda x: x**2, "exp": lambda x: x.exp(),
    "log": lambda x: x.log(), "sqrt": lambda x: x.sqrt(), "tanh": lambda x: x.tanh(),
    "relu": lambda x: x.relu(), "sum": lambda x: x.sum(), "mean": lambda x: x.mean(),
    "view": lambda x: x.view(3, 1), "x[0]": lambda x: x[0], "expand": lambda x: x.expand(2, 3),
    "clone": lambda x: x.clone(), "float": lambda x: x.float(), "x / x": lambda x: x / x,
    "x @ x": lambda x: x @ x, "softmax": lambda x: x.softmax(0), "abs": lambda x: x.abs(),
    "sigmoid": lambda x: x.sigmoid(), "clamp": lambda x: x.clamp(0.5), "sin": lambda x: x.sin(),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_second_walk_is_refused_where_values_were_kept(name):
    def program(lib):
        x = leaf(lib)
        y = FUNCTIONS[name](x)
        weight = lib.ones_like(y)
        y.backward(weight)
        y.backward(weight)
        return x.grad

    same(program, close=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_kept_graph_is_walked_again(name):
    def program(lib):
        x = leaf(lib)
        y = FUNCTIONS[name](x)
        weight = lib.ones_like(y)
        y.backward(weight, retain_graph=True)
        y.backward(weight)
        return x.grad

    same(program, close=1e-12)


def a_shared_part_is_freed(lib):
    x = leaf(lib)
    y = x.exp()
    y.sum().backward()
    (y * 2).sum().backward()


def a_part_that_kept_nothing_is_not(lib):
    x = leaf(lib)
    y = x + 1
    y.sum().backward()
    (y + 2).sum().backward()
    return x.grad


def grad_frees_as_well(lib):
    x = leaf(lib)
    y = (x * x).sum()
    lib.autograd.grad(y, x)
    lib.autograd.grad(y, x)


def another_branch_is_not_freed(lib):
    x = leaf(lib)
    y, z = (x * x).sum(), (x.exp() * x).sum()
    y.backward()
    z.backward()
    return x.grad


def only_the_way_to_the_inputs_is_freed(lib):
    x, w = leaf(lib), leaf(lib)
    a, b = x.exp(), w.exp()
    y = (a + b).sum()
    lib.autograd.grad(y, x, retain_graph=False)
    return lib.autograd.grad(b.sum(), w)


def create_graph_keeps_it(lib):
    x = leaf(lib)
    y = (x * x).sum()
    lib.autograd.grad(y, x, create_graph=True)
    return lib.autograd.grad(y, x)


def create_graph_without_retaining(lib):
    x = leaf(lib)
    y = (x * x).sum()
    lib.autograd.grad(y, x, create_graph=True, retain_graph=False)
    return lib.autograd.grad(y, x)


AGAIN = [
    a_shared_part_is_freed, a_part_that_kept_nothing_is_not, grad_frees_as_well,
    another_branch_is_not_freed, only_the_way_to_the_inputs_is_freed, create_graph_keeps_it,
    create_graph_without_retaining,
]  # fmt: skip


@pytest.mark.parametrize("program", AGAIN)
def test_what_is_freed(program):
    same(program, close=1e-12)


# grad ---------------------------------------------------------------------------------------------

GRADS = {
    "of itself": lambda lib: lib.autograd.grad(x := leaf(lib), x, lib.ones(3).double()),
    "unused gives None": lambda lib: lib.autograd.grad(
        (x := leaf(lib)).sum(), [leaf(lib), x], allow_unused=True
    ),
    "unused gives zeros": lambda lib: lib.autograd.grad(
        (x := leaf(lib)).sum(), [leaf(lib, 1.0), x], materialize_grads=True
    ),
    "a target twice": lambda lib: lib.autograd.grad((x := leaf(lib)).sum(), [x, x]),
    "a tuple of targets": lambda lib: lib.autograd.grad((x := leaf(lib)).sum(), (x,)),
    "on the way": lambda lib: lib.autograd.grad(((y := leaf(lib) * 2) * y).sum(), y),
    "root and target": lambda lib: lib.autograd.grad(
        (y := leaf(lib) * 2), [y], lib.ones(3).double()
    ),
    "weights in a tuple": lambda lib: lib.autograd.grad(
        (x := leaf(lib)) * 2, x, (lib.ones(3).double(),)
    ),
    "weighted": lambda lib: lib.autograd.grad(
        (x := leaf(lib)) * 2, x, lib.tensor([1.0, 10.0, 100.0]).double()
    ),
    "several outputs": lambda lib: lib.autograd.grad(
        [((x := leaf(lib)) * 2).sum(), (x * 3).sum()], x
    ),
    "batched": lambda lib: lib.autograd.grad(
        (x := leaf(lib)) * x, x, lib.eye(3).double(), is_grads_batched=True
    ),
    "batched unused": lambda lib: lib.autograd.grad(
        (x := leaf(lib)) * x, [x, leaf(lib)], lib.eye(3).double(), is_grads_batched=True,
        allow_unused=True,
    ),
    "leaves keep no grad": lambda lib: (
        lib.autograd.grad((x := leaf(lib)).sum(), x), x.grad, x.is_leaf
    ),
    "a view and its base": lambda lib: lib.autograd.grad(
        ((v := (x := leaf(lib))[:2]) * 3).sum() + x.sum(), [x, v]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADS)
def test_grad(name):
    same(GRADS[name])


def test_the_old_name_of_weights_warns():
    def program(lib):
        x = leaf(lib)
        lib.autograd.backward(x * 2, grad_variables=lib.ones(3).double())
        return x.grad

    same(program)


def test_the_line_of_the_forward_is_named():
    x = leaf(rl)
    y = x.exp()
    y.sum().backward()
    with pytest.raises(RuntimeError, match="second time") as caught:
        y.sum().backward()
    assert "y = x.exp()" in str(caught.value)


def test_variable_is_the_tensor():
    x = rl.autograd.Variable(rl.ones(2), requires_grad=True)
    assert isinstance(x, rl.autograd.Variable) and isinstance(rl.ones(1), rl.autograd.Variable)
    assert isinstance(torch.ones(1), torch.autograd.Variable) and x.requires_grad
    same(lambda lib: lib.autograd.Variable(lib.ones(2)))
