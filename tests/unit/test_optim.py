"""The Optimizer's protocol: groups, state dicts, hooks, messages; PyTorch's where there are two."""

import copy
import importlib
import pickle
import warnings
import weakref

import numpy as np
import pytest
import torch

import rushlight as rl

LIBRARIES = (torch, rl)
FULL = {
    "SGD": {"momentum": 0.9},
    "Adam": {"amsgrad": True},
    "AdamW": {"lr": 0.1},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adagrad": {"lr_decay": 0.1, "initial_accumulator_value": 0.5},
    "Adadelta": {"rho": 0.5},
    "Adamax": {"eps": 1e-3},
    "NAdam": {"momentum_decay": 0.1},
    "RAdam": {"betas": (0.5, 0.7)},
    "ASGD": {"t0": 1},
    "Rprop": {"lr": 0.1},
    "Adafactor": {"d": 1.5},
}
KINDS = list(FULL)


def weights(lib, *shapes):
    return [lib.ones(shape, requires_grad=True) for shape in shapes]


def stepped(lib, kind, options=None, steps=3):
    """An optimizer of two groups after some steps, and its parameters."""
    params = weights(lib, (2, 3), (2,), ())
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 0.05}]
    optimizer = getattr(lib.optim, kind)(groups, **(options or FULL[kind]))
    for number in range(steps):
        step(lib, optimizer, params, number)
    return optimizer, params


def step(lib, optimizer, params, number):
    for index, param in enumerate(params):
        param.grad = lib.full_like(param, 0.25 * (number + 1) - 0.5 * index)
    optimizer.step()


def translated(value, lib):
    """A state dict with the tensors of another library."""
    if isinstance(value, (torch.Tensor, rl.Tensor)):
        array = value.detach().numpy()
        return lib.tensor(np.array(array), dtype=getattr(lib, array.dtype.name))
    if isinstance(value, dict):
        return {key: translated(item, lib) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(translated(item, lib) for item in value)
    return value


def lists(params):
    return [param.tolist() for param in params]


# State dicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, None], ids=["plain", "full"])
def test_state_dict_has_torchs_form(kind, options):
    theirs = stepped(torch, kind, options)[0].state_dict()
    ours = stepped(rl, kind, options)[0].state_dict()
    assert ours["param_groups"] == theirs["param_groups"]
    assert ours["state"].keys() == theirs["state"].keys()
    for index, memory in theirs["state"].items():
        assert list(ours["state"][index]) == list(memory)
        for key, tensor in memory.items():
            mine = ours["state"][index][key]
            assert (str(mine.dtype), tuple(mine.shape)) == (str(tensor.dtype), tuple(tensor.shape))
            np.testing.assert_allclose(mine.numpy(), tensor.numpy(), rtol=1e-6)


def test_state_dict_before_any_step():
    for kind in KINDS:
        theirs = stepped(torch, kind, steps=0)[0].state_dict()
        ours = stepped(rl, kind, steps=0)[0].state_dict()
        assert str(ours) == str(theirs)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("source", "target"), [(torch, rl), (rl, torch), (rl, rl)])
