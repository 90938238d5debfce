"""Training steps in Node, against the same steps in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from web_browser import asked, needs_node

import rushlight as rl
from rushlight import nn
from rushlight.ahead.web import check, write_folder
from rushlight.ahead.web.goldens import Goldens
from rushlight.experiments.networks import cnn, mlp
from rushlight.export import export, train_step
from rushlight.nn import functional as F

pytestmark = needs_node
STEPS = 8

NETWORKS = {
    "mlp with dropout": (lambda: mlp(64, [20], 10, 0.2), lambda p: rl.optim.Adam(p, lr=1e-2)),
    "mlp by momentum": (lambda: mlp(64, [20], 10), lambda p: rl.optim.SGD(p, 0.1, momentum=0.9)),
    "cnn": (lambda: cnn([6, 8], 10), lambda p: rl.optim.AdamW(p, lr=1e-3)),
}


@pytest.mark.parametrize(
    "name",
    ["mlp with dropout", "cnn", pytest.param("mlp by momentum", marks=pytest.mark.slow)],
)
def test_steps_are_those_of_python(name: str, tmp_path: Path) -> None:
    rl.manual_seed(1)
    make, optimizer = NETWORKS[name]
    network = make()
    draw = np.random.default_rng(1)
    batches = [
        (draw.standard_normal((5, 1, 8, 8)).astype(np.float32), draw.integers(0, 10, 5))
        for _ in range(STEPS)
    ]
    images, labels = (rl.from_numpy(each) for each in batches[0])
    step = train_step(network, F.cross_entropy, optimizer(network.parameters()), (images, labels))
    program = export(network.eval(), (images[:1],))
    write_folder(program, tmp_path, step=step)
    assert (tmp_path / "model.wasm").stat().st_size < 200_000
    found = check(tmp_path)
    assert found is not None and found < 1e-5

    right = [float(step(*map(rl.from_numpy, batch))) for batch in batches]
    given = [[x.ravel().tolist(), y.tolist()] for x, y in batches]
    script = f"""
        const losses = {given}.map((batch) => model.train(batch));
        return {{ losses, answer: Array.from(model.run([{given[0][0][:64]}]).output) }};
    """
    result = asked(tmp_path, script)
    assert isinstance(result, dict)
    np.testing.assert_allclose(result["losses"], right, rtol=1e-4)
    state = {key: tensor for key, tensor in step.state.items() if key in program.state}
    with rl.no_grad():
        for key, tensor in state.items():
            program.state[key].copy_(tensor)
    answer = program(images[:1]).detach().numpy().ravel()
    np.testing.assert_allclose(result["answer"], answer, atol=2e-4)


def test_what_rounding_decides_is_not_checked(tmp_path: Path) -> None:
    """The gradient of a bias before a batch norm is rounding, which Adam makes a whole step of."""
    rl.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(1, 12, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 36, 10)
    )
    x, y = rl.randn(32, 1, 8, 8), rl.randint(0, 10, (32,))
    optimizer = rl.optim.Adam(network.parameters(), lr=0.01)
    step = train_step(network, F.cross_entropy, optimizer, (x, y))
    write_folder(export(network.eval(), (x[:1],)), tmp_path, step=step)
    found = check(tmp_path)
    assert found is not None and found < 2e-5
    goldens = Goldens(export(network, (x[:1],)), step)
    kept = {}
    for row in goldens.described["stepGoldens"][0]["state"]:
        offset, count = row["place"]
        if row["name"] in ("0.weight", "0.bias", "4.weight"):
            held = np.frombuffer(goldens.content, np.float32, count, offset)
            kept[row["name"]] = np.isfinite(held).mean()
    assert kept["0.bias"] == 0 and kept["0.weight"] > 0.9 and kept["4.weight"] > 0.9


def test_a_check_changes_nothing(tmp_path: Path) -> None:
    rl.manual_seed(1)
    network = nn.Linear(4, 3)
    x, y = rl.randn(6, 4), rl.randint(0, 3, (6,))
    optimizer = rl.optim.SGD(network.parameters(), lr=0.5)
    step = train_step(network, F.cross_entropy, optimizer, (x, y))
    write_folder(export(network, (x[:1],)), tmp_path, step=step)
    batch = [x.flatten().tolist(), y.tolist()]
    script = f"""
        const first = [model.train({batch}), model.train({batch})];
        model.selftest();
        first.push(model.train({batch}));
        model.setState(model.firstState);
        return [first, [0, 1, 2].map(() => model.train({batch}))];
    """
    found = asked(tmp_path, script)
    assert isinstance(found, list) and found[0] == found[1]
    assert found[0][0] > found[0][1] > found[0][2]
