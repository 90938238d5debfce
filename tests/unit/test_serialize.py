"""Checkpoints written here load in PyTorch, and the other way round, to the byte."""

import io
import pickle
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch

import rushlight as rl

NAMES = [
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
    "complex64", "complex128",
]  # fmt: skip


def saved(thing, **options):
    file = io.BytesIO()
    (rl if _is_ours(thing) else torch).save(thing, file, **options)
    file.seek(0)
    return file


def _is_ours(thing):
    if isinstance(thing, dict):
        return any(map(_is_ours, thing.values()))
    if isinstance(thing, list | tuple):
        return any(map(_is_ours, thing))
    return isinstance(thing, rl.Tensor | rl.nn.Module | rl.Size | rl.dtype | rl.device)


def to_torch(thing):
    return torch.load(saved(thing), weights_only=True)


def to_ours(thing, **options):
    return rl.load(saved(thing), **options)


def random_bits(dtype, shape, seed=0):
    """Every pattern of bits is allowed: nan with a payload, -0.0, subnormals, infinities."""
    count = torch.empty(shape, dtype=dtype).nbytes
    high = 2 if dtype is torch.bool else 256
    octets = np.random.default_rng(seed).integers(0, high, count, dtype=np.uint8)
    empty = torch.empty(shape, dtype=dtype)
    return torch.frombuffer(octets, dtype=dtype).reshape(shape) if count else empty


def bits(tensor):
    return bytes(tensor.contiguous().untyped_storage()) if tensor.numel() else b""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(5, 3), (), (0, 3), (3, 0), (1,)], ids=str)
def test_bits_survive_the_way_there_and_back(name, shape):
    before = random_bits(getattr(torch, name), shape)
    here = to_ours(before)
    assert here.dtype is getattr(rl, name) and here.shape == shape
    after = to_torch(here)
    assert after.dtype is before.dtype and after.shape == before.shape
    assert bits(after) == bits(before)


@pytest.mark.parametrize("name", NAMES)
def test_values_made_here_arrive(name):
    values = [0, 1, 1, 0] if name == "bool" else [0, 1, 2, 100]
    ours = rl.tensor(values, dtype=getattr(rl, name))
    theirs = torch.tensor(values, dtype=getattr(torch, name))
    assert bits(to_torch(ours)) == bits(theirs)
    assert to_ours(theirs).tolist() == theirs.tolist()


def strides(tensor):
    """The strides that matter: along a dimension of one element there is no next."""
    return [step for n, step in zip(tensor.shape, tensor.stride(), strict=True) if n > 1]