def test_training_goes_on_from_the_others_state(kind, source, target):
    old, old_params = stepped(source, kind)
    new, new_params = stepped(target, kind, steps=0)
    for param, trained in zip(new_params, old_params, strict=True):
        param.data = translated(trained, target)
    new.load_state_dict(translated(old.state_dict(), target))
    for number in range(3, 6):
        step(source, old, old_params, number)
        step(target, new, new_params, number)
    for trained, param in zip(old_params, new_params, strict=True):
        np.testing.assert_allclose(
            param.detach().numpy(), trained.detach().numpy(), rtol=2e-6, atol=1e-7
        )
        if param in new.state:
            for key, value in old.state[trained].items():
                np.testing.assert_allclose(new.state[param][key].numpy(), value.numpy(), rtol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_state_travels_by_pickle(kind):
    old, old_params = stepped(rl, kind)
    state = pickle.loads(pickle.dumps(old.state_dict()))
    new, new_params = stepped(rl, kind, steps=1)
    for param, trained in zip(new_params, old_params, strict=True):
        param.data = trained.detach().clone()
    new.load_state_dict(state)
    step(rl, old, old_params, 3)
    step(rl, new, new_params, 3)
    assert lists(new_params) == lists(old_params)


def test_loaded_tensors_are_copies():
    old, old_params = stepped(rl, "Adam")
    new, new_params = stepped(rl, "Adam", steps=0)
    state = old.state_dict()
    new.load_state_dict(state)
    step(rl, new, new_params, 0)
    assert old.state[old_params[0]]["step"].item() == 3.0
    assert new.state[new_params[0]]["step"].item() == 4.0
    assert state["state"][0]["exp_avg"] is old.state[old_params[0]]["exp_avg"]
    assert new.param_groups[0]["params"][0] is new_params[0]


def test_old_states_lack_options_and_count_in_numbers():
    optimizer, params = stepped(rl, "Adam", {})
    state = optimizer.state_dict()
    for group in state["param_groups"]:
        for name in ("amsgrad", "maximize", "foreach", "capturable", "fused"):
            del group[name]
    for memory in state["state"].values():
        memory["step"] = 3
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["amsgrad"] is False
    step(rl, optimizer, params, 3)
    assert optimizer.state[params[0]]["step"].item() == 4.0


def test_a_buffer_saved_as_none_begins_anew():
    for lib in LIBRARIES:
        optimizer, params = stepped(lib, "SGD")
        state = optimizer.state_dict()
        for memory in state["state"].values():
            memory["momentum_buffer"] = None
        optimizer.load_state_dict(state)
        step(lib, optimizer, params, 1)
        assert optimizer.state[params[0]]["momentum_buffer"].tolist() == [[0.5] * 3] * 2


def test_loaded_state_takes_the_parameters_dtype_but_the_count_does_not():
    state = stepped(rl, "Adam")[0].state_dict()
    params = [p.detach().to(rl.bfloat16).requires_grad_() for p in weights(rl, (2, 3), (2,), ())]
    optimizer = rl.optim.Adam([{"params": params[:2]}, {"params": params[2:]}], amsgrad=True)
    optimizer.load_state_dict(state)
    memory = optimizer.state[params[0]]
    assert memory["exp_avg"].dtype is rl.bfloat16
    assert memory["step"].dtype is rl.float32


def test_adamw_stays_decoupled():
    for lib in LIBRARIES:
        adam, _ = stepped(lib, "Adam")
        adamw, _ = stepped(lib, "AdamW")
        assert isinstance(adamw, lib.optim.Adam)
        adamw.load_state_dict(adam.state_dict())
        assert adamw.param_groups[0]["decoupled_weight_decay"] is True


def test_state_of_something_else_is_kept():
    for lib in LIBRARIES:
        optimizer, _ = stepped(lib, "SGD")
        optimizer.state["note"] = {"epoch": 7}
        state = optimizer.state_dict()
        other, _ = stepped(lib, "SGD", steps=0)
        other.load_state_dict(state)
        assert other.state["note"] == {"epoch": 7}


MISFITS = [
    lambda state: state["param_groups"].pop(),
    lambda state: state["param_groups"][0]["params"].append(9),
]


@pytest.mark.parametrize("spoil", MISFITS)
def test_states_that_do_not_fit(spoil):
    messages = []
    for lib in LIBRARIES:
        optimizer, _ = stepped(lib, "Adam")
        state = copy.deepcopy(optimizer.state_dict())
        spoil(state)
        with pytest.raises(ValueError, match="loaded state dict") as caught:
            optimizer.load_state_dict(state)
        messages.append(str(caught.value))
    assert messages[0] in messages[1]


def test_names_of_parameters_are_saved():
    states = []
    for lib in LIBRARIES:
        model = [("first", weights(lib, (2,))[0]), ("second", weights(lib, (3,))[0])]
        optimizer = lib.optim.SGD(model, lr=0.1)
        state = optimizer.state_dict()
        assert state["param_groups"][0]["param_names"] == ["first", "second"]
        state["param_groups"][0]["param_names"] = ["a", "b"]
        optimizer.load_state_dict(state)
        states.append(optimizer.state_dict()["param_groups"])
        unnamed = lib.optim.SGD(weights(lib, (2,), (3,)), lr=0.1)
        optimizer.load_state_dict(unnamed.state_dict())
        states.append(optimizer.state_dict()["param_groups"])
    assert states[:2] == states[2:]
    assert states[1][0]["param_names"] == ["a", "b"]


def test_pickled_optimizers():
    optimizer, _ = stepped(rl, "Adam")
    again = pickle.loads(pickle.dumps(optimizer))
    assert str(again) == str(optimizer)
    step(rl, again, [p for g in again.param_groups for p in g["params"]], 3)
    assert optimizer.register_step_pre_hook(print).id >= 0


# Groups -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_repr_is_torchs(kind):
    theirs, ours = (stepped(lib, kind)[0] for lib in LIBRARIES)
    assert repr(ours) == repr(theirs)


def leafless(lib):
    return lib.ones(2, requires_grad=True) * 2


MISTAKES = [
    lambda lib: lib.optim.SGD(lib.ones(2, requires_grad=True)),
    lambda lib: lib.optim.SGD([]),
    lambda lib: lib.optim.SGD([{"params": {lib.ones(2)}}]),
    lambda lib: lib.optim.SGD([1.0]),
    lambda lib: lib.optim.SGD(["weight"]),
    lambda lib: lib.optim.SGD([lib.ones(2), None]),
    lambda lib: lib.optim.SGD([leafless(lib)]),
    lambda lib: lib.optim.SGD([{"params": weights(lib, (2,))}, weights(lib, (2,))[0]]),
    lambda lib: lib.optim.SGD([("a", lib.ones(2)), lib.ones(2)]),
    lambda lib: lib.optim.SGD([{"params": w} for w in [weights(lib, (2,))] * 2]),
    lambda lib: lib.optim.SGD([("a", lib.ones(2))]).add_param_group({"params": [lib.ones(2)]}),
    lambda lib: lib.optim.SGD([lib.ones(2)]).add_param_group({"params": [("a", lib.ones(2))]}),
    lambda lib: lib.optim.SGD([lib.ones(2)]).add_param_group([lib.ones(2)]),
    lambda lib: lib.optim.SGD([lib.ones(2)]).add_param_group({"lr": 1.0}),
    lambda lib: lib.optim.Optimizer([lib.ones(2)], {}).step(),
    lambda lib: lib.optim.SGD([lib.ones(2)], lr=-0.1),
    lambda lib: lib.optim.SGD([lib.ones(2)], lr="0.1"),
    lambda lib: lib.optim.SGD([lib.ones(2)], lr=None),
    lambda lib: lib.optim.SGD([lib.ones(2)], lr=lib.ones(2)),
    lambda lib: lib.optim.SGD([lib.ones(2)], lr=lib.tensor(-1.0)),
    lambda lib: lib.optim.SGD([lib.ones(2)], momentum=-0.1),
    lambda lib: lib.optim.SGD([lib.ones(2)], weight_decay=-0.1),
    lambda lib: lib.optim.SGD([lib.ones(2)], nesterov=True),
    lambda lib: lib.optim.SGD([lib.ones(2)], nesterov=True, momentum=0.9, dampening=0.1),
    lambda lib: lib.optim.SGD([lib.ones(2)], fused=True, foreach=True),
    lambda lib: lib.optim.SGD([lib.ones(2)], fused=True, differentiable=True),
    lambda lib: lib.optim.Adam([lib.ones(2)], lr=-1),
    lambda lib: lib.optim.Adam([lib.ones(2)], lr=float("nan")),
    lambda lib: lib.optim.Adam([lib.ones(2)], lr=lib.ones(1, 2)),
    lambda lib: lib.optim.Adam([lib.ones(2)], lr=lib.tensor(0.1), foreach=True),
    lambda lib: lib.optim.Adam([lib.ones(2)], eps=-1e-8),
    lambda lib: lib.optim.Adam([lib.ones(2)], betas=(1.0, 0.9)),
    lambda lib: lib.optim.Adam([lib.ones(2)], betas=(0.9, -0.1)),
    lambda lib: lib.optim.Adam([lib.ones(2)], betas=(0.9, lib.tensor(0.9))),
    lambda lib: lib.optim.Adam([lib.ones(2)], betas=(0, 0)),
    lambda lib: lib.optim.Adam([lib.ones(2)], betas=(lib.tensor(0.5), lib.tensor(0.9)), foreach=1),
    lambda lib: lib.optim.Adam([lib.ones(2)], betas=0.9),
    lambda lib: lib.optim.Adam([lib.ones(2)], weight_decay=-1),
    lambda lib: lib.optim.Adam([lib.ones(2)], fused=True, foreach=True),
    lambda lib: lib.optim.Adam([lib.ones(2)], fused=True, differentiable=True),
    lambda lib: lib.optim.AdamW([lib.ones(2)], 0.1, (0.9, 0.99), 1e-8, 0.1, False, False),
    lambda lib: lib.optim.RMSprop([lib.ones(2)], lr=-1),
    lambda lib: lib.optim.RMSprop([lib.ones(2)], eps=-1),
    lambda lib: lib.optim.RMSprop([lib.ones(2)], alpha=-1),
    lambda lib: lib.optim.RMSprop([lib.ones(2)], momentum=-1),
    lambda lib: lib.optim.RMSprop([lib.ones(2)], weight_decay=-1),
    lambda lib: lib.optim.Adagrad([lib.ones(2)], lr=-1),
    lambda lib: lib.optim.Adagrad([lib.ones(2)], lr_decay=-1),
    lambda lib: lib.optim.Adagrad([lib.ones(2)], weight_decay=-1),
    lambda lib: lib.optim.Adagrad([lib.ones(2)], initial_accumulator_value=-1),
    lambda lib: lib.optim.Adagrad([lib.ones(2)], eps=-1),
    lambda lib: lib.optim.Adagrad([lib.ones(2)], fused=True, foreach=True),
]
# What PyTorch leaves to Python's own words, or says with a name of its own.
OWN_WORDS = ("supported between", "torch.FloatTensor", "<class", "NoneType", "subscriptable")


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_raise_as_in_torch(number):
    mistake = MISTAKES[number]
    with pytest.raises(Exception) as theirs:
        mistake(torch)
    with pytest.raises(theirs.type) as ours:
        mistake(rl)
    words = str(theirs.value).strip("'")
    if not any(own in words for own in OWN_WORDS):
        assert words in str(ours.value)


def test_required_options():
    from rushlight.optim.optimizer import required

    class Plain(rl.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": required})

    assert repr(required) == "<required parameter>"
    Plain([{"params": [rl.ones(2)], "lr": 1.0}])
    with pytest.raises(ValueError, match=r"didn't specify a value of required .* lr"):
        Plain([rl.ones(2)])


def test_the_line_at_fault_is_named():
    with pytest.raises(ValueError, match=r"recorded at test_optim.py:\d+: rl.optim.SGD"):
        rl.optim.SGD([rl.ones(2)], lr=-1)


def test_groups_may_be_generators_and_one_tensor():
    for lib in LIBRARIES:
        pool = weights(lib, (1,), (2,), (3,))
        optimizer = lib.optim.SGD([{"params": (p for p in pool[:2])}, {"params": pool[2]}])
        assert [len(group["params"]) for group in optimizer.param_groups] == [2, 1]
        single = lib.optim.SGD(p for p in pool)
        assert single.param_groups[0]["params"][2] is pool[2]


def test_leaves_that_need_no_gradient_are_taken():
    optimizer = rl.optim.Adam([rl.ones(2)])
    optimizer.step()
    assert optimizer.state == {}


def test_duplicates_are_warned_about_at_the_users_line():
    weight = rl.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="duplicate parameters") as caught:
        rl.optim.SGD([weight, weight])
    assert len(caught) == 1


# Gradients --------------------------------------------------------------------------------------


def test_zero_grad():
    for lib in LIBRARIES:
        one, two = weights(lib, (2,), (2,))
        optimizer = lib.optim.SGD([one, two])
        (one * 3).sum().backward()
        grad = one.grad
        optimizer.zero_grad(set_to_none=False)
        assert one.grad is grad
        assert grad.tolist() == [0.0, 0.0]
        assert two.grad is None
        optimizer.zero_grad()
        assert one.grad is None


def test_zero_grad_cuts_the_history_of_a_gradient():
    for lib in LIBRARIES:
        (weight,) = weights(lib, (2,))
        (weight**3).sum().backward(create_graph=True)
        assert weight.grad.requires_grad
        lib.optim.SGD([weight]).zero_grad(set_to_none=False)
        assert not weight.grad.requires_grad


# Hooks ------------------------------------------------------------------------------------------


def hook_script(lib):
    everywhere = importlib.import_module(f"{lib.__name__}.optim.optimizer")
    (weight,) = weights(lib, (2,))
    optimizer = lib.optim.SGD([weight], lr=0.5)
    seen = []

    def note(name):
        def hook(hooked, args, kwargs):
            assert hooked is optimizer
            assert args[0] is optimizer
            seen.append((name, len(args), sorted(kwargs), weight.tolist()))

        return hook

    handles = [
        optimizer.register_step_pre_hook(note("before")),
        optimizer.register_step_post_hook(note("after")),
        everywhere.register_optimizer_step_pre_hook(note("before all")),
        everywhere.register_optimizer_step_post_hook(note("after all")),
    ]
    weight.grad = lib.ones(2)
    optimizer.step()
    optimizer.step(lambda: 1)
    optimizer.step(closure=None)
    for handle in handles:
        handle.remove()
    optimizer.step()
    return seen


def test_step_hooks_as_in_torch():
    theirs = hook_script(torch)
    assert hook_script(rl) == theirs
    assert [name for name, *_ in theirs[:4]] == ["before all", "before", "after", "after all"]


def test_a_hook_may_change_the_arguments():
    for lib in LIBRARIES:
        optimizer = lib.optim.SGD(weights(lib, (2,)))
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 5), {}))
        assert optimizer.step() == 5
        optimizer.register_step_pre_hook(lambda o, args, kwargs: 7)
        with pytest.raises(RuntimeError, match="must return None or a tuple of"):
            optimizer.step()


