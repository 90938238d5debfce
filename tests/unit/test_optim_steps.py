"""Steps of the optimizers against PyTorch's, option by option."""

import copy
import pickle

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute.cut import shown
from rushlight.execute.realize import programs

LIBRARIES = (torch, rl)
SHAPES = [(3, 4), (5,), (), (0, 2)]

CASES = [
    ("SGD", {}),
    ("SGD", {"weight_decay": 0.1, "maximize": True}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05}),
    ("SGD", {"momentum": 0.8, "nesterov": True, "maximize": True}),
    ("SGD", {"momentum": 0.8, "nesterov": True, "foreach": True}),
    ("SGD", {"lr": 0}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3}),
    ("Adam", {"betas": (0.0, 0.0)}),
    ("Adam", {"betas": (0.6, 0.999), "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True, "maximize": True}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adam", {"eps": 0.0, "foreach": False}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True}),
    ("AdamW", {"weight_decay": 0.0, "maximize": True, "fused": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.3, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True, "maximize": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.1, "alpha": 0.6}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.5, "lr_decay": 0.1, "weight_decay": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.3, "eps": 1e-2, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.4, "eps": 1e-2, "weight_decay": 0.1, "maximize": True, "lr": 0.5}),
    ("Adamax", {}),
    ("Adamax", {"betas": (0.5, 0.7), "eps": 1e-2, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"betas": (0.6, 0.9), "weight_decay": 0.1, "momentum_decay": 0.5}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"betas": (0.6, 0.9), "weight_decay": 0.1, "eps": 1e-2}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"t0": 3, "lambd": 0.1, "alpha": 0.5, "lr": 0.2, "weight_decay": 0.1}),
    ("ASGD", {"t0": 0, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"etas": (0.3, 1.7), "step_sizes": (0.02, 0.2), "maximize": True, "lr": 0.1}),
]
DECAY = {"Rprop": {}}  # which has none
KINDS = sorted({kind for kind, _ in CASES})
ids = [f"{kind}-{'-'.join(map(str, options)) or 'plain'}" for kind, options in CASES]
all_cases = pytest.mark.parametrize(("kind", "options"), CASES, ids=ids)


def array(tensor):
    return tensor.detach().numpy()


def close(ours, theirs, dtype):
    """PyTorch may fuse a multiplication with an addition, which rounds once instead of twice."""
    wide = dtype not in ("float32", "complex64")
    relative, absolute = (1e-13, 1e-15) if wide else (2e-6, 3e-7)
    expected = array(theirs)
    largest = max(1.0, np.abs(expected).max(initial=0.0))  # terms of this size may have cancelled
    np.testing.assert_allclose(array(ours), expected, rtol=relative, atol=absolute * largest)


class Run:
    """The same parameters, gradients and optimizer in one of the libraries."""

    def __init__(self, lib, kind, options, dtype="float32", shapes=SHAPES):
        self.lib, self.dtype = lib, dtype
        self.random = np.random.default_rng(1)
        self.params = [self.tensor(shape).requires_grad_() for shape in shapes]
        self.optimizer = getattr(lib.optim, kind)(self.params, **options)

    def tensor(self, shape):
        values = self.random.standard_normal(shape)
        if self.dtype.startswith("complex"):
            values = values + 1j * self.random.standard_normal(shape)
        kind = getattr(self.lib, self.dtype)
        return self.lib.tensor(np.asarray(values, self.dtype), dtype=kind)

    def step(self, without=()):
        """A step with new gradients, none for the parameters numbered in ``without``."""
        for index, param in enumerate(self.params):
            grad = self.tensor(param.shape)
            param.grad = None if index in without else grad
        self.optimizer.step()


def same(ours, theirs):
    for mine, other in zip(ours.params, theirs.params, strict=True):
        close(mine, other, ours.dtype)
        same_memory(ours.optimizer.state, theirs.optimizer.state, mine, other, ours.dtype)


