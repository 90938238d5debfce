"""A step of training as a C function: a C program learns what Python learns."""

import subprocess
from importlib.resources import files

import numpy as np
import pytest
from c_caller import AARCH64, build, needs

import rushlight as rl
from rushlight import nn
from rushlight.ahead.c.write import check, pair
from rushlight.ahead.entry import entry
from rushlight.ahead.exported import model_of
from rushlight.ahead.here import Here
from rushlight.ahead.machines import machine_of
from rushlight.export import Dim, export, train_step

OPTIMIZERS = {
    "sgd": lambda p: rl.optim.SGD(p, lr=0.1),
    "momentum": lambda p: rl.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: rl.optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.01),
    "adamw": lambda p: rl.optim.AdamW(p, lr=0.01),
    "rmsprop": lambda p: rl.optim.RMSprop(p, centered=True, momentum=0.5),
    "adagrad": lambda p: rl.optim.Adagrad(p, lr_decay=0.1),
    "adadelta": lambda p: rl.optim.Adadelta(p),
    "adamax": lambda p: rl.optim.Adamax(p),
}

# Trains in the order of a file, then counts right answers with the other library on the same state.
PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "@.h"
#include "@_train.h"

#define BATCH 32

static void *content(const char *path)
{
    FILE *file = fopen(path, "rb");
    void *memory = malloc(1 << 22);
    if (file == NULL || fread(memory, 1, 1 << 22, file) == 0)
        exit(2);
    fclose(file);
    return memory;
}

