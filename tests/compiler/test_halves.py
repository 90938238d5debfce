"""Products of half types: read as they lie in memory, summed in float32."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rushlight as rl
from rushlight.execute import tier

SIZES = [
    ((64, 64), (64, 64)), ((33, 66), (66, 17)), ((1, 64), (64, 100)), ((5, 7, 64), (64, 9)),
    ((3, 8, 33), (3, 33, 5)), ((64, 1), (1, 9)), ((128, 256), (256, 1)), ((0, 4), (4, 3)),
    ((3, 0), (0, 4)), ((2, 1, 3, 4), (5, 4, 2)),
]  # fmt: skip


def across(x: rl.Tensor) -> rl.Tensor:
    """The same values with their last two dimensions the other way round in memory."""
    return x.transpose(-1, -2).contiguous().transpose(-1, -2)


def gradient(x: rl.Tensor, y: rl.Tensor) -> rl.Tensor:
    x, y = x.detach().requires_grad_(), y.detach().requires_grad_()
    ((x @ y).float() ** 2).sum().backward()
    assert x.grad is not None and y.grad is not None
    return x.grad.float().sum() + y.grad.float().abs().sum()


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "plain": lambda x, y: x @ y,
    "left across": lambda x, y: across(x) @ y,
    "right across": lambda x, y: x @ across(y),
    "in float32": lambda x, y: (x @ y).float() + 1,
    "made float32 before": lambda x, y: x.float() @ y.float(),
    "one is float32": lambda x, y: x.float() @ (y.float() * 2),
    "read elsewhere too": lambda x, y: x @ y + x.sum(),
    "gradients": gradient,
}


@pytest.mark.parametrize("dtype", [rl.bfloat16, rl.float16])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_tiers_agree(name: str, sizes: Any, dtype: rl.dtype) -> None:
    rng = np.random.default_rng(0)
    x, y = (rl.tensor(rng.standard_normal(shape)).to(dtype) for shape in sizes)
    found = []
    for where in ("compiled", "reference"):
        with tier.only(where):
            result = FUNCTIONS[name](x, y)
            found.append(result.float().numpy())
    # The reference adds in another order before it rounds once, so the last bit may differ; a sum
    # of many such has as many times that.
    eps = rl.finfo(dtype).eps
    scale = max(1.0, float(np.abs(found[1]).max())) if found[1].size else 1.0
    np.testing.assert_allclose(found[0], found[1], rtol=eps, atol=2 * eps * scale)


def test_bfloat16_is_read_as_it_lies() -> None:
    x = rl.ones(64, 64, dtype=rl.bfloat16)
    rl.realize(x)
    with rl.testing.assert_kernels(1):
        rl.realize((x @ x.t()).relu())
