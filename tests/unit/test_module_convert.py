"""Moving modules between dtypes and devices, as PyTorch does."""

from __future__ import annotations

import pytest
from both import outcome, same
from nets import layer, net

import rushlight as rl


def dtypes(m):
    return [str(t.dtype) for t in m.state_dict().values()], str(m.count.dtype)


CASTS = {
    "nothing": lambda T, m: m.to(),
    "none": lambda T, m: m.to(None),
    "dtype": lambda T, m: m.to(T.float64),
    "dtype by name": lambda T, m: m.to(dtype=T.float16),
    "no dtype by name": lambda T, m: m.to(dtype=None),
    "dtype, not blocking": lambda T, m: m.to(T.bfloat16, True),
    "device": lambda T, m: m.to("cpu"),
    "device object": lambda T, m: m.to(T.device("cpu")),
    "device by name": lambda T, m: m.to(device="cpu", non_blocking=True),
    "device and dtype": lambda T, m: m.to("cpu", T.float64),
    "all three": lambda T, m: m.to("cpu", T.float64, True),
    "device and dtype by name": lambda T, m: m.to("cpu", dtype=T.float64),
    "tensor": lambda T, m: m.to(T.ones(1, dtype=T.float64)),
    "tensor by name": lambda T, m: m.to(tensor=T.ones(1, dtype=T.float64)),
    "integer tensor": lambda T, m: m.to(T.ones(1, dtype=T.int32)),
    "integers": lambda T, m: m.to(T.int64),
    "bool": lambda T, m: m.to(dtype=T.bool),
    "complex": lambda T, m: m.to(T.complex64),
    "float": lambda T, m: m.double().float(),
    "double": lambda T, m: m.double(),
    "half": lambda T, m: m.half(),
    "bfloat16": lambda T, m: m.bfloat16(),
    "cpu": lambda T, m: m.cpu(),
    "type": lambda T, m: m.requires_grad_(False).type(T.float64),
}


@pytest.mark.parametrize("name", CASTS)
def test_casts(name):
    def program(T):
        m = layer(T)
        result = CASTS[name](T, m)
        assert result is m
        return dtypes(m)

    same(program)


REFUSED = {
    "dtype before device": lambda T, m: m.to(T.float64, "cpu"),
    "two devices": lambda T, m: m.to("cpu", "cpu"),
    "an unknown name": lambda T, m: m.to(place="cpu"),
    "the tensor's other name": lambda T, m: m.to(other=T.ones(1)),
    "twice": lambda T, m: m.to(T.float64, dtype=T.float64),
    "copy": lambda T, m: m.to("cpu", T.float64, True, True),
    "list": lambda T, m: m.to([1]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_arguments(name):
    import torch

    ours, theirs = (outcome(lambda T: REFUSED[name](T, layer(T)), T)[1] for T in (rl, torch))
    # The forms that would have been right are listed after this in words of our own.
    assert ours.split(" - got")[0].split(" of ")[0] == theirs.split(" - got")[0].split(" of ")[0]
    assert ours


def test_too_many_arguments():
    with pytest.raises(TypeError):
        layer(rl).to("cpu", rl.float64, True, True, True)


def test_a_device_that_does_not_exist():
    with pytest.raises(RuntimeError, match="abc"):
        layer(rl).to("abc")


def test_a_gpu_that_is_not_there():
    for move in (lambda m: m.cuda(), lambda m: m.to("cuda"), lambda m: m.to(0)):
        with pytest.raises((RuntimeError, AssertionError)):
            move(layer(rl))


def test_parameters_stay_the_objects_they_are():
    def program(T):
        m = net(T)
        m(T.ones(1)).sum().backward()
        kept = dict(m.named_parameters())
        grads = {name: p.grad for name, p in kept.items()}
        m.double()
        now = dict(m.named_parameters())
        assert all(now[name] is kept[name] for name in kept)
        assert all(now[name].grad is grads[name] for name in kept)
        m.zero_grad()
        m(T.ones(1, dtype=T.float64)).sum().backward()
        return now, [p.grad for p in now.values()], [p.is_leaf for p in now.values()]

    same(program)


def test_what_an_optimizer_holds_is_what_the_module_uses():
    m = layer(rl)
    held = list(m.parameters())
    m.double().float()
    with rl.no_grad():
        held[0].add_(1.0)
    assert m.weight.tolist() == [2, 2]


def test_buffers_are_converted_in_the_attribute_too():
    m = layer(rl).double()
    assert m.mean is m._buffers["mean"] and m.mean.dtype is rl.float64
    assert m.count.dtype is rl.int64


def test_to_empty():
    m = layer(rl)
    weight = m.weight
    assert m.to_empty(device="cpu") is m
    assert m.weight is weight and weight.shape == (2,) and weight.requires_grad
    inner = rl.nn.Sequential(m)
    before = m.weight.data_ptr()
    inner.to_empty(device=None, recurse=False)
    assert m.weight.data_ptr() == before


def test_share_memory():
    m = layer(rl)
    assert m.share_memory() is m and m.weight.tolist() == [1, 1]


def test_own_apply():
    def program(T):
        m = net(T)
        m._apply(lambda t: t + 1, recurse=False)
        return m.scale, m.first.weight

    same(program)


def test_values_survive():
    def program(T):
        m = layer(T)
        m.load_state_dict({**m.state_dict(), "weight": T.tensor([1 / 3, 1e-9])})
        return m.half().float().weight, m.double().weight

    same(program)
