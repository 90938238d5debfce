"""Every schedule against PyTorch's, step for step and to the last bit."""

import copy
import math
import pickle
import types
import warnings

import pytest
import torch

import rushlight as rl

LIBRARIES = (torch, rl)

# A schedule inside another may be stepped for the first time long after it was made.
pytestmark = pytest.mark.filterwarnings("ignore:Detected call:UserWarning")


class Halving:
    """A callable object, whose attributes a state dict keeps."""

    def __init__(self, base):
        self.base = base

    def __call__(self, epoch):
        return self.base**epoch


def optimizer_of(lib, kind="SGD", rates=(0.5, 0.1), **options):
    if kind == "SGD":
        options.setdefault("momentum", 0.9)
    groups = [{"params": [lib.zeros(2, requires_grad=True)], "lr": rate} for rate in rates]
    return getattr(lib.optim, kind)(groups, lr=1.0, **options)


def sequential(s, o):
    parts = [s.ConstantLR(o, factor=0.1, total_iters=3), s.ExponentialLR(o, gamma=0.9)]
    parts.append(s.StepLR(o, step_size=2, gamma=0.5))
    return s.SequentialLR(o, parts, milestones=[4, 11])


def nested(s, o):
    inner = s.SequentialLR(o, [s.LinearLR(o), s.PolynomialLR(o, 9)], milestones=[3])
    return s.SequentialLR(o, [inner, s.CosineAnnealingLR(o, 6)], milestones=[8])


def chained(s, o):
    parts = [s.ConstantLR(o, factor=0.5, total_iters=4), s.ExponentialLR(o, gamma=0.9)]
    return s.ChainedScheduler(parts)


SCHEDULES = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda e: 1 / (1 + e), Halving(0.7)]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95),
    "step": lambda s, o: s.StepLR(o, step_size=3, gamma=0.7),
    "step_1": lambda s, o: s.StepLR(o, 1),
    "multistep": lambda s, o: s.MultiStepLR(o, milestones=[9, 2, 2, 5], gamma=0.3),
    "multistep_0": lambda s, o: s.MultiStepLR(o, milestones=[0, 1]),
    "constant": lambda s, o: s.ConstantLR(o),
    "constant_0": lambda s, o: s.ConstantLR(o, factor=0.3, total_iters=0),
    "linear": lambda s, o: s.LinearLR(o),
    "linear_down": lambda s, o: s.LinearLR(o, start_factor=1.0, end_factor=0.25, total_iters=7),
    "exponential": lambda s, o: s.ExponentialLR(o, gamma=0.9),
    "polynomial": lambda s, o: s.PolynomialLR(o, total_iters=9, power=2.5),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, T_max=7),
    "cosine_floor": lambda s, o: s.CosineAnnealingLR(o, T_max=4, eta_min=0.05),
    "cosine_1": lambda s, o: s.CosineAnnealingLR(o, T_max=1, eta_min=0.01),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=4),
    "restarts_longer": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.01),
    "onecycle": lambda s, o: s.OneCycleLR(o, max_lr=0.9, total_steps=30),
    "onecycle_epochs": lambda s, o: s.OneCycleLR(o, [0.9, 2.0], epochs=5, steps_per_epoch=6),
    "onecycle_linear": lambda s, o: s.OneCycleLR(
        o, 0.9, 30, anneal_strategy="linear", pct_start=0.4, div_factor=10, final_div_factor=7.0
    ),
    "onecycle_three": lambda s, o: s.OneCycleLR(
        o, 0.9, 30, three_phase=True, base_momentum=[0.7, 0.6], max_momentum=0.99
    ),
    "onecycle_still": lambda s, o: s.OneCycleLR(o, 0.9, 30, cycle_momentum=False),
    "onecycle_short": lambda s, o: s.OneCycleLR(o, 0.9, 30, pct_start=0.0),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, 0.5, step_size_up=4),
    "cyclic_2": lambda s, o: s.CyclicLR(o, [0.01, 0.1], 0.5, 4, 3, mode="triangular2"),
    "cyclic_exp": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 4, mode="exp_range", gamma=0.97),
    "cyclic_own": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 4, scale_fn=Halving(0.9)),
    "cyclic_still": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 4, cycle_momentum=False),
    "sequential": sequential,
    "nested": nested,
    "chained": chained,
}
NO_CLOSED_FORM = ("onecycle", "cyclic", "sequential", "nested", "chained")


