"""The function of an exported model: what it refuses, threads, and several at the same time."""

import ctypes
import subprocess

import numpy as np
import pytest
from c_caller import build, needs
from c_models import made, program_of

import rushlight as rl
from rushlight import nn
from rushlight.ahead.c.archive import archive
from rushlight.ahead.c.write import check, library
from rushlight.ahead.entry import entry
from rushlight.ahead.exported import model_of
from rushlight.ahead.here import Here, Memory
from rushlight.ahead.machines import machine_of
from rushlight.export import Dim, export

# Two threads call the function on different inputs at the same time, again and again; then the same
# is done with one call's work shared by four threads. All bits must be the same.
THREADED = """
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "@.h"

#define ROWS 3
#define WORKERS 4

static float inputs[2][@U@_INPUT_COUNT(ROWS)], first[2][@U@_OUTPUT_COUNT(ROWS)];

static void *again(void *argument)
{
    int which = *(int *)argument, k;
    void *workspace = malloc(@U@_WORKSPACE_SIZE);
    float found[@U@_OUTPUT_COUNT(ROWS)];
    for (k = 0; k < 2000; k++)
        if (@_run(inputs[which], found, workspace, ROWS) != 0
            || memcmp(found, first[which], sizeof found) != 0)
            exit(5);
    free(workspace);
    return NULL;
}

struct share { @_task *task; void *work; int64_t pieces, worker; };

static void *some(void *argument)
{
    struct share *share = argument;
    int64_t k;
    for (k = share->worker; k < share->pieces; k += WORKERS)
        share->task(share->work, k, share->worker);
    return NULL;
}

static void parallel(void *context, @_task *task, void *work, int64_t pieces)
{
    pthread_t threads[WORKERS];
    struct share shares[WORKERS];
    int64_t k;
    ++*(int *)context;
    for (k = 0; k < WORKERS; k++) {
        shares[k].task = task;
        shares[k].work = work;
        shares[k].pieces = pieces;
        shares[k].worker = k;
        pthread_create(&threads[k], NULL, some, &shares[k]);
    }
    for (k = 0; k < WORKERS; k++)
        pthread_join(threads[k], NULL);
}

int main(void)
{
    pthread_t threads[2];
    int which[2] = {0, 1}, k, calls = 0;
    void *workspace = malloc(@U@_WORKSPACE_SIZE + (WORKERS - 1) * @U@_SCRATCH_SIZE);
    const void *given[1];
    void *made[1];
    float found[@U@_OUTPUT_COUNT(ROWS)];
    for (k = 0; k < 2 * @U@_INPUT_COUNT(ROWS); k++)
        inputs[0][k] = (float)(k * 7 % 41) / 20 - 1;
    for (k = 0; k < 2; k++)
        if (@_run(inputs[k], first[k], workspace, ROWS) != 0)
            return 2;
    for (k = 0; k < 2; k++)
        pthread_create(&threads[k], NULL, again, &which[k]);
    for (k = 0; k < 2; k++)
        pthread_join(threads[k], NULL);
    given[0] = inputs[1];
    made[0] = found;
    if (@_parallel(given, made, @_weights, workspace, ROWS, WORKERS, parallel, &calls) != 0
        || memcmp(found, first[1], sizeof found) != 0)
        return 3;
    printf("%d", calls);
    return 0;
}
"""


def here(program, name="model", **how):
    batches = how.pop("batches", None)
    made_one = entry(model_of(program, batches), name, machine_of("host"), **how)
    return Here(made_one, made_one.object_file())


def test_threads_do_not_meet(tmp_path):
    rl.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.Flatten(),
        nn.Linear(32 * 256, 10),
    ).eval()  # fmt: skip
    program = program_of(model, lambda n: rl.randn(n, 3, 16, 16))
    library(program, tmp_path, "net", batches=(3,))
    call = build(THREADED, tmp_path, "net", flags=["-pthread"])
    done = subprocess.run([str(call)], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0  # the callback was given work


def test_every_batch_is_right_and_others_are_refused():
    model, inputs = made("cnn")
    call = here(program_of(model, inputs), batches=range(1, 8))
    for n in range(1, 8):
        x = inputs(n)
        (found,) = call([x.numpy()], n)
        np.testing.assert_allclose(found, model(x).detach().numpy(), rtol=1e-5, atol=5e-6)
    nothing = (ctypes.c_void_p * 1)()
    for n in (0, 8, -1, 2**40):
        assert call.function(nothing, nothing, 64, 64, n) == -1


def test_sizes_are_counted_from_the_least_and_hold_the_example():
    model, _ = made("mlp")
    program = export(model, (rl.randn(40, 30),), dynamic_shapes=({0: Dim("batch", min=2)},))
    assert model_of(program, most=3).batches == (2, 3, 4, 40)
    with pytest.raises(ValueError, match="1 or more"):
        model_of(program, most=0)


def test_blocks_must_begin_on_a_line():
    model, inputs = made("mlp")
    call = here(program_of(model, inputs), batches=(1,))
    x, y = inputs(1).numpy(), np.empty((1, 10), np.float32)
    given, outputs = (ctypes.c_void_p * 1)(x.ctypes.data), (ctypes.c_void_p * 1)(y.ctypes.data)
    weights, workspace = Memory(call.entry.weights), Memory(call.entry.workspace[1] + 64)
    assert call.function(given, outputs, weights.address + 4, workspace.address, 1) == -2
    for offset in (0, 1, 13, 63):
        at = workspace.address + offset
        assert call.function(given, outputs, weights.address, at, 1) == 0


def test_an_index_out_of_range_is_told():
    model = nn.Sequential(nn.Embedding(31, 8), nn.Linear(8, 3)).eval()
    call = here(export(model, (rl.randint(0, 31, (2, 6)),)))
    tokens = np.zeros((2, 6), np.int64)
    call([tokens], 1)
    for wrong in (31, -1, 2**40):
        tokens[1, 5] = wrong
        with pytest.raises(RuntimeError, match="out of range"):
            call([tokens], 1)


class Inverse(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), Inverted())

    def forward(self, x):
        return self.inner(x)


