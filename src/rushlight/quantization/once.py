"""From a model and some batches to a model of bytes, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import nn
from rushlight.tensor.tensor import Tensor

from .convert import convert, place
from .histogram import HistogramObserver
from .neighbours import LAYERS, fold_norms, tensors_in
from .observe import forget, observe_input, source_of
from .observer import default_per_channel_weight_observer
from .stubs import copied
from .swap import DYNAMIC, STATIC, give_input, in_bytes

MODES = ("static", "dynamic")


@dataclass
class Report:
    """What was done to a model.

    Attributes:
        mode: ``"static"`` or ``"dynamic"``.
        layers: the names of those that are bytes now.
        left: those that stayed as they were, and why.
        folded: batch norms that are part of other layers now.
        before, after: bytes of all parameters and buffers.
        difference: of results on the calibration batches, over the size of the results: the root
            of the mean square of both.
        accuracy: the share of labels that the model and the new one find, where batches have any.
    """

    mode: str
    layers: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    folded: list[str] = field(default_factory=list)
    before: int = 0
    after: int = 0
    difference: float = 0.0
    accuracy: tuple[float, float] | None = None

    def __str__(self) -> str:
        count = len(self.layers)
        lines = [
            f"{self.mode} int8: {count} layer{'s' * (count != 1)} of bytes,"
            f" {len(self.folded)} batch norms folded, {self.before / 1e6:.2f} MB ->"
            f" {self.after / 1e6:.2f} MB, results differ by {self.difference:.2%}"
        ]
        if self.accuracy is not None:
            old, new = self.accuracy
            lines.append(f"accuracy on these batches: {old:.2%} before, {new:.2%} after")
        lines += [f"{name} stays float32: {why}" for name, why in self.left.items()]
        return "\n".join(lines)


def quantize(
    model: nn.Module, run_fn: Any = None, run_args: Any = None, mapping: Any = None,
    inplace: bool = False, *, mode: str = "static",
) -> nn.Module:  # fmt: skip
    """The model with linear layers and convolutions of bytes.

    Args:
        model: is not changed, unless ``inplace``.
        run_fn: batches to calibrate with: tensors, or tuples whose first is the input, as a
            ``DataLoader`` gives them. PyTorch's older form takes a function here, which is called
            with the prepared model and ``run_args``, and wants ``model.qconfig``.
        mode: ``"static"`` learns the scale of each layer's input from the batches; ``"dynamic"``
            takes it from each input as it comes, and wants no batches.
    Returns:
        A model in evaluation mode that takes and returns the same tensors. Its ``quantized`` is
        the :class:`Report`.
    Raises:
        ValueError: another mode, no batches, or NaN or infinity in what a layer saw.
    Example:
        >>> import rushlight as rl
        >>> model = rl.nn.Sequential(rl.nn.Linear(4, 8), rl.nn.ReLU(), rl.nn.Linear(8, 2))
        >>> small = rl.quantization.quantize(model, [rl.randn(16, 4)])
        >>> small.quantized.layers
        ['0', '2']
    """
    if callable(run_fn) and not isinstance(run_fn, Iterable):
        return _pytorchs(model, run_fn, run_args, mapping, inplace)
    small, report = quantize_for_export(model, run_fn, mode, inplace=inplace)
    small.__dict__["quantized"] = report
    return small


def _pytorchs(
    model: nn.Module, run: Callable[..., Any], arguments: Any, mapping: Any, inplace: bool
) -> nn.Module:
    from .convert import prepare

    prepared = prepare(copied(model, inplace).eval(), inplace=True)
    run(prepared, *(arguments or ()))
    return convert(prepared, mapping, inplace=True)


def quantize_for_export(
    model: nn.Module, batches: Any, mode: str = "static", *, inplace: bool = False
) -> tuple[nn.Module, Report]:
    """As :func:`quantize`, with what there is to tell.

    Args:
        batches: as there; they are gone through several times, and kept until then.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    if isinstance(batches, Tensor):
        batches = [batches]
    listed = [_split(batch) for batch in (() if batches is None else batches)]
    if not listed and mode == "static":
        raise ValueError("static quantisation learns scales from batches, and there are none")
    model.eval()
    report = Report(mode, before=_bytes(model))
    expected = [_results(model, inputs) for inputs, _ in listed]
    small = copied(model, inplace)
    if listed:
        report.folded = fold_norms(small, listed[0][0])
    change = _static if mode == "static" else _dynamic
    small = change(small, [inputs for inputs, _ in listed], report)
    found = [_results(small, inputs) for inputs, _ in listed]
    report.after = _bytes(small)
    report.difference = _difference(expected, found)
    report.accuracy = _accuracies(expected, found, [labels for _, labels in listed])
    return small, report


