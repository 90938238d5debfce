"""Functions of networks that PyTorch also has at its top, with numbers where there are words here.

``torch.kl_div(x, y, 1)`` is ``torch.nn.functional.kl_div(x, y, reduction="mean")``. Code that was
written for tracing calls these; they are the functions of ``nn.functional`` with other parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.base.errors import ArgValueError

from . import functional as F
from .time_major import conv_tbc  # noqa: F401 - one of them

Ints = int | Sequence[int]

_REDUCTIONS = ("none", "mean", "sum")
_SAMPLING = (("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"))


def _same(name: str) -> Callable[..., Any]:
    """A function whose parameters are those in ``nn.functional``, less what says ``inplace``."""
    plain = getattr(F, name)

    def call(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        return plain(input, *args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"As :func:`rushlight.nn.functional.{name}`."
    return call


def _reduced(name: str, parameters: int) -> Callable[..., Tensor]:
    """A loss whose reduction is a number, in the place behind ``parameters`` others.

    Left out it is 0: PyTorch's functions say 1 and do that.
    """
    loss = getattr(F, name)

    def call(*args: Any, reduction: int = 0, **kwargs: Any) -> Tensor:
        if len(args) > parameters:
            reduction, args = args[parameters], (*args[:parameters], *args[parameters + 1 :])
        if reduction not in (0, 1, 2):
            raise ArgValueError(name, f"{reduction} is not a valid value for reduction")
        rest = dict(zip(_AFTER.get(name, ()), args[parameters:], strict=False))
        word = _REDUCTIONS[reduction]
        return loss(*args[:parameters], reduction=word, **rest, **kwargs)  # type: ignore[no-any-return]

    call.__name__ = call.__qualname__ = name
    call.__doc__ = (
        f"As :func:`rushlight.nn.functional.{name}`.\n\n"
        "``reduction`` is 0 for none, 1 for the mean, 2 for the sum."
    )
    return call


_AFTER = {"ctc_loss": ("zero_infinity",)}  # what stands behind the reduction

celu, celu_, selu, selu_ = (_same(name) for name in ("celu", "celu_", "selu", "selu_"))
rrelu, rrelu_, threshold, threshold_ = (
    _same(name) for name in ("rrelu", "rrelu_", "threshold", "threshold_")
)
max_pool2d, max_pool3d = _same("max_pool2d"), _same("max_pool3d")
max_pool1d, max_pool1d_with_indices = _same("max_pool1d"), _same("max_pool1d_with_indices")

binary_cross_entropy_with_logits = _reduced("binary_cross_entropy_with_logits", 4)
cosine_embedding_loss = _reduced("cosine_embedding_loss", 4)
ctc_loss = _reduced("ctc_loss", 5)
hinge_embedding_loss = _reduced("hinge_embedding_loss", 3)
kl_div = _reduced("kl_div", 2)
margin_ranking_loss = _reduced("margin_ranking_loss", 4)
poisson_nll_loss = _reduced("poisson_nll_loss", 5)
triplet_margin_loss = _reduced("triplet_margin_loss", 7)


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """As :func:`rushlight.nn.functional.dropout`."""
    return F.dropout(input, p, train)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """In-place version of :func:`dropout`."""
    return F.dropout(input, p, train, inplace=True)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """As :func:`rushlight.nn.functional.alpha_dropout`."""
    return F.alpha_dropout(input, p, train)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """As :func:`rushlight.nn.functional.feature_alpha_dropout`."""
    return F.feature_alpha_dropout(input, p, train)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zeroes whole channels, as :func:`rushlight.nn.functional.dropout2d`."""
    by_rank = {3: F.dropout1d, 5: F.dropout3d}
    return by_rank.get(input.ndim, F.dropout2d)(input, p, train)


def adaptive_max_pool1d(input: Tensor, output_size: Ints) -> tuple[Tensor, Tensor]:
    """As :func:`rushlight.nn.functional.adaptive_max_pool1d`, with the elements' places."""
    return F.adaptive_max_pool1d(input, output_size, return_indices=True)  # type: ignore[no-any-return]


def batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """As :func:`rushlight.nn.functional.batch_norm`."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float,
    cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """As :func:`rushlight.nn.functional.instance_norm`."""
    return F.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """As :func:`rushlight.nn.functional.pad` with a constant."""
    return F.pad(input, pad, "constant", value)  # type: ignore[no-any-return]


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """As :func:`rushlight.nn.functional.grid_sample`.

    Args:
        interpolation_mode: 0 bilinear, 1 nearest, 2 bicubic.
        padding_mode: 0 zeros, 1 border, 2 reflection.
    """
    words = []
    for mode, known in zip((interpolation_mode, padding_mode), _SAMPLING, strict=True):
        if mode not in (0, 1, 2):
            raise ArgValueError("grid_sampler", f"mode {mode} is none of 0, 1, 2")
        words.append(known[mode])
    return F.grid_sample(input, grid, *words, align_corners)  # type: ignore[no-any-return]


grid_sampler_2d = grid_sampler_3d = grid_sampler


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """As :func:`rushlight.nn.functional.affine_grid`."""
    return F.affine_grid(theta, size, align_corners)  # type: ignore[no-any-return]


def convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], transposed: bool,
    output_padding: Sequence[int], groups: int,
) -> Tensor:  # fmt: skip
    """A convolution or its transpose in as many dimensions as the weight has.

    Raises:
        RuntimeError: as for :func:`rushlight.nn.functional.conv2d`.
    """
    rank = weight.ndim - 2
    if transposed:
        transpose = (rl.conv_transpose1d, rl.conv_transpose2d, rl.conv_transpose3d)[rank - 1]
        return transpose(  # type: ignore[no-any-return]
            input, weight, bias, stride, padding, output_padding, groups, dilation
        )
    function = (rl.conv1d, rl.conv2d, rl.conv3d)[rank - 1]
    return function(input, weight, bias, stride, padding, dilation, groups)  # type: ignore[no-any-return]
