"""Modules copied and pickled."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest
from both import same
from nets import assert_consistent, layer

import rushlight as rl


class Picklable(rl.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = rl.nn.Sequential(rl.nn.Identity())
        self.weight = rl.nn.Parameter(rl.ones(2))
        self.same = self.weight
        self.register_buffer("mean", rl.zeros(2))
        self.plain = {"a": 1}

    def forward(self, x):
        return x * self.weight


class OwnState(Picklable):
    """A subclass that pickles its whole ``__dict__``."""

    def __getstate__(self):
        return self.__dict__.copy()

    def __setstate__(self, state):
        self.__dict__.update(state)


@pytest.mark.parametrize("kind", [Picklable, OwnState])
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_deepcopy_and_pickle(kind, duplicate):
    m = kind()
    other = duplicate(m)
    assert type(other) is kind and other.plain == {"a": 1} and other.plain is not m.plain
    assert other.weight is other.same and other.weight is not m.weight
    assert isinstance(other.weight, rl.nn.Parameter) and other.weight.tolist() == [1, 1]
    assert_consistent(other)
    assert list(other.state_dict()) == list(m.state_dict())
    other.weight = rl.nn.Parameter(rl.zeros(2))
    other.inner = rl.nn.Identity()
    del other.mean
    assert other.weight.tolist() == [0, 0] and not hasattr(other, "mean")
    assert m.weight.tolist() == [1, 1] and m.mean.tolist() == [0, 0]
    assert other(rl.ones(2)).tolist() == [0, 0]


def test_state_of_a_module_has_each_tensor_once():
    state = Picklable().__reduce_ex__(2)[2]
    assert "weight" not in state and "weight" in state["_parameters"]


def test_pickle_with_plain_dictionaries():
    m = Picklable()
    state = {**m.__reduce_ex__(2)[2], "_parameters": OrderedDict(m._parameters)}
    for name in ("_forward_hooks", "_state_dict_pre_hooks", "_hooked"):
        del state[name]  # as older versions and PyTorch's own files lack them
    other = Picklable.__new__(Picklable)
    other.__setstate__(state)
    assert other.weight is m.weight and other(rl.ones(2)).tolist() == [1, 1]
    other.register_forward_hook(lambda *args: args[-1] + 1)
    assert other(rl.ones(2)).tolist() == [2, 2]


def test_shallow_copies_share_their_tables():
    def program(T):
        m = layer(T)
        other = copy.copy(m)
        other.weight = T.nn.Parameter(T.zeros(1))
        m.bias = None
        apart = copy.copy(m)
        apart._parameters = dict(apart._parameters)
        apart.weight = T.nn.Parameter(T.zeros(9))
        apart.size = 7
        return m.weight, other.weight, other.bias, m.size, apart.weight

    same(program)


def test_deepcopy_keeps_hooks_and_their_handles():
    m = Picklable()
    handle = m.register_forward_hook(lambda module, args, output: output + 1)
    other, its_handle = copy.deepcopy((m, handle))
    assert other(rl.ones(2)).tolist() == [2, 2]
    its_handle.remove()
    assert other(rl.ones(2)).tolist() == [1, 1] and m(rl.ones(2)).tolist() == [2, 2]
