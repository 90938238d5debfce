"""state_dict and load_state_dict: keys, versions, hooks, and exact messages of what is wrong."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from both import same
from nets import layer, net

import rushlight as rl

PROGRAMS = {
    "keys": lambda T: list(net(T).state_dict()),
    "values": lambda T: net(T).state_dict(),
    "variables": lambda T: net(T).state_dict(keep_vars=True),
    "prefix": lambda T: list(net(T).state_dict(prefix="p.")),
    "metadata": lambda T: dict(net(T).state_dict()._metadata),
    "metadata with prefix": lambda T: dict(net(T).state_dict(prefix="p.")._metadata),
    "destination": lambda T: net(T).state_dict(destination={"kept": 1}),
    "positional": lambda T: net(T).state_dict({"kept": 1}, "p.", True),
    "positional and named": lambda T: net(T).state_dict({"kept": 1}, prefix="p."),
    "kind": lambda T: type(net(T).state_dict()).__name__,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_state_dict(name):
    same(PROGRAMS[name])


def test_state_shares_memory_and_has_no_gradient():
    m = layer(rl)
    state = m.state_dict()
    assert type(state["weight"]) is rl.Tensor and not state["weight"].requires_grad
    state["weight"].fill_(5.0)
    assert m.weight.tolist() == [5, 5]
    assert m.state_dict(keep_vars=True)["weight"] is m.weight


LOADS = {
    "all": lambda T: net(T).state_dict(),
    "empty": lambda T: {},
    "missing": lambda T: {k: v for k, v in net(T).state_dict().items() if "bias" not in k},
    "unexpected": lambda T: {**net(T).state_dict(), "first.more": T.ones(1), "who.x": T.ones(1)},
    "sizes": lambda T: {k: T.ones(7) for k in net(T).state_dict()},
    "no tensor": lambda T: {**net(T).state_dict(), "scale": 3, "first.weight": [1.0]},
    "array": lambda T: {**net(T).state_dict(), "scale": np.float64(3)},
    "everything": lambda T: {"scale": T.ones(2), "first.weight": T.ones(3), "x": 1, "first": 2},
    "one for a 0-d": lambda T: {**net(T).state_dict(), "scale": T.tensor([4.0])},
    "two for a 0-d": lambda T: {**net(T).state_dict(), "scale": T.tensor([4.0, 4.0])},
    "0-d for one": lambda T: {**net(T).state_dict(), "first.weight": T.tensor(4.0)},
    "integers": lambda T: {k: (v * 0 + 3).long() for k, v in net(T).state_dict().items()},
    "doubles": lambda T: {k: v.double() + 1 for k, v in net(T).state_dict().items()},
    "non-persistent": lambda T: {**net(T).state_dict(), "first.count": T.tensor(3)},
    "of a None": lambda T: {**net(T).state_dict(), "first.nothing": T.tensor(3), "empty.x": 1},
    "empty key": lambda T: {**net(T).state_dict(), "": T.ones(1), ".": T.ones(1)},
    "list": lambda T: [1, 2],
    "none": lambda T: None,
}


@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("name", LOADS)
def test_load_state_dict(name, strict, assign):
    def program(T):
        m = net(T)
        kept = dict(m.named_parameters())
        seen = []
        try:
            seen.append(repr(m.load_state_dict(LOADS[name](T), strict=strict, assign=assign)))
        except (RuntimeError, TypeError) as error:
            seen.append(str(error))
        now = dict(m.named_parameters())
        return seen, m.state_dict(), [kept[k] is now[k] for k in kept], now

    same(program)


def test_loading_copies_unless_it_assigns():
    m, value = layer(rl), rl.full((2,), 3.0)
    state = {"weight": value, "bias": rl.nn.Parameter(rl.zeros(2).double()), "mean": value}
    weight = m.weight
    m.load_state_dict(state)
    value.fill_(4.0)
    assert m.weight is weight and weight.tolist() == [3, 3] and m.bias.dtype is rl.float32
    m.load_state_dict(state, assign=True)
    assert m.bias is state["bias"] and m.mean is value and m.weight is not weight
    value.fill_(5.0)
    assert m.weight.tolist() == [5, 5] and isinstance(m.weight, rl.nn.Parameter)
    m.bias.requires_grad_(False)
    m.load_state_dict({**state, "bias": rl.nn.Parameter(rl.ones(2))}, assign=True)
    assert not m.bias.requires_grad


def test_loading_is_no_part_of_the_graph():
    m = layer(rl)
    m.load_state_dict({**m.state_dict(), "weight": rl.ones(2, requires_grad=True) * 2})
    assert m.weight.is_leaf and m.weight.requires_grad and m.weight.tolist() == [2, 2]


def extra(T, both=True):
    class Extra(T.nn.Module):
        def __init__(self, value=0):
            super().__init__()
            self.value = value
            self.weight = T.nn.Parameter(T.ones(1))

        def get_extra_state(self):
            return {"value": self.value}

        if both:

            def set_extra_state(self, state):
                self.value = state["value"]

    return Extra


def test_extra_state():
    def program(T):
        Extra = extra(T)
        m, other = T.nn.Sequential(Extra(3)), T.nn.Sequential(Extra())
        state = m.state_dict()
        keys = other.load_state_dict(state)
        errors = []
        for wrong in ({"0.weight": T.ones(1)}, {**state, "_extra_state": 1}):
            try:
                other.load_state_dict(wrong)
            except RuntimeError as error:
                errors.append(str(error))
        return list(state), keys, other[0].value, errors

    same(program)
    same(lambda T: extra(T, both=False)(2).load_state_dict(extra(T)(3).state_dict()))
    same(lambda T: layer(T).load_state_dict({**layer(T).state_dict(), "_extra_state": 3}))


def test_versions_and_own_loading():
    def program(T):
        class Versioned(T.nn.Module):
            _version = 2

            def __init__(self):
                super().__init__()
                self.scale = T.nn.Parameter(T.ones(1))

            def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
                if local_metadata.get("version", 1) < 2:
                    state_dict[prefix + "scale"] = state_dict.pop(prefix + "gain")
                super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

            def _save_to_state_dict(self, destination, prefix, keep_vars):
                super()._save_to_state_dict(destination, prefix, keep_vars)
                destination[prefix + "note"] = T.zeros(1)

        m = T.nn.Sequential(Versioned())
        state = m.state_dict()
        old = OrderedDict({"0.gain": T.full((1,), 5.0)})
        result = m.load_state_dict(old)
        again = OrderedDict(state)
        again._metadata = state._metadata
        partial = {k: v for k, v in again.items() if "note" not in k}
        results = [result, m.load_state_dict(partial, strict=False)]
        return list(state), state._metadata, results, m[0].scale, repr(old)

    same(program)


def test_the_given_dictionary_stays_as_it_is():
    m = layer(rl)
    state = m.state_dict()
    before = list(state)
    m._register_load_state_dict_pre_hook(lambda state, prefix, *rest: state.clear())
    with pytest.raises(RuntimeError, match="Missing key"):
        m.load_state_dict(state)
    assert list(state) == before


def test_hooks_of_saving():
    def program(T):
        m, calls = net(T), []
        m.first.register_state_dict_pre_hook(lambda *args: calls.append(("pre", *args[1:])))

        def after(module, state, prefix, metadata):
            calls.append(("post", len(state), prefix, dict(metadata)))
            state[prefix + "added"] = T.zeros(1)

        handle = m.first.register_state_dict_post_hook(after)
        m.row._register_state_dict_hook(
            lambda module, state, prefix, metadata: OrderedDict(replaced=T.ones(1))
        )
        first = list(m.state_dict())
        handle.remove()
        return first, list(m.state_dict()), list(m.row.state_dict()), calls

    same(program)


def test_hooks_of_saving_that_are_wrong():
    def returns(T):
        m = layer(T)
        m.register_state_dict_post_hook(lambda *args: {})
        return m.state_dict()

    def registered_twice(T):
        def hook(*args):
            return None

        m = layer(T)
        m.register_state_dict_post_hook(hook)
        m._register_state_dict_hook(hook)

    same(returns)
    same(registered_twice)


def test_hooks_of_loading():
    def program(T):
        m, calls = net(T), []

        def before(module, state, prefix, metadata, strict, missing, unexpected, errors):
            calls.append((type(module).__name__, prefix, strict, list(state)))
            unexpected.append("told")

        m.first.register_load_state_dict_pre_hook(before)
        m.row._register_load_state_dict_pre_hook(lambda *args: calls.append(args[1]))

        def after(module, keys):
            calls.append((type(module).__name__, list(keys.missing_keys)))
            keys.unexpected_keys.clear()
            keys.missing_keys.clear()

        handle = m.register_load_state_dict_post_hook(after)
        result = [m.load_state_dict({})]
        handle.remove()
        try:
            m.load_state_dict({})
        except RuntimeError as error:
            result.append(str(error))
        m.register_load_state_dict_post_hook(lambda module, keys: keys)
        return result, calls, [m.load_state_dict(m.state_dict())]

    same(program)


class Loading(rl.nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = []
        self.register_load_state_dict_pre_hook(Loading.note)

    def note(self, *args):
        self.seen.append(args[1])


def test_hooks_of_loading_are_copied_to_the_copy():
    m = Loading()
    for other in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        other.load_state_dict({})
        assert other.seen == [""] and m.seen == []


def test_incompatible_keys():
    keys = rl.nn.Identity().load_state_dict({"a": 1}, strict=False)
    assert keys.unexpected_keys == ["a"] and keys == ([], ["a"])
    assert same(lambda T: repr(T.nn.Identity().load_state_dict({"a": 1}, strict=False)))
    assert same(lambda T: str(T.nn.Identity().load_state_dict({})))