def options_of(optimizer):
    """Everything a schedule may have changed."""
    return [
        {key: value for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]


def saved(schedule):
    state = schedule.state_dict()
    # A version of PyTorch keeps what it makes from ``mode`` beside it.
    state.pop("_scale_fn_ref", None)
    return state


def same_state(one, other):
    assert one.keys() == other.keys()
    for key in one:
        if key == "_schedulers":
            for a, b in zip(one[key], other[key], strict=True):
                same_state(a, b)
        else:
            assert one[key] == other[key], key


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_equals_torch_step_for_step(name, kind):
    theirs, ours = (optimizer_of(lib, kind) for lib in LIBRARIES)
    there = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    here = SCHEDULES[name](rl.optim.lr_scheduler, ours)
    for _ in range(30):
        assert here.get_last_lr() == there.get_last_lr()
        assert options_of(ours) == options_of(theirs)
        same_state(saved(here), saved(there))
        for side in (theirs, there, ours, here):
            side.step()


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("source", [torch, rl], ids=["from torch", "from rushlight"])
def test_goes_on_from_a_saved_state(name, source):
    old = optimizer_of(source)
    old_schedule = SCHEDULES[name](source.optim.lr_scheduler, old)
    for _ in range(5):
        old.step()
        old_schedule.step()
    state = pickle.loads(pickle.dumps(saved(old_schedule)))
    new = optimizer_of(rl)
    schedule = SCHEDULES[name](rl.optim.lr_scheduler, new)
    schedule.load_state_dict(state)
    for group, old_group in zip(new.param_groups, old.param_groups, strict=True):
        group.update({k: v for k, v in old_group.items() if k != "params"})
    for _ in range(12):
        assert schedule.get_last_lr() == old_schedule.get_last_lr()
        assert options_of(new) == options_of(old)
        for side in (old, old_schedule, new, schedule):
            side.step()


def test_loading_leaves_the_state_as_it_was():
    for name in ("lambdas", "cyclic_own", "sequential", "chained"):
        schedule = SCHEDULES[name](rl.optim.lr_scheduler, optimizer_of(rl))
        state = schedule.state_dict()
        before = copy.deepcopy(state)
        schedule.load_state_dict(state)
        assert state == before


def test_saved_callable_objects_come_back():
    state = SCHEDULES["lambdas"](rl.optim.lr_scheduler, optimizer_of(rl)).state_dict()
    assert state["lr_lambdas"] == [None, {"base": 0.7}]
    other = rl.optim.lr_scheduler.LambdaLR(optimizer_of(rl), [lambda e: 1.0, Halving(0.1)])
    other.load_state_dict(state)
    assert other.lr_lambdas[1].base == 0.7


RESUMABLE = [name for name in SCHEDULES if name not in ("sequential", "nested", "chained")]


@pytest.mark.parametrize("name", RESUMABLE)
def test_last_epoch_resumes_as_torch(name):
    """A schedule made again over a saved optimizer, with ``last_epoch`` and no state of its own."""

    def resumed(lib):
        optimizer = optimizer_of(lib)
        schedule = SCHEDULES[name](lib.optim.lr_scheduler, optimizer)
        for _ in range(6):
            optimizer.step()
            schedule.step()
        again = optimizer_of(lib)
        again.load_state_dict(optimizer.state_dict())
        scheduler_lib = _Resuming(lib.optim.lr_scheduler, schedule.last_epoch)
        rates = []
        schedule = SCHEDULES[name](scheduler_lib, again)
        for _ in range(8):
            rates.append((schedule.get_last_lr(), options_of(again)))
            again.step()
            schedule.step()
        return rates

    assert resumed(rl) == resumed(torch)


class _Resuming:
    """A module of schedules whose constructors are given ``last_epoch``."""

    def __init__(self, module, last_epoch):
        self.module, self.last_epoch = module, last_epoch

    def __getattr__(self, name):
        kind = getattr(self.module, name)
        return lambda *args, **kwargs: kind(*args, last_epoch=self.last_epoch, **kwargs)


@pytest.mark.parametrize(
    "name", [n for n in SCHEDULES if not n.startswith(NO_CLOSED_FORM) and n != "multiplicative"]
)
def test_step_to_an_epoch_uses_the_closed_form(name):
    rates = []
    for lib in LIBRARIES:
        optimizer = optimizer_of(lib)
        schedule = SCHEDULES[name](lib.optim.lr_scheduler, optimizer)
        here = []
        optimizer.step()
        for epoch in (3, 0, 7, 8):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                schedule.step(epoch)
            here.append((schedule.get_last_lr(), schedule.last_epoch))
        rates.append(here)
    assert rates[0] == rates[1]


def test_an_epoch_is_deprecated():
    optimizer = optimizer_of(rl)
    schedule = rl.optim.lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    with pytest.warns(UserWarning, match="epoch parameter in `scheduler.step"):
        schedule.step(3)
    plateau = rl.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.warns(UserWarning, match="epoch parameter in `scheduler.step"):
        plateau.step(1.0, 3)


def test_restarts_take_fractions_of_epochs():
    rates = []
    for lib in LIBRARIES:
        schedule = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(lib), 2, 2)
        here = []
        for epoch in (0.25, 1.5, 2, 5.75, 6, 13.5, 30):
            schedule.step(epoch)
            here.append((schedule.get_last_lr(), schedule.T_cur, schedule.T_i, schedule.last_epoch))
        rates.append(here)
    assert rates[0] == rates[1]