def same_memory(mine, others, param, other, dtype):
    assert (param in mine) == (other in others)
    if other not in others:
        return
    assert mine[param].keys() == others[other].keys()
    for key, theirs in others[other].items():
        ours = mine[param][key]
        assert str(ours.dtype) == str(theirs.dtype)
        assert tuple(ours.shape) == tuple(theirs.shape)
        close(ours, theirs, "float64" if key == "step" else dtype)


@all_cases
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_twelve_steps_equal_torch(kind, options, dtype):
    theirs, ours = (Run(lib, kind, options, dtype) for lib in LIBRARIES)
    for _ in range(12):
        theirs.step()
        ours.step()
        same(ours, theirs)


@all_cases
def test_frozen_parameters_are_left_alone(kind, options):
    theirs, ours = (Run(lib, kind, options, "float64") for lib in LIBRARIES)
    for without in [(1,), (1, 2), (), (0,), (0, 1, 2, 3), (2,), ()]:
        theirs.step(without)
        ours.step(without)
        same(ours, theirs)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
        ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
        ("AdamW", {}),
        ("RMSprop", {"centered": True, "momentum": 0.5}),
        ("Adagrad", {"initial_accumulator_value": 0.1}),
        ("Adadelta", {}),
        ("Adamax", {"weight_decay": 0.1}),
        ("NAdam", {"weight_decay": 0.1}),
        ("RAdam", {"betas": (0.5, 0.9)}),
        ("ASGD", {"t0": 1}),
        ("Rprop", {}),
    ],
)
def test_complex_parameters_equal_torch(kind, options):
    theirs, ours = (Run(lib, kind, options, "complex64", [(2, 3), ()]) for lib in LIBRARIES)
    for _ in range(5):
        theirs.step()
        ours.step()
        same(ours, theirs)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_parameters_stay_half(kind, dtype):
    """PyTorch rounds after each operation, this library once: they agree to a few half ulps."""
    results = []
    for lib in LIBRARIES:
        param = lib.tensor([0.5, -1.5, 2.0]).to(getattr(lib, dtype)).requires_grad_()
        optimizer = getattr(lib.optim, kind)([param], lr=0.1)
        for value in (0.5, -0.25, 1.0):
            param.grad = lib.full((3,), value).to(getattr(lib, dtype))
            optimizer.step()
        assert str(param.dtype) == f"torch.{dtype}"
        results.append(param.detach().to(lib.float32).numpy())
    np.testing.assert_allclose(results[1], results[0], rtol=0.03)


def test_dtypes_may_be_mixed_in_a_group():
    runs = []
    for lib in LIBRARIES:
        params = [lib.ones(2, requires_grad=True, dtype=d) for d in (lib.float32, lib.float64)]
        optimizer = lib.optim.Adam(params, lr=0.1)
        for _ in range(3):
            for param in params:
                param.grad = lib.full_like(param, 0.3)
            optimizer.step()
        runs.append([array(param) for param in params])
    for theirs, ours in zip(*runs, strict=True):
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_groups_have_their_own_options():
    runs = []
    for lib in LIBRARIES:
        weights = [lib.full((2,), float(i + 1), requires_grad=True) for i in range(4)]
        groups = [
            {"params": weights[:2], "lr": 0.5, "momentum": 0.9},
            {"params": weights[2], "weight_decay": 0.5, "nesterov": True, "momentum": 0.5},
        ]
        optimizer = lib.optim.SGD(groups, lr=0.1)
        optimizer.add_param_group({"params": [weights[3]], "maximize": True})
        for _ in range(4):
            for weight in weights:
                weight.grad = weight.detach() * 0.5
            optimizer.step()
        runs.append([array(weight) for weight in weights])
    np.testing.assert_allclose(runs[1], runs[0], rtol=1e-6)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "RMSprop", "Adagrad"])
