"""Tensors whose memory NumPy shares are exported as any others."""

import numpy as np

import rushlight as rl
from rushlight import nn
from rushlight.export import export, train_step


def test_parameters_that_were_looked_at_are_state():
    model = nn.Linear(3, 2)
    arrays = {name: x.detach().numpy() for name, x in model.state_dict().items()}
    program = export(model.eval(), (rl.ones(1, 3),))
    assert program.changes == () and list(program.state) == ["weight", "bias"]
    arrays["weight"][:] = 5
    assert float(model.weight.sum()) == 30  # it is shared as before
    assert not np.array_equal(program.state["weight"].detach().numpy(), arrays["weight"])


def test_large_parameters_that_were_looked_at_are_state():
    model = nn.Linear(600, 700)
    model.weight.detach().numpy()
    program = export(model.eval(), (rl.ones(1, 600),))
    assert program.changes == () and list(program.state) == ["weight", "bias"]


def test_a_step_of_training_changes_only_its_own_state():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    arrays = {name: x.detach().numpy() for name, x in model.state_dict().items()}
    before = {name: array.copy() for name, array in arrays.items()}
    optimizer = rl.optim.SGD(model.parameters(), lr=0.1)
    x, y = rl.randn(4, 3), rl.randn(4, 2)
    step = train_step(model, nn.MSELoss(), optimizer, (x, y))
    assert set(step.changes) == set(arrays)
    assert not [name for name in step.state if name.startswith("constant")]
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name])
        np.testing.assert_array_equal(model.state_dict()[name].numpy(), before[name])
