"""torch.lstm and its like are told of no deprecation."""

import warnings

import pytest

import rushlight as rl


@pytest.mark.parametrize("name", ["rnn_tanh", "rnn_relu", "gru"])
def test_a_native_recurrent_function_warns_of_nothing(name):
    gates = 3 if name == "gru" else 1
    weights = [rl.zeros(gates * 2, 3), rl.zeros(gates * 2, 2)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, last = getattr(rl, name)(
            rl.zeros(4, 1, 3), rl.zeros(1, 1, 2), weights, False, 1, 0.0, False, False, False
        )
    assert tuple(y.shape) == (4, 1, 2)
    assert tuple(last.shape) == (1, 1, 2)