METRICS = [3.0, 2.9, 2.9, 2.95, 2.8999, 2.0, math.nan, 2.0, 2.0, 2.0, 1.5, 1.6, 1.6, 1.6, 1.6, -1.0]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 0},
        {"patience": 1, "cooldown": 2},
        {"patience": 0, "min_lr": [0.3, 0.001]},
        {"patience": 0, "min_lr": 0.05, "threshold": 0.2, "factor": 0.4},
        {"patience": 0, "eps": 0.1},
    ],
)
def test_plateau_equals_torch(mode, threshold_mode, options):
    theirs, ours = (optimizer_of(lib) for lib in LIBRARIES)
    options = {"mode": mode, "threshold_mode": threshold_mode, **options}
    there = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    here = rl.optim.lr_scheduler.ReduceLROnPlateau(ours, **options)
    for metric in METRICS:
        there.step(metric)
        here.step(metric)
        same_state(here.state_dict(), there.state_dict())
        assert options_of(ours) == options_of(theirs)
        assert here.in_cooldown == there.in_cooldown
    restored = rl.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(rl))
    restored.load_state_dict(pickle.loads(pickle.dumps(there.state_dict())))
    same_state(restored.state_dict(), there.state_dict())


def test_plateau_reads_a_tensor():
    optimizer = optimizer_of(rl)
    schedule = rl.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    for _ in range(2):
        schedule.step(rl.tensor(2.0))
    assert schedule.get_last_lr() == [0.25, 0.05]


def test_plateau_meets_an_added_group():
    optimizer = optimizer_of(rl)
    one = rl.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.01)
    several = rl.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.01, 0.02])
    optimizer.add_param_group({"params": [rl.zeros(1, requires_grad=True)]})
    for _ in range(2):
        one.step(1.0)
    assert one.min_lrs == [0.01] * 3
    several.step(1.0)
    with pytest.raises(RuntimeError, match="number of param groups in the `optimizer`"):
        several.step(1.0)


