"""Every layer, function and optimizer takes PyTorch's arguments, with the same defaults."""

from __future__ import annotations

import importlib
import inspect

import pytest
import torch

import rushlight as rl

# What decides how they are made is not Python in PyTorch, so there is no signature to compare.
NOT_PYTHON = {"Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"}
# Layers whose ``forward`` in PyTorch is that of Module, which takes anything.
ABSTRACT = {"RNNBase"}
NO_LAYERS = {"LinearCrossEntropyOptions"}


def parameters(function) -> list | None:
    """Names, defaults and kinds, but for ``out=``; None where they are not known."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    of_function = [p for p in found if (p.name, p.kind) != ("out", p.KEYWORD_ONLY)]
    return [(p.name, p.default, p.kind) for p in of_function]


def layers():
    for name in sorted(set(dir(torch.nn)) & set(dir(rl.nn)) - NOT_PYTHON):
        if inspect.isclass(getattr(torch.nn, name)):
            yield name


def functions():
    ours = set(dir(rl.nn.functional))
    for name in sorted(n for n in set(dir(torch.nn.functional)) & ours if not n.startswith("_")):
        if inspect.isfunction(getattr(torch.nn.functional, name)):
            yield name


@pytest.mark.parametrize("name", list(layers()))
def test_layer(name):
    ours, theirs = (parameters(getattr(f.nn, name).__init__) for f in (rl, torch))
    assert plain(ours) == plain(theirs)


@pytest.mark.parametrize("name", sorted(set(layers()) - ABSTRACT - NO_LAYERS))
def test_call(name):
    ours, theirs = (parameters(getattr(f.nn, name).forward) for f in (rl, torch))
    assert [p[:2] for p in ours] == [p[:2] for p in theirs]


@pytest.mark.parametrize("name", list(functions()))
def test_function(name):
    ours, theirs = (parameters(getattr(f.nn.functional, name)) for f in (rl, torch))
    generic = {"args", "kwargs"}  # a function of PyTorch's that chooses another one
    if theirs is not None and not generic & {p[0] for p in theirs}:
        assert ours == theirs


@pytest.mark.parametrize("name", [*functions(), "linear", "prelu", "one_hot", "pixel_shuffle"])
def test_functions_say_what_they_do(name):
    assert inspect.getdoc(getattr(rl.nn.functional, name))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'relu7'"):
        _ = rl.nn.functional.relu7


def test_all_names_are_listed():
    names = dir(rl.nn.functional)
    assert {"relu", "relu_", "cross_entropy", "dropout", "softmax", "conv2d"} <= set(names)
    assert all(getattr(rl.nn.functional, name) is not None for name in names if name[0] != "_")


PLACES = [
    "nn", "nn.init", "nn.utils", "nn.utils.rnn", "nn.utils.parametrize",
    "nn.utils.parametrizations", "nn.utils.prune", "nn.utils.fusion", "optim",
    "optim.lr_scheduler", "optim.swa_utils",
]  # fmt: skip
# For sparse gradients and for tracing; and what PyTorch's own files import from elsewhere.
NOT_HERE = {
    "optim": {"SparseAdam", "swap_in_optimizer_params_and_state"},
    "nn.utils.rnn": {"PackedSequence_", "bind", "copy_method_params"},
    "optim.lr_scheduler": {"Optimizer", "Tensor"},
    "nn.utils.parametrize": {
        "OpaqueBase", "get_swap_module_params_on_conversion", "is_opaque_reference_type",
        "is_traceable_wrapper_subclass",
    },
}  # fmt: skip


def public(module):
    """Names of classes and functions that PyTorch has in a module."""
    for name, value in vars(module).items():
        ours = (getattr(value, "__module__", None) or "").startswith("torch")
        if ours and not name.startswith("_") and callable(value):
            yield name


@pytest.mark.parametrize("place", PLACES)
def test_no_name_is_missing(place):
    ours, theirs = (importlib.import_module(f"{lib.__name__}.{place}") for lib in (rl, torch))
    missing = {name for name in public(theirs) if not hasattr(ours, name)}
    assert missing == NOT_HERE.get(place, set())


def constructors():
    for place in PLACES[1:]:
        theirs = importlib.import_module(f"torch.{place}")
        for name in sorted(set(public(theirs)) - NOT_HERE.get(place, set())):
            if getattr(theirs, name).__module__.startswith(f"torch.{place.split('.')[0]}"):
                yield place, name


@pytest.mark.parametrize(("place", "name"), list(constructors()))
def test_arguments_of_optimizers_and_the_rest(place, name):
    found = []
    for lib in (rl, torch):
        value = getattr(importlib.import_module(f"{lib.__name__}.{place}"), name)
        found.append(parameters(value.__init__ if inspect.isclass(value) else value))
    ours, theirs = found
    generic = {"args", "kwargs"}  # an old name of another function
    if theirs is not None and not generic & {p[0] for p in (*ours, *theirs)}:
        assert plain(ours) == plain(theirs)


def plain(found):
    """Parameters with a word for defaults that are a library's own functions."""
    return [(name, _plain(default), kind) for name, default, kind in found]


def _plain(default):
    return "something" if callable(default) and default is not inspect.Parameter.empty else default
