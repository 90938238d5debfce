"""Hooks on what is saved for gradients, and on the operations that read it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier

LIBRARIES = pytest.mark.parametrize("lib", [rl, torch], ids=["rushlight", "torch"])


def leaf(lib: Any, *shape: int) -> Any:
    values = np.random.default_rng(0).uniform(0.5, 1.5, shape).astype(np.float32)
    return lib.from_numpy(values).clone().requires_grad_()


PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "mul": lambda lib, x: x * x,
    "exp": lambda lib, x: x.exp(),
    "add": lambda lib, x: x + x * 3,
    "pow": lambda lib, x: x**2,
    "relu": lambda lib, x: x.relu(),
    "softmax": lambda lib, x: x.softmax(0),
    "chain": lambda lib, x: (x.exp() * x).sin(),
    "view": lambda lib, x: x.view(3, 2).sin()[1:].T.cos(),
    "in place": lambda lib, x: (x * 1).mul_(x).add_(1).exp_(),
    "slice written": lambda lib, x: written(lib, x),
    "product": lambda lib, x: x @ x.T,
    "layers": lambda lib, x: lib.nn.functional.layer_norm(x.tanh(), (3,)),
    "loss": lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor([0, 2])),
    "several": lambda lib, x: x.max(1)[0] * x.sort(0)[0].sum(1),
    "concatenated": lambda lib, x: lib.cat([x.sin(), x.cos(), x]),
    "recurrence": lambda lib, x: recurrent(lib)(x.view(2, 1, 3))[0],
    "statistics": lambda lib, x: (
        lib.nn.functional.batch_norm(x.view(6, 1), None, None, training=True) ** 3
    ),
    "mean": lambda lib, x: x.var() + x.std(0).sum(),
    "function": lambda lib, x: cube(lib).apply(x.sin()) * 2,
}


def written(lib: Any, x: Any) -> Any:
    y = x * 2
    y[0] = x[1].sin()
    return y * y


def standardised(lib: Any, x: Any) -> Any:
    return lib.nn.functional.batch_norm(x, None, None, training=True)


def recurrent(lib: Any) -> Any:
    lib.manual_seed(0)
    return lib.nn.LSTM(3, 2, bidirectional=True)


def cube(lib: Any) -> Any:
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x**2
            ctx.save_for_backward(x, y)
            return y * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return 3 * y * g * x / x

    return Cube


class Log:
    """Hooks that remember what they saw."""

    def __init__(self) -> None:
        self.packed: list[Any] = []
        self.unpacked = 0

    def pack(self, tensor: Any) -> Any:
        self.packed.append(tuple(tensor.shape))
        return tensor.detach().numpy().copy(), type(tensor)

    def unpack(self, packed: Any) -> Any:
        self.unpacked += 1
        lib = rl if packed[1] is not torch.Tensor else torch
        return lib.from_numpy(packed[0])


@pytest.mark.parametrize("kind", ["reference", "compiled"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_are_made_of_what_was_packed(name: str, kind: str) -> None:
    def gradient(hooked: bool) -> Any:
        x, log = leaf(rl, 2, 3), Log()
        if hooked:
            with rl.autograd.graph.saved_tensors_hooks(log.pack, log.unpack):
                y = PROGRAMS[name](rl, x)
            assert (log.packed or name == "add") and not log.unpacked
        else:
            y = PROGRAMS[name](rl, x)
        y.sum().backward()
        assert log.unpacked == len(log.packed)
        return x.grad.numpy(), y.detach().numpy()

    with tier.only(kind):
        for a, b in zip(gradient(True), gradient(False), strict=True):
            np.testing.assert_allclose(a, b, 1e-5, 1e-6)  # sums are in another order


@pytest.mark.parametrize("name", ["mul", "exp", "pow", "relu", "softmax", "chain", "view"])
def test_as_much_is_saved_as_pytorch_saves(name: str) -> None:
    def packed(lib: Any) -> Any:
        log = Log()
        with lib.autograd.graph.saved_tensors_hooks(log.pack, log.unpack):
            PROGRAMS[name](lib, leaf(lib, 2, 3))
        return sorted(log.packed)

    assert packed(rl) == packed(torch)


@LIBRARIES
def test_what_a_hook_gives_back_is_what_counts(lib: Any) -> None:
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t * 10, lambda t: t + 1):
        y = x.exp()
    y.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), 10 * np.exp([1.0, 2.0]) + 1, rtol=1e-6)


@LIBRARIES
def test_pack_sees_the_tensor_itself_without_recording(lib: Any) -> None:
    seen = []
    x = lib.ones(2, requires_grad=True)

    def pack(tensor: Any) -> Any:
        seen.append((tensor is x, lib.is_grad_enabled(), (tensor * 2).requires_grad))
        return tensor

    with lib.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        x**2
    assert seen == [(True, False, False)]


@LIBRARIES
def test_the_innermost_hooks_count(lib: Any) -> None:
    seen: list[str] = []
    graph = lib.autograd.graph

    def named(name: str) -> Any:
        return graph.saved_tensors_hooks(lambda t: seen.append(name) or t, lambda t: t)

    x = lib.ones(2, requires_grad=True)
    with named("outer"):
        a = x.exp()
        with named("inner"):
            b = a.sin()
        c = b.cos()
    d = c.exp()
    d.sum().backward()
    assert seen == ["outer", "inner", "outer"]


@LIBRARIES
def test_second_derivatives(lib: Any) -> None:
    x = leaf(lib, 3)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = (x**3).sin()
        (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = lib.autograd.grad(g.sum(), x)
    v = x.detach().numpy().astype(np.float64)
    expected = 6 * v * np.cos(v**3) - 9 * v**4 * np.sin(v**3)
    np.testing.assert_allclose(h.tolist(), expected, rtol=1e-4)


@LIBRARIES
def test_what_is_refused(lib: Any) -> None:
    graph = lib.autograd.graph
    x = lib.ones(2, requires_grad=True)
    with (
        graph.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t),
        pytest.raises(RuntimeError, match="pack hook is modifying its input in place"),
    ):
        (x * 1).exp()
    with graph.saved_tensors_hooks(lambda t: "text", lambda t: t):
        y = x.exp()
    with pytest.raises(TypeError, match="expected to be a Tensor but got result of type str"):
        y.sum().backward()
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x.exp()
    y.sum().backward()
    with pytest.raises(RuntimeError, match="a second time"):
        y.sum().backward()


@LIBRARIES
def test_disabled(lib: Any) -> None:
    graph = lib.autograd.graph
    with (
        graph.disable_saved_tensors_hooks("not here"),
        pytest.raises(RuntimeError, match="not here"),
        graph.saved_tensors_hooks(lambda t: t, lambda t: t),
    ):
        pass
    with (
        graph.saved_tensors_hooks(lambda t: t, lambda t: t),
        pytest.raises(RuntimeError, match="nor there"),
        graph.disable_saved_tensors_hooks("nor there"),
    ):
        pass
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        pass


@LIBRARIES
def test_save_on_cpu(lib: Any) -> None:
    x = leaf(lib, 2)
    with lib.autograd.graph.save_on_cpu(pin_memory=False):
        y = (x.exp() * x).sum()
    y.backward()
    v = x.detach().numpy()
    np.testing.assert_allclose(x.grad.tolist(), np.exp(v) * (1 + v), rtol=1e-6)


@LIBRARIES
def test_tensors_that_were_there_before_are_left_alone(lib: Any) -> None:
    seen: list[Any] = []
    x = leaf(lib, 2)
    a = x.exp()
    b = a.sin()
    with lib.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        c = b + a
    assert not seen
    c.sum().backward()


def test_what_was_made_smaller_is_kept_instead_of_the_value() -> None:
    x = rl.ones(64, 64, requires_grad=True)
    with rl.autograd.graph.saved_tensors_hooks(lambda t: t.bfloat16(), lambda t: t.float()):
        y = (x * 2).exp().sum()
    y.item()
    packed = y.grad_fn.next_functions[0][0]._node.attrs[0].kept[-1][0].packed
    assert packed.node.buffer.nbytes == 64 * 64 * 2  # computed with the loss
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp(2.0), rtol=0.01)


def test_compiled_functions_pack_what_each_call_saves() -> None:
    inside, before = (rl.compile(lambda x: (x**3).sum()) for _ in range(2))
    before(rl.ones(1, requires_grad=True))  # known without hooks
    hooks = rl.autograd.graph.saved_tensors_hooks(lambda t: t.bfloat16(), lambda t: t.float())
    with pytest.warns(UserWarning, match="saved_tensors_hooks"):
        for function in (inside, before):
            for value in (1.0, 2.0, 3.0):
                x = rl.tensor([value], requires_grad=True)
                with hooks:
                    y = function(x)
                y.backward()
                assert x.grad.item() == 3 * value**2


@LIBRARIES
def test_writes_to_saved_tensors_are_allowed(lib: Any) -> None:
    x = lib.ones(2, requires_grad=True)
    with lib.autograd.graph.allow_mutation_on_saved_tensors() as kept:
        y = x * 2
        z = y.sin()
        y.mul_(100)
        z.sum().backward()
        kept.clear()
    np.testing.assert_allclose(x.grad.tolist(), [2 * np.cos(2.0)] * 2, rtol=1e-6)


# Operations ---------------------------------------------------------------------------------------


def both(program: Callable[[Any], Any]) -> None:
    assert repr(program(rl)) == repr(program(torch))


def test_functions_form_a_graph() -> None:
    def program(lib: Any) -> Any:
        x, w = lib.ones(2, requires_grad=True), lib.ones(2)
        y = (x * w).sin() + x
        function = y.grad_fn
        names = [each and each.name() for each, _ in function.next_functions]
        sine, leaf = (each for each, _ in function.next_functions)
        product = sine.next_functions[0][0]
        ends = [each and each.name() for each, _ in product.next_functions]
        edge = lib.autograd.graph.get_gradient_edge(x)
        return [
            function.name(), names, ends, leaf.variable is x, leaf.next_functions,
            isinstance(function, lib.autograd.graph.Node), edge.node == leaf, edge.output_nr,
        ]  # fmt: skip

    both(program)


def test_which_of_several_results() -> None:
    def program(lib: Any) -> Any:
        x = leaf(lib, 2, 3)
        first, second = x.unbind()
        edges = [lib.autograd.graph.get_gradient_edge(each) for each in (first, second)]
        return [edge.output_nr for edge in edges], edges[0].node == edges[1].node

    assert program(rl)[0] in (program(torch)[0], [0, 0])  # here they are views, each by itself


def test_notes_stay_with_the_function() -> None:
    for lib in (rl, torch):
        y = leaf(lib, 2).sin()
        y.grad_fn.metadata["mine"] = 3
        assert y.grad_fn.metadata == {"mine": 3}


def test_hooks_before_and_after() -> None:
    def program(lib: Any) -> Any:
        x, seen = leaf(lib, 2), []
        y = (x * x).sin()
        y.register_hook(lambda g: seen.append(("tensor", g.tolist())))

        def before(grads: Any) -> Any:
            seen.append(("before", [g.tolist() for g in grads]))
            return tuple(g * 2 for g in grads)

        def after(inputs: Any, outputs: Any) -> Any:
            seen.append(("after", [round(v, 4) for v in inputs[0].tolist()], len(inputs)))
            seen.append([g.tolist() for g in outputs])
            return (inputs[0] * 10,)

        y.grad_fn.register_prehook(before)
        handle = y.grad_fn.register_hook(after)
        y.sum().backward(retain_graph=True)
        first = [round(v, 3) for v in x.grad.tolist()]
        handle.remove()
        y.sum().backward()
        return seen, first, [round(v, 3) for v in x.grad.tolist()]

    both(program)


def test_hooks_see_gradients_as_wide_as_inputs() -> None:
    def program(lib: Any) -> Any:
        x, b, seen = leaf(lib, 2, 3), leaf(lib, 3), []
        y = x + b
        y.grad_fn.register_hook(lambda gi, go: seen.append([tuple(g.shape) for g in gi + go]))
        y.sum().backward()
        return seen

    both(program)


def test_hooks_on_the_end_of_a_leaf() -> None:
    def program(lib: Any) -> Any:
        x, seen = lib.ones(2, requires_grad=True), []
        end = (x * 2).grad_fn.next_functions[0][0]
        end.register_prehook(lambda go: seen.append(("before", x.grad is None)))
        end.register_hook(lambda gi, go: seen.append((gi, go[0].tolist(), x.grad is None)))
        (x * 3).sum().backward()
        return seen

    both(program)


@LIBRARIES
def test_hooks_that_return_too_few(lib: Any) -> None:
    y = leaf(lib, 2).sin()
    y.grad_fn.register_hook(lambda gi, go: ())
    with pytest.raises(RuntimeError, match="incorrect number of values"):
        y.sum().backward()


@pytest.mark.parametrize("mode", ["all", "any"])
def test_hooks_on_several_tensors(mode: str) -> None:
    def program(lib: Any) -> Any:
        a, b, c = (lib.ones(2, requires_grad=True) for _ in range(3))
        seen: list[Any] = []

        def fn(grads: Any) -> None:
            listed = grads if isinstance(grads, (list, tuple)) else [grads]
            seen.append([g if g is None else g.tolist() for g in listed])

        handle = lib.autograd.graph.register_multi_grad_hook((a, b, c), fn, mode=mode)
        (2 * b).sum().backward()
        (2 * b).sum().backward()
        handle.remove()
        (a + b + c).sum().backward()
        return seen

    both(program)


@LIBRARIES
def test_versions(lib: Any) -> None:
    x, y = lib.ones(2), lib.ones(2)
    before = x._version, y._version
    lib.autograd.graph.increment_version(x)
    lib.autograd.graph.increment_version((x, y))
    assert (x._version - before[0], y._version - before[1]) == (2, 1)
    assert x.tolist() == [1.0, 1.0]
