"""rushlight: a deep learning framework with PyTorch's API, in pure Python.

Operations on tensors are recorded and run when somebody looks at a result. Public names are
PyTorch's, so ``import rushlight as torch`` is how code is ported.

Example:
    >>> import rushlight as rl
    >>> x = rl.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x ** 2).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
"""

# ruff: noqa: I001 - imported names stand in rows
from __future__ import annotations

import builtins as _builtins
import importlib as _importlib
from typing import Any as _Any

from . import autograd
from .autograd.mode import (
    enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad,
    set_grad_enabled,
)  # fmt: skip
from .base.device import device
from .base.dtypes import DType as dtype
from .base.dtypes import (
    bfloat16, complex64, complex128, float16, float32, float64, int8, int16, int32, int64, uint8,
)  # fmt: skip
from .base.promotion import can_cast, promote_types
from .tensor import attributes as _attributes
from .tensor import change as _change
from .tensor import convert as _convert
from .tensor import exchange as _exchange
from .tensor import functions as _functions
from .tensor import gradient as _gradient
from .tensor import index as _index
from .tensor import layout as _layout
from .tensor import look as _look
from .tensor import older as _older
from .tensor import operators as _operators
from .tensor import storage as _storage
from .tensor.creation import (
    arange, empty, empty_like, empty_strided, eye, full, full_like, linspace, logspace, ones,
    ones_like, zeros, zeros_like,
)  # fmt: skip
from .tensor.data import as_tensor, asarray, frombuffer, scalar_tensor, tensor
from .tensor.defaults import get_default_dtype, set_default_dtype
from .tensor.dynamic import (
    allclose, argwhere, bincount, equal, index_put, masked_select, narrow, nonzero,
    repeat_interleave, tensor_split, unique, unique_consecutive, where,
)  # fmt: skip
from .tensor.exchange import from_dlpack, from_numpy
from .tensor.formats import (
    channels_last, channels_last_3d, contiguous_format, jagged, layout, memory_format,
    preserve_format, sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided,
)  # fmt: skip
from .tensor.attributes import adjoint
from .tensor.layout import as_strided, is_neg, as_strided_scatter, resolve_conj, resolve_neg
from .tensor.look import realize
from .tensor.operators import positive
from .tensor.positions import empty_permuted, tril_indices, triu_indices
from .tensor.questions import (
    broadcast_shapes, is_complex, is_conj, is_floating_point, is_inference, is_nonzero,
    is_same_size, is_signed, is_storage, is_tensor, numel, result_type, typename,
)  # fmt: skip
from .tensor.random import (
    Generator, bernoulli, default_generator, get_rng_state, initial_seed, manual_seed, multinomial,
    normal, rand, rand_like, randint, randint_like, randn, randn_like, randperm, seed,
    set_rng_state,
)  # fmt: skip
from .tensor.show import show
from .tensor.size import Size
from .tensor.tensor import Tensor

__version__ = "0.1.0"

# PyTorch's short names.
half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128
bool = _importlib.import_module(".base.dtypes", __name__).bool_
inf, nan = _builtins.float("inf"), _builtins.float("nan")
pi, e = 3.141592653589793, 2.718281828459045
newaxis = None