class Inverted(nn.Module):
    def forward(self, x):
        return rl.linalg.inv(x)


def test_an_operation_without_a_kernel_is_refused_by_name_layer_and_line():
    program = export(Inverse(), (rl.randn(4, 4),))
    with pytest.raises(NotImplementedError) as fault:
        model = model_of(program)
        entry(model, "model", machine_of("host"))
    text = str(fault.value)
    assert "linalg_inv" in text and "inner.1" in text and "rl.linalg.inv(x)" in text


def test_two_dynamic_sizes_are_refused():
    dims = {0: Dim("batch", min=1), 1: Dim("time", min=2)}
    model = nn.LSTM(3, 4, batch_first=True)
    program = export(model, (rl.randn(2, 5, 3),), dynamic_shapes={"input": dims})
    with pytest.raises(NotImplementedError, match="batch, time"):
        model_of(program)


def test_another_size_than_the_batch_may_vary():
    model = nn.GRU(3, 4, batch_first=True)
    program = export(model, (rl.randn(2, 5, 3),), dynamic_shapes={"input": {1: Dim("time", min=2)}})
    call = here(program, batches=range(2, 10))
    for length in (2, 5, 9):
        x = rl.randn(2, length, 3)
        found = call([x.numpy()], length)
        for a, b in zip(found, model(x), strict=True):
            np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-6, atol=1e-6)


class Several(nn.Module):
    """Outputs that are an input, twice the same, of other types, and without elements."""

    def forward(self, x, k):
        y = x * 2
        return x, y, y, k + 1, (x > 0), x.half(), x[:0], x.bfloat16()


def test_outputs_of_every_kind():
    x, k = rl.randn(3, 5), rl.arange(4)
    program = export(Several(), (x, k))
    found = here(program)([x.numpy(), k.numpy()], 1)
    for a, b in zip(found, Several()(x, k), strict=True):
        np.testing.assert_array_equal(a, b.float().numpy() if b.dtype.is_floating_point else b)


def test_outputs_of_every_kind_check_themselves(tmp_path):
    needs("cc")
    program = export(Several(), (rl.randn(3, 5), rl.arange(4)))
    library(program, tmp_path, "several")
    assert "difference is 0" in check(tmp_path)


@pytest.mark.parametrize("name", ["two words", "1st", "größe", ""])
def test_names_must_be_names_of_c(name):
    model, inputs = made("mlp")
    with pytest.raises(ValueError, match="not a name in C"):
        entry(model_of(program_of(model, inputs), (1,)), name, machine_of("host"))


@pytest.mark.parametrize("target", ["vax", "x86_64-unknown-linux-gnu:generic", "aarch64:avx2", ""])
def test_unknown_targets_are_refused(target):
    with pytest.raises(ValueError, match="no target is called"):
        machine_of(target)


def test_weights_are_inside_or_beside(tmp_path):
    model, inputs = made("mlp")
    with pytest.raises(ValueError, match="inside"):
        library(program_of(model, inputs), tmp_path, weights="nowhere")


@pytest.mark.parametrize("name", ["a.o", "a_name_that_is_longer_than_sixteen.o"])
@pytest.mark.parametrize("size", [10, 11])
def test_archives_are_read_by_ar(name, size, tmp_path):
    needs("ar")
    path = tmp_path / "lib.a"
    path.write_bytes(archive(name, bytes(range(size)), ["one", "another"]))
    listed = subprocess.run(["ar", "t", str(path)], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == [name]
    subprocess.run(["ar", "x", str(path)], cwd=tmp_path, check=True)
    assert (tmp_path / name).read_bytes() == bytes(range(size))
