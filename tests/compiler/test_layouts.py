"""Channels stay last from convolution to convolution, and what follows one is part of its call."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight import nn
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.plain import Native
from rushlight.compiler.program import compiled
from rushlight.execute import tier
from rushlight.execute.cut import Cut

F = nn.functional


@pytest.fixture
def compiling() -> Iterator[None]:
    before = tier.choose("compiled")
    yield
    tier.choose(before)


def calls(*results: rl.Tensor) -> list[str]:
    """The templates of the calls that compute tensors, weights' packing left out."""
    graph = Cut([result._node for result in results]).graph()
    found = []
    for call in compiled(graph, host()).calls:
        assert isinstance(call, Native)
        found.append(call.code.name.split("_")[0])
    return [name for name in found if name != "pack"]


def given(*shape: int) -> rl.Tensor:
    return rl.from_numpy(np.random.default_rng(sum(shape)).standard_normal(shape, np.float32))


def fixed(module: nn.Module) -> nn.Module:
    """Parameters that do not depend on a tier, as inputs of graphs."""
    rng = np.random.default_rng(0)
    with rl.no_grad():
        for p in module.parameters():
            p.copy_(rl.from_numpy(rng.uniform(-0.3, 0.3, p.shape)).to(p.dtype))
    rl.realize(*module.parameters(), *module.buffers())
    return module


SUMS = {"convolution", "winograd"}


def test_bias_and_relu_are_part_of_the_call() -> None:
    first, second = fixed(nn.Conv2d(3, 20, 5)), fixed(nn.Conv2d(20, 7, 5))
    with rl.no_grad():
        names = calls(second(first(given(2, 3, 17, 12)).relu()))
    assert names == ["loops", "convolution", "convolution", "loops"], "in, twice, out"


def test_normalization_and_a_way_around_are_part_of_the_call() -> None:
    model = fixed(nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16))).eval()

    def around(x: rl.Tensor) -> rl.Tensor:
        return F.relu(model(x) + x)

    with rl.no_grad():
        names = calls(F.gelu(model(around(given(2, 9, 9, 16).permute(0, 3, 1, 2)))) * 2)
    assert set(names[:2]) <= SUMS
    assert names[2:] == ["loops"], "the result leaves in rows"


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_nothing_is_transposed_between_convolutions(rank: int) -> None:
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
    pool = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[rank - 1]
    model = fixed(nn.Sequential(kind(6, 8, 3), nn.ReLU(), pool(2), kind(8, 9, 3), nn.Sigmoid()))
    with rl.no_grad():
        names = calls(model(given(2, *[14] * rank, 6).movedim(-1, 1)).mean())
    assert [n for n in names if n in SUMS] and names[0] != "loops"
    assert names.count("loops") == 2, "the pooling and the mean"


def test_gradients_of_convolutions_stay_channels_last() -> None:
    model = fixed(nn.Sequential(nn.Conv2d(8, 8, 3, bias=False), nn.ReLU(), nn.Conv2d(8, 8, 3)))
    loss = model(given(4, 10, 10, 8).permute(0, 3, 1, 2)).square().sum()
    grads = rl.autograd.grad(loss, list(model.parameters()))
    names = calls(*grads)
    assert names.count("loops") <= 2, "the loss's gradient, and what is summed for the bias"


CONVOLUTIONS = [
    {"padding": 1}, {"stride": 2, "padding": 1}, {"dilation": 2}, {"groups": 2, "padding": (2, 0)},
    {"padding": "same"}, {"stride": (2, 3), "groups": 4}, {"padding": 1, "dilation": (1, 2)},
]  # fmt: skip


