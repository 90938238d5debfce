"""Prepare, calibrate, convert: PyTorch's way from a model of numbers to one of bytes."""

from __future__ import annotations

from typing import Any

from rushlight import nn
from rushlight.base.quantum import qint8
from rushlight.nn import quantized

from .fake_quantize import observer_of
from .observe import forget, observe_input, observe_result, source_of
from .qconfig import QConfig, default_dynamic_qconfig
from .rounding import Rounding, RoundingReLU, plain_of
from .stubs import DeQuantStub, QuantStub, copied
from .swap import DYNAMIC, STATIC, check_activation, give_input, give_output, in_bytes


def propagate_qconfig_(
    module: nn.Module, qconfig_dict: dict[Any, Any] | None = None,
    prepare_custom_config_dict: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Gives every module the ``qconfig`` of the module around it, unless it has its own.

    Args:
        qconfig_dict: for names or classes of modules.
    """
    _propagate(module, qconfig_dict or {}, getattr(module, "qconfig", None), "")


def _propagate(module: Any, given: dict[Any, Any], around: Any, name: str) -> None:
    found = given.get(type(module), around)
    found = given.get(name, found)
    found = module.__dict__.get("qconfig", found)
    if found is not None:
        module.qconfig = found
    for own, child in module.named_children():
        _propagate(child, given, found, f"{name}.{own}" if name else own)


def prepare(
    model: nn.Module, inplace: bool = False, allow_list: Any = None,
    observer_non_leaf_module_list: Any = None,
    prepare_custom_config_dict: dict[str, Any] | None = None,
) -> nn.Module:  # fmt: skip
    """A model whose layers observe what passes; run it on calibration data, then ``convert``.

    Args:
        model: with a ``qconfig``, in evaluation mode.
        inplace: whether ``model`` itself is changed.
        allow_list: classes of layers to observe, all that can be converted by default.
    Example:
        >>> import rushlight as rl
        >>> model = rl.nn.Sequential(rl.nn.Linear(4, 2)).eval()
        >>> model.qconfig = rl.quantization.get_default_qconfig("onednn")
        >>> prepared = rl.quantization.prepare(model)
        >>> y = prepared(rl.randn(8, 4))
        >>> type(rl.quantization.convert(prepared)[0]).__name__
        'Linear'
    """
    model = copied(model, inplace)
    propagate_qconfig_(model)
    kinds = tuple(allow_list) if allow_list else (*STATIC, QuantStub, Rounding, RoundingReLU)
    for name, module in _quantisable(model, kinds):
        activation = observer_of(module.qconfig.activation())
        if activation.is_dynamic:
            continue
        check_activation(activation, name)
        if not isinstance(module, QuantStub):
            observe_input(module, observer_of(module.qconfig.activation()), name)
        observe_result(module, module.qconfig.activation(), name)
    return model


def _quantisable(model: nn.Module, kinds: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """The layers to convert, outermost of those inside of each other."""
    found: list[tuple[str, Any]] = []
    for name, module in model.named_modules():
        inside = any(name.startswith(f"{other}.") or other == "" for other, _ in found)
        if type(module) in kinds and getattr(module, "qconfig", None) and not inside:
            found.append((name, module))
    return found


def convert(
    module: nn.Module, mapping: dict[Any, Any] | None = None, inplace: bool = False,
    remove_qconfig: bool = True, is_reference: bool = False,
    convert_custom_config_dict: dict[str, Any] | None = None,
) -> nn.Module:  # fmt: skip
    """The model with its observed layers as layers of bytes.

    Args:
        module: what ``prepare`` returned, after it has seen calibration data.
        mapping: classes of layers, and of what stands for them.
        inplace: whether the model itself is changed.
    Raises:
        ValueError: there was NaN or infinity in what a layer observed.
        NotImplementedError: observers of other bytes than layers have, or ``is_reference``.
    """
    if is_reference:
        raise NotImplementedError("convert(is_reference=True): there are no reference layers here")
    module = copied(module, inplace)
    mapping = STATIC if mapping is None else mapping
    for name, layer in list(module.named_modules()):
        made = _converted(layer, mapping, name)
        if made is not None:
            if not name:
                return made
            place(module, name, made)
    if remove_qconfig:
        _remove_qconfig(module)
    return module


def place(model: nn.Module, name: str, made: nn.Module) -> None:
    """Puts a module where another was."""
    home, _, own = name.rpartition(".")
    setattr(model.get_submodule(home), own, made)


def _converted(layer: Any, mapping: dict[Any, Any], name: str) -> nn.Module | None:
    """What stands for a layer; None if that stays."""
    if isinstance(layer, DeQuantStub):
        return quantized.DeQuantize()
    qconfig, seen = getattr(layer, "qconfig", None), "_observing" in layer.__dict__
    if isinstance(layer, QuantStub):
        return _rounding(layer) if seen else None
    core, weights = layer, None
    if isinstance(layer, Rounding):
        core, weights = plain_of(layer), layer.weight_fake_quant
    form = mapping.get(type(core))
    if form is None or not qconfig or not (seen or getattr(form, "dynamic", False)):
        return None
    made = in_bytes(core, weights or qconfig.weight(), form, name)
    if not made.dynamic:
        give_input(made, source_of(layer))
        give_output(made, observer_of(layer.activation_post_process))
    forget(layer)
    return made  # type: ignore[no-any-return]


def _rounding(stub: Any) -> nn.Module:
    """What stands for the place where numbers become bytes."""
    observer = observer_of(stub.activation_post_process)
    made = quantized.Quantize(*observer.quantum(), observer.dtype)
    made.scale, made.zero_point = observer.quantum()
    made.low, made.high = observer.quant_min, observer.quant_max
    return made


def _remove_qconfig(module: nn.Module) -> None:
    for each in module.modules():
        each.__dict__.pop("qconfig", None)


def quantize_dynamic(
    model: nn.Module, qconfig_spec: Any = None, dtype: Any = qint8,
    mapping: dict[Any, Any] | None = None, inplace: bool = False,
) -> nn.Module:  # fmt: skip
    """The model with weights as bytes, whose layers take the scale of their input as it comes.

    Args:
        qconfig_spec: classes or names of layers, as a set, or as a dict with a ``QConfig`` for
            each; linear layers by default.
        dtype: ``torch.qint8``.
        mapping: classes of layers, and of what stands for them.
        inplace: whether ``model`` itself is changed.
    Raises:
        ValueError: another dtype.
        NotImplementedError: a class that no layer of bytes stands for.
    Example:
        >>> import rushlight as rl
        >>> model = rl.nn.Sequential(rl.nn.Linear(4, 2), rl.nn.ReLU())
        >>> rl.quantization.quantize_dynamic(model, {rl.nn.Linear}, dtype=rl.qint8)
        Sequential(
          (0): DynamicQuantizedLinear(in_features=4, out_features=2, dtype=torch.qint8, \
qscheme=torch.per_tensor_affine)
          (1): ReLU()
        )
    """
    if dtype is not qint8:
        raise ValueError(
            f"Don't know how to quantize with default settings for {dtype}. Provide full qconfig"
            " please: weights are torch.qint8 here."
        )
    mapping = DYNAMIC if mapping is None else mapping
    spec = _spec(qconfig_spec, mapping)
    model = copied(model, inplace)
    propagate_qconfig_(model, spec)
    return convert(model, mapping, inplace=True)


def _spec(given: Any, mapping: dict[Any, Any]) -> dict[Any, QConfig]:
    spec = {nn.Linear} if given is None else given
    if not isinstance(spec, dict):
        spec = dict.fromkeys(spec, default_dynamic_qconfig)
    unknown = [kind for kind in spec if isinstance(kind, type) and kind not in mapping]
    if unknown:
        raise NotImplementedError(
            f"quantize_dynamic: no layer of bytes stands for {unknown[0].__name__}; it can convert"
            f" {', '.join(kind.__name__ for kind in mapping)}"
        )
    return spec
