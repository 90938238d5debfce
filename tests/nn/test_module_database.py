"""Every module of PyTorch's own database of modules: values, gradients, state and look."""

import inspect
import warnings

import numpy as np
import pytest
import torch
from torch.testing._internal.common_modules import module_db

import rushlight as rl
from rushlight.execute import tier

# What is not for dense tensors on one CPU.
OUT = frozenset()
MOST = 2 if tier.chosen() == "compiled" else 10
"""Cases of a module that are run; where PyTorch has more, so many spread over them."""


def spread(cases):
    """At most ``MOST`` of some cases, from the first to the last."""
    if len(cases) <= MOST:
        return cases
    return [cases[round(i * (len(cases) - 1) / (MOST - 1))] for i in range(MOST)]


def ours(value):
    """A tensor, dtype or structure of PyTorch's as rushlight's."""
    if isinstance(value, torch.Tensor):
        array = np.array(value.detach().numpy())
        made = rl.tensor(array, dtype=ours(value.dtype))
        return made.requires_grad_(value.requires_grad) if value.requires_grad else made
    if isinstance(value, torch.dtype):
        return getattr(rl, str(value).partition(".")[2])
    if isinstance(value, torch.nn.Module) or getattr(value, "__module__", "").startswith("torch."):
        return translated(value)
    if isinstance(value, dict):
        return {key: ours(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(ours(item) for item in value)
    return value


def translated(value):
    """A module, function or option object of PyTorch's as the one of rushlight's."""
    if isinstance(value, torch.nn.TransformerEncoderLayer):
        made = rl.nn.TransformerEncoderLayer(
            value.linear1.in_features, value.self_attn.num_heads, value.linear1.out_features,
            value.dropout.p, ours(value.activation), value.norm1.eps,
            value.self_attn.batch_first, value.norm_first, value.linear1.bias is not None,
            dtype=ours(value.linear1.weight.dtype),
        )  # fmt: skip
        made.load_state_dict(ours(value.state_dict()))
        return made
    if inspect.isfunction(value) or inspect.isbuiltin(value):
        for place in (rl.nn.functional, rl):
            if hasattr(place, value.__name__):
                return getattr(place, value.__name__)
    if type(value).__name__ == "LinearCrossEntropyOptions":
        fields = {name: ours(getattr(value, name)) for name in value.__slots__}
        return rl.nn.LinearCrossEntropyOptions(**fields)
    raise AssertionError(f"no counterpart of {value!r}")


class Case:
    """One input of the database: the module made, and what it is called with."""

    def __init__(self, info, sample, training):
        self.info, self.sample, self.training = info, sample, training

    def made(self, cls, convert):
        given = self.sample.constructor_input
        torch.manual_seed(0)
        made = cls(*convert(given.args), **convert(given.kwargs))
        return made.double().train(self.training)


def fresh(value):
    """Arguments whose tensors are leaves."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fresh(item) for item in value)
    return value


def tensors(value):
    """All tensors in a structure."""
    if isinstance(value, (torch.Tensor, rl.Tensor)):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors(item)]
    return []


def gradients(outputs, inputs):
    """The gradients of a weighted sum of the outputs; None where there is none."""
    lib = torch if isinstance(outputs[0], torch.Tensor) else rl
    tracked = [x for x in outputs if x.requires_grad]
    if not tracked:
        return []
    weights = [lib.cos(lib.arange(x.numel(), dtype=x.dtype)).reshape(x.shape) for x in tracked]
    total = sum((x * weight).sum() for x, weight in zip(tracked, weights, strict=True))
    return lib.autograd.grad(total, inputs, allow_unused=True)


def close(mine, other, message, relative=1e-8):
    assert str(mine.dtype) == str(other.dtype), message
    assert tuple(mine.shape) == tuple(other.shape), message
    np.testing.assert_allclose(
        mine.detach().numpy(), other.detach().numpy(), rtol=relative, atol=relative,
        err_msg=message,
    )  # fmt: skip


def compare(case, name):
    # Kernels for the graph of each case would take minutes to make.
    with tier.only("reference" if tier.chosen() == "auto" else tier.chosen()):
        _compare(case, name)


def _compare(case, name):
    theirs = case.made(case.info.module_cls, lambda value: value)
    mine = case.made(getattr(rl.nn, name), ours)
    assert repr(mine) == repr(theirs)
    given = case.sample.forward_input
    arguments = fresh((given.args, given.kwargs))
    their_inputs = [x for x in tensors(arguments) if x.requires_grad]
    our_arguments = ours(arguments)
    our_inputs = [x for x in tensors(our_arguments) if x.requires_grad]
    if any(isinstance(x, torch.nn.UninitializedParameter) for x in theirs.parameters()):
        theirs(*arguments[0], **arguments[1])  # find out the shapes
        mine(*our_arguments[0], **our_arguments[1])
        assert repr(mine) == repr(theirs)
    mine.load_state_dict(ours(theirs.state_dict()))
    expected, found = [], []
    for module, (args, kwargs), inputs, into in (
        (theirs, arguments, their_inputs, expected), (mine, our_arguments, our_inputs, found)
    ):  # fmt: skip
        outputs = tensors(module(*args, **kwargs))
        into += outputs
        into += gradients(outputs, inputs + [p for p in module.parameters() if p.requires_grad])
    assert len(found) == len(expected)
    for place, (one, two) in enumerate(zip(found, expected, strict=True)):
        assert (one is None) == (two is None), f"gradient {place}"
        if two is not None:
            close(one, two, f"result {place}")
    state = theirs.state_dict()
    assert list(mine.state_dict()) == list(state)
    for key, value in mine.state_dict().items():
        close(value, state[key], key)


@pytest.mark.parametrize("info", module_db, ids=lambda info: info.module_cls.__name__)
def test_module_equals_torch(info):
    name = info.module_cls.__name__
    if name in OUT:
        pytest.skip("not for dense tensors on one CPU")
    modes = (True, False) if info.train_and_eval_differ else (True,)
    faults = []
    for training in modes:
        torch.manual_seed(0)
        samples = info.module_inputs_func(
            info, device="cpu", dtype=torch.float64, requires_grad=True, training=training
        )
        for place, sample in spread(list(enumerate(samples))):
            if sample.forward_input is None:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    compare(Case(info, sample, training), name)
                except Exception as fault:
                    faults.append(f"{place} {sample.desc} training={training}: {fault!r}"[:600])
    assert not faults, f"{len(faults)} cases:\n" + "\n".join(faults[:5])