@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("channels", [4, 20])
def test_convolutions_and_gradients_are_pytorchs(compiling: None, options, channels) -> None:
    rng = np.random.default_rng(3)
    shapes = (2, channels, 11, 9), (8, channels // options.get("groups", 1), 3, 2), (8,)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    found, wanted = [], []
    for framework, out in ((rl, found), (torch, wanted)):
        inputs = [framework.tensor(array, requires_grad=True) for array in arrays]
        y = framework.nn.functional.conv2d(*inputs, **options).tanh()
        grads = framework.autograd.grad((y * y).sum(), inputs)
        out.extend(each.detach().numpy() for each in (y, *grads))
    for mine, theirs in zip(found, wanted):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("border", [0, 1, 3])
def test_first_layers_take_images_as_users_have_them(compiling: None, channels, border) -> None:
    x, w = given(3, channels, 12, 13), given(18, channels, 3, 3)
    with rl.no_grad():
        y = F.conv2d(F.pad(x, (0, 1)), w, padding=border, stride=2)
        cut = F.conv2d(x, w[..., :2], padding=border)[..., 1:]
    t, v = torch.from_numpy(x.numpy()), torch.from_numpy(w.numpy())
    wanted = torch.nn.functional.conv2d(torch.nn.functional.pad(t, (0, 1)), v, None, 2, border)
    np.testing.assert_allclose(y.numpy(), wanted.numpy(), atol=1e-4)
    wanted = torch.nn.functional.conv2d(t, v[..., :2], None, 1, border)[..., 1:]
    np.testing.assert_allclose(cut.numpy(), wanted.numpy(), atol=1e-4)


def test_sliced_and_strided_images(compiling: None) -> None:
    x, w = given(2, 9, 9, 12).permute(0, 3, 1, 2), given(5, 6, 3, 3)
    t, v = torch.from_numpy(x.numpy()), torch.from_numpy(w.numpy())
    for of in (lambda x: x[:, 2:8], lambda x: x[:, ::2, :, ::2], lambda x: x[:, :6, 1:, ::3]):
        y = F.conv2d(of(x), w)
        wanted = torch.nn.functional.conv2d(of(t), v)
        np.testing.assert_allclose(y.numpy(), wanted.numpy(), atol=1e-4)


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.around = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: rl.Tensor) -> rl.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.around(x))


def trained(which: str) -> list[np.ndarray]:
    """Losses and parameters after some steps on one tier."""
    rng = np.random.default_rng(2)
    stem = (nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    tail = (nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12 * 4, 5))
    model = fixed(nn.Sequential(*stem, Block(8, 8, 1), Block(8, 12, 2), *tail).double())
    x = rl.from_numpy(rng.standard_normal((4, 3, 16, 16)))
    t = rl.from_numpy(rng.integers(0, 5, 4))
    optimizer = rl.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    before, losses = tier.choose(which), []
    try:
        for _ in range(3):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), t)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return [np.array(losses), *(p.detach().numpy() for p in model.parameters())]
    finally:
        tier.choose(before)


def test_tiers_agree_on_training() -> None:
    for mine, reference in zip(trained("compiled"), trained("reference")):
        np.testing.assert_allclose(mine, reference, rtol=0, atol=1e-10)


@pytest.mark.parametrize("shape", [(400, 701), (1 << 18,), (300_007,), (3, 5, 20_000)])
def test_long_reductions_are_done_in_pieces(compiling: None, shape: tuple[int, ...]) -> None:
    x = rl.from_numpy(np.random.default_rng(1).standard_normal(shape))
    over = tuple(range(1, len(shape))) or (0,)
    assert len(calls((x * 2).sum())) == 2
    for mine, wanted in (
        (x.sum(), x.numpy().sum()), (x.amax(over), x.numpy().max(over)),
        (x.mean(0), x.numpy().mean(0)), ((x > 4.5).any(), (x.numpy() > 4.5).any()),
        ((x > -9).all(), True), (x.var(), x.numpy().var(ddof=1)),
    ):  # fmt: skip
        np.testing.assert_allclose(mine.numpy(), wanted, rtol=1e-10, atol=1e-10)


def test_products_by_one_matrix_are_one_product(compiling: None) -> None:
    x, w = given(3, 40, 24), given(24, 33)
    many = rl.stack([x, x + 1]).transpose(0, 1)
    rl.realize(many)
    for a in (x, x[:, :1], x[:1], x[:, ::2], many, many[:, :1], x.expand(2, 3, 40, 24)):
        y = a @ w
        np.testing.assert_allclose(y.numpy(), a.numpy() @ w.numpy(), atol=1e-4)


@pytest.mark.parametrize("place", [-1, 0, 3])
def test_a_gradient_of_one_step_lies_as_the_sequence_does(compiling: None, place: int) -> None:
    """It is zero elsewhere, which says nothing of where the steps belong in memory."""
    x = given(7, 5, 8).clone()
    rl.realize(x)

    def summed() -> rl.Tensor:
        leaf = x.detach().requires_grad_()
        (gradient,) = rl.autograd.grad(leaf[place].exp().sum(), leaf)
        return rl.cumsum(gradient, 0)

    assert calls(summed()) == ["loops", "loops", "scan"], "the place is checked, nothing is copied"
    expected = np.zeros(x.shape, np.float32)
    expected[place] = np.exp(x.numpy()[place])
    np.testing.assert_allclose(summed().numpy(), np.cumsum(expected, 0), rtol=1e-6)