_SUBMODULES = frozenset({
    "ahead", "amp", "ao", "array_api", "audio", "backends", "config", "cpu", "cuda",
    "distributed", "distributions", "doctor", "export", "fetch", "fft", "func", "hub", "jit",
    "linalg", "multiprocessing", "nn", "onnx", "optim", "profiler", "quantization", "random",
    "serialization", "serve", "signal", "special", "testing", "text", "train", "utils", "version",
    "vision",
})  # fmt: skip
# Names whose modules load when somebody asks for them.
_LATER = {
    "set_printoptions": "tensor.printing",
    "autocast": "amp.autocast_mode",
    **dict.fromkeys(
        (
            "per_channel_affine",
            "per_channel_symmetric",
            "per_tensor_affine",
            "per_tensor_symmetric",
            "qint32",
            "qint8",
            "quint8",
        ),
        "base.quantum",
    ),
    **dict.fromkeys(
        ("is_anomaly_check_nan_enabled", "is_anomaly_enabled"), "autograd.anomaly_mode"
    ),
    **dict.fromkeys(
        (
            "autocast_decrement_nesting",
            "autocast_increment_nesting",
            "clear_autocast_cache",
            "get_autocast_cpu_dtype",
            "get_autocast_dtype",
            "get_autocast_gpu_dtype",
            "is_autocast_cache_enabled",
            "is_autocast_cpu_enabled",
            "is_autocast_enabled",
            "set_autocast_cache_enabled",
            "set_autocast_cpu_dtype",
            "set_autocast_cpu_enabled",
            "set_autocast_dtype",
            "set_autocast_enabled",
            "set_autocast_gpu_dtype",
        ),
        "amp.state",
    ),
    "vmap": "func",
    "GradScaler": "amp",
    **dict.fromkeys(
        (
            "alias_copy",
            "as_strided_copy",
            "detach_copy",
            "diagonal_copy",
            "expand_copy",
            "narrow_copy",
            "permute_copy",
            "select_copy",
            "slice_copy",
            "split_copy",
            "split_with_sizes_copy",
            "squeeze_copy",
            "t_copy",
            "transpose_copy",
            "unbind_copy",
            "unfold_copy",
            "unsafe_split_with_sizes",
            "unsqueeze_copy",
            "view_as_complex_copy",
            "view_as_real_copy",
            "view_copy",
        ),
        "tensor.copies",
    ),
    **dict.fromkeys(("from_file", "get_device", "range"), "tensor.older"),
    **dict.fromkeys(
        (
            "cond",
            "sym_float",
            "sym_int",
            "sym_ite",
            "sym_max",
            "sym_min",
            "sym_not",
            "sym_sqrt",
            "sym_sum",
        ),
        "tensor.symbolic",
    ),
    **dict.fromkeys(
        (
            "gru",
            "gru_cell",
            "lstm",
            "lstm_cell",
            "rnn_relu",
            "rnn_relu_cell",
            "rnn_tanh",
            "rnn_tanh_cell",
        ),
        "nn.native_rnn",
    ),
    **dict.fromkeys(
        (
            "alpha_dropout_",
            "embedding_bag",
            "embedding_renorm_",
            "feature_alpha_dropout_",
            "feature_dropout_",
            "native_batch_norm",
            "native_dropout",
            "native_group_norm",
            "native_layer_norm",
            "norm_except_dim",
        ),
        "nn.native_norms",
    ),
    **dict.fromkeys(("get_default_device", "set_default_device"), "tensor.defaults"),
    "thread_safe_generator": "tensor.generator",
    **dict.fromkeys(("_standard_gamma", "binomial", "poisson"), "tensor.counts"),
    "UntypedStorage": "tensor.storage",
    "compile": "tensor.replay.compile",
    "explain": "tensor.explain",
    "finfo": "tensor.info",
    "iinfo": "tensor.info",
    **dict.fromkeys(
        (
            "are_deterministic_algorithms_enabled",
            "get_deterministic_debug_mode",
            "get_float32_matmul_precision",
            "get_num_interop_threads",
            "get_num_threads",
            "is_deterministic_algorithms_warn_only_enabled",
            "is_warn_always_enabled",
            "set_deterministic_debug_mode",
            "set_float32_matmul_precision",
            "set_flush_denormal",
            "set_num_interop_threads",
            "set_num_threads",
            "set_warn_always",
            "use_deterministic_algorithms",
        ),
        "tensor.switches",
    ),
    **dict.fromkeys(
        (
            "BFloat16Tensor",
            "BoolTensor",
            "ByteTensor",
            "CharTensor",
            "DoubleTensor",
            "FloatTensor",
            "HalfTensor",
            "IntTensor",
            "LongTensor",
            "ShortTensor",
            "set_default_tensor_type",
        ),
        "tensor.legacy",
    ),
    **dict.fromkeys(
        ("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"),
        "signal.periodic",
    ),
    **dict.fromkeys(("pca_lowrank", "svd_lowrank"), "tensor.low_rank"),
    "lobpcg": "tensor.lobpcg",
    **dict.fromkeys(
        (
            "adaptive_max_pool1d",
            "affine_grid_generator",
            "alpha_dropout",
            "batch_norm",
            "binary_cross_entropy_with_logits",
            "celu",
            "celu_",
            "constant_pad_nd",
            "conv_tbc",
            "convolution",
            "cosine_embedding_loss",
            "ctc_loss",
            "dropout",
            "dropout_",
            "feature_alpha_dropout",
            "feature_dropout",
            "grid_sampler",
            "grid_sampler_2d",
            "grid_sampler_3d",
            "hinge_embedding_loss",
            "instance_norm",
            "kl_div",
            "margin_ranking_loss",
            "max_pool1d",
            "max_pool1d_with_indices",
            "max_pool2d",
            "max_pool3d",
            "poisson_nll_loss",
            "rrelu",
            "rrelu_",
            "selu",
            "selu_",
            "threshold",
            "threshold_",
            "triplet_margin_loss",
        ),
        "nn.native",
    ),
    "load": "serialize",
    "load_safetensors": "serialize",
    "safetensors_metadata": "serialize",
    "save": "serialize",
    "save_safetensors": "serialize",
}


def _array_namespace(self: Tensor, *, api_version: str | None = None) -> _Any:
    """The functions of the array API standard.

    Raises:
        ValueError: there is no such version of it here.
    """
    return __getattr__("array_api").of_version(api_version)


setattr(Tensor, "__array_namespace__", _array_namespace)  # noqa: B010 - a public package above


def __getattr__(name: str) -> _Any:
    """What ``import rushlight`` need not wait for: submodules, and functions from the op table."""
    if name in _SUBMODULES:
        return _importlib.import_module(f"{__name__}.{name}")
    if name in _LATER:
        home = _importlib.import_module(f"{__name__}.{_LATER[name]}")
        return globals().setdefault(name, getattr(home, name))
    if name in _functions.public[""]:
        return globals().setdefault(name, _functions.public[""][name])
    if name.endswith("_") and not name.startswith("_") and hasattr(Tensor, name):
        return getattr(Tensor, name)  # rl.relu_(x) is x.relu_()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_LATER, *_functions.public[""]})
