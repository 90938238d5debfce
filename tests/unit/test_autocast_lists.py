"""Every operation of PyTorch's lists for the processor, in a region of both libraries.

What PyTorch registers itself says which operations these are, and its own database how to call
them; types are compared exactly, values and gradients within the rounding of bfloat16.
"""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import rushlight as rl

TYPES = {
    getattr(torch, name): getattr(rl, name)
    for name in ("float32", "float64", "bfloat16", "int64", "int32", "bool", "complex64")
}

# Under which name of PyTorch's a registered operation is public, where it is another one.
PUBLIC = {
    "cross_entropy_loss": "nn.functional.cross_entropy",
    "grid_sampler": "nn.functional.grid_sample",
    "ctc_loss": "nn.functional.ctc_loss", "prelu": "nn.functional.prelu",
    "linear": "nn.functional.linear", "conv1d": "nn.functional.conv1d",
}  # fmt: skip

# Registered, and no function of their own: forms of another one, or of other backends.
INSIDE = {
    "_addmm_activation", "_convolution", "_grid_sampler_2d_cpu_fallback", "_lu_with_info",
    "_native_multi_head_attention", "fake_quantize_per_tensor_affine", "grid_sampler_2d",
    "grid_sampler_3d", "mkldnn_rnn_layer", "multilabel_margin_loss_forward", "nll_loss2d",
}  # fmt: skip

# In no database: compared in test_autocast.py.
UNLISTED = {
    "conv_tbc", "inverse", "orgqr", "reflection_pad1d", "reflection_pad2d", "replication_pad1d",
    "replication_pad2d", "replication_pad3d",
}  # fmt: skip

# Drawn at random, or decompositions whose factors have no one sign or order, or of which a part is
# not read: their types are compared alone.
FREE = {
    "cholesky_inverse", "cholesky_solve", "geqrf", "linalg.eig", "linalg.eigh", "linalg.eigvals",
    "linalg.qr", "linalg.svd", "nn.functional.fractional_max_pool2d",
    "nn.functional.fractional_max_pool3d", "qr", "svd",
}  # fmt: skip


def registered() -> list[str]:
    names = torch._C._dispatch_get_registrations_for_dispatch_key("AutocastCPU")
    return sorted({name.removeprefix("aten::").partition(".")[0] for name in names} - INSIDE)


INFOS: dict[str, Any] = {}
for info in op_db:
    if not info.variant_test_name or info.name not in INFOS:
        INFOS[info.name] = info


def public(name: str) -> str | None:
    dotted = name.replace("linalg_", "linalg.", 1).replace("fft_", "fft.", 1)
    forms = (PUBLIC.get(name, name), name, dotted, f"nn.functional.{name}")
    return next((form for form in forms if form in INFOS), None)


NAMES = [found for name in registered() if (found := public(name))]


def function(library: Any, name: str) -> Any:
    for part in name.split("."):
        library = getattr(library, part)
    return library


def lowered(x: Any) -> Any:
    """Arguments with bfloat16 in place of float32."""
    if isinstance(x, torch.Tensor):
        return x.bfloat16() if x.dtype is torch.float32 else x
    return type(x)(map(lowered, x)) if type(x) in (list, tuple) else x


def leaves(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        return x.detach().clone().requires_grad_(x.requires_grad)
    return type(x)(map(leaves, x)) if type(x) in (list, tuple) else x


def ours(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        wide = x.detach().float() if x.dtype is torch.bfloat16 else x.detach()
        made = rl.tensor(wide.numpy(), dtype=TYPES[x.dtype])
        return made.requires_grad_(x.requires_grad)
    if type(x) in (list, tuple):
        return type(x)(map(ours, x))
    return TYPES.get(x, x) if isinstance(x, torch.dtype) else x


def flat(x: Any) -> list[Any]:
    if isinstance(x, (torch.Tensor, rl.Tensor)):
        return [x]
    return [y for each in x for y in flat(each)] if isinstance(x, (list, tuple)) else []


def called(library: Any, name: str, args: Any, kwargs: Any) -> list[Any]:
    with library.autocast("cpu"):
        return flat(function(library, name)(*args, **kwargs))


def array(x: Any) -> np.ndarray:
    x = x.detach()
    x = x.float() if "bfloat16" in str(x.dtype) else x
    return x.resolve_conj().numpy()


def compare(theirs: list[Any], mine: list[Any], name: str) -> None:
    assert [str(x.dtype) for x in mine] == [str(x.dtype) for x in theirs]
    for x, y in zip(theirs, mine, strict=True):
        scale = float(np.abs(array(x)).max()) if x.numel() and name not in FREE else 0.0
        if name not in FREE and np.isfinite(scale):
            np.testing.assert_allclose(array(y), array(x), rtol=0.03, atol=0.02 * max(scale, 1e-3))


def differentiated(found: list[Any]) -> bool:
    total = sum(abs(x).sum().float() for x in found if x.requires_grad)
    if not isinstance(total, int):
        total.backward()
    return not isinstance(total, int)


def sample(name: str) -> tuple[Any, Any]:
    info = INFOS[name]
    grad = torch.float32 in info.supported_backward_dtypes("cpu") and name not in FREE
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found in info.sample_inputs("cpu", torch.float32, requires_grad=grad):
            args = found.input, *found.args
            if all(x.numel() for x in flat(args)) and not found.kwargs.get("return_indices"):
                return args, found.kwargs
    raise LookupError(name)


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_types_values_and_gradients_are_pytorchs(name: str, half: bool) -> None:
    args, kwargs = sample(name)
    if half:
        args, kwargs = lowered(args), {k: lowered(v) for k, v in kwargs.items()}
    their_args = leaves(args)
    our_args, our_kwargs = ours(args), {k: ours(v) for k, v in kwargs.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = called(torch, name, their_args, kwargs)
        mine = called(rl, name, our_args, our_kwargs)
    compare(theirs, mine, name)
    if name not in FREE and differentiated(theirs):
        assert differentiated(mine)
        pairs = zip(flat(list(their_args)), flat(list(our_args)), strict=True)
        pairs = [(x.grad, y.grad) for x, y in pairs if x.requires_grad]
        assert all(x is None or y is not None for x, y in pairs)
        pairs = [(x, y) for x, y in pairs if x is not None]
        compare([x for x, _ in pairs], [y for _, y in pairs], name)


def test_nothing_registered_is_left_out() -> None:
    names = registered()
    assert {name for name in names if not public(name)} == UNLISTED
    assert len(NAMES) > 90 and all(function(rl, name) for name in NAMES)