VIEWS = {
    "whole": lambda x: x,
    "rows": lambda x: x[1:],
    "columns": lambda x: x[:, 1:],
    "block": lambda x: x[1:3, 1:3],
    "transposed": lambda x: x.t(),
    "every other row": lambda x: x[::2],
    "every other column": lambda x: x[:, ::2],
    "row": lambda x: x[1],
    "column": lambda x: x[:, 1],
    "element": lambda x: x[1, 2],
    "expanded": lambda x: x[:, :1].expand(4, 5),
    "new dimensions": lambda x: x[None, :, None],
    "reshaped": lambda x: x.reshape(2, 10),
    "transposed block": lambda x: x.t()[1:, ::2],
    "nothing": lambda x: x[4:],
    "three dimensions": lambda x: x.reshape(2, 2, 5).permute(2, 0, 1)[1:, :, 1:],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_share_one_storage_both_ways(view):
    x = torch.arange(20.0).reshape(4, 5)
    here = to_ours([x, view(x)])
    assert here[1].tolist() == view(x).tolist()
    if view(x).numel():
        assert strides(here[1]) == strides(view(x))
    with zipfile.ZipFile(saved(here)) as archive:
        assert [n for n in archive.namelist() if "/data/" in n] == ["archive/data/0"]
    whole, part = to_torch(here)
    assert part.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()
    assert torch.equal(part, view(x)) and strides(part) == strides(here[1])
    here[0].mul_(-1.0)
    assert here[1].tolist() == view(-x).tolist()


def test_a_view_saved_before_its_base_shares_too():
    x = torch.arange(6.0)
    part, whole = to_ours([x[2:4], x])
    part.zero_()
    assert whole.tolist() == [0, 1, 0, 0, 4, 5]


def test_a_view_made_here_is_stored_once():
    x = rl.arange(6.0).reshape(2, 3)
    whole, part = to_torch([x, x[:, 1]])
    assert part.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()
    assert part.tolist() == [1, 4] and part.stride() == (3,)


def test_memory_of_a_strided_array_keeps_its_strides():
    array = np.arange(6.0).reshape(2, 3)
    arrived = to_torch(rl.from_numpy(array.T))
    assert arrived.stride() == (1, 3) and arrived.tolist() == array.T.tolist()


def test_overlapping_windows_load_as_values():
    windows = torch.arange(6.0).unfold(0, 3, 1)
    assert to_ours(windows).tolist() == windows.tolist()


def test_two_loaded_leaves_of_one_storage_have_gradients_of_their_own():
    x = torch.ones(3)
    a, b = to_ours([x.clone().requires_grad_(), x.detach()])
    (a * 2).sum().backward()
    assert a.grad.tolist() == [2, 2, 2] and b.grad is None


def test_containers_and_scalars():
    thing = {
        "none": None, "yes": True, "int": -3, "big": 2**70, "float": 1.5, "complex": 1 - 2j,
        "text": "Überraschung \U0001f600", "bytes": b"\x00\xff", "bytearray": bytearray(b"ab"),
        "tuple": (1, (2, ()), [3]), "set": {1, 2}, "frozenset": frozenset({3}),
        "counter": Counter("aab"), "ordered": OrderedDict(b=1, a=2), 7: "int key",
    }  # fmt: skip
    assert to_ours(thing) == thing
    file = io.BytesIO()
    rl.save(thing, file)
    file.seek(0)
    allowed = {name: each for name, each in thing.items() if name != "frozenset"}
    assert rl.load(file) == thing
    assert to_torch({**allowed, "tensor": rl.ones(1)}) == {**allowed, "tensor": torch.ones(1)}


def test_self_reference_and_identity():
    x = rl.ones(2)
    thing = [x, x]
    thing.append(thing)
    loaded = rl.load(saved(thing))
    assert loaded[0] is loaded[1] and loaded[2] is loaded


def test_torch_types():
    thing = [torch.Size([2, 3]), torch.bfloat16, torch.bool, torch.device("cuda:1")]
    thing.append(torch.device("cpu"))
    here = to_ours(thing)
    assert here == [rl.Size([2, 3]), rl.bfloat16, rl.bool, rl.device("cuda", 1), rl.device("cpu")]
    assert type(here[0]) is rl.Size
    assert to_torch(here) == thing


def test_parameters_and_gradients():
    thing = [
        torch.nn.Parameter(torch.ones(2)),
        torch.nn.Parameter(torch.ones(2), requires_grad=False),
        torch.ones(2, requires_grad=True),
    ]
    here = to_ours(thing)
    there = to_torch(here)
    for loaded, parameter in ((here, rl.nn.Parameter), (there, torch.nn.Parameter)):
        assert [type(x) is parameter for x in loaded] == [True, True, False]
        assert [x.requires_grad for x in loaded] == [True, False, True]
        assert all(x.is_leaf for x in loaded)
    (here[0] * 3).sum().backward()
    assert here[0].grad.tolist() == [3, 3]


def test_a_result_with_history_saves_its_value():
    x = rl.ones(2, requires_grad=True)
    arrived = to_torch(x * 3)
    assert arrived.tolist() == [3, 3] and arrived.requires_grad


def test_attributes_of_tensors_survive():
    plain, parameter = torch.ones(1), torch.nn.Parameter(torch.ones(1))
    plain.note, parameter.note = "a", ["b"]
    here = to_ours([plain, parameter])
    assert [x.note for x in here] == ["a", ["b"]]
    assert [x.note for x in to_torch(here)] == ["a", ["b"]]


class Tagged(rl.Tensor):
    pass


def test_tensors_of_a_class_of_the_users():
    x = rl.ones(2)
    tagged = Tagged(x.node)
    tagged.tag = "a"
    with rl.serialization.safe_globals([Tagged]):
        again = rl.load(saved(tagged.requires_grad_()))
    assert type(again) is Tagged and again.tag == "a" and again.tolist() == [1, 1]
    (again * 2).sum().backward()
    assert again.grad.tolist() == [2, 2]
    with pytest.raises(pickle.UnpicklingError, match="Tagged"):
        rl.load(saved(tagged))


def test_conjugates_and_negatives_are_resolved():
    x = torch.tensor([1 + 2j, 3 - 4j])
    assert to_ours(x.conj()).tolist() == x.conj().tolist()
    assert to_ours(x.conj().imag).tolist() == x.conj().imag.tolist()


# Models and optimizers --------------------------------------------------------------------------


def test_state_dict_goes_both_ways():
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    ours = rl.nn.Sequential(rl.nn.Linear(3, 4), rl.nn.BatchNorm1d(4))
    loaded = to_ours(theirs.state_dict())
    assert type(loaded) is OrderedDict and "" in loaded._metadata
    assert str(ours.load_state_dict(loaded)) == "<All keys matched successfully>"
    for name, value in to_torch(ours.state_dict()).items():
        assert torch.equal(value, theirs.state_dict()[name])
    arrived = to_torch(ours.state_dict())
    assert arrived._metadata == theirs.state_dict()._metadata
    theirs.load_state_dict(arrived)


@pytest.mark.parametrize("name, options", [("SGD", {"momentum": 0.9}), ("Adam", {})])
def test_optimizer_state_goes_both_ways(name, options):
    theirs, ours = torch.nn.Parameter(torch.ones(3)), rl.nn.Parameter(rl.ones(3))
    optimizers = [
        getattr(library.optim, name)([parameter], lr=0.1, **options)
        for library, parameter in ((torch, theirs), (rl, ours))
    ]
    for parameter, optimizer in zip((theirs, ours), optimizers, strict=True):
        (parameter * parameter).sum().backward()
        optimizer.step()
    optimizers[0].load_state_dict(to_torch(optimizers[1].state_dict()))
    optimizers[1].load_state_dict(to_ours(optimizers[0].state_dict()))
    for optimizer in optimizers:
        optimizer.step()
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-6)


