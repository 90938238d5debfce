"""rushlight.compile: a replay gives what a plain call gives; what has none runs as it is."""

import gc
import math
import os
import random
import subprocess
import sys
import threading
import warnings
from datetime import datetime

import numpy as np
import pytest

import rushlight as rl
import rushlight.nn.functional as F
from rushlight import nn

SCALE = 2.0
CONFIG = {"scale": 3.0, "names": ["a"]}
SEEN = []


def replays(fn, *args):
    """The result of a second call, which must not run the function's Python code."""
    compiled = rl.compile(fn, fullgraph=True)
    compiled(*args)
    assert len(compiled._recipes) == 1
    ((key, recipe),) = compiled._recipes.items()
    calls = []
    compiled._recipes[key] = lambda given: (calls.append(1), recipe(given))[1]
    result = compiled(*args)
    assert calls == [1]
    return result


def same(a, b):
    # The two may have run in different tiers, which agree to rounding.
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-6, atol=1e-7)
    assert a.requires_grad == b.requires_grad and a.shape == b.shape and a.stride() == b.stride()


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x * 2 + 1,
        lambda x: (x + 1).T,
        lambda x: x.T.reshape(-1)[2:5],
        lambda x: (x.exp() - x.mean(dim=0, keepdim=True)).relu_(),
        lambda x: rl.zeros(3) + x.sum() * rl.arange(3),
        lambda x: x,
        lambda x: x.max(dim=1).values,
        lambda x: F.softmax(x.unsqueeze(0), -1).squeeze(0),
        lambda x: x.detach() * x,
    ],
)
def test_pure_functions(fn):
    for grad in (False, True):
        x = rl.randn(4, 5, requires_grad=grad)
        same(replays(fn, x), fn(x))


def test_trees_of_results_keep_identity_and_sharing():
    def fn(x, scale):
        y = x * scale
        return {"y": y, "both": (y, [y.t(), 3, None, "a"])}

    found = replays(fn, rl.ones(2, 3), 2.0)
    assert found["y"] is found["both"][0] and found["both"][1][1:] == [3, None, "a"]
    found["y"][0, 1] = 9.0
    assert found["both"][1][0][1, 0].item() == 9.0


def test_another_value_shape_dtype_number_and_mode_are_seen():
    fn = rl.compile(lambda x, n: x * n + SCALE, fullgraph=True)
    for x in (rl.ones(3), rl.zeros(3), rl.ones(2, 2), rl.ones(3, dtype=rl.float64)):
        for n in (1, 1.0, True, -0.0, 0.0):
            same(fn(x, n), x * n + SCALE)
            assert fn(x, n).dtype == (x * n + SCALE).dtype
    weight = rl.ones(3, requires_grad=True)
    assert fn(weight, 2).requires_grad
    with rl.no_grad():
        assert not fn(weight, 2).requires_grad
    assert fn(weight, 2).requires_grad


def test_what_others_run_when_garbage_is_collected_is_no_part_of_a_function():
    seen = []

    def collected(phase, info):
        global LAST  # as test tools note when a collection began
        LAST = phase
        seen.append(phase)

    threshold = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    try:
        fn = rl.compile(lambda x: [x * k for k in range(50)][-1] + 1, fullgraph=True)
        same(fn(rl.ones(3)), rl.ones(3) * 49 + 1)
    finally:
        gc.callbacks.remove(collected)
        gc.set_threshold(*threshold)
    assert gc.isenabled() and seen


def test_gradients_flow_through_a_replay():
    fn = rl.compile(lambda x, w: (x @ w).tanh().sum(), fullgraph=True)
    x, w = rl.randn(3, 4), rl.randn(4, 2, requires_grad=True)
    for _ in range(3):
        w.grad = None
        fn(x, w).backward()
        expected = rl.autograd.grad((x @ w).tanh().sum(), w)[0]
        same(w.grad, expected)


class Net(nn.Module):
    gain = 1.5

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 2)
        self.drop, self.factor = nn.Dropout(0.5), 2.0

    def forward(self, x):
        return self.second(self.drop(self.first(x).relu())) * self.factor * self.gain