def test_a_schedule_changes_the_rate(kind):
    theirs, ours = (Run(lib, kind, {"lr": 0.5}, "float64") for lib in LIBRARIES)
    schedules = [
        run.lib.optim.lr_scheduler.ExponentialLR(run.optimizer, 0.7) for run in (theirs, ours)
    ]
    for _ in range(5):
        theirs.step()
        ours.step()
        same(ours, theirs)
        for schedule in schedules:
            schedule.step()


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_one_cycle_moves_the_momentum(kind):
    options = {"momentum": 0.9} if kind == "SGD" else {}
    theirs, ours = (Run(lib, kind, options, "float64") for lib in LIBRARIES)
    schedules = [
        run.lib.optim.lr_scheduler.OneCycleLR(run.optimizer, 0.5, total_steps=10)
        for run in (theirs, ours)
    ]
    for _ in range(10):
        theirs.step()
        ours.step()
        same(ours, theirs)
        for schedule in schedules:
            schedule.step()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_the_rate_may_be_a_tensor(kind, shape):
    theirs, ours = (
        Run(lib, kind, {"lr": lib.full(shape, 0.25), **DECAY.get(kind, {"weight_decay": 0.1})})
        for lib in LIBRARIES
    )
    for _ in range(3):
        theirs.step()
        ours.step()
        same(ours, theirs)
        for run in (theirs, ours):
            run.optimizer.param_groups[0]["lr"].mul_(0.5)


def test_betas_may_be_tensors():
    theirs, ours = (
        Run(lib, "Adam", {"betas": (lib.tensor(0.75), lib.tensor([0.875]))}) for lib in LIBRARIES
    )
    for _ in range(3):
        theirs.step()
        ours.step()
        same(ours, theirs)


def test_options_changed_between_steps_count():
    theirs, ours = (Run(lib, "SGD", {"lr": 0.1}, "float64") for lib in LIBRARIES)
    changes = [
        {"lr": 0.3},
        {"momentum": 0.9},
        {"weight_decay": 0.2},
        {"maximize": True, "nesterov": True},
        {"momentum": 0},
        {"momentum": 0.5, "lr": 1},
    ]
    for change in changes:
        for run in (theirs, ours):
            run.optimizer.param_groups[0].update(change)
            run.step()
        same(ours, theirs)


def test_a_parameter_given_twice_is_stepped_twice():
    results = []
    for lib in LIBRARIES:
        weight = lib.tensor([1.0, 2.0], requires_grad=True)
        other = lib.tensor([3.0], requires_grad=True)
        with pytest.warns(UserWarning, match="duplicate parameters"):
            optimizer = lib.optim.Adam([weight, other, weight], lr=0.1)
        for _ in range(3):
            weight.grad, other.grad = lib.tensor([0.5, -2.0]), lib.tensor([1.0])
            optimizer.step()
        results.append([array(weight), array(other), array(optimizer.state[weight]["step"])])
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


# What a user may do between steps ----------------------------------------------------------------


def test_data_replaced_between_steps():
    theirs, ours = (Run(lib, "Adam", {"lr": 0.1}, "float64") for lib in LIBRARIES)
    for _ in range(2):
        for run in (theirs, ours):
            run.step()
            run.params[0].data = run.tensor((3, 4))
            with run.lib.no_grad():
                run.params[1].mul_(0.5)
                run.params[1][2] = 7.0
        same(ours, theirs)
    for run in (theirs, ours):
        run.step()
    same(ours, theirs)


def test_state_replaced_between_steps():
    theirs, ours = (Run(lib, "Adam", {"lr": 0.1}, "float64") for lib in LIBRARIES)
    for run in (theirs, ours):
        run.step()
        run.step()
        memory = run.optimizer.state[run.params[0]]
        memory["step"] = run.lib.tensor(7.0)
        memory["exp_avg"] = run.lib.ones(3, 4, dtype=run.lib.float64)
        run.optimizer.state[run.params[1]]["exp_avg_sq"].fill_(2.0)
        run.optimizer.state[run.params[2]] = {}
        run.step()
    same(ours, theirs)
    for run in (theirs, ours):
        run.optimizer.state.clear()
        run.step()
    same(ours, theirs)


