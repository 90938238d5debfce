"""Parameter and Buffer as tensors: what they share, how they copy, how they print."""

from __future__ import annotations

import copy
import pickle

import pytest
from both import same

import rushlight as rl

PROGRAMS = {
    "made": lambda T: T.nn.Parameter(T.tensor([1.0, 2.0])),
    "of nothing": lambda T: T.nn.Parameter(),
    "without gradient": lambda T: T.nn.Parameter(T.ones(2), requires_grad=False),
    "without gradient by position": lambda T: T.nn.Parameter(T.ones(2), False),
    "of a parameter": lambda T: T.nn.Parameter(T.nn.Parameter(T.ones(2))),
    "of a tensor with gradient": lambda T: T.nn.Parameter(T.ones(2, requires_grad=True)),
    "of a computed tensor": lambda T: T.nn.Parameter(T.ones(2, requires_grad=True) * 2).is_leaf,
    "of integers": lambda T: T.nn.Parameter(T.ones(2, dtype=T.int64)),
    "of integers without gradient": lambda T: T.nn.Parameter(T.ones(2, dtype=T.int64), False),
    "of bools": lambda T: T.nn.Parameter(T.ones(2, dtype=T.bool)),
    "of complex numbers": lambda T: T.nn.Parameter(T.ones(2, dtype=T.complex64)),
    "of a list": lambda T: T.nn.Parameter([1.0]),
    "of a number": lambda T: T.nn.Parameter(3.0),
    "printed": lambda T: repr(T.nn.Parameter(T.tensor([[1.0, 2.5]], dtype=T.float64))),
    "printed without gradient": lambda T: repr(T.nn.Parameter(T.ones(()), requires_grad=False)),
    "as text": lambda T: str(T.nn.Parameter(T.ones(1))),
    "computed with": lambda T: T.nn.Parameter(T.ones(2)) * 2,
    "cloned": lambda T: T.nn.Parameter(T.ones(2)).clone(),
    "detached": lambda T: T.nn.Parameter(T.ones(2)).detach(),
    "its data": lambda T: T.nn.Parameter(T.ones(2)).data,
    "a row": lambda T: T.nn.Parameter(T.ones(2, 2))[0],
    "a buffer of nothing": lambda T: T.nn.Buffer(),
    "a buffer of a list": lambda T: T.nn.Buffer([1.0]),
    "a buffer with gradient": lambda T: T.nn.Buffer(T.ones(2, requires_grad=True)),
    "a buffer copied": lambda T: isinstance(copy.deepcopy(T.nn.Buffer(T.ones(2))), T.nn.Buffer),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_in_pytorch(name):
    same(PROGRAMS[name])


def test_memory_is_shared_with_the_data():
    def program(T, kind):
        data = T.zeros(2)
        made = kind(data)
        data.add_(1)
        with T.no_grad():
            made.mul_(3)
        return data, made

    same(lambda T: program(T, T.nn.Parameter))
    same(lambda T: program(T, T.nn.Buffer))
    same(lambda T: program(T, lambda data: T.nn.Parameter(T.nn.Parameter(data))))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
@pytest.mark.parametrize("requires_grad", [True, False])
def test_copies(duplicate, requires_grad):
    p = rl.nn.Parameter(rl.tensor([1.0, 2.0]), requires_grad)
    if requires_grad:
        (p * 3).sum().backward()
    other = duplicate(p)
    assert type(other) is rl.nn.Parameter and other is not p
    assert other.requires_grad is requires_grad and other.is_leaf and other.grad is None
    with rl.no_grad():
        other.add_(1)
    assert p.tolist() == [1, 2] and other.tolist() == [2, 3]


def test_a_copy_is_made_once():
    p = rl.nn.Parameter(rl.ones(1))
    first, second = copy.deepcopy([p, p])
    assert first is second


def test_subclass():
    class Scaled(rl.nn.Parameter):
        pass

    p = Scaled(rl.ones(1))
    assert isinstance(p, rl.nn.Parameter) and type(copy.deepcopy(p)) is Scaled
    m = rl.nn.Module()
    m.p = p
    assert list(m.parameters()) == [p]


def test_values_change_by_training():
    def program(T):
        p = T.nn.Parameter(T.tensor([1.0, 2.0]))
        for _ in range(3):
            p.grad = None
            (p**2).sum().backward()
            with T.no_grad():
                p -= 0.25 * p.grad
        return p, p.grad

    same(program)


def test_in_place_while_recording_is_refused():
    assert "a leaf Variable that requires grad" in same(lambda T: T.nn.Parameter(T.ones(1)).add_(1))
