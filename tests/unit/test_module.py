"""Module's attributes: what can be assigned where, and how its registries show, as PyTorch's."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict

import pytest
from both import same
from nets import assert_consistent, layer

import rushlight as rl

# Assigning -------------------------------------------------------------------------------------

ASSIGNMENTS = {
    "parameter": lambda T, m: T.nn.Parameter(T.ones(3)),
    "none": lambda T, m: None,
    "tensor": lambda T, m: T.ones(3),
    "module": lambda T, m: layer(T),
    "buffer": lambda T, m: T.nn.Buffer(T.ones(3)),
    "lost buffer": lambda T, m: T.nn.Buffer(T.ones(3), persistent=False),
    "number": lambda T, m: 3,
    "itself": lambda T, m: m,
}
NAMES = ("weight", "nothing", "mean", "count", "child", "size", "new", "forward", "a.b", "")


def tables(m):
    return (
        list(m._parameters), list(m._buffers), list(m._modules),
        sorted(m._non_persistent_buffers_set), list(m.state_dict()),
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ASSIGNMENTS)
def test_assigning_any_kind_over_any_other(name, kind):
    def program(T):
        m = layer(T)
        m.child = layer(T, 1)
        value = ASSIGNMENTS[kind](T, m)
        try:
            setattr(m, name, value)
        finally:
            if kind != "itself":
                same_tables.append(tables(m))
        found = getattr(m, name) is value  # a name that the class has stays the class's
        if T is rl:
            assert_consistent(m, except_for="forward")
        return found, kind != "itself" and tables(m)

    same_tables = []
    same(program)
    assert same_tables[:1] == same_tables[1:]


@pytest.mark.parametrize("name", NAMES)
def test_assigning_twice_and_deleting(name):
    def program(T):
        m = layer(T)
        m.child = layer(T, 1)
        seen = []
        for kind in ("parameter", "none", "buffer", "module", "number", "parameter", "tensor"):
            try:
                setattr(m, name, ASSIGNMENTS[kind](T, m))
                seen.append((kind, tables(m)))
            except (TypeError, KeyError) as error:
                seen.append((kind, str(error).replace("rushlight", "torch"), tables(m)))
        delattr(m, name)
        seen.append(tables(m))
        seen.append(hasattr(m, name))
        return seen

    same(program)


def test_deleting():
    def program(T):
        m = layer(T)
        m.child = layer(T)
        for name in ("weight", "mean", "count", "child", "size", "nothing"):
            delattr(m, name)
            assert not hasattr(m, name)
        return tables(m), sorted(m._non_persistent_buffers_set)

    same(program)
    same(lambda T: delattr(layer(T), "absent"))


@pytest.mark.parametrize(
    "assign",
    [
        lambda T: T.nn.Parameter(T.ones(1)),
        lambda T: T.nn.Module(),
        lambda T: T.nn.Buffer(T.ones(1)),
        lambda T: 3,
    ],
)
def test_assigning_before_init(assign):
    def program(T):
        class Early(T.nn.Module):
            def __init__(self):
                self.value = assign(T)

        return Early().value

    same(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda T: T.nn.Module(3),
        lambda T: T.nn.Module(a=3),
        lambda T: T.nn.Module().absent,
        lambda T: T.nn.Module()(3),
        lambda T: layer(T).register_parameter("p", T.ones(1)),
        lambda T: layer(T).register_parameter(3, None),
        lambda T: layer(T).register_parameter("a.b", None),
        lambda T: layer(T).register_parameter("", None),
        lambda T: layer(T).register_parameter("mean", T.nn.Parameter(T.ones(1))),
        lambda T: layer(T).register_buffer("b", 3),
        lambda T: layer(T).register_buffer("b", [T.ones(1)]),
        lambda T: layer(T).register_buffer(3, T.ones(1)),
        lambda T: layer(T).register_buffer("a.b", T.ones(1)),
        lambda T: layer(T).register_buffer("weight", T.ones(1)),
        lambda T: layer(T).add_module("m", 3),
        lambda T: layer(T).add_module("m", dict),
        lambda T: layer(T).add_module(3, layer(T)),
        lambda T: layer(T).add_module("a.b", layer(T)),
        lambda T: layer(T).add_module("", layer(T)),
        lambda T: layer(T).register_module("weight", layer(T)),
        lambda T: layer(T).train("yes"),
        lambda T: layer(T).train(1),
    ],
)
def test_refusals(program):
    assert isinstance(same(program), str)


def test_a_computed_tensor_is_no_parameter():
    parameter = rl.nn.Parameter(rl.ones(1))
    with pytest.raises(TypeError, match=r"cannot assign 'torch.FloatTensor' as parameter 'weight'"):
        layer(rl).weight = parameter * 2


def test_buffer_register_without_persistent_argument():
    def program(T, persistent):
        class Own(T.nn.Module):
            def register_buffer(self, name, tensor):
                super().register_buffer(name, tensor)

        m = Own()
        m.steps = T.nn.Buffer(T.ones(1), persistent=persistent)
        return m.state_dict()

    same(lambda T: program(T, True))
    same(lambda T: program(T, False))


def test_buffer_is_a_plain_tensor_that_isinstance_knows():
    buffer = rl.nn.Buffer(rl.ones(2))
    assert type(buffer) is rl.Tensor and isinstance(buffer, rl.nn.Buffer)
    assert not isinstance(rl.ones(2), rl.nn.Buffer)
    assert same(lambda T: (T.nn.Buffer(), T.nn.Buffer(T.ones(1)).persistent))
    same(lambda T: repr(T.nn.Buffer(T.ones(2))))


# Registries as attributes ----------------------------------------------------------------------


def test_parameters_are_ordinary_attributes():
    m = layer(rl)
    for name in ("weight", "nothing", "mean"):
        assert name in vars(m) and vars(m)[name] is getattr(m, name)


REGISTRY_CHANGES = {
    "set": lambda t, new: t.__setitem__("weight", new),
    "add": lambda t, new: t.__setitem__("other", new),
    "delete": lambda t, new: t.__delitem__("weight"),
    "pop": lambda t, new: t.pop("weight"),
    "pop default": lambda t, new: t.pop("absent", None),
    "popitem": lambda t, new: t.popitem(),
    "clear": lambda t, new: t.clear(),
    "update": lambda t, new: t.update({"weight": new, "x": None}),
    "update pairs": lambda t, new: t.update([("weight", new)], y=None),
    "setdefault": lambda t, new: t.setdefault("weight", new),
    "setdefault new": lambda t, new: t.setdefault("other", new),
    "ior": lambda t, new: t.__ior__({"weight": new}),
}


@pytest.mark.parametrize("change", REGISTRY_CHANGES)
def test_every_way_to_change_a_registry_shows(change):
    def program(T):
        m = layer(T)
        new = T.nn.Parameter(T.zeros(4))
        REGISTRY_CHANGES[change](m._parameters, new)
        names = ("weight", "bias", "nothing", "other", "x", "y")
        return [getattr(m, name, "absent") for name in names], list(m._parameters)

    same(program)


def test_replacing_a_whole_registry():
    def program(T):
        m = layer(T)
        m._parameters = OrderedDict(other=T.nn.Parameter(T.ones(1)))
        before = hasattr(m, "weight"), hasattr(m, "bias"), m.other
        m._parameters["more"] = None
        return before, m.more, list(m.state_dict())

    same(program)


def test_an_attribute_of_ones_own_wins_over_the_registry():
    def program(T):
        m = layer(T)
        object.__setattr__(m, "weight", "mine")
        seen = [m.weight]
        m._parameters["weight"] = None
        seen.append(m.weight)
        del m.weight
        seen.append(m.weight)
        return seen, list(m._parameters)

    same(program)


def test_a_class_attribute_wins_over_the_registry():
    def program(T):
        class Fixed(T.nn.Module):
            weight = "class"

        m = Fixed()
        m._parameters["weight"] = T.nn.Parameter(T.ones(1))
        seen = [m.weight, list(m._parameters)]
        m.weight = T.nn.Parameter(T.zeros(1))
        return [*seen, m.weight]

    same(program)


def test_a_property_put_in_front_of_a_parameter():
    # What parametrizations do: the class changes, the parameter moves, the name is computed.
    def program(T):
        m = layer(T)
        original = m._parameters.pop("weight")
        m.register_parameter("original", original)
        doubled = property(lambda self: self.original * 2)
        m.__class__ = type("Doubled", (type(m),), {"weight": doubled})
        return m.weight.detach(), list(m.state_dict()), m(T.ones(2)).detach()

    same(program)


def test_a_tensor_in_place_of_a_parameter():
    # What the older weight normalisation does.
    def program(T):
        m = layer(T)
        del m._parameters["weight"]
        m.weight_g = T.nn.Parameter(T.ones(2))
        m.weight = m.weight_g * 3
        first = m(T.ones(2)).detach()
        m.weight = m.weight_g * 4
        delattr(m, "weight")
        m.weight = T.nn.Parameter(T.zeros(2))
        return first, list(m._parameters)

    same(program)


def test_modules_are_freed_with_their_last_reference():
    m = layer(rl)
    m.child = layer(rl)
    outer, inner = weakref.ref(m), weakref.ref(m.child)
    gc.disable()
    try:
        del m
        assert outer() is None and inner() is None
    finally:
        gc.enable()


def test_init_twice_starts_over():
    def program(T):
        m = layer(T)
        T.nn.Module.__init__(m)
        return tables(m), hasattr(m, "weight"), m.size

    same(program)


def test_call_super_init():
    def program(T):
        class Mixin:
            def __init__(self, value):
                self.value = value

        class Both(T.nn.Module, Mixin):
            call_super_init = True

        return Both(5).value, Both(value=3).value

    same(program)


def test_dunder_dict_can_be_replaced():
    def program(T):
        m = layer(T)
        m.__dict__ = {**m.__dict__, "extra": 1}
        m.weight = T.nn.Parameter(T.zeros(1))
        shared = layer(T)
        shared.__dict__ = m.__dict__
        shared.bias = None
        return m.weight, m.extra, list(m._parameters), m.bias

    same(program)


def test_getattr_of_a_subclass():
    def program(T):
        class Wrapper(T.nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner

            def __getattr__(self, name):
                try:
                    return super().__getattr__(name)
                except AttributeError:
                    return getattr(self.inner, name)

        m = Wrapper(layer(T))
        return m.weight, m.size, hasattr(m, "absent")

    same(program)


def test_dir():
    names = dir(layer(rl))
    assert {"weight", "nothing", "mean", "size", "forward", "training"} <= set(names)
    assert names == sorted(set(names))
    assert "0" not in dir(rl.nn.Sequential(rl.nn.Identity()))