# Tensor rates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["step", "exponential", "cosine_floor", "linear", "restarts"])
def test_a_tensor_rate_stays_the_same_tensor(name):
    rates = []
    for lib in LIBRARIES:
        lr = lib.tensor(0.5)
        optimizer = lib.optim.SGD([lib.zeros(2, requires_grad=True)], lr=lr)
        schedule = SCHEDULES[name](lib.optim.lr_scheduler, optimizer)
        here = []
        for _ in range(8):
            last = schedule.get_last_lr()[0]
            assert last is not lr
            here.append(last.item())
            optimizer.step()
            schedule.step()
        assert optimizer.param_groups[0]["lr"] is lr
        here.append(lr.item())
        rates.append(here)
    assert rates[1] == pytest.approx(rates[0], rel=1e-6)


def test_what_get_last_lr_gives_can_be_written_to():
    lr = rl.tensor(0.5)
    optimizer = rl.optim.SGD([rl.zeros(2, requires_grad=True)], lr=lr)
    schedule = rl.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    schedule.get_last_lr()[0].fill_(7.0)
    assert lr.item() == 0.5
    lr.fill_(0.25)
    assert schedule.base_lrs[0].item() == 0.5


# Order of steps -------------------------------------------------------------------------------


def warned(lib, script):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        script(lib)
    return [str(w.message).split(".")[0] for w in caught]


def wrong_order(lib):
    optimizer = optimizer_of(lib)
    schedule = lib.optim.lr_scheduler.StepLR(optimizer, 2)
    schedule.step()
    optimizer.step()
    schedule.step()


def right_order(lib):
    optimizer = optimizer_of(lib)
    schedule = lib.optim.lr_scheduler.StepLR(optimizer, 2)
    for _ in range(3):
        optimizer.step()
        schedule.step()


def stepped_before_the_schedule_was_made(lib):
    optimizer = optimizer_of(lib)
    optimizer.step()
    lib.optim.lr_scheduler.StepLR(optimizer, 2).step()


def two_schedules(lib):
    optimizer = optimizer_of(lib)
    first = lib.optim.lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    first.step()
    second = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    second.step()


def step_overridden(lib):
    optimizer = optimizer_of(lib)
    schedule = lib.optim.lr_scheduler.StepLR(optimizer, 2)
    old = optimizer.step
    optimizer.step = types.MethodType(lambda o, *args: old(*args), optimizer)
    optimizer.step()
    schedule.step()


def step_overridden_before(lib):
    optimizer = optimizer_of(lib)
    old = optimizer.step
    optimizer.step = types.MethodType(lambda o, *args: old(*args), optimizer)
    schedule = lib.optim.lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    schedule.step()


def rate_asked_outside(lib):
    schedule = lib.optim.lr_scheduler.StepLR(optimizer_of(lib), 2)
    schedule.get_lr()


SCRIPTS = [
    wrong_order,
    right_order,
    stepped_before_the_schedule_was_made,
    two_schedules,
    step_overridden,
    step_overridden_before,
    rate_asked_outside,
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda f: f.__name__)
def test_warns_as_torch(script):
    theirs = warned(torch, script)
    assert warned(rl, script) == theirs
    assert all("rushlight" not in text for text in theirs)


def test_the_warning_names_the_users_line():
    optimizer = optimizer_of(rl)
    schedule = rl.optim.lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match="Detected call") as caught:
        schedule.step()
    assert caught[0].filename == __file__


# Mistakes -------------------------------------------------------------------------------------


def without_initial(s, o):
    return s.StepLR(o, 2, last_epoch=3)


def beyond_the_cycle(s, o):
    schedule = s.OneCycleLR(o, 0.9, 2)
    for _ in range(4):
        o.step()
        schedule.step()


def of_two_optimizers(s, o):
    other = type(o)([o.param_groups[0]["params"][0]], lr=1.0)
    return s.SequentialLR(o, [s.StepLR(o, 2), s.StepLR(other, 2)], [3])


