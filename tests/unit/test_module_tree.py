"""Module's tree, its modes, its text and the layer its faults name, each as PyTorch's."""

from __future__ import annotations

import pickle
from collections import OrderedDict

import pytest
from both import outcome, same
from nets import layer, net

import rushlight as rl

# The tree --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "walk",
    [
        lambda m: [name for name, _ in m.named_parameters()],
        lambda m: [name for name, _ in m.named_parameters("p", recurse=False)],
        lambda m: [name for name, _ in m.named_parameters("p", remove_duplicate=False)],
        lambda m: [name for name, _ in m.named_buffers()],
        lambda m: [name for name, _ in m.named_buffers("p", False)],
        lambda m: [name for name, _ in m.named_buffers(remove_duplicate=False)],
        lambda m: [name for name, _ in m.named_children()],
        lambda m: [name for name, _ in m.named_modules()],
        lambda m: [name for name, _ in m.named_modules(prefix="p")],
        lambda m: [name for name, _ in m.named_modules(remove_duplicate=False)],
        lambda m: [name for name, _ in m.named_modules({m.row, m.many[0]})],
        lambda m: list(m.parameters()),
        lambda m: list(m.parameters(recurse=False)),
        lambda m: list(m.buffers(recurse=False)),
        lambda m: len(list(m.modules())),
        lambda m: len(list(m.modules(remove_duplicate=False))),
        lambda m: len(list(m.children())),
        lambda m: [name for name, _ in m.row.named_modules()],
        repr,
        str,
    ],
)
def test_walks(walk):
    same(lambda T: walk(net(T)))


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: m.get_submodule(""),
        lambda m: m.get_submodule("row.1.0"),
        lambda m: m.get_submodule("row.7"),
        lambda m: m.get_submodule("row..0"),
        lambda m: m.get_submodule("scale"),
        lambda m: m.get_submodule("empty"),
        lambda m: m.get_parameter("row.1.0.weight"),
        lambda m: m.get_parameter("scale"),
        lambda m: m.get_parameter("row.1.0.mean"),
        lambda m: m.get_parameter("row.1.0.absent"),
        lambda m: m.get_parameter("first.nothing"),
        lambda m: m.get_buffer("first.mean"),
        lambda m: m.get_buffer("first.weight"),
        lambda m: m.get_buffer("mean"),
        lambda m: m.set_submodule("", m.first),
        lambda m: m.set_submodule("row.0", 3),
        lambda m: m.set_submodule("first.weight", m.first),
        lambda m: m.set_submodule("absent.x", m.first),
        lambda m: m.set_submodule("absent", m.first, strict=True),
        lambda m: m.set_submodule("first.weight", m.first, strict=True),
        lambda m: (m.set_submodule("fresh", m.first), repr(m)),
        lambda m: (m.set_submodule("row.1.0", m.first), repr(m)),
        lambda m: (m.set_submodule("row.1.0", m.first, strict=True), repr(m)),
    ],
)
def test_asking_by_dotted_name(ask):
    same(lambda T: ask(net(T)))


def test_train_eval_apply_and_freezing():
    def program(T):
        m = net(T)
        order = []
        assert m.apply(lambda module: order.append(type(module).__name__)) is m
        assert m.eval() is m and m.train(False) is m
        modes = [module.training for module in m.modules()]
        assert m.train() is m
        modes += [module.training for module in m.modules()]
        assert m.first.requires_grad_(False) is m.first
        return order, modes, [p.requires_grad for p in m.parameters()]

    same(program)


def test_zero_grad():
    def program(T, set_to_none):
        m = layer(T)
        m(T.ones(2)).sum().backward()
        kept = m.weight.grad
        m.zero_grad(set_to_none=set_to_none)
        return m.weight.grad, m.bias.grad, kept

    same(lambda T: program(T, True))
    same(lambda T: program(T, False))


# Text ------------------------------------------------------------------------------------------


def test_extra_repr_of_several_lines():
    def program(T):
        class Long(T.nn.Module):
            def extra_repr(self):
                return "one\n\n  two"

        class Inner(Long):
            def __init__(self):
                super().__init__()
                self.child = Long()

        return [repr(Long()), repr(Inner()), repr(T.nn.Sequential(Inner(), Long()))]

    same(program)


def test_own_name():
    def program(T):
        class Renamed(T.nn.Module):
            def _get_name(self):
                return "Other"

        return repr(T.nn.Sequential(Renamed())), T.nn.Module()._get_name()

    same(program)


# Faults name the layer ---------------------------------------------------------------------------


class Block(rl.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = rl.nn.ModuleList([rl.nn.Identity(), layer(rl, 3)])

    def forward(self, x):
        for inner in self.layers:
            x = inner(x)
        return x


def test_a_fault_names_its_layer():
    m = rl.nn.Sequential(OrderedDict(head=rl.nn.Identity(), tail=Block()))
    with pytest.raises(RuntimeError) as caught:
        m(rl.ones(2))
    assert str(caught.value).splitlines()[-1] == "  in layer tail.layers.1 (Layer)"
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_a_fault_in_the_outermost_module():
    with pytest.raises(RuntimeError, match=r"in layer \(Layer\)$"):
        layer(rl, 3)(rl.ones(2))


def test_a_fault_outside_of_modules_names_none():
    with pytest.raises(RuntimeError) as caught:
        rl.ones(2) + rl.ones(3)
    assert "in layer" not in str(caught.value)


def test_a_fault_in_a_module_that_is_nobodys_child():
    hidden = [layer(rl, 3)]

    class Outer(rl.nn.Module):
        def forward(self, x):
            return hidden[0](x)

    m = rl.nn.Sequential(Outer())
    with pytest.raises(RuntimeError, match=r"in layer 0 \(Layer\)$"):
        m(rl.ones(2))


def test_a_fault_with_hooks_on_the_way():
    m = rl.nn.Sequential(layer(rl, 3))
    m[0].register_forward_hook(lambda *args: None)
    with pytest.raises(RuntimeError, match=r"in layer 0 \(Layer\)$"):
        m(rl.ones(2))


def test_other_errors_pass_untouched():
    def program(T):
        class Broken(T.nn.Module):
            def forward(self, x):
                raise ValueError("mine")

        return T.nn.Sequential(Broken())(1)

    same(program)
    assert outcome(program, rl)[1] == "ValueError: mine"