def test_steps_of_one_parameter_can_be_written_alone():
    run = Run(rl, "Adam", {})
    run.step()
    state = run.optimizer.state
    state[run.params[0]]["step"].fill_(5.0)
    assert state[run.params[1]]["step"].item() == 1.0
    run.step()
    assert [state[p]["step"].item() for p in run.params] == [6.0, 2.0, 2.0, 2.0]


def test_views_of_a_parameter_see_the_step():
    weight = rl.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    row = weight.detach()[0]
    weight.grad = rl.ones(2, 2)
    rl.optim.SGD([weight], lr=0.5).step()
    assert row.tolist() == [0.5, 1.5]
    assert weight.is_leaf
    assert weight.requires_grad


def test_training_equals_torch():
    results = []
    for lib in LIBRARIES:
        weight = lib.tensor([[0.5, -0.5], [1.0, 0.25]], requires_grad=True)
        bias = lib.zeros(2, requires_grad=True)
        optimizer = lib.optim.AdamW([weight, bias], lr=0.1)
        x = lib.tensor([[1.0, 2.0], [-1.0, 0.5], [0.25, -2.0]])
        losses = []
        for _ in range(10):
            optimizer.zero_grad()
            loss = ((x @ weight + bias - 1.0) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        results.append(losses)
    assert results[1] == pytest.approx(results[0], rel=1e-5)


def test_closures():
    for lib in LIBRARIES:
        weight = lib.tensor([1.0, -2.0], requires_grad=True)
        optimizer = lib.optim.SGD([weight], lr=0.25)
        calls = []

        def closure(lib=lib, weight=weight, optimizer=optimizer, calls=calls):
            calls.append(lib.is_grad_enabled())
            optimizer.zero_grad()
            loss = (weight**2).sum()
            loss.backward()
            return loss

        with lib.no_grad():
            loss = optimizer.step(closure)
            assert not lib.is_grad_enabled()
        assert calls == [True]
        assert loss.item() == 5.0
        assert weight.tolist() == [0.5, -1.0]
        assert optimizer.step() is None


def test_a_failing_closure_leaves_the_grad_mode():
    optimizer = rl.optim.SGD([rl.zeros(1, requires_grad=True)])
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    assert rl.is_grad_enabled()


# Gradients through a step -------------------------------------------------------------------------


# PyTorch overwrites what it needs in the second step of two of them.
@pytest.mark.parametrize(
    ("kind", "options", "steps"),
    [
        ("SGD", {"momentum": 0.9, "weight_decay": 0.1, "dampening": 0.2}, 3),
        ("SGD", {"momentum": 0.9, "nesterov": True}, 3),
        ("Adam", {"weight_decay": 0.1}, 3),
        ("Adam", {"amsgrad": True}, 1),
        ("AdamW", {}, 3),
        ("RMSprop", {"momentum": 0.5, "centered": True, "eps": 1e-3}, 1),
        ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}, 3),
        ("Adadelta", {"eps": 1e-2}, 1),
        ("Adamax", {"weight_decay": 0.1}, 1),
        ("NAdam", {"weight_decay": 0.1}, 1),
        ("RAdam", {"betas": (0.6, 0.9)}, 1),
        ("ASGD", {"t0": 1, "lambd": 0.1}, 3),
        ("Rprop", {}, 1),
    ],
)
def test_gradients_flow_through_differentiable_steps(kind, options, steps):
    results = []
    for lib in LIBRARIES:
        start = lib.tensor([0.5, -1.5], dtype=lib.float64, requires_grad=True)
        scale = lib.tensor(0.75, dtype=lib.float64, requires_grad=True)
        param = start.clone()
        optimizer = getattr(lib.optim, kind)([param], lr=0.1, differentiable=True, **options)
        for factor in (1.0, 2.0, -0.5)[:steps]:
            param.grad = scale * factor * start
            optimizer.step()
        (param**2).sum().backward()
        results.append([array(param), start.grad.numpy(), scale.grad.numpy()])
    for theirs, ours in zip(*results, strict=True):
        # PyTorch works out the bias corrections of a differentiable Adam in float32.
        relative = 1e-5 if "Adam" in kind else 1e-10
        np.testing.assert_allclose(ours, theirs, rtol=relative, atol=1e-12)


