"""The memory forecast: against what the system counts, by hand, and that it touches nothing."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from twins import DATA, ours

import rushlight as rl
from rushlight import nn, optim
from rushlight.execute import tier
from rushlight.train import forecast as module
from rushlight.train.callbacks import MemoryCheck
from rushlight.train.forecast import available_memory, largest_batch, memory_forecast, resized

NEEDING = Path(__file__).with_name("needing.py")

# Beside what is forecast a process grows by LLVM's code and by what malloc keeps for later.
OVER, PROCESS = 1.12, 40e6
COST = 16e6


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
@pytest.mark.parametrize(
    "network",
    [
        "mlp",
        pytest.param("cnn", marks=pytest.mark.slow),
        pytest.param("gpt", marks=pytest.mark.slow),
    ],
)
def test_the_peak_is_what_the_system_counts(network):
    told = subprocess.run(
        [sys.executable, NEEDING, network], capture_output=True, text=True, check=True, timeout=300
    )
    forecast, cost, measured = map(int, told.stdout.split())
    assert forecast > 150e6
    assert forecast / 1.05 <= measured <= OVER * forecast + PROCESS
    assert cost < COST  # nothing of it was touched while it was forecast


def loss(model, x, y):
    return nn.functional.mse_loss(model(x), y)


def made(width=300, layers=1):
    model = nn.Sequential(*(nn.Linear(width, width, bias=False) for _ in range(layers)))
    return model, rl.zeros(64, width), rl.zeros(64, width)


@pytest.mark.parametrize(
    "kind, options, copies",
    [("SGD", {}, 0), ("SGD", {"momentum": 0.9}, 1), ("Adam", {}, 2)],
    ids=str,
)
def test_the_parts_are_those_of_the_model(kind, options, copies):
    model, x, y = made()
    optimizer = getattr(optim, kind)(model.parameters(), lr=0.1, **options)
    told = memory_forecast(model, loss, optimizer, x, y)
    weights = 300 * 300 * 4
    assert told.parameters == told.gradients == weights
    assert copies * weights <= told.optimizer <= copies * weights + 64
    assert told.batch == 2 * 64 * 300 * 4 and told.batch_size == 64
    assert told.total == sum(
        (told.parameters, told.gradients, told.optimizer, told.batch, told.activations)
    )
    assert "at its peak: 0.4 MB parameters" in str(told)


def test_activations_grow_with_batch_and_depth():
    def activations(batch, layers):
        model, _, _ = made(128, layers)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        told = memory_forecast(model, loss, optimizer, *(rl.zeros(batch, 128) for _ in range(2)))
        return told.activations

    one, two = activations(4096, 2), activations(8192, 2)
    assert 1.8 < two / one < 2.2
    each = 4096 * 128 * 4
    assert activations(4096, 6) - one >= 3 * each  # four layers more, whose inputs are kept


def test_nothing_is_changed():
    model = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 1))
    optimizer = optim.Adam(model.parameters())
    x, y = rl.randn(8, 6), rl.randn(8, 1)
    waiting = rl.randn(3) + 1  # computed before, and not by the rehearsal
    before = {name: one.numpy().copy() for name, one in model.state_dict().items()}
    draws = rl.get_rng_state()
    memory_forecast(model, loss, optimizer, x, y)
    for name, one in model.state_dict().items():
        np.testing.assert_array_equal(one.numpy(), before[name], err_msg=name)
    assert rl.equal(rl.get_rng_state(), draws)
    assert not optimizer.state and all(one.grad is None for one in model.parameters())
    assert (waiting.numpy() != 0).all()
    assert (rl.ones(3) + 1).tolist() == [2.0, 2.0, 2.0]  # and work goes on


def test_what_follows_is_computed_also_after_a_fault():
    model, x, y = made(8)

    def broken(model, x, y):
        (model(x).sum() + 1).item()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        memory_forecast(model, broken, optim.SGD(model.parameters(), lr=0.1), x, y)
    assert (rl.ones(2) * 3).tolist() == [3.0, 3.0]


def test_other_threads_go_on_computing():
    import threading

    model, x, y = made(8)
    found = []

    def elsewhere(model, x, y):
        other = threading.Thread(target=lambda: found.append((rl.ones(4) * 5).tolist()))
        other.start()
        other.join()
        return loss(model, x, y)

    memory_forecast(model, elsewhere, optim.SGD(model.parameters(), lr=0.1), x, y)
    assert found == [[5.0] * 4] * 2


def test_distributions_are_not_asked_of_zeros():
    def divergence(model, x, y):
        told = rl.distributions.Normal(model(x), model(y).exp())
        return rl.distributions.kl_divergence(told, rl.distributions.Normal(0.0, 1.0)).mean()

    model, x, y = made(8)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    assert memory_forecast(model, divergence, optimizer, x, y).total > 0
    with pytest.raises(ValueError, match="scale"):
        rl.distributions.Normal(0.0, -1.0)


def test_a_profiler_and_a_rehearsal_exclude_each_other():
    model, x, y = made(8)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with rl.profiler.profile(), pytest.raises(RuntimeError, match="observes"):
        memory_forecast(model, loss, optimizer, x, y)


@pytest.mark.parametrize("slope, allowed", [(10, 505), (7, 3000), (1000, 1500), (1000, 900)])
def test_the_largest_batch_is_found(slope, allowed):
    tried = []

    def peak(size):
        tried.append(size)
        return 100 + slope * size

    found = largest_batch(peak, 512, 100 + slope * 512, allowed)
    best = max((allowed - 100) // slope, 0)
    assert best - 10 <= found <= best and found in [*tried, 0]
    assert len(tried) <= 7


def test_a_batch_takes_another_size():
    batch = {"x": rl.ones(4, 3), "y": (rl.ones(4, dtype=rl.int64), rl.tensor(2.0)), "n": 4}
    other = resized(batch, 7)
    assert other["x"].shape == (7, 3) and other["y"][0].shape == (7,)
    assert other["y"][0].dtype == rl.int64 and other["y"][1] is batch["y"][1] and other["n"] == 4


def test_available_memory_is_the_least_of_machine_and_group(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(module, "GROUPS", tmp_path)
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    assert available_memory() == 5000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("100\n")
    assert available_memory() == 5000 * 1024
    (tmp_path / "memory.max").write_text("1000\n")
    assert available_memory() == 900
    (tmp_path / "memory.current").write_text("2000\n")
    assert available_memory() == 0


# In a Trainer.


class Wide(ours.Line):
    """With state of its own, and values that its step looks at."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(*(Block() for _ in range(4)))
        self.losses = []

    def forward(self, x):
        return self.layer(self.blocks(x.repeat(1, 64))[:, :4])

    def training_step(self, batch, batch_idx):
        loss = super().training_step(batch, batch_idx)
        self.losses.append(loss.item())
        return loss


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(256, 256), nn.GELU(), nn.Linear(256, 256), nn.GELU())

    def forward(self, x):
        return self.inner(x)


