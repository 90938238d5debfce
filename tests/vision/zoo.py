"""Models of torchvision's beside ours."""

import contextlib
import inspect
import io
import warnings
from unittest import mock

import numpy as np
import torch

import rushlight as rl
from peers import torchvision
from rushlight.vision import models

regnet = torchvision.models.regnet


@contextlib.contextmanager
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def without_download(name, kwargs):
    """Arguments of a builder, with no weights for the backbone if there is one."""
    builder = models.get_model_builder(name)
    named = inspect.signature(builder).parameters
    return {"weights_backbone": None, **kwargs} if "weights_backbone" in named else kwargs


def skeleton(name, **kwargs):
    """torchvision's model without memory for its parameters."""
    kwargs = without_download(name, kwargs)

    def without_memory(*args, **kwargs):
        with torch.device("meta"):
            return original(*args, **kwargs)

    # RegNet computes the widths of its layers with tensors that need values.
    if name.startswith("regnet"):
        original = regnet.RegNet
        with mock.patch.object(regnet, "RegNet", without_memory):
            return torchvision.models.get_model(name, **kwargs)
    with torch.device("meta"), quiet():
        return torchvision.models.get_model(name, **kwargs)


def ours(name, **kwargs):
    with quiet():
        return models.get_model(name, **without_download(name, kwargs))


def pair(build, dtype="float32"):
    """The same network twice with the same weights; ``build`` makes it from a library's models."""
    torch.manual_seed(0)
    with quiet(), mock.patch.object(torch.nn.Linear, "reset_parameters", few_values):
        theirs, mine = build(torchvision.models), build(models)
    theirs = theirs.to(getattr(torch, dtype))
    mine = mine.to(getattr(rl, dtype))
    spread(theirs)
    load(mine, theirs)
    return mine, theirs


def few_values(layer):
    """First values of a linear layer, unless it is so large that a test should not keep it."""
    if layer.weight.numel() < 1e7:
        torch.nn.init.normal_(layer.weight, 0, 0.05)
        if layer.bias is not None:
            torch.nn.init.zeros_(layer.bias)


def load(mine, theirs):
    """Hands weights over as torchvision's files do."""
    file = io.BytesIO()
    torch.save(theirs.state_dict(), file)
    file.seek(0)
    mine.load_state_dict(rl.load(file, weights_only=True))


def spread(model):
    """Statistics and affine parameters away from 0 and 1, which would hide a mix-up."""
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.uniform_(-0.1, 0.1)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.empty_like(parameter).uniform_(-0.1, 0.1))


def image(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def flat(value):
    """Tensors of a result in order, whatever holds them."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [tensor for key in value for tensor in flat(value[key])]
    if isinstance(value, (list, tuple)):
        return [tensor for one in value for tensor in flat(one)]
    return [value]


def close(mine, theirs, rtol, least=1e-5):
    """Equal but for rounding, relative to the largest element or to ``least``."""
    mine, theirs = mine.detach().numpy(), theirs.detach().numpy()
    assert mine.shape == theirs.shape
    assert mine.dtype == theirs.dtype
    scale = float(np.abs(theirs).max(initial=0.0))
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=rtol * max(scale, least))
