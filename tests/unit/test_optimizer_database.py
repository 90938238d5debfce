"""Every optimizer of PyTorch's own database, with its options, schedules and mistakes."""

import warnings
from types import FunctionType

import numpy as np
import pytest
import torch
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

import rushlight as rl
from rushlight.execute import tier

LIBRARIES = (torch, rl)
DENSE = [info for info in optim_db if not info.only_supports_sparse_grads]
# Muon rounds to bfloat16 in other places; L-BFGS divides by differences of nearly equal gradients.
RELATIVE = {"Muon": 2e-3, "LBFGS": 2e-5}


def steps(info):
    """How many steps are compared; each of L-BFGS's is many, and at the end it is chaotic."""
    return 2 if info.step_requires_closure else 6


each_optimizer = pytest.mark.parametrize("info", DENSE, ids=lambda info: info.name)


@pytest.fixture(autouse=True)
def by_references():
    """Kernels for the step of each case would take minutes to make."""
    with tier.only("reference" if tier.chosen() == "auto" else tier.chosen()):
        yield


def converted(value, lib):
    """An option, or a parameter or a structure of some, for a library."""
    if isinstance(value, torch.Tensor):
        if lib is torch:
            return value
        made = rl.tensor(value.detach().numpy(), dtype=getattr(rl, str(value.dtype)[6:]))
        return made.requires_grad_(value.requires_grad)
    if isinstance(value, dict):
        return {key: converted(item, lib) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(converted(item, lib) for item in value)
    return value


class Run:
    """An optimizer of two matrices, or a matrix and a vector, in one of the libraries."""

    def __init__(self, lib, info, options, schedules=()):
        self.lib, self.info = lib, info
        random = np.random.default_rng(5)
        shapes = ((4, 3), (3, 1) if info.name == "Muon" else (3,))
        self.params = [lib.tensor(random.standard_normal(s)).requires_grad_() for s in shapes]
        self.inputs = lib.tensor(random.standard_normal((7, 4)))
        self.optimizer = getattr(lib.optim, info.name)(self.params, **converted(options, lib))
        # The functions that make schedules know them by name.
        names = vars(lib.optim.lr_scheduler)
        made = [FunctionType(make.__code__, names) for make in schedules]
        self.schedules = [make(self.optimizer) for make in made]

    def closure(self):
        self.optimizer.zero_grad()
        weight, bias = self.params
        loss = ((self.inputs @ weight).tanh() @ bias - 0.5).square().mean()
        loss.backward()
        return loss

    def step(self):
        if self.info.step_requires_closure:
            loss = self.optimizer.step(self.closure)
        else:
            loss = self.closure()
            self.optimizer.step()
        for schedule in self.schedules:
            plateau = isinstance(schedule, self.lib.optim.lr_scheduler.ReduceLROnPlateau)
            schedule.step(*([loss.item()] if plateau else []))


def same(ours, theirs, relative):
    for mine, other in zip(ours.params, theirs.params, strict=True):
        close(mine, other, relative)
    mine, other = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    equal(mine, other, relative)


def close(mine, other, relative):
    np.testing.assert_allclose(
        mine.detach().numpy(), other.detach().numpy(), rtol=relative, atol=relative
    )


def equal(mine, other, relative):
    """Whether two state dicts say the same."""
    if isinstance(other, dict):
        assert mine.keys() == other.keys()
        for key, value in other.items():
            equal(mine[key], value, relative)
    elif isinstance(other, (list, tuple)):
        assert len(mine) == len(other)
        for one, two in zip(mine, other, strict=True):
            equal(one, two, relative)
    elif isinstance(other, torch.Tensor) and isinstance(mine, rl.Tensor):
        assert str(mine.dtype) == str(other.dtype)
        close(mine, other, max(relative, 1e-7) if other.dtype is torch.float32 else relative)
    elif isinstance(other, (float, torch.Tensor)):
        assert float(mine) == pytest.approx(float(other), rel=relative, abs=1e-12)
    else:
        assert mine == other


@each_optimizer
def test_steps_states_and_look_equal_torch(info):
    relative = RELATIVE.get(info.name, 1e-11)
    for given in info.optim_inputs_func(device="cpu"):
        theirs, ours = (Run(lib, info, given.kwargs) for lib in LIBRARIES)
        for _ in range(steps(info)):
            theirs.step()
            ours.step()
        same(ours, theirs, relative)
        assert repr(ours.optimizer) == repr(theirs.optimizer), given.desc


@each_optimizer
@pytest.mark.parametrize("implementation", ["foreach", "fused"])
def test_implementations_equal_torch(info, implementation):
    if implementation not in info.supported_impls:
        pytest.skip("PyTorch has none")
    for given in info.optim_inputs_func(device="cpu"):
        options = {**given.kwargs, implementation: True}
        if isinstance(options.get("lr"), torch.Tensor):
            continue
        theirs, ours = (Run(lib, info, options) for lib in LIBRARIES)
        for _ in range(steps(info)):
            theirs.step()
            ours.step()
        same(ours, theirs, 1e-9)


@each_optimizer
def test_schedules_equal_torch(info):
    for schedules in info.scheduler_inputs:
        options = {"lr": 0.01, **({"max_iter": 4} if info.step_requires_closure else {})}
        theirs, ours = (Run(lib, info, options, schedules) for lib in LIBRARIES)
        for _ in range(2 * steps(info)):
            theirs.step()
            ours.step()
            for mine, other in zip(ours.schedules, theirs.schedules, strict=True):
                assert mine.get_last_lr() == pytest.approx(other.get_last_lr(), rel=1e-12)
        same(ours, theirs, RELATIVE.get(info.name, 1e-10))
        for mine, other in zip(ours.schedules, theirs.schedules, strict=True):
            assert mine.state_dict().keys() == other.state_dict().keys()


@each_optimizer
def test_mistakes_raise_as_in_torch(info):
    for given in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
        sample = given.optimizer_error_input
        params = sample.params or [torch.nn.Parameter(torch.randn(1, 1))]
        memo = {}
        made = unwrapped(params, memo)
        options = converted(sample.kwargs, rl)
        kind = getattr(rl.optim, info.name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if given.error_on is OptimizerErrorEnum.CONSTRUCTION_ERROR:
                with pytest.raises(given.error_type, match=given.error_regex):
                    kind(made, **options)
            else:
                optimizer = kind(made, **options)
                with pytest.raises(given.error_type, match=given.error_regex):
                    optimizer.step()


def unwrapped(value, memo):
    """Parameters in a structure, equal ones once, with their gradients."""
    if isinstance(value, torch.Tensor):
        if value not in memo:
            memo[value] = rl.nn.Parameter(converted(value.detach(), rl))
            if value.grad is not None:
                memo[value].grad = converted(value.grad, rl)
        return memo[value]
    if isinstance(value, dict):
        return {key: unwrapped(item, memo) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(unwrapped(item, memo) for item in value)
    return value
