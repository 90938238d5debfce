"""One network of each family, with torchvision's weights: outputs and gradients.

Sizes are as small as a network allows. Gradients run through everything, so they are compared in
float64, where rounding cannot excuse anything.
"""

import pytest
import torch
from zoo import close, flat, image, pair

import rushlight as rl
from rushlight.execute import tier

# name, image size, arguments; the first of a family is compared in float64 with gradients as well.
QUICK = [
    ("alexnet", 63, {}),
    ("densenet121", 32, {}),
    ("mnasnet0_5", 32, {}),
    ("resnet18", 32, {}),
    ("shufflenet_v2_x0_5", 32, {}),
    ("squeezenet1_1", 32, {}),
    ("vgg11_bn", 32, {}),
]
MORE = [
    ("resnet50", 32, {}),
    ("resnext50_32x4d", 32, {}),
    ("squeezenet1_0", 32, {}),
    ("vgg11", 32, {}),
]


@pytest.fixture(autouse=True, scope="module")
def by_reference():
    with tier.only("reference"):
        yield


def run(mine, theirs, size, dtype, batch=2):
    x = image(batch, 3, size, size, dtype=dtype)
    return mine(rl.from_numpy(x)), theirs(torch.from_numpy(x))


def compare_outputs(name, size, kwargs, dtype, rtol):
    mine, theirs = pair(name, dtype, num_classes=5, **kwargs)
    mine.eval(), theirs.eval()
    got, wanted = run(mine, theirs, size, dtype)
    assert type(got).__name__ == type(wanted).__name__ or isinstance(got, rl.Tensor)
    for a, b in zip(flat(got), flat(wanted), strict=True):
        close(a, b, rtol)


@pytest.mark.parametrize("name, size, kwargs", QUICK, ids=lambda v: v if type(v) is str else "")
def test_outputs_in_float32(name, size, kwargs):
    compare_outputs(name, size, kwargs, "float32", 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name, size, kwargs", MORE, ids=lambda v: v if type(v) is str else "")
def test_more_outputs(name, size, kwargs):
    compare_outputs(name, size, kwargs, "float64", 1e-9)


def no_chance(model):
    """Dropout off; the two libraries draw different numbers."""
    for layer in model.modules():
        for name in ("p", "dropout", "attention_dropout"):
            if isinstance(getattr(layer, name, None), float):
                setattr(layer, name, 0.0)


@pytest.mark.parametrize("name, size, kwargs", QUICK, ids=lambda v: v if type(v) is str else "")
def test_gradients_in_training(name, size, kwargs):
    mine, theirs = pair(name, "float64", num_classes=5, **kwargs)
    for model in (mine, theirs):
        model.train()
        no_chance(model)
    # With a batch of two, norms over single pixels would magnify rounding a thousand times.
    got, wanted = run(mine, theirs, size, "float64", batch=6)
    for a, b in zip(flat(got), flat(wanted), strict=True):
        close(a, b, 1e-9)
    sum((one**2).sum() for one in flat(got)).backward()
    sum((one**2).sum() for one in flat(wanted)).backward()
    gradients = dict(mine.named_parameters())
    largest = max(float(one.grad.abs().max()) for one in theirs.parameters())
    for key, parameter in theirs.named_parameters():  # some cancel to 0: a bias before a norm
        close(gradients[key].grad, parameter.grad, 1e-7, least=1e-5 * largest)
    statistics = dict(mine.named_buffers())
    for key, buffer in theirs.named_buffers():
        close(statistics[key], buffer, 1e-9)