def test_state_dict_hooks_as_in_torch():
    for lib in LIBRARIES:
        optimizer = lib.optim.SGD(weights(lib, (2,)))
        seen = []
        optimizer.register_state_dict_pre_hook(lambda o, seen=seen: seen.append("pre"))
        first = optimizer.register_state_dict_pre_hook
        first(lambda o, seen=seen: seen.append("first"), prepend=True)
        optimizer.register_state_dict_post_hook(lambda o, s: {**s, "extra": 1})
        state = optimizer.state_dict()
        assert seen == ["first", "pre"]
        assert state["extra"] == 1

        def drop(o, given, seen=seen):
            seen.append(given.pop("extra"))

        optimizer.register_load_state_dict_pre_hook(drop)
        optimizer.register_load_state_dict_post_hook(lambda o, seen=seen: seen.append("loaded"))
        optimizer.load_state_dict(state)
        assert seen[2:] == [1, "loaded"]
        assert state["extra"] == 1


def test_hooks_run_once_around_an_overridden_step():
    class Twice(rl.optim.SGD):
        def step(self, closure=None):
            super().step()
            return super().step(closure)

    (weight,) = weights(rl, (1,))
    optimizer = Twice([weight], lr=0.25)
    seen = []
    optimizer.register_step_post_hook(lambda *args: seen.append(1))
    weight.grad = rl.ones(1)
    optimizer.step()
    assert seen == [1]
    assert weight.tolist() == [0.5]


def test_optimizers_of_ones_own():
    class Signs(rl.optim.Optimizer):
        def __init__(self, params, lr=0.5):
            super().__init__(params, {"lr": lr})

        @rl.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p]["seen"] = self.state[p].get("seen", 0) + 1
                    p.add_(p.grad / p.grad.abs(), alpha=-group["lr"])

    (weight,) = weights(rl, (2,))
    optimizer = Signs([weight])
    (weight * rl.tensor([2.0, -3.0])).sum().backward()
    optimizer.step()
    assert weight.tolist() == [0.5, 1.5]
    assert optimizer.state_dict()["state"] == {0: {"seen": 1}}


def test_optimizers_are_let_go():
    optimizer, params = stepped(rl, "Adam")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rl.optim.lr_scheduler.StepLR(optimizer, 1).step()
    gone, weight_gone = weakref.ref(optimizer), weakref.ref(params[0])
    del optimizer, params
    assert gone() is None
    assert weight_gone() is None