def _split(batch: Any) -> tuple[Tensor, Tensor | None]:
    """A batch's input, and its labels."""
    if isinstance(batch, Tensor):
        return batch, None
    if isinstance(batch, (list, tuple)) and batch and isinstance(batch[0], Tensor):
        labels = batch[1] if len(batch) > 1 and isinstance(batch[1], Tensor) else None
        return batch[0], labels
    raise TypeError(
        "a calibration batch is a Tensor, or a tuple whose first is the model's input, not"
        f" {type(batch).__name__}"
    )


def _static(model: nn.Module, batches: list[Tensor], report: Report) -> nn.Module:
    layers = [(name, m) for name, m in model.named_modules() if type(m) in STATIC]
    for name, layer in layers:
        observe_input(layer, HistogramObserver(), name)
    with rl.no_grad():
        for batch in batches:
            rl.realize(*tensors_in(model(batch)))
    for name, layer in layers:
        observer = source_of(layer)
        seen = not np.isposinf(observer.min_val.item())
        forget(layer)
        if not seen:
            report.left[name] = "calibration never reached it"
            continue
        made = _layer(layer, STATIC, name, report)
        if made is not None:
            give_input(made, observer)
            model = _placed(model, name, made)
    return model


def _dynamic(model: nn.Module, batches: list[Tensor], report: Report) -> nn.Module:
    for name, layer in list(model.named_modules()):
        if type(layer) in DYNAMIC:
            made = _layer(layer, DYNAMIC, name, report)
            if made is not None:
                model = _placed(model, name, made)
    return model


def _layer(layer: nn.Module, forms: Any, name: str, report: Report) -> Any:
    """The layer of bytes for a layer, or None with a reason in the report."""
    weight = getattr(layer, "weight", None)
    if isinstance(layer, LAYERS) and weight is not None and weight.dtype is not rl.float32:
        report.left[name] = f"its weights are {weight.dtype}"
        return None
    try:
        made = in_bytes(layer, default_per_channel_weight_observer(), forms[type(layer)], name)
    except NotImplementedError as error:
        report.left[name] = str(error)
        return None
    report.layers.append(name)
    return made


def _placed(model: nn.Module, name: str, made: nn.Module) -> nn.Module:
    if not name:
        return made
    place(model, name, made)
    return model


# What to tell ------------------------------------------------------------------------------------


def _results(model: nn.Module, inputs: Tensor) -> list[np.ndarray]:
    with rl.no_grad():
        return [x.numpy().copy() for x in tensors_in(model(inputs))]


def _bytes(model: nn.Module) -> int:
    tensors = {id(x): x for x in (*model.parameters(), *model.buffers())}
    return sum(x.numel() * x.element_size() for x in tensors.values())


def _difference(expected: list[list[np.ndarray]], found: list[list[np.ndarray]]) -> float:
    """The root mean square of differences over that of results."""
    wrong = size = 0.0
    for old, new in zip(expected, found, strict=True):
        for a, b in zip(old, new, strict=True):
            if a.dtype.kind == "f":
                wrong += float(np.square(a.astype(np.float64) - b).sum())
                size += float(np.square(a.astype(np.float64)).sum())
    return (wrong / size) ** 0.5 if size else 0.0


def _accuracies(
    expected: list[list[np.ndarray]], found: list[list[np.ndarray]], labels: list[Any]
) -> tuple[float, float] | None:
    """The share of labels found before and after, where there are classes."""
    right, count = [0, 0], 0
    for old, new, wanted in zip(expected, found, labels, strict=True):
        classes = wanted is not None and wanted.ndim == 1 and wanted.dtype.kind == "int"
        if not classes or len(old) != 1 or old[0].ndim != 2 or len(old[0]) != len(wanted):
            return None
        for k, scores in enumerate((old[0], new[0])):
            right[k] += int((scores.argmax(1) == wanted.numpy()).sum())
        count += len(wanted)
    return (right[0] / count, right[1] / count) if count else None
