"""rushlight.special against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl

ARGUMENTS = {"logsumexp": (1,), "softmax": (1,), "log_softmax": (-1,)}


def _given(library: Any, *values: Any) -> list[Any]:
    return [library.from_numpy(v) if isinstance(v, np.ndarray) else v for v in values]


@pytest.mark.parametrize("name", sorted(rl.special._NAMES))
def test_a_function_is_pytorchs(name: str) -> None:
    x = np.linspace(0.05, 0.95, 12).reshape(3, 4)
    rest = ARGUMENTS.get(name, ())
    if name == "xlogy":
        rest = (2.0,)
    first: tuple[object, ...] = (2,) if name == "polygamma" else ()
    if name.startswith("gammainc"):
        first = (x[::-1].copy(),)
    elif name == "multigammaln":
        rest = (1,)
    ours = getattr(rl.special, name)(*_given(rl, *first, x), *rest)
    theirs = getattr(torch.special, name)(*_given(torch, *first, x), *rest)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-13)
    assert name in dir(rl.special)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'airy'"):
        rl.special.airy
