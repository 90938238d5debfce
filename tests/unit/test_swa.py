"""Averages of weights and the schedule that goes with them, against PyTorch's."""

import copy

import numpy as np
import pytest
import torch

import rushlight as rl

FRAMEWORKS = (rl, torch)


def model(f):
    made = f.nn.Sequential(f.nn.Linear(3, 4), f.nn.BatchNorm1d(4), f.nn.Linear(4, 2, bias=False))
    made.register_buffer("count", f.tensor([3, 5]))
    return made.double()


def change(f, module, number):
    random = np.random.default_rng(number)
    with f.no_grad():
        for param in module.parameters():
            param.copy_(f.tensor(random.standard_normal(param.shape)))
        module[1].running_mean.copy_(f.tensor(random.standard_normal(4)))
        module.count.add_(number)


def same(ours, theirs):
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        mine = ours.state_dict()[name]
        assert str(mine.dtype) == str(value.dtype), name
        np.testing.assert_allclose(mine.numpy(), value.numpy(), rtol=1e-6, err_msg=name)


WAYS = [
    lambda u: {},
    lambda u: {"use_buffers": True},
    lambda u: {"avg_fn": u.get_ema_avg_fn(0.9)},
    lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.75), "use_buffers": True},
    lambda u: {"avg_fn": u.get_swa_avg_fn()},
    lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
    lambda u: {"avg_fn": lambda average, value, count: 0.5 * average + value / (count + 1)},
]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_averages_equal_torch(way):
    made = []
    for f in FRAMEWORKS:
        swa = f.optim.swa_utils
        source = model(f)
        average = swa.AveragedModel(source, **WAYS[way](swa))
        for number in range(4):
            change(f, source, number)
            average.update_parameters(source)
        assert average.n_averaged.item() == 4
        made.append(average)
    same(*made)
    assert repr(made[0]) == repr(made[1])
    x = np.random.default_rng(9).standard_normal((5, 3))
    results = [
        m.eval()(f.tensor(x)).detach().numpy() for f, m in zip(FRAMEWORKS, made, strict=True)
    ]
    np.testing.assert_allclose(*results, rtol=1e-6)
    copies = [copy.deepcopy(average) for average in made]
    same(*copies)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_statistics_are_computed_anew(momentum):
    made = []
    for f in FRAMEWORKS:
        module = model(f)
        change(f, module, 1)
        module[1].momentum = momentum
        module.eval()
        random = np.random.default_rng(7)
        batches = [f.tensor(random.standard_normal((6, 3))) for _ in range(3)]
        f.optim.swa_utils.update_bn([[batches[0], 0], *batches[1:]], module)
        assert not module.training
        assert module[1].momentum == momentum
        made.append(module)
    same(*made)
    plain = rl.nn.Linear(2, 2)
    rl.optim.swa_utils.update_bn(iter(()), plain)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 4])
@pytest.mark.parametrize("rate", [0.05, [0.05, 2.0]])
def test_the_schedule_equals_torch(strategy, epochs, rate):
    rates = []
    for f in FRAMEWORKS:
        weights = [f.ones(1, requires_grad=True) for _ in range(2)]
        groups = [{"params": weights[0]}, {"params": weights[1], "lr": 0.3}]
        optimizer = f.optim.SGD(groups, lr=1.0)
        first = f.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        second = f.optim.swa_utils.SWALR(optimizer, rate, epochs, strategy)
        seen = []
        for number in range(8):
            optimizer.step()
            (second if number > 2 else first).step()
            seen.append([group["lr"] for group in optimizer.param_groups])
            if number == 5:
                state = second.state_dict()
                second = f.optim.swa_utils.SWALR(optimizer, rate, epochs, strategy)
                second.load_state_dict(state)
        rates.append(seen)
        assert "anneal_func" not in second.state_dict()
    np.testing.assert_allclose(*rates, rtol=1e-12)


MISTAKES = [
    lambda u, o: u.SWALR(o, [0.1, 0.2]),
    lambda u, o: u.SWALR(o, 0.1, anneal_strategy="other"),
    lambda u, o: u.SWALR(o, 0.1, anneal_epochs=-1),
    lambda u, o: u.SWALR(o, 0.1, anneal_epochs=1.5),
    lambda u, o: u.get_ema_avg_fn(1.5),
    lambda u, o: u.get_ema_multi_avg_fn(-0.5),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_raise_as_in_torch(number):
    for f in FRAMEWORKS:
        optimizer = f.optim.SGD([f.ones(1, requires_grad=True)], lr=0.1)
        with pytest.raises(ValueError):
            MISTAKES[number](f.optim.swa_utils, optimizer)


def test_one_way_at_a_time():
    for f in FRAMEWORKS:
        swa = f.optim.swa_utils
        with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
            swa.AveragedModel(model(f), avg_fn=max, multi_avg_fn=max)