/* trained STEPS TRAIN TEST: files images, labels and order */
int main(int count, char **words)
{
    static unsigned char room[@U@_TRAIN_STATE_SIZE + 64];
    static unsigned char workspace[@U@_TRAIN_WORKSPACE_SIZE + @U@_WORKSPACE_SIZE];
    static float batch[BATCH * 64];
    static int64_t labels[BATCH];
    unsigned char *state = room + (64 - (uintptr_t)room % 64) % 64;
    long steps = strtol(words[1], NULL, 10), train = strtol(words[2], NULL, 10);
    long test = strtol(words[3], NULL, 10), step, k, right = 0;
    float *images = content("images"), loss = 0, answers[10];
    int64_t *known = content("labels"), *order = content("order");
    (void)count;
    memcpy(state, @_train_initial, @U@_TRAIN_STATE_SIZE);
    for (step = 0; step < steps; step++) {
        for (k = 0; k < BATCH; k++) {
            int64_t sample = order[step * BATCH + k];
            memcpy(batch + 64 * k, images + 64 * sample, 64 * sizeof(float));
            labels[k] = known[sample];
        }
        if (@_train_run(batch, labels, &loss, state, workspace, 1) != 0)
            return 3;
    }
    for (k = train; k < train + test; k++) {
        int best = 0, j;
        if (@_run(images + 64 * k, answers, state, workspace, 1) != 0)
            return 4;
        for (j = 1; j < 10; j++)
            best = answers[j] > answers[best] ? j : best;
        right += best == known[k];
    }
    printf("%.9g %ld\\n", loss, right);
    return 0;
}
"""


def network():
    rl.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(128, 10),
    )  # fmt: skip


def small():
    rl.manual_seed(3)
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 4))


@pytest.mark.parametrize(
    "name",
    [
        n if n in ("momentum", "adamw") else pytest.param(n, marks=pytest.mark.slow)
        for n in OPTIMIZERS
    ],
)
def test_steps_are_those_of_python(name):
    model, twin = small(), small()
    optimizer = OPTIMIZERS[name](model.parameters())
    again = OPTIMIZERS[name](twin.parameters())
    loss = nn.CrossEntropyLoss()
    x, y = rl.randn(5, 6), rl.randint(0, 4, (5,))
    program = train_step(model, loss, optimizer, (x, y))
    made = entry(model_of(program), "step", machine_of("host"))
    step = Here(made, made.object_file())
    for _ in range(7):
        again.zero_grad()
        expected = loss(twin(x), y)
        expected.backward()
        again.step()
        (found,) = step([x.numpy(), y.numpy()], 1)
        np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-6)
        for label, tensor in twin.named_parameters():
            np.testing.assert_allclose(step.held(label), tensor.detach().numpy(), atol=1e-6)


def test_an_optimizer_goes_on_from_where_it_was():
    model, twin = small(), small()
    loss = nn.MSELoss()
    x, y = rl.randn(5, 6), rl.randn(5, 4)
    optimizers = [rl.optim.Adam(each.parameters(), lr=0.01) for each in (model, twin)]
    for one, optimizer in zip((model, twin), optimizers, strict=True):
        for _ in range(3):
            optimizer.zero_grad()
            loss(one(x), y).backward()
            optimizer.step()
    program = train_step(model, loss, optimizers[0], (x, y))
    assert float(program.state["optimizer.step"]) == 3
    program(x, y)
    optimizers[1].zero_grad()
    loss(twin(x), y).backward()
    optimizers[1].step()
    for name, tensor in twin.named_parameters():
        np.testing.assert_allclose(
            program.state[name].detach().numpy(), tensor.detach().numpy(), atol=1e-7
        )
    assert float(optimizers[0].state[next(iter(model.parameters()))]["step"]) == 3
    assert optimizers[0].param_groups[0]["lr"] == 0.01


def test_the_rate_is_state():
    model = small()
    x, y = rl.randn(5, 6), rl.randn(5, 4)
    optimizer = rl.optim.SGD(model.parameters(), lr=0.1)
    made = entry(model_of(train_step(model, nn.MSELoss(), optimizer, (x, y))), "step",
                 machine_of("host"))  # fmt: skip
    step = Here(made, made.object_file())
    step.set("optimizer.lr", np.array(0.0))
    step([x.numpy(), y.numpy()], 1)
    np.testing.assert_array_equal(step.held("0.weight"), model[0].weight.detach().numpy())


def test_a_wrong_label_changes_nothing():
    model = small()
    x, y = rl.randn(5, 6), rl.randint(0, 4, (5,))
    optimizer = rl.optim.AdamW(model.parameters())
    made = entry(model_of(train_step(model, nn.CrossEntropyLoss(), optimizer, (x, y))), "step",
                 machine_of("host"))  # fmt: skip
    step = Here(made, made.object_file())
    before = step.state.view.copy()
    wrong = y.numpy().copy()
    wrong[3] = 4
    with pytest.raises(RuntimeError, match="out of range"):
        step([x.numpy(), wrong], 1)
    np.testing.assert_array_equal(step.state.view, before)


def test_dropout_draws_anew_at_each_step():
    rl.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 50), nn.Dropout(0.5), nn.Linear(50, 1))
    x, y = rl.randn(5, 6), rl.randn(5, 1)
    optimizer = rl.optim.SGD(model.parameters(), lr=0.0)
    made = entry(model_of(train_step(model, nn.MSELoss(), optimizer, (x, y))), "step",
                 machine_of("host"))  # fmt: skip
    step = Here(made, made.object_file())
    losses = {float(step([x.numpy(), y.numpy()], 1)[0]) for _ in range(5)}
    assert len(losses) == 5


@pytest.mark.parametrize(
    "optimizer, found",
    [
        (lambda p: rl.optim.LBFGS(p), "LBFGS"),
        (lambda p: rl.optim.RAdam(p), "RAdam"),
        (lambda p: rl.optim.NAdam(p), "NAdam"),
        (lambda p: rl.optim.SGD(p, momentum=0.9, dampening=0.1), "dampening"),
    ],
)
def test_optimizers_that_decide_in_python_are_refused(optimizer, found):
    model = small()
    with pytest.raises(NotImplementedError, match=found):
        train_step(model, nn.MSELoss(), optimizer(model.parameters()),
                   (rl.randn(5, 6), rl.randn(5, 4)))  # fmt: skip


def trained_in_python(model, optimizer, images, labels, order):
    loss = nn.CrossEntropyLoss()
    for batch in order:
        optimizer.zero_grad()
        found = loss(model(images[batch]), labels[batch])
        found.backward()
        optimizer.step()
    return float(found)


def digits():
    data = np.load(str(files("rushlight.train").joinpath("digits/digits.npz")))
    images = data["images"].astype(np.float32)[:, None] / 8 - 1
    return rl.from_numpy(images), rl.from_numpy(data["labels"].astype(np.int64))


@pytest.mark.parametrize("target", ["host", pytest.param("aarch64", marks=pytest.mark.slow)])
def test_a_c_program_learns_to_read_digits(target, tmp_path):
    needs("cc")
    images, labels = digits()
    train, test, steps = 1437, 360, 260
    draw = np.random.default_rng(0)
    order = np.concatenate([draw.permutation(train)[:1408] for _ in range(6)])
    order = order.reshape(-1, 32)[:steps].astype(np.int64)
    example = (images[order[0]], labels[order[0]])
    model = network()
    batch = {0: Dim("batch", min=1)}
    infer = export(model.eval(), (images[:2],), dynamic_shapes=({**batch},))
    model.train()
    optimizer = rl.optim.AdamW(model.parameters(), lr=3e-3)
    step = train_step(model, nn.CrossEntropyLoss(), optimizer, example)
    pair(infer, step, tmp_path, "digits", target=target)
    images.numpy().tofile(tmp_path / "images")
    labels.numpy().tofile(tmp_path / "labels")
    order.tofile(tmp_path / "order")

    found = trained_in_python(model, optimizer, images, labels, order)
    with rl.no_grad():
        answers = model.eval()(images[train:]).argmax(1) == labels[train:]
    in_python = int(answers.sum())
    compiler, before, flags = "cc", [], []
    if target == "aarch64":
        needs(*AARCH64)
        compiler, before, flags = AARCH64[0], [AARCH64[1]], ["-static"]
    program = build(PROGRAM, tmp_path, "digits", compiler=compiler,
                    flags=[*flags, str(tmp_path / "libdigits_train.a")])  # fmt: skip
    done = subprocess.run(
        [*before, str(program), str(steps), str(train), str(test)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loss, right = done.stdout.split()
    assert in_python > 0.9 * test
    assert abs(int(right) - in_python) <= 0.02 * test, (right, in_python)
    assert abs(float(loss) - found) < 0.5
    assert "the largest difference is" in check(tmp_path)
