"""The functions that layers are made of, under the names of ``torch.nn.functional``.

Most come from the operations' own signatures and are made when they are first asked for. What needs
tensors rather than nodes is written by hand, in a file per family, and listed here.
"""

# ruff: noqa: F401, I001 - this file is a list of names

from __future__ import annotations

from typing import Any

import rushlight as _rl
from rushlight import ops as _ops
from rushlight.tensor.functions import public as _public

from .attention import scaled_dot_product_attention
from .heads import multi_head_attention_forward
from .batch import batch_norm, instance_norm, local_response_norm
from .fractional import (
    fractional_max_pool2d, fractional_max_pool2d_with_indices, fractional_max_pool3d,
    fractional_max_pool3d_with_indices,
)  # fmt: skip
from .indices import (
    adaptive_max_pool1d_with_indices, adaptive_max_pool2d_with_indices,
    adaptive_max_pool3d_with_indices, max_pool1d_with_indices, max_pool2d_with_indices,
    max_pool3d_with_indices,
)  # fmt: skip
from .noise import (
    alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout, gumbel_softmax,
    rrelu,
)  # fmt: skip
from .lookup import embedding, embedding_bag, one_hot
from .softmax import log_softmax, softmax, softmin
from .time_major import conv_tbc
from .vectors import normalize, triplet_margin_with_distance_loss

# Functions that stand in both places, with the same parameters.
_SHARED = frozenset((
    "adaptive_avg_pool1d", "avg_pool1d", "bilinear", "channel_shuffle", "conv1d", "conv2d",
    "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_similarity",
    "group_norm", "hardshrink", "layer_norm", "native_channel_shuffle", "pairwise_distance",
    "pdist", "pixel_shuffle", "pixel_unshuffle", "prelu", "rms_norm", "sigmoid", "tanh",
))  # fmt: skip

# Those of one operation whose parameters here are not those in ``rushlight``.
_DIFFERENT = {"relu": "relu(Tensor self, bool inplace=False) -> Tensor"}

# Those that also write into their input under a name with an underscore.
_WRITING = frozenset(
    ("celu_", "elu_", "hardtanh_", "leaky_relu_", "relu_", "rrelu_", "selu_", "threshold_")
)


def __getattr__(name: str) -> Any:
    if name in _public["nn.functional"]:
        found = _public["nn.functional"][name]
    elif name in _SHARED:
        found = getattr(_rl, name)
    elif name in _DIFFERENT:
        from rushlight.tensor.generate import function

        found = function(getattr(_ops, name), _DIFFERENT[name])
    elif name in _WRITING:
        found = _writing(name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, found)


def _writing(name: str) -> Any:
    """The form of an activation that writes its result into its input."""
    activation = globals().get(name[:-1]) or __getattr__(name[:-1])

    def write(input: Any, *args: Any, **kwargs: Any) -> Any:
        return activation(input, *args, **kwargs, inplace=True)

    write.__name__ = write.__qualname__ = name
    write.__doc__ = f"In-place version of :func:`{name[:-1]}`."
    return write


def __dir__() -> list[str]:
    return sorted({*globals(), *_public["nn.functional"], *_SHARED, *_DIFFERENT, *_WRITING})