def fitted(folder, *callbacks, model=None, **options):
    rl.manual_seed(1)
    model = model or Wide()
    data = rl.utils.data.TensorDataset(rl.tensor(DATA).repeat(40, 1))
    loader = rl.utils.data.DataLoader(data, batch_size=240, shuffle=True)
    with tier.only("compiled"):
        trainer = ours.trainer(folder, max_epochs=2, callbacks=list(callbacks), **options)
        trainer.fit(model, loader)
    return model


@pytest.fixture
def told(monkeypatch):
    notes = []
    monkeypatch.setattr("rushlight.train.callbacks.memory_check.note", notes.append)
    return notes


def test_one_line_before_the_first_step_and_the_same_bits(tmp_path, told):
    check = MemoryCheck()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        watched = fitted(tmp_path, check)
    plain = fitted(tmp_path)
    assert len(told) == 1 and told[0].startswith("Memory: a training step needs")
    assert check.forecast.batch_size == 240
    assert len(watched.losses) == 4 and watched.losses == plain.losses
    for one, other in zip(watched.parameters(), plain.parameters(), strict=True):
        assert rl.equal(one, other)


def test_too_little_memory_is_told_with_what_would_fit(tmp_path, told):
    with pytest.warns(ResourceWarning, match="will not fit") as found:
        fitted(tmp_path, MemoryCheck(available=0), limit_train_batches=1)
    text = next(str(one.message) for one in found if "will not fit" in str(one.message))
    assert "checkpointed (rushlight.utils.checkpoint)" in text
    check = MemoryCheck()
    fitted(tmp_path, check, limit_train_batches=1)
    need = check.forecast.total
    model = Wide()
    present = sum(p.numel() * 4 for p in model.parameters()) + check.forecast.batch
    some = int(check.forecast.parameters * 2 + check.forecast.activations * 0.7) - present
    with pytest.raises(MemoryError, match=r"A batch of (\d+) would fit, instead of 240") as error:
        fitted(tmp_path, MemoryCheck("raise", available=some))
    size = int(str(error.value).partition("A batch of ")[2].split()[0])
    assert 24 <= size < 240 and need > some + present


def test_manual_optimization_and_accumulation(tmp_path, told):
    class ByHand(Wide):
        automatic_optimization = False

        def training_step(self, batch, batch_idx):
            optimizer = self.optimizers()
            optimizer.zero_grad()
            self.manual_backward(self.loss(batch))
            optimizer.step()

    check = MemoryCheck()
    fitted(tmp_path, check, model=ByHand(), limit_train_batches=1)
    assert check.forecast.gradients == check.forecast.parameters > 0
    check = MemoryCheck()
    fitted(tmp_path, check, accumulate_grad_batches=2)
    assert check.forecast.gradients == check.forecast.parameters > 0


def test_a_model_that_cannot_be_copied_is_trained_all_the_same(tmp_path, told):
    class Stubborn(Wide):
        def __deepcopy__(self, memo):
            raise TypeError("not to be copied")

    with pytest.warns(UserWarning, match="no forecast.*not to be copied"):
        model = fitted(tmp_path, MemoryCheck(), model=Stubborn(), limit_train_batches=1)
    assert len(model.losses) == 2 and told == []


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="excess"):
        MemoryCheck(excess="ignore")
