"""Containers of modules and of parameters, each compared with PyTorch's."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from both import same
from nets import layer, layer_type

import rushlight as rl


def sequential(T, sizes=(1, 2, 3)):
    return T.nn.Sequential(*(layer(T, size) for size in sizes))


def named(T):
    return T.nn.Sequential(OrderedDict(one=layer(T, 1), two=layer(T, 2), three=layer(T, 3)))


def many(T, sizes=(1, 2, 3)):
    return T.nn.ModuleList(layer(T, size) for size in sizes)


def after(change):
    """A program that changes a container and tells what is in it."""

    def told(m):
        result = change(m)
        entries = [(name, child.size) for name, child in m._modules.items()]
        return entries, result is m or result, list(m.state_dict()), len(m)

    return told


def each(*modules):
    return [m.size for m in modules]


ROWS = {
    "repr": repr,
    "index": lambda m: each(m[0], m[-1], m[True]),
    "index beyond": lambda m: m[3],
    "index below": lambda m: m[-4],
    "index by name": lambda m: m["0"],
    "index by float": lambda m: m[1.0],
    "slice": lambda m: m[1:],
    "slice by steps": lambda m: m[::-2],
    "empty slice": lambda m: m[5:],
    "iterate": lambda m: each(*m),
    "contains": lambda m: m[1] in m,
    "reversed": lambda m: each(*reversed(m)),
    "set": after(lambda m: m.__setitem__(1, m[0])),
    "set last": after(lambda m: m.__setitem__(-1, m[0])),
    "set none": lambda m: (m.__setitem__(0, None), repr(m)),
    "set number": after(lambda m: m.__setitem__(0, 3)),
    "set beyond": after(lambda m: m.__setitem__(3, m[0])),
    "delete": after(lambda m: m.__delitem__(1)),
    "delete last": after(lambda m: m.__delitem__(-1)),
    "delete slice": after(lambda m: m.__delitem__(slice(0, None, 2))),
    "delete all": after(lambda m: m.__delitem__(slice(None))),
    "delete beyond": after(lambda m: m.__delitem__(7)),
    "append": after(lambda m: m.append(m[0])),
    "append number": after(lambda m: m.append(3)),
    "insert last": after(lambda m: m.insert(3, m[0])),
    "pop": lambda m: (m.pop(1).size, repr(m)),
    "pop last": lambda m: (m.pop(-1).size, repr(m)),
    "pop slice": lambda m: (repr(m.pop(slice(0, 2))), repr(m)),
    "pop beyond": lambda m: m.pop(9),
    "extend": after(lambda m: m.extend([m[0], m[1]])),
    "extend with nothing": after(lambda m: m.extend([])),
    "extend with number": after(lambda m: m.extend(3)),
    "extend with numbers": after(lambda m: m.extend([3])),
    "add": lambda m: m + m,
    "add list": lambda m: m + list(m),
    "add in place": after(lambda m: m.__iadd__(type(m)(*m) if is_sequential(m) else list(m))),
    "add number": lambda m: m + 3,
    "add number in place": lambda m: m.__iadd__(3),
    "bool": lambda m: (bool(m), bool(m[:0])),
    "dir": lambda m: [name for name in dir(m) if name[0].isdigit()],
    "call": lambda m: m(1),
}


def is_sequential(m):
    return "Sequential" in type(m).__name__


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("make", [sequential, many, named])
def test_rows(make, name):
    same(lambda T: ROWS[name](make(T)))


@pytest.mark.parametrize("make", [sequential, many])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_inserting(make, index):
    same(lambda T: after(lambda m: m.insert(index, m[2]))(make(T)))


def test_inserting_into_names_numbers_them():
    m = named(rl)
    m.insert(1, layer(rl, 9))
    assert [(name, child.size) for name, child in m.named_children()] == [
        ("0", 1), ("1", 9), ("2", 2), ("3", 3),
    ]  # fmt: skip


def test_inserting_into_a_list_counts_from_the_end_too():
    m = many(rl)
    m.insert(-1, layer(rl, 9))
    assert each(*m) == [1, 2, 9, 3]
    with pytest.raises(IndexError, match="Index out of range: 7"):
        m.insert(7, m[0])


SEQUENTIALS = {
    "empty": lambda T: (repr(T.nn.Sequential()), T.nn.Sequential()(3)),
    "none": lambda T: repr(T.nn.Sequential(None)),
    "number": lambda T: T.nn.Sequential(3),
    "class": lambda T: T.nn.Sequential(int),
    "a dict": lambda T: T.nn.Sequential({"a": T.nn.Identity()}),
    "bad name": lambda T: T.nn.Sequential(OrderedDict({"a.b": T.nn.Identity()})),
    "taken name": lambda T: T.nn.Sequential(OrderedDict({"forward": T.nn.Identity()})),
    "times": lambda T: sequential(T) * 2,
    "times named": lambda T: named(T) * 2,
    "times from the left": lambda T: 2 * sequential(T),
    "times zero": lambda T: sequential(T) * 0,
    "times half": lambda T: sequential(T) * 0.5,
    "times in place": lambda T: after(lambda m: m.__imul__(3))(sequential(T)),
    "times one in place": lambda T: after(lambda m: m.__imul__(1))(sequential(T)),
    "times minus one in place": lambda T: sequential(T).__imul__(-1),
    "times text in place": lambda T: sequential(T).__imul__("2"),
    "insert number": lambda T: sequential(T).insert(0, 3),
    "insert beyond": lambda T: sequential(T).insert(9, T.nn.Identity()),
    "insert from the end": lambda T: after(lambda m: m.insert(-1, m[0]))(sequential(T)),
    "forward": lambda T: sequential(T, (2, 2))(T.tensor([3.0, 4.0])).detach(),
    "two arguments": lambda T: T.nn.Sequential(T.nn.Identity())(1, 2),
    "same layer twice": lambda T: list((sequential(T, (1,)) * 3).state_dict()),
    "by attribute": lambda T: (named(T).two.size, getattr(sequential(T), "0").size),
}


@pytest.mark.parametrize("name", SEQUENTIALS)
def test_sequential(name):
    same(SEQUENTIALS[name])


def test_rows_of_a_subclass():
    def program(T):
        class Row(T.nn.Sequential):
            pass

        class List(T.nn.ModuleList):
            pass

        row, listed = Row(layer(T, 1), layer(T, 2)), List([layer(T, 1), layer(T, 2)])
        return row[:1], row + row, row * 2, listed[:1], listed + listed, listed

    same(program)


def test_a_row_iterates_through_its_own_iter():
    def program(T):
        class Backwards(T.nn.Sequential):
            def __iter__(self):
                return reversed(list(super().__iter__()))

        class Say(T.nn.Module):
            def __init__(self, word):
                super().__init__()
                self.word = word

            def forward(self, x):
                return x + self.word

        return Backwards(Say("a"), Say("b"))("")

    same(program)


@pytest.mark.parametrize("sizes", [(), (1,), (1, 1), (1, 1, 2), (1, 2, 2), (1, 2, 1, 1), (3,) * 11])
def test_list_repr_joins_what_looks_the_same(sizes):
    same(lambda T: repr(many(T, sizes)))
    same(lambda T: repr(T.nn.ModuleList([many(T, sizes), sequential(T, sizes)])))
    same(lambda T: repr(T.nn.ModuleList([sequential(T, (1, 2)), sequential(T, (1, 2))])))


@pytest.mark.parametrize(
    "make",
    [
        lambda T: T.nn.ModuleList(3),
        lambda T: T.nn.ModuleList([3]),
        lambda T: T.nn.ModuleList([None]),
        lambda T: T.nn.ModuleList(),
        lambda T: T.nn.ModuleDict(),
        lambda T: T.nn.ModuleDict(3),
        lambda T: T.nn.ModuleDict([3]),
        lambda T: T.nn.ModuleDict([("a", T.nn.Identity(), 1)]),
        lambda T: T.nn.ModuleDict([("a", T.nn.Identity()), ["b", T.nn.Identity()]]),
        lambda T: T.nn.ModuleDict({"b": T.nn.Identity(), "a": T.nn.Identity()}),
        lambda T: T.nn.ModuleDict(T.nn.ModuleDict({"b": T.nn.Identity()})),
        lambda T: T.nn.ModuleDict({1: T.nn.Identity()}),
        lambda T: T.nn.ModuleDict({"a.b": T.nn.Identity()}),
        lambda T: T.nn.ModuleDict({"": T.nn.Identity()}),
        lambda T: T.nn.ModuleDict({"keys": T.nn.Identity()}),
        lambda T: T.nn.ModuleDict({"a": 3}),
        lambda T: T.nn.ModuleDict({"a": None}),
        lambda T: T.nn.ModuleDict({"a": T.nn.Identity()})(3),
    ],
)
def test_making_lists_and_dictionaries(make):
    same(make)


def by_name(T):
    return T.nn.ModuleDict({"b": layer(T, 1), "a": layer(T, 2)})


DICTS = {
    "keys": lambda m: list(m.keys()),
    "items": lambda m: [(name, child.size) for name, child in m.items()],
    "values": lambda m: each(*m.values()),
    "iterate": list,
    "contains": lambda m: ("a" in m, "x" in m),
    "get": lambda m: m["a"].size,
    "get missing": lambda m: m["x"],
    "attribute": lambda m: m.a.size,
    "set": after(lambda m: m.__setitem__("c", m["a"])),
    "replace": after(lambda m: m.__setitem__("b", m["a"])),
    "delete": after(lambda m: m.__delitem__("b")),
    "delete missing": after(lambda m: m.__delitem__("x")),
    "pop": lambda m: (m.pop("b").size, list(m)),
    "pop missing": lambda m: m.pop("x"),
    "clear": after(lambda m: m.clear()),
    "update": after(lambda m: m.update({"z": m["a"], "b": m["a"]})),
    "update with pairs": after(lambda m: m.update([("z", m["a"])])),
    "update with itself": after(lambda m: m.update(m)),
    "length": len,
}


@pytest.mark.parametrize("name", DICTS)
def test_module_dict(name):
    same(lambda T: DICTS[name](by_name(T)))


# Of parameters -----------------------------------------------------------------------------------


def parameter_list(T):
    return T.nn.ParameterList([T.ones(1), T.nn.Parameter(T.ones(2, 3)), 3, None])


def holding(change):
    def told(m):
        result = change(m)
        names = [name for name, _ in m.named_parameters()]
        return list(m), result is m or result, names, len(m)

    return told


def new(m):
    """A tensor of the same framework as a container."""
    return (torch if isinstance(m, torch.nn.Module) else rl).zeros(4)


PARAMETER_LISTS = {
    "repr": repr,
    "list": list,
    "state": lambda m: m.state_dict(),
    "index": lambda m: (m[0], m[-1], m[2]),
    "index beyond": lambda m: m[4],
    "index by name": lambda m: m["0"],
    "slice": lambda m: (m[1:], list(m[::-1])),
    "set tensor": holding(lambda m: m.__setitem__(1, new(m))),
    "set number": holding(lambda m: m.__setitem__(2, 4)),
    "set number over parameter": holding(lambda m: m.__setitem__(0, 4)),
    "set beyond": holding(lambda m: m.__setitem__(4, new(m))),
    "append": holding(lambda m: m.append(new(m))),
    "extend": holding(lambda m: m.extend([new(m), "text"])),
    "extend with a tensor": holding(lambda m: m.extend(new(m))),
    "extend with a number": holding(lambda m: m.extend(3)),
    "add": holding(lambda m: m.__iadd__([new(m)])),
    "add number": holding(lambda m: m.__iadd__(3)),
    "call": lambda m: m(3),
    "dir": lambda m: [name for name in dir(m) if name[0].isdigit()],
}


@pytest.mark.parametrize("name", PARAMETER_LISTS)
def test_parameter_list(name):
    same(lambda T: PARAMETER_LISTS[name](parameter_list(T)))


def parameter_dict(T):
    entries = {"b": T.ones(1), "a": T.nn.Parameter(T.ones(2, 3)), "n": 3}
    return T.nn.ParameterDict(OrderedDict(entries))


def entries(change):
    def told(m):
        result = change(m)
        names = [name for name, _ in m.named_parameters()]
        return list(m.items()), result is m or result, names, len(m)

    return told


PARAMETER_DICTS = {
    "repr": repr,
    "iterate": lambda m: (list(m), list(m.keys()), list(m.values()), list(reversed(m))),
    "state": lambda m: m.state_dict(),
    "get": lambda m: (m["a"], m.get("b"), m.get("x"), m.get("x", 5), m.a),
    "get missing": lambda m: m["x"],
    "get number": lambda m: m[1],
    "contains": lambda m: ("a" in m, "x" in m, 1 in m),
    "set": entries(lambda m: m.__setitem__("z", new(m))),
    "set number over parameter": entries(lambda m: m.__setitem__("a", 5)),
    "delete": entries(lambda m: m.__delitem__("a")),
    "delete missing": entries(lambda m: m.__delitem__("x")),
    "setdefault": entries(lambda m: m.setdefault("a", new(m))),
    "setdefault new": entries(lambda m: m.setdefault("z", new(m))),
    "pop": entries(lambda m: m.pop("a")),
    "pop missing": entries(lambda m: m.pop("x")),
    "popitem": entries(lambda m: m.popitem()),
    "popitem of nothing": lambda m: (m.clear(), m.popitem()),
    "clear": entries(lambda m: m.clear()),
    "copy": lambda m: (m.copy(), m.copy()["a"] is m["a"]),
    "fromkeys": lambda m: m.fromkeys(["x", "y"], 3),
    "update": entries(lambda m: m.update({"z": new(m), "c": 1})),
    "update in order": entries(lambda m: m.update(OrderedDict(z=new(m), c=1))),
    "update with pairs": entries(lambda m: m.update([("z", new(m))])),
    "update with triples": entries(lambda m: m.update([("z", 1, 2)])),
    "update with a number": entries(lambda m: m.update(3)),
    "update with numbers": entries(lambda m: m.update([3])),
    "update with itself": entries(lambda m: m.update(m)),
    "or": lambda m: m | type(m)({"q": 1}),
    "or in place": entries(lambda m: m.__ior__({"q": 1})),
    "call": lambda m: m(3),
}


@pytest.mark.parametrize("name", PARAMETER_DICTS)
def test_parameter_dict(name):
    same(lambda T: PARAMETER_DICTS[name](parameter_dict(T)))


@pytest.mark.parametrize(
    "make",
    [
        lambda T: T.nn.ParameterList(),
        lambda T: T.nn.ParameterDict(),
        lambda T: T.nn.ParameterDict({"b": T.ones(1), "a": T.ones(1)}),
        lambda T: T.nn.ParameterDict({1: T.ones(1)}),
        lambda T: T.nn.ParameterDict({"a.b": T.ones(1)}),
        lambda T: T.nn.Sequential(T.nn.ParameterDict({"b": T.ones(1)})),
        lambda T: T.nn.Sequential(T.nn.ParameterList([T.ones(())])),
        lambda T: T.nn.ParameterList(T.ones(3)),
        lambda T: T.nn.ParameterList([T.ones(2, dtype=T.int64)]),
    ],
)
def test_making_containers_of_parameters(make):
    same(make)


def test_nested_in_modules():
    def program(T):
        Layer = layer_type(T)

        class Net(T.nn.Module):
            def __init__(self):
                super().__init__()
                self.weights = T.nn.ParameterList([T.ones(2), T.zeros(2)])
                self.scales = T.nn.ParameterDict({"s": T.ones(2)})
                self.choices = T.nn.ModuleDict({"x": Layer(2), "row": sequential(T, (2,))})

            def forward(self, x):
                x = x * self.weights[0] + self.weights[1]
                return self.choices["row"](self.choices["x"](x)) * self.scales["s"]

        m = Net()
        m(T.ones(2)).sum().backward()
        return repr(m), list(m.state_dict()), [p.grad for p in m.parameters()]

    same(program)