def test_gradients_flow_to_a_differentiable_rate():
    results = []
    for lib in LIBRARIES:
        lr = lib.tensor(0.25, dtype=lib.float64, requires_grad=True)
        param = lib.tensor([1.0, 2.0], dtype=lib.float64, requires_grad=True).clone()
        optimizer = lib.optim.SGD([param], lr=lr, differentiable=True)
        param.grad = lib.tensor([3.0, -1.0], dtype=lib.float64)
        optimizer.step()
        param.sum().backward()
        results.append(lr.grad.item())
    assert results[0] == results[1] == -2.0


def test_a_differentiable_step_of_a_leaf_is_refused():
    for lib in LIBRARIES:
        param = lib.zeros(2, requires_grad=True)
        optimizer = lib.optim.SGD([param], lr=0.1, differentiable=True)
        param.grad = lib.ones(2)
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
            optimizer.step()


def test_differentiable_complex_is_refused():
    param = rl.zeros(2, dtype=rl.complex64)
    optimizer = rl.optim.SGD([param], lr=0.1, differentiable=True)
    param.grad = rl.ones(2, dtype=rl.complex64)
    with pytest.raises(NotImplementedError, match="complex parameters is not there yet"):
        optimizer.step()


# Faults in a step -------------------------------------------------------------------------------


def remembered(optimizer):
    state = optimizer.state_dict()["state"]
    return {k: {name: array(t).tolist() for name, t in v.items()} for k, v in state.items()}


def test_a_wrong_gradient_changes_nothing():
    one, two = rl.ones(3, requires_grad=True), rl.ones(2, requires_grad=True)
    groups = [{"params": [one]}, {"params": [two], "lr": 0.5}]
    optimizer = rl.optim.Adam(groups, lr=0.1)
    one.grad, two.grad = rl.ones(3), rl.ones(2)
    optimizer.step()
    values, state = (one.tolist(), two.tolist()), remembered(optimizer)
    optimizer.state[two]["exp_avg"] = rl.ones(5)
    state[1]["exp_avg"] = [1.0] * 5
    with pytest.raises(RuntimeError, match=r"a state of parameter 0 is f32\[5\]"):
        optimizer.step()
    assert (one.tolist(), two.tolist()) == values
    assert remembered(optimizer) == state


def test_a_first_step_that_failed_is_still_the_first():
    results = []
    for fail in (True, False):
        weight = rl.ones(2, requires_grad=True)
        other = rl.ones(2, requires_grad=True)
        groups = [{"params": [weight]}, {"params": [other]}]
        optimizer = rl.optim.SGD(groups, lr=0.5, momentum=0.9, dampening=0.5)
        weight.grad = rl.ones(2)
        if fail:
            optimizer.state[other]["momentum_buffer"] = rl.ones(7)
            other.grad = rl.ones(2)
            with pytest.raises(RuntimeError, match="a state of parameter 0"):
                optimizer.step()
            assert weight.node.inputs[0].op is not weight.node.op
            other.grad = None
        optimizer.step()
        (weight * 3).sum().backward()
        results.append((weight.tolist(), weight.grad.tolist()))
    assert results[0] == results[1] == ([0.5, 0.5], [4.0, 4.0])


