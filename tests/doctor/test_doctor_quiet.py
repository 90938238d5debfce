"""What looks like a mistake and is none: the doctor says nothing."""

from __future__ import annotations

import copy

import pytest
from said import findings

import rushlight as rl
from rushlight import nn
from rushlight.nn import functional as F
from rushlight.optim import swa_utils

X = rl.randn(6, 4, generator=rl.Generator().manual_seed(3))
LABELS = rl.tensor([0, 1, 2, 0, 1, 2])
STEPS = range(6)


def classifier():
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))


def loss_of(model):
    return F.cross_entropy(model(X), LABELS)


def sgd(params, **options):
    return rl.optim.SGD(params, lr=0.01, **options)


def accumulation():
    model = classifier()
    optimizer = sgd(model.parameters())
    for k in range(12):
        (loss_of(model) / 3).backward()
        if k % 3 == 2:
            optimizer.step()
            optimizer.zero_grad()


def two_networks_against_each_other(fakes):
    maker, judge = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), nn.Linear(4, 1)
    makes, judges = rl.optim.Adam(maker.parameters()), rl.optim.Adam(judge.parameters())
    real, fake = rl.ones(6, 1), rl.zeros(6, 1)
    for _ in STEPS:
        judges.zero_grad(set_to_none=False)
        made = fakes(maker)
        logits = F.binary_cross_entropy_with_logits
        (logits(judge(X), real) + logits(judge(made), fake)).backward()
        judges.step()
        makes.zero_grad()
        logits(judge(maker(X)), real).backward()  # adds to the judge's gradients, too
        makes.step()


def detached():
    two_networks_against_each_other(lambda maker: maker(X).detach())


@rl.no_grad()
def _quietly(maker):
    return maker(X)


def made_without_gradients():
    two_networks_against_each_other(_quietly)


def frozen_layers():
    model = classifier()
    model[0].requires_grad_(False)
    optimizer = sgd(model[2].parameters())
    whole = sgd(model.parameters())
    for each in (optimizer, whole):
        for _ in range(101):
            each.zero_grad()
            loss_of(model).backward()
            each.step()


def several_losses():
    model = classifier()
    optimizer = sgd(model.parameters())
    for _ in STEPS:
        optimizer.zero_grad()
        hidden = model(X)
        hidden.square().mean().backward(retain_graph=True)
        F.cross_entropy(hidden, LABELS).backward()
        optimizer.step()


def closures():
    model = classifier()
    optimizer = rl.optim.LBFGS(model.parameters(), max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        return loss

    for _ in STEPS:
        optimizer.step(closure)
    adam = rl.optim.Adam(model.parameters())
    for _ in STEPS:
        adam.step(closure)


def averages():
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    average = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9))
    optimizer = sgd(model.parameters())
    for _ in STEPS:
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
        average.update_parameters(model)
    swa_utils.update_bn([X, X], average)
    average.eval()
    with rl.no_grad():
        average(X).tolist()


def truncated_sequences():
    layer, head = nn.GRU(4, 5), nn.Linear(5, 1)
    optimizer = sgd([*layer.parameters(), *head.parameters()])
    state = rl.zeros(1, 5)
    for _ in STEPS:
        optimizer.zero_grad()
        out, state = layer(X, state.detach())
        head(out).square().mean().backward()
        optimizer.step()


def zeroed(clear):
    model = classifier()
    optimizer = sgd(model.parameters(), momentum=0.9)
    for _ in STEPS:
        loss_of(model).backward()
        optimizer.step()
        clear(model, optimizer)


def zeros_in_place():
    zeroed(lambda model, optimizer: optimizer.zero_grad(set_to_none=False))


def zeros_by_the_model():
    zeroed(lambda model, optimizer: model.zero_grad())


def none_by_hand():
    def clear(model, optimizer):
        for p in model.parameters():
            p.grad = None

    zeroed(clear)


def zeros_by_hand():
    def clear(model, optimizer):
        for p in model.parameters():
            p.grad.zero_()

    zeroed(clear)


def zeros_in_data():
    def clear(model, optimizer):
        for p in model.parameters():
            p.grad.data.zero_()

    zeroed(clear)