def test_modules_use_their_parameters_of_now():
    net = Net().eval()
    fast = rl.compile(net, fullgraph=True)
    x = rl.randn(5, 4)
    for _ in range(3):
        same(fast(x), net(x))
        with rl.no_grad():
            net.first.weight.mul_(2)
    assert len(fast._recipes) == 1
    net.second.bias = nn.Parameter(rl.ones(2))
    same(fast(x), net(x))
    net.factor = 5.0
    same(fast(x), net(x))
    Net.gain = 2.5
    try:
        same(fast(x), net(x))
    finally:
        Net.gain = 1.5
    assert list(fast.state_dict()) == list(net.state_dict()) and fast.factor == 5.0
    fast.factor = 1.0
    assert net.factor == 1.0


def test_training_loop_around_a_compiled_model():
    x, y = rl.randn(16, 4), rl.randn(16, 2)
    losses = []
    for make in (lambda net: net, lambda net: rl.compile(net, fullgraph=True)):
        rl.manual_seed(3)
        net = Net()
        model = make(net)
        optimizer = rl.optim.Adam(net.parameters(), lr=0.01)
        losses.append([])
        for step in range(5):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
            net.train(step % 2 == 0)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_random_numbers_are_drawn_anew():
    def fn(x, generator):
        return F.dropout(x, 0.5) + rl.rand(3, generator=generator)

    fast, x = rl.compile(fn, fullgraph=True), rl.ones(3)
    found = []
    for function in (fn, fast):
        rl.manual_seed(1)
        generator = rl.Generator().manual_seed(5)
        found.append([function(x, generator).tolist() for _ in range(4)])
    np.testing.assert_allclose(*found, rtol=1e-6)
    assert len({tuple(each) for each in found[0]}) == 4


def test_globals_and_closures_are_seen():
    global SCALE
    inner = 1.0

    def fn(x):
        return x * SCALE + CONFIG["scale"] * inner

    fast, x = rl.compile(fn, fullgraph=True), rl.ones(2)
    try:
        for SCALE in (2.0, 4.0):  # noqa: B007
            for CONFIG["scale"] in (1.0, 2.0):
                for inner in (1.0, 3.0):  # noqa: B007
                    same(fast(x), fn(x))
                    same(fast(x), fn(x))
    finally:
        SCALE, CONFIG["scale"] = 2.0, 3.0


OTHER = 1.0


def test_globals_of_another_branch_are_seen():
    global OTHER
    fast = rl.compile(pick, fullgraph=True)
    x = rl.ones(1)
    assert fast(x, scaled).item() == 2.0
    try:
        for OTHER in (1.0, 5.0):
            assert fast(x, moved).item() == fast(x, moved).item() == 1 + OTHER
    finally:
        OTHER = 1.0


def scaled(x):
    return x * SCALE


def moved(x):
    return x + OTHER


def pick(x, how):
    return how(x)


def test_a_model_that_was_refused_in_training_is_replayed_in_evaluation():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    fast, x = rl.compile(net), rl.randn(5, 3)
    with pytest.warns(UserWarning, match="runs as it is"):
        fast(x)
    net.eval()
    same(fast(x), net(x))
    assert [recipe is None for recipe in fast._recipes.values()] == [True, False]
    same(fast(x), net(x))


def test_two_tensors_that_are_one_are_not_two():
    fn, a, b = rl.compile(lambda x, y: x - y, fullgraph=True), rl.ones(2), rl.zeros(2)
    assert fn(a, a).tolist() == [0, 0] and fn(a, b).tolist() == [1, 1]
    assert fn(a, a.detach()).tolist() == [0, 0] and fn(b, a).tolist() == [-1, -1]


class Holder:
    table = None


def test_gradients_and_attributes_of_tensors_are_inputs():
    fn = rl.compile(lambda x: x + x.grad * x.rate, fullgraph=True)
    x = rl.ones(2, requires_grad=True)
    for rate in (1.0, 2.0):
        x.rate = rate
        for value in (1.0, 3.0):
            x.grad = None
            (x * value).sum().backward()
            assert fn(x).tolist() == fn(x).tolist() == [1 + value * rate] * 2


