"""QConfig: which observers a layer gets for what it computes and for its weights."""

from __future__ import annotations

from typing import Any, NamedTuple

from rushlight.base.quantum import per_tensor_symmetric, qint8, quint8

from .fake_quantize import (
    default_fake_quant,
    default_per_channel_weight_fake_quant,
    default_weight_fake_quant,
    fused_per_channel_wt_fake_quant_range_neg_127_to_127,
    moving_fake_quant,
)
from .histogram import HistogramObserver
from .observer import (
    default_dynamic_quant_observer,
    default_observer,
    default_per_channel_weight_observer,
    default_weight_observer,
    per_channel_weight_observer_range_neg_127_to_127,
    weight_observer_range_neg_127_to_127,
)


class _QConfig(NamedTuple):
    activation: Any
    weight: Any


class QConfig(_QConfig):
    """Makers of observers: of a layer's results, and of its weights.

    Args:
        activation, weight: classes, or ``Class.with_args(...)``; not instances.
    Raises:
        ValueError: an instance.
    Example:
        >>> from rushlight.quantization import MinMaxObserver, QConfig, default_weight_observer
        >>> config = QConfig(activation=MinMaxObserver, weight=default_weight_observer)
    """

    __slots__ = ()

    def __new__(cls, activation: Any, weight: Any) -> QConfig:
        from rushlight.nn import Module

        if isinstance(activation, Module) or isinstance(weight, Module):
            raise ValueError(
                "QConfig received observer instance, please pass observer class instead. "
                "Use MyObserver.with_args(x=1) to override arguments to constructor if needed"
            )
        return super().__new__(cls, activation, weight)


default_qconfig = QConfig(default_observer, default_weight_observer)
default_per_channel_qconfig = QConfig(default_observer, default_per_channel_weight_observer)
default_dynamic_qconfig = QConfig(default_dynamic_quant_observer, default_weight_observer)
per_channel_dynamic_qconfig = QConfig(
    default_dynamic_quant_observer, default_per_channel_weight_observer
)
default_symmetric_qnnpack_qconfig = QConfig(
    HistogramObserver.with_args(dtype=qint8, reduce_range=False, eps=2**-12),
    weight_observer_range_neg_127_to_127,
)
default_qat_qconfig = QConfig(default_fake_quant, default_weight_fake_quant)

BACKENDS = ("fbgemm", "x86", "qnnpack", "onednn")


def get_default_qconfig(backend: str = "x86", version: int = 0) -> QConfig:
    """PyTorch's choice for a backend: histograms of results, and a scale for each output.

    ``"x86"`` and ``"fbgemm"`` leave one bit unused, which PyTorch's kernels need on some
    processors. Ours do not: ``"onednn"`` is the finer choice.

    Raises:
        AssertionError: an unknown backend or version.
    """
    if version != 0:
        raise AssertionError(
            f"Version number: {version} in get_default_qconfig is not supported. Version number"
            " must be 0"
        )
    if backend not in BACKENDS:
        raise AssertionError(f"backend: {backend} not supported. backend must be one of {BACKENDS}")
    reduced = backend in ("fbgemm", "x86")
    weight = (
        default_weight_observer if backend == "qnnpack" else default_per_channel_weight_observer
    )
    return QConfig(HistogramObserver.with_args(reduce_range=reduced), weight)


def get_default_qat_qconfig(backend: str = "x86", version: int = 1) -> QConfig:
    """PyTorch's choice for training with rounding: running ranges, and a scale for each output.

    Raises:
        AssertionError: an unknown backend or version.
    """
    if version not in (0, 1):
        raise AssertionError(
            f"Version number: {version} in get_default_qat_qconfig is not supported. Version number"
            " must be 0 or 1"
        )
    if backend not in BACKENDS:
        raise AssertionError(f"backend: {backend} not supported. backend must be one of {BACKENDS}")
    reduced = backend in ("fbgemm", "x86")
    activation = moving_fake_quant.with_args(
        dtype=quint8, quant_min=0, quant_max=255, reduce_range=reduced
    )
    per_tensor = backend == "qnnpack"
    weight = default_weight_fake_quant if per_tensor else default_per_channel_weight_fake_quant
    return QConfig(activation, weight)


__all__ = [
    "QConfig", "default_dynamic_qconfig", "default_per_channel_qconfig", "default_qat_qconfig",
    "default_qconfig", "default_symmetric_qnnpack_qconfig",
    "fused_per_channel_wt_fake_quant_range_neg_127_to_127", "get_default_qat_qconfig",
    "get_default_qconfig", "per_channel_dynamic_qconfig",
    "per_channel_weight_observer_range_neg_127_to_127", "per_tensor_symmetric",
]  # fmt: skip
