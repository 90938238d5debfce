"""Neighbouring layers made one module."""

from __future__ import annotations

import copy
from typing import Any

from rushlight import nn
from rushlight.nn import intrinsic

from .fold import folded

CONVOLUTIONS = {
    nn.Conv1d: (nn.BatchNorm1d, intrinsic.ConvReLU1d, intrinsic.ConvBn1d, intrinsic.ConvBnReLU1d),
    nn.Conv2d: (nn.BatchNorm2d, intrinsic.ConvReLU2d, intrinsic.ConvBn2d, intrinsic.ConvBnReLU2d),
    nn.Conv3d: (nn.BatchNorm3d, intrinsic.ConvReLU3d, intrinsic.ConvBn3d, intrinsic.ConvBnReLU3d),
}


def fuse_modules(
    model: nn.Module, modules_to_fuse: Any, inplace: bool = False, fuser_func: Any = None,
    fuse_custom_config_dict: dict[str, Any] | None = None,
) -> nn.Module:  # fmt: skip
    """Layers that follow each other made one module, batch norms folded into weights.

    Args:
        model: in evaluation mode.
        modules_to_fuse: names of modules that follow each other, or a list of such lists: a
            convolution or linear layer, a batch norm, a ReLU; a batch norm and a ReLU.
        inplace: whether ``model`` itself is changed.
    Returns:
        The model; the first module of each list is the fused one, the others are identities.
    Raises:
        NotImplementedError: kinds that do not go together.
        AssertionError: a layer is in training mode; ``fuse_modules_qat`` is for that.
        AttributeError: there is no such module.
    Example:
        >>> import rushlight as rl
        >>> from rushlight import nn
        >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()).eval()
        >>> rl.quantization.fuse_modules(model, ["0", "1", "2"])
        Sequential(
          (0): ConvReLU2d(
            (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
            (1): ReLU()
          )
          (1): Identity()
          (2): Identity()
        )
    """
    return _fused_all(model, modules_to_fuse, inplace, training=False)


def fuse_modules_qat(
    model: nn.Module, modules_to_fuse: Any, inplace: bool = False, fuser_func: Any = None,
    fuse_custom_config_dict: dict[str, Any] | None = None,
) -> nn.Module:  # fmt: skip
    """As :func:`fuse_modules` for training: batch norms stay, beside the layer before them.

    Raises:
        NotImplementedError: kinds that do not go together.
        AssertionError: a layer is in evaluation mode.
    """
    return _fused_all(model, modules_to_fuse, inplace, training=True)


def _fused_all(model: nn.Module, names: Any, inplace: bool, training: bool) -> nn.Module:
    if not inplace:
        model = copy.deepcopy(model)
    groups = [names] if all(isinstance(name, str) for name in names) else names
    for group in groups:
        _fuse(model, list(group), training)
    return model


def _fuse(model: nn.Module, names: list[str], training: bool) -> None:
    layers = [model.get_submodule(name) for name in names]
    if any(layer.training is not training for layer in layers):
        wanted = "train" if training else "eval"
        raise AssertionError(f"fusing {', '.join(names)} wants them in model.{wanted}() mode")
    made = _one(layers, training)
    for hook in layers[0]._forward_pre_hooks.values():
        made.register_forward_pre_hook(hook)
    for hook in layers[-1]._forward_hooks.values():
        made.register_forward_hook(hook)
    made.train(training)
    for name, layer in zip(names, [made] + [nn.Identity() for _ in names[1:]], strict=True):
        home, _, own = name.rpartition(".")
        layer.training = training
        setattr(model.get_submodule(home), own, layer)


def _one(layers: list[nn.Module], training: bool) -> nn.Module:
    """One module for several."""
    first, *rest = layers
    kinds = tuple(type(layer) for layer in rest)
    made: Any = None
    if type(first) in CONVOLUTIONS:
        norm, relu, normed, both = CONVOLUTIONS[type(first)]
        forms = {(norm,): normed, (norm, nn.ReLU): both, (nn.ReLU,): relu}
        made = _together(forms, relu, kinds, layers, training)
    elif type(first) is nn.Linear:
        forms = {(nn.BatchNorm1d,): intrinsic.LinearBn1d, (nn.ReLU,): intrinsic.LinearReLU}
        made = _together(forms, intrinsic.LinearReLU, kinds, layers, training)
    elif kinds == (nn.ReLU,) and type(first) in (nn.BatchNorm2d, nn.BatchNorm3d):
        form = intrinsic.BNReLU2d if type(first) is nn.BatchNorm2d else intrinsic.BNReLU3d
        made = form(*layers)
    if made is None:
        listed = ", ".join(type(layer).__name__ for layer in layers)
        raise NotImplementedError(f"Cannot fuse modules: ({listed})")
    return made  # type: ignore[no-any-return]


def _together(
    forms: dict[Any, Any], relu: Any, kinds: tuple[type, ...], layers: list[nn.Module],
    training: bool,
) -> nn.Module | None:  # fmt: skip
    form = forms.get(kinds)
    if form is None:
        return None
    if training or kinds == (nn.ReLU,):
        return form(*layers)  # type: ignore[no-any-return]
    layer = folded(layers[0], layers[1])
    return layer if len(layers) == 2 else relu(layer, layers[2])
