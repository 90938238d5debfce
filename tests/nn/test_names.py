"""Every layer and function of both frameworks takes the same arguments with the same defaults."""

from __future__ import annotations

import inspect

import pytest
import torch

import rushlight as rl

# What decides how they are made is not Python in PyTorch, so there is no signature to compare.
NOT_PYTHON = {"Buffer", "Parameter"}
# Layers whose ``forward`` in PyTorch is that of Module, which takes anything.
ABSTRACT = {"RNNBase"}


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
    assert ours == theirs


@pytest.mark.parametrize("name", sorted(set(layers()) - ABSTRACT))
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