def test_a_fault_found_in_the_computation_changes_nothing():
    table = rl.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    optimizer = rl.optim.Adam([table], lr=0.1)
    table[rl.tensor([0, 1])].sum().backward()
    optimizer.step()
    value, state = table.tolist(), remembered(optimizer)
    optimizer.zero_grad()
    with pytest.raises(IndexError, match="out of"):
        table[rl.tensor([0, 5])].sum().backward()
        optimizer.step()
    assert table.tolist() == value
    assert remembered(optimizer) == state
    optimizer.zero_grad()
    table[rl.tensor([0, 1])].sum().backward()
    optimizer.step()
    assert optimizer.state[table]["step"].item() == 2.0


def test_integers_are_refused():
    param = rl.tensor([1, 2])
    optimizer = rl.optim.SGD([param], lr=0.1)
    param.grad = rl.tensor([1, 2])
    with pytest.raises(RuntimeError, match="must not be a floating point number"):
        optimizer.step()


# One node, one program ---------------------------------------------------------------------------


def test_a_step_is_one_node():
    from rushlight.ops.update import adam_step

    run = Run(rl, "Adam", {})
    run.step()
    recorded = []
    record = adam_step.record
    adam_step.record = lambda *args: recorded.append(record(*args)) or recorded[-1]
    try:
        run.step()
        assert len(recorded) == 1
        run.step(without=(1,))
        run.step()
        assert len(recorded) == 4  # the frozen parameter is one step behind
    finally:
        del adam_step.record


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_change_make_no_new_program(kind):
    from rushlight.execute.realize import programs

    run = Run(rl, kind, DECAY.get(kind, {"weight_decay": 0.1}))
    run.step()
    run.step()
    if kind == "RAdam":  # which begins without knowing its mean square
        for _ in range(4):
            run.step()
    made, ran = programs.made, programs.ran
    for rate in (0.5, 0.25, 1, 0.0):
        run.optimizer.param_groups[0].update(lr=rate, weight_decay=0.2 + rate)
        run.step()
    assert programs.made == made
    assert programs.ran == ran + 4


def test_step_computes_and_releases():
    run = Run(rl, "Adam", {})
    for _ in range(3):
        run.step()
    for param in run.params:
        for tensor in (param, *run.optimizer.state[param].values()):
            node = shown(tensor.node)
            assert node.buffer is not None
            assert node.inputs == ()


def test_deepcopy_and_pickle_keep_stepping():
    run = Run(rl, "Adam", {})
    run.step()
    twins = copy.deepcopy((run.params, run.optimizer))
    twins = pickle.loads(pickle.dumps(twins))
    assert twins[1].param_groups[0]["params"][0] is twins[0][0]
    for params, optimizer in ((run.params, run.optimizer), twins):
        for param in params:
            param.grad = rl.full_like(param, 0.5)
        optimizer.step()
    for mine, copied in zip(run.params, twins[0], strict=True):
        assert mine.tolist() == copied.tolist()


@pytest.mark.parametrize(
    "name, options",
    [case for case in CASES if case[1].get("t0") != 0],  # averages from the second on
)
def test_the_first_step_is_the_program_of_all_steps(name, options):
    rl.manual_seed(0)
    model = rl.nn.Sequential(rl.nn.Linear(3, 4), rl.nn.Tanh(), rl.nn.Linear(4, 1))
    optimizer = getattr(rl.optim, name)(model.parameters(), **options)
    x, made = rl.from_numpy(np.ones((2, 3), np.float32)), []
    for _ in range(3):
        before = programs.made
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
        made.append(programs.made - before)
    assert made[0] <= 1 and made[1:] == [0, 0]


def test_parameters_have_their_values_once_an_optimizer_has_them():
    model = rl.nn.Linear(3, 4)
    rl.optim.SGD([{"params": [model.weight]}], lr=0.1).add_param_group({"params": [model.bias]})
    assert all(shown(param.node).buffer is not None for param in model.parameters())
