"""rushlight.cuda says what PyTorch says on a machine without CUDA devices."""

import pytest
import torch

import rushlight as rl

ANSWERS = [
    "is_available", "is_initialized", "is_bf16_supported", "device_count", "get_arch_list",
    "empty_cache", "memory_allocated", "max_memory_allocated", "memory_reserved",
    "max_memory_reserved", "seed", "seed_all",
]  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="PyTorch has a CUDA device here")
@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name):
    assert getattr(rl.cuda, name)() == getattr(torch.cuda, name)()


def test_seeding_does_nothing():
    rl.manual_seed(0)
    drawn = rl.rand(3).tolist()
    rl.manual_seed(0)
    rl.cuda.manual_seed(7)
    rl.cuda.manual_seed_all(7)
    assert rl.rand(3).tolist() == drawn


@pytest.mark.parametrize("name", ["current_device", "synchronize", "get_device_name"])
def test_what_needs_a_device_is_refused(name):
    with pytest.raises(RuntimeError, match="cuda is not available"):
        getattr(rl.cuda, name)()


def test_choosing_a_device_is_refused():
    with pytest.raises(RuntimeError, match="cuda is not available"):
        rl.cuda.set_device(0)
