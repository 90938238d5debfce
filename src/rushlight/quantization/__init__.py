"""Models of bytes: smaller, and faster where a processor multiplies bytes quicker than floats.

``quantize(model, batches)`` does all of it. PyTorch's own way is here under its names: a
``qconfig``, ``prepare``, calibration, ``convert``; ``quantize_dynamic``; ``prepare_qat``.
"""

# ruff: noqa: I001 - the names of a kind stand together

from __future__ import annotations

from .observer import (
    MinMaxObserver, MovingAverageMinMaxObserver, MovingAveragePerChannelMinMaxObserver,
    NoopObserver, ObserverBase, PerChannelMinMaxObserver, PlaceholderObserver,
    UniformQuantizationObserverBase, default_dynamic_quant_observer, default_observer,
    default_per_channel_weight_observer, default_weight_observer,
    per_channel_weight_observer_range_neg_127_to_127, weight_observer_range_neg_127_to_127,
)  # fmt: skip
from .histogram import HistogramObserver, default_histogram_observer
from .fake_quantize import (
    FakeQuantize, FakeQuantizeBase, default_fake_quant, default_per_channel_weight_fake_quant,
    default_weight_fake_quant, disable_fake_quant, disable_observer, enable_fake_quant,
    enable_observer,
)  # fmt: skip
from .qconfig import (
    QConfig, default_dynamic_qconfig, default_per_channel_qconfig, default_qat_qconfig,
    default_qconfig, get_default_qat_qconfig, get_default_qconfig, per_channel_dynamic_qconfig,
)  # fmt: skip
from .stubs import DeQuantStub, QuantStub, QuantWrapper, add_quant_dequant
from .fuse import fuse_modules, fuse_modules_qat
from .convert import convert, prepare, propagate_qconfig_, quantize_dynamic
from .qat import prepare_qat, quantize_qat
from .once import Report, quantize, quantize_for_export
