"""The same layer in rushlight and in PyTorch: what it is, and what it computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import rushlight as rl

FRAMEWORKS = (rl, torch)


def random(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def whole(*shape: int, low: int = 0, high: int = 4, seed: int = 0) -> np.ndarray:
    """Numbers from ``low`` to ``high``, which is included."""
    return np.random.default_rng([seed, *shape]).integers(low, high, shape, endpoint=True)


def built(text: str) -> tuple[Any, Any]:
    """The layer that ``text`` makes, in both frameworks, with PyTorch's parameters in both."""
    ours, theirs = (eval(text, {"rl": f, "inf": float("inf"), **vars(f.nn)}) for f in FRAMEWORKS)
    theirs.double()
    ours.double()
    copied = {name: rl.tensor(value.numpy()) for name, value in theirs.state_dict().items()}
    ours.load_state_dict(copied)
    return ours, theirs


def same_structure(ours: Any, theirs: Any) -> None:
    """The same text, parameters, buffers and public attributes."""
    assert repr(ours) == repr(theirs)
    for table in ("named_parameters", "named_buffers"):
        mine = [(n, tuple(t.shape), t.requires_grad) for n, t in getattr(ours, table)()]
        assert mine == [(n, tuple(t.shape), t.requires_grad) for n, t in getattr(theirs, table)()]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert _plain_attributes(ours) == _plain_attributes(theirs)


def _plain_attributes(layer: Any) -> dict[str, Any]:
    plain = (bool, int, float, str, tuple, list, type(None))
    return {
        name: value
        for name, value in vars(layer).items()
        if not name.startswith("_") and isinstance(value, plain)
        and name not in (*layer._parameters, *layer._buffers)
    }  # fmt: skip


def agree(ours: Any, theirs: Any, *inputs: Any, second: bool = True, rtol: float = 1e-9) -> None:
    """The same values, gradients and, if wanted, second gradients, in double precision."""
    found = [_derivatives(f, call, inputs, second) for f, call in zip(FRAMEWORKS, (ours, theirs))]
    names = ("value", "gradient", "second gradient")
    for name, mine, other in zip(names, *found, strict=True):
        assert len(mine) == len(other), name
        for a, b in zip(mine, other, strict=True):
            if a is None or b is None:  # no gradient and a gradient of 0 are the same
                assert not np.any(b if a is None else a), name
                continue
            assert a.shape == b.shape, name
            np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-11, err_msg=name)


def _derivatives(framework: Any, call: Any, inputs: Any, second: bool) -> list[list[Any]]:
    given = [_given(framework, value) for value in inputs]
    leaves = [t for t in given if isinstance(t, framework.Tensor) and t.requires_grad]
    if isinstance(call, framework.nn.Module):
        leaves += list(call.parameters())
    result = call(*given)
    assert isinstance(result, framework.Tensor)
    first = _gradients(framework, [result], leaves)
    again = _gradients(framework, first, leaves) if second else []
    return [[_numpy(t) for t in tensors] for tensors in ([result], first, again)]


def _given(framework: Any, value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    made = framework.tensor(value)
    return made.requires_grad_() if value.dtype.kind == "f" else made


def _gradients(framework: Any, outputs: Any, leaves: Any) -> list[Any]:
    """Gradients of a weighted sum of the outputs; None where there is none."""
    curved = {k: t for k, t in enumerate(outputs) if t is not None and t.requires_grad}
    if not curved:
        return [None] * len(leaves)
    weights = []
    for k, output in curved.items():
        count = int(np.prod(tuple(output.shape), dtype=int))
        values = np.cos(np.arange(count) + k).reshape(tuple(output.shape))
        weights.append(framework.tensor(values))
    found = framework.autograd.grad(
        list(curved.values()), leaves, weights, create_graph=True, allow_unused=True
    )
    return list(found)


def _numpy(tensor: Any) -> Any:
    if tensor is None:
        return None
    if isinstance(tensor, torch.Tensor):
        return tensor.numpy(force=True)  # also of a gradient that is kept as a mere 0
    return tensor.detach().numpy()