class Scale(rl.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = rl.nn.Parameter(rl.tensor([2.0, 3.0]))
        self.register_buffer("steps", rl.tensor(3))

    def forward(self, x):
        return x * self.weight * self.steps


class Net(rl.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = rl.nn.Sequential(Scale(), Scale())

    def forward(self, x):
        return self.layers(x)


def test_a_whole_module_needs_trust():
    net = Net()
    with pytest.raises(pickle.UnpicklingError, match=r"GLOBAL test_serialize\.Net"):
        rl.load(saved(net))
    again = rl.load(saved(net), weights_only=False)
    x = rl.ones(4, 2)
    assert type(again) is Net and again(x).tolist() == net(x).tolist()
    again.layers[0].weight = rl.nn.Parameter(rl.zeros(2))
    assert [p.tolist() for p in again.parameters()] == [[0, 0], [2, 3]]
    assert again(x).tolist() == [[0, 0]] * 4


def test_a_whole_module_of_pytorch_gets_our_classes():
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
    ours = to_ours(theirs, weights_only=False)
    assert type(ours) is rl.nn.Sequential and type(ours[0]) is rl.nn.Linear
    x = np.ones((4, 2), np.float32)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(rl.from_numpy(x)).detach().numpy(), expected, rtol=1e-6)


def test_what_rushlight_does_not_have_is_named():
    scripted = torch.nn.quantized.FloatFunctional()
    with pytest.raises(pickle.UnpicklingError, match="FloatFunctional, which rushlight"):
        to_ours(scripted, weights_only=False)