def decaying_gradients():
    def clear(model, optimizer):
        for p in model.parameters():
            p.grad.mul_(0.9)

    zeroed(clear)


def functional_training():
    model = classifier()
    optimizer = sgd(model.parameters())
    for _ in STEPS:
        found = rl.autograd.grad(loss_of(model), list(model.parameters()))
        for p, gradient in zip(model.parameters(), found, strict=True):
            p.grad = gradient
        optimizer.step()


def steps_by_hand():
    model, held = classifier(), nn.Linear(3, 3)
    optimizer = sgd(held.parameters())
    for _ in STEPS:
        optimizer.zero_grad()
        F.cross_entropy(held(model(X)), LABELS).backward()
        optimizer.step()
        with rl.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
                p.grad = None


def an_input_that_is_optimized():
    model = classifier()
    x = X.clone().requires_grad_()
    optimizer = sgd([x])
    for _ in STEPS:
        optimizer.zero_grad()
        F.cross_entropy(model(x), LABELS).backward()
        optimizer.step()


def branches_in_turns():
    trunk, left, right = nn.Linear(4, 4), nn.Linear(4, 3), nn.Linear(4, 3)
    layers = nn.ModuleList([trunk, left, right])
    optimizer = sgd(layers.parameters())
    for k in range(101):
        optimizer.zero_grad()
        branch = left if k < 30 else right
        F.cross_entropy(branch(trunk(X)), LABELS).backward()
        optimizer.step()


def attention():
    projections = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    optimizer = sgd(projections.parameters())
    for _ in STEPS:
        optimizer.zero_grad()
        q, k, v = (layer(X) for layer in projections)
        weights = (q @ k.T).masked_fill(rl.ones(6, 6).triu(1).bool(), -rl.inf).softmax(-1)
        F.cross_entropy((weights @ v)[:, :3], LABELS).backward()
        optimizer.step()


def gates_by_hand():
    gates = nn.Linear(8, 16)
    optimizer = sgd(gates.parameters())
    for _ in STEPS:
        optimizer.zero_grad()
        h = c = rl.zeros(6, 4)
        for _ in range(2):
            i, f, g, o = gates(rl.cat([X, h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        F.cross_entropy(h, LABELS).backward()
        optimizer.step()


def distillation():
    teacher, student = classifier().eval(), classifier()
    optimizer = sgd(student.parameters())
    for _ in STEPS:
        optimizer.zero_grad()
        with rl.no_grad():
            wanted = teacher(X).softmax(-1)
        logs = student(X).log_softmax(-1)
        loss = F.kl_div(logs, wanted, reduction="batchmean") + F.nll_loss(logs, LABELS)
        loss.backward()
        optimizer.step()


def evaluation():
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(), nn.Linear(5, 3))
    model.eval()
    with rl.no_grad():
        loss_of(model).item()
    copy.deepcopy(model)(X).argmax(1).tolist()


def running_averages_anew():
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    with rl.no_grad():
        for _ in range(3):
            model(X)
    model[1].running_mean.tolist()


def schedules_without_gradients():
    optimizer = sgd(classifier().parameters())
    schedule = rl.optim.lr_scheduler.StepLR(optimizer, 2)
    for _ in STEPS:
        optimizer.step()
        schedule.step()


def compiled_steps():
    model = classifier()
    optimizer = sgd(model.parameters())

    @rl.compile
    def forward(x):
        return model(x)

    for _ in STEPS:
        optimizer.zero_grad()
        F.cross_entropy(forward(X), LABELS).backward()
        optimizer.step()


@pytest.mark.parametrize(
    "program",
    [
        accumulation, detached, made_without_gradients, frozen_layers, several_losses, closures,
        averages, truncated_sequences, zeros_in_place, zeros_by_the_model, none_by_hand,
        zeros_by_hand, zeros_in_data, decaying_gradients, functional_training, steps_by_hand,
        an_input_that_is_optimized, branches_in_turns, attention, gates_by_hand, distillation,
        evaluation, running_averages_anew, schedules_without_gradients, compiled_steps,
    ],
    ids=lambda program: program.__name__,
)  # fmt: skip
def test_it_is_left_alone(program):
    assert not [str(each) for each in findings(program)]