def test_hidden_tensors_are_refused_even_when_they_wait():
    for table in (rl.tensor([1.0, 2.0]), rl.ones(2) * 3):
        Holder.table = table
        with pytest.raises(RuntimeError, match="reads a tensor that is no argument"):
            rl.compile(lambda x: x + Holder.table, fullgraph=True)(rl.ones(2))


def test_two_threads_record_at_once():
    fn = rl.compile(lambda x: (x * 2).relu(), fullgraph=True)
    found = []

    def work(n):
        found.extend(fn(rl.ones(n)).sum().item() == 2 * n for _ in range(5))

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


def changes_a_list(x):
    SEEN.append(1)
    return x * 1


def stores_a_global(x):
    global SEEN
    SEEN = []
    return x


def helper(x):
    return x.exp()


def calls_a_helper(x):
    return helper(x) * math.sqrt(len(x))


REFUSED = {
    "looks at a value": lambda x: x if x.sum() > 0 else -x,
    r"looks at a value \(test_compile.py:.*item": lambda x: x * x.sum().item(),
    "changes a tensor": lambda x: x.add_(1),
    r"calls print\(\)": lambda x: (print("hello"), x)[1],
    "changes a list": changes_a_list,
    "effects .store global": stores_a_global,
    r"calls random\(\)": lambda x: x * random.random(),
    r"calls now\(\)": lambda x: x * datetime.now().year,
    "changes a tensor that existed": lambda x: (x[0].add_(1), x * 2)[1],
    "makes one of Python's data": lambda x: x + rl.tensor([1.0, 2.0]),
    r"calls backward\(\)": lambda x: (x.requires_grad_() * 2).sum().backward(),
    "view of a tensor that existed": lambda x: x[:1],
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_replayed_runs_as_it_is(why):
    fn = REFUSED[why]
    with pytest.warns(UserWarning, match=f"runs as it is.*{why}"):
        fast = rl.compile(fn)
        fast(rl.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result, expected = fast(rl.ones(2)), fn(rl.ones(2))
    if expected is not None and "random" not in why:
        same(result, expected)
    with pytest.raises(RuntimeError, match=f"cannot be replayed.*{why}"):
        rl.compile(fn, fullgraph=True)(rl.ones(2))


def test_helpers_are_fine():
    x = rl.rand(3)
    same(replays(calls_a_helper, x), calls_a_helper(x))


def test_memory_shared_with_numpy_is_refused():
    with pytest.warns(UserWarning, match="NumPy"):
        rl.compile(lambda x: x * 2)(rl.from_numpy(np.ones(3)))


def test_exceptions_pass_and_leave_nothing():
    fast = rl.compile(lambda x: x @ x, fullgraph=True)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="matmul"):
            fast(rl.ones(2, 3))
    assert not fast._recipes
    assert fast(rl.ones(2, 2)).tolist() == [[2, 2], [2, 2]]


def test_nested_functions_are_one():
    inner = rl.compile(helper)

    def fn(x):
        return inner(x) + 1

    x = rl.rand(3)
    same(replays(fn, x), helper(x) + 1)


def test_decorator_methods_and_arguments():
    class Model:
        def __init__(self):
            self.factor = 2.0

        @rl.compile(fullgraph=True)
        def double(self, x):
            """Twice."""
            return x * self.factor

    model = Model()
    assert model.double(rl.ones(1)).item() == 2
    model.factor = 3.0
    assert model.double(rl.ones(1)).item() == 3 and Model.double.__doc__ == "Twice."
    assert rl.compile(helper, disable=True) is helper
    with pytest.raises(RuntimeError, match="mode or options"):
        rl.compile(helper, mode="default", options={})


FIRST_USE = """
import rushlight as rl
fn = rl.compile(lambda x: (x * 2).relu().cosh().sum(), fullgraph=True)
x = rl.ones(3)
rl.realize(x)
assert fn(x).item() == fn(x).item() and len(fn._recipes) == 1
"""


def test_what_is_loaded_when_it_is_first_used_has_no_effect():
    command = [sys.executable, "-W", "error", "-c", FIRST_USE]
    subprocess.run(command, env={**os.environ, "RUSHLIGHT_TIER": "reference"}, check=True)
