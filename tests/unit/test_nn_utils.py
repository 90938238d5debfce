"""nn.utils, compared with PyTorch's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from both import same

import rushlight as rl

ORDERS = [2, 2.0, 1, 0.5, 3, math.inf, -math.inf, 0, -1, "inf"]


def parameters(T, dtype="float32", values=((3.0, 4.0), ((0.0, 12.0), (-5.0, 0.0)), 84.0)):
    """Parameters with gradients, and one without between them."""
    made = []
    for value in values:
        gradient = T.tensor(value, dtype=getattr(T, dtype))
        made.append(T.nn.Parameter(T.zeros_like(gradient)))
        made[-1].grad = gradient
        made.append(T.nn.Parameter(T.zeros(2)))
    return made


def gradients(made):
    return [None if p.grad is None else p.grad for p in made]


def close(ours, theirs):
    """The same numbers, to the rounding of one multiplication and one norm."""
    np.testing.assert_allclose(ours, theirs, rtol=3e-7)


def both(program):
    import torch

    def flat(found):
        rows = found if isinstance(found, (list, tuple)) else [found]
        arrays = [r.detach().double().numpy().ravel() for r in rows if r is not None]
        return np.concatenate(arrays), [r is None or str(r.dtype) for r in rows]

    (ours, kinds), (theirs, their_kinds) = flat(program(rl)), flat(program(torch))
    close(ours, theirs)
    assert kinds == their_kinds


@pytest.mark.parametrize("order", ORDERS)
def test_total_norm(order):
    both(lambda T: T.nn.utils.get_total_norm([p.grad for p in parameters(T)[::2]], order))


@pytest.mark.parametrize("order", [2, 1, math.inf])
@pytest.mark.parametrize("bound", [0, 1, 5.5, 85.0, 1e6, -1])
def test_clip_grad_norm(order, bound):
    def program(T):
        made = parameters(T)
        kept = [p.grad for p in made]
        norm = T.nn.utils.clip_grad_norm_(made, bound, order)
        assert all(p.grad is grad for p, grad in zip(made, kept))
        return [norm, *gradients(made)]

    both(program)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_dtypes_stay(dtype):
    def program(T):
        made = parameters(T, dtype)
        norm = T.nn.utils.clip_grad_norm_(made, 4.0)
        return [norm, *gradients(made)]

    both(program)


def test_half_gradients_whose_squares_overflow():
    made = parameters(rl, "float16", values=((300.0, 400.0),))
    assert rl.nn.utils.clip_grad_norm_(made, 5.0).item() == 500
    np.testing.assert_allclose(made[0].grad.tolist(), [3, 4], rtol=1e-3)


@pytest.mark.parametrize("value", [math.inf, math.nan, -math.inf])
def test_what_is_not_finite(value):
    def program(T, strict):
        made = parameters(T, values=((1.0, value), (2.0, 3.0)))
        T.nn.utils.clip_grad_norm_(made, 1.0, error_if_nonfinite=strict)
        return gradients(made)

    assert same(lambda T: program(T, True)).startswith("RuntimeError: The total norm of order 2.0")
    assert [g is None or np.isnan(g.tolist()).any() for g in program(rl, False)][:2] == [True] * 2


CALLS = {
    "single tensor": lambda T: T.nn.utils.clip_grad_norm_(parameters(T)[0], 1.0),
    "nothing": lambda T: T.nn.utils.clip_grad_norm_([], 1.0),
    "empty generator": lambda T: T.nn.utils.clip_grad_norm_((p for p in []), 1.0),
    "empty iterator": lambda T: T.nn.utils.clip_grad_norm_(iter([]), 1.0),
    "no gradients": lambda T: T.nn.utils.clip_grad_norm_(parameters(T)[1::2], 1.0),
    "number": lambda T: T.nn.utils.clip_grad_norm_(3, 1.0),
    "text for a bound": lambda T: T.nn.utils.clip_grad_norm_(parameters(T), "x"),
    "old name": lambda T: T.nn.utils.clip_grad_norm(parameters(T), 1.0),
    "norm of nothing": lambda T: T.nn.utils.get_total_norm([]),
    "norm of one tensor": lambda T: T.nn.utils.get_total_norm(T.full((3, 3), 2.0)),
    "norm of an empty tensor": lambda T: T.nn.utils.get_total_norm([T.empty(0)]),
    "norm of integers": lambda T: T.nn.utils.get_total_norm([T.ones(2, dtype=T.int32)]),
    "vector of nothing": lambda T: T.nn.utils.parameters_to_vector([]),
    "no vector": lambda T: T.nn.utils.vector_to_parameters([1.0], []),
    "short vector": lambda T: T.nn.utils.vector_to_parameters(T.ones(3), parameters(T)),
    "matrix": lambda T: T.nn.utils.vector_to_parameters(T.ones(2, 2), parameters(T)),
}


@pytest.mark.parametrize("name", CALLS)
def test_unusual_arguments(name):
    same(CALLS[name])


def test_a_generator_is_used_once():
    made = parameters(rl)
    norm = rl.nn.utils.clip_grad_norm_((p for p in made), 1.0)
    assert norm.item() == pytest.approx(85.1469, rel=1e-5)
    assert rl.nn.utils.get_total_norm([p.grad for p in made[::2]]).item() == pytest.approx(1)


def test_clipping_with_a_norm_known_before():
    def program(T):
        made = parameters(T)
        T.nn.utils.clip_grads_with_norm_(made, 2.0, T.tensor(8.0))
        T.nn.utils.clip_grads_with_norm_(made, 9.0, T.tensor(8.0))
        T.nn.utils.clip_grads_with_norm_([], 9.0, T.tensor(8.0))
        return gradients(made)

    both(program)


@pytest.mark.parametrize("bound", [0, 3.5, 1000, "4"])
def test_clip_grad_value(bound):
    def program(T):
        made = parameters(T)
        T.nn.utils.clip_grad_value_(made, bound)
        T.nn.utils.clip_grad_value_(made[0], 3)
        return gradients(made)

    both(program)


def test_clipping_looks_at_nothing():
    # A training loop that clips still runs as one program, at the optimizer's step.
    made = parameters(rl)
    norm = rl.nn.utils.clip_grad_norm_(made, 1.0)
    assert norm.node.buffer is None and made[0].grad.node.buffer is None


def test_vector_of_parameters():
    def program(T):
        made = parameters(T)
        with T.no_grad():
            for number, p in enumerate(made):
                p.fill_(number)
        vector = T.nn.utils.parameters_to_vector(made)
        (vector * T.arange(float(len(vector)))).sum().backward()
        return [vector, *gradients(made)]

    both(program)


def test_parameters_of_a_vector():
    def program(T):
        made = parameters(T)
        vector = T.arange(20.0)
        T.nn.utils.vector_to_parameters(vector, made)
        vector.add_(100)  # they share its memory
        assert all(p.is_leaf and p.requires_grad for p in made)
        T.nn.utils.vector_to_parameters(T.nn.utils.parameters_to_vector(made) * 2, made)
        return made

    both(program)