MISTAKES = [
    lambda s, o: s.StepLR([0.1], 2),
    lambda s, o: s.OneCycleLR("SGD", 0.1, 2),
    lambda s, o: s.ReduceLROnPlateau(None),
    lambda s, o: s.CyclicLR(None, 0.1, 0.2),
    without_initial,
    lambda s, o: s.LambdaLR(o, [lambda e: 1.0]),
    lambda s, o: s.MultiplicativeLR(o, [lambda e: 1.0] * 3),
    lambda s, o: s.MultiplicativeLR(o, [lambda e: 1.0, 0.5]),
    lambda s, o: s.ConstantLR(o, factor=1.5),
    lambda s, o: s.ConstantLR(o, factor=-0.5),
    lambda s, o: s.LinearLR(o, start_factor=0),
    lambda s, o: s.LinearLR(o, start_factor=1.1),
    lambda s, o: s.LinearLR(o, end_factor=-0.1),
    lambda s, o: s.LinearLR(o, end_factor=1.1),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2.5),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, T_mult=0),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, T_mult=1.5),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, eta_min="low"),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
    lambda s, o: s.OneCycleLR(o, 0.1),
    lambda s, o: s.OneCycleLR(o, 0.1, epochs=3),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=0),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=2.5),
    lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3),
    lambda s, o: s.OneCycleLR(o, 0.1, epochs=3, steps_per_epoch=-1),
    lambda s, o: s.OneCycleLR(o, 0.1, 9, pct_start=1.5),
    lambda s, o: s.OneCycleLR(o, 0.1, 9, pct_start=1),
    lambda s, o: s.OneCycleLR(o, 0.1, 9, anneal_strategy="cubic"),
    lambda s, o: s.OneCycleLR(o, [0.1], 9),
    lambda s, o: s.OneCycleLR(o, 0.1, 9, base_momentum=[0.1]),
    beyond_the_cycle,
    lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"),
    lambda s, o: s.CyclicLR(o, [0.1], 0.2),
    lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    lambda s, o: s.ReduceLROnPlateau(o, mode="best"),
    lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="none"),
    lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    lambda s, o: s.ReduceLROnPlateau(o).step("good"),
    lambda s, o: s.SequentialLR(o, [], []),
    lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2)], [3]),
    lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2), s.ReduceLROnPlateau(o)], [3]),
    lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2), 3], [3]),
    of_two_optimizers,
    lambda s, o: s.ChainedScheduler([]),
    lambda s, o: s.ChainedScheduler([s.StepLR(o, 2), s.ReduceLROnPlateau(o)]),
    lambda s, o: s.LRScheduler(o),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_raise_as_in_torch(number):
    mistake = MISTAKES[number]
    with pytest.raises(Exception) as theirs:
        mistake(torch.optim.lr_scheduler, optimizer_of(torch))
    with pytest.raises(theirs.type) as ours:
        mistake(rl.optim.lr_scheduler, optimizer_of(rl))
    words = (str(theirs.value) or " ").splitlines()[0].strip("'\"").split(".\\n")[0]
    if "<class" not in words and "which is different" not in words:
        assert words.split(", usually")[0].rstrip(". ") in str(ours.value)


def test_momentum_needs_an_optimizer_that_has_some():
    for lib in LIBRARIES:
        optimizer = optimizer_of(lib, "Adagrad")
        for make in (SCHEDULES["onecycle"], SCHEDULES["cyclic"]):
            with pytest.raises(ValueError, match="must support momentum or beta1"):
                make(lib.optim.lr_scheduler, optimizer)
        SCHEDULES["onecycle_still"](lib.optim.lr_scheduler, optimizer)


def test_a_rise_as_long_as_the_cycle_ends_at_the_last_rate():
    optimizer = optimizer_of(rl)
    schedule = rl.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, 4, pct_start=1.0)
    for _ in range(4):
        optimizer.step()
        schedule.step()
    assert schedule.get_last_lr()[0] == pytest.approx(0.5 / 25 / 1e4)


def test_schedules_of_ones_own():
    class Root(rl.optim.lr_scheduler._LRScheduler):
        def get_lr(self):
            return [base / math.sqrt(self.last_epoch + 1) for base in self.base_lrs]

    optimizer = optimizer_of(rl)
    schedule = Root(optimizer)
    for _ in range(3):
        optimizer.step()
        schedule.step()
    assert schedule.get_last_lr() == [0.25, 0.05]
    assert isinstance(schedule, rl.optim.lr_scheduler.LRScheduler)
