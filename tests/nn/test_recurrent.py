"""Recurrent layers, cells and packed sequences, against PyTorch's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from layers import FRAMEWORKS, agree, built, random, same_structure

import rushlight as rl

KINDS = ("RNN", "LSTM", "GRU")

LAYERS = [
    "{}(3, 4)",
    "{}(3, 4, 2, batch_first=True)",
    "{}(3, 4, bidirectional=True, bias=False)",
    "{}(3, 4, num_layers=3, bidirectional=True)",
]
TEXTS = [
    *(text.format(kind) for text in LAYERS for kind in KINDS),
    "RNN(3, 4, nonlinearity='relu')",
    "RNN(3, 4, 2, 'relu', False)",
    "LSTM(3, 4, 2, proj_size=2, bidirectional=True)",
    "LSTM(3, 4, dropout=0.0, proj_size=3, batch_first=True)",
]


def flattened(result):
    """All tensors of a result as one, so that every one has a part in the gradients."""
    output, last = result
    states = last if isinstance(last, tuple) else (last,)
    library = torch if isinstance(output, torch.Tensor) else rl
    return library.cat([t.reshape(-1) for t in (output, *states)])


class Flat:
    """A layer whose result is one tensor; the parameters are inputs, which are differentiated."""

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, *inputs):
        return flattened(self.layer(*inputs))


def flat(layer, library):
    class Flattened(library.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x, *states):
            if len(states) == 2:
                states = (states,)
            return flattened(self.layer(x, *states))

    return Flattened()


def states_of(layer, *batch):
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    widths = [layer.proj_size or layer.hidden_size]
    widths += [layer.hidden_size] if layer.mode == "LSTM" else []
    return [random(count, *batch, n, seed=k) for k, n in enumerate(widths, 7)]


@pytest.mark.parametrize("text", TEXTS)
def test_layers_are_pytorchs(text):
    ours, theirs = built(text)
    same_structure(ours, theirs)
    x = random(2, 5, 3) if ours.batch_first else random(5, 2, 3)
    ours_flat, theirs_flat = flat(ours, rl), flat(theirs, torch)
    agree(ours_flat, theirs_flat, x)
    agree(ours_flat, theirs_flat, x, *states_of(ours, 2), second=False)
    agree(ours_flat, theirs_flat, random(4, 3), *states_of(ours), second=False)
    agree(ours_flat, theirs_flat, random(1, 1, 3), second=False)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision(kind):
    ours, theirs = built(f"{kind}(8, 16, 2)")
    ours.float(), theirs.float()
    x = random(20, 4, 8).astype(np.float32)
    y, z = ours(rl.tensor(x))[0], theirs(torch.tensor(x))[0]
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_dropout_between_layers():
    rl.manual_seed(0)
    layer = rl.nn.LSTM(3, 8, 2, dropout=0.5)
    x = rl.randn(5, 2, 3)
    assert not bool((layer(x)[0] == layer(x)[0]).all())
    first = layer.eval()(x)[0]
    assert bool((first == layer(x)[0]).all())
    with pytest.warns(UserWarning, match="expects num_layers greater than 1"):
        rl.nn.LSTM(3, 4, dropout=0.5)


def test_all_weights_and_flatten_parameters():
    ours, theirs = built("LSTM(3, 4, 2, bidirectional=True)")
    shapes = [[[tuple(w.shape) for w in some] for some in m.all_weights] for m in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert ours.flatten_parameters() is None


def recorded(tensor):
    nodes, stack = set(), [tensor.node]
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes.add(node)
            stack.extend(node.inputs)
    return nodes


def test_one_node_for_each_layer_and_direction():
    layer = rl.nn.GRU(3, 4, 2, bidirectional=True)
    short, long = (recorded(layer(rl.zeros(steps, 2, 3))[0]) for steps in (2, 50))
    assert sum(node.op.name == "recurrent" for node in long) == 4
    assert len(short) == len(long)


# Packed sequences -----------------------------------------------------------------------------

LENGTHS = ([5, 3, 3, 1], [2, 5, 1, 4])


def packed(library, x, lengths):
    pack = library.nn.utils.rnn.pack_padded_sequence
    return pack(x, lengths, enforce_sorted=lengths == sorted(lengths, reverse=True))


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("text", ["RNN(3, 4)", "LSTM(3, 4, 2, bidirectional=True, proj_size=2)",
                                  "GRU(3, 4, 2, bidirectional=True)"])  # fmt: skip
def test_packed_input(text, lengths):
    layers = built(text)
    x = random(5, 4, 3)
    states = states_of(layers[0], 4)
    found = []
    for library, layer in zip(FRAMEWORKS, layers, strict=True):
        given = library.tensor(x).requires_grad_()
        hx = [library.tensor(state).requires_grad_() for state in states]
        sequence = packed(library, given, lengths)
        output, last = layer(sequence, tuple(hx) if len(hx) == 2 else hx[0])
        for tensor in (output.batch_sizes, output.sorted_indices, output.unsorted_indices):
            found.append(None if tensor is None else tensor.numpy())
        batch, counts = library.nn.utils.rnn.pad_packed_sequence(output, padding_value=-1.0)
        result = flattened((batch, last))
        weights = library.tensor(np.cos(np.arange(result.numel())))
        leaves = [given, *hx, *layer.parameters()]
        gradients = library.autograd.grad((result * weights).sum(), leaves)
        found.append([t.detach().numpy() for t in (counts, result, *gradients)])
    (*indices, mine), (*expected, theirs) = found[:4], found[4:]
    for a, b in zip(indices, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "batch_first, ordered", list(itertools.product((False, True), (False, True)))
)
def test_packing_and_padding(batch_first, ordered):
    lengths = LENGTHS[0] if ordered else LENGTHS[1]
    x = random(4, 5, 2) if batch_first else random(5, 4, 2)
    found = []
    for library in FRAMEWORKS:
        rnn = library.nn.utils.rnn
        p = rnn.pack_padded_sequence(
            library.tensor(x), library.tensor(lengths), batch_first, ordered
        )
        padded, counts = rnn.pad_packed_sequence(p, batch_first, 9.0, total_length=6)
        pieces = rnn.unpack_sequence(p)
        parts = [*p, padded, counts, *pieces, *rnn.pack_sequence(pieces, ordered)]
        found.append([None if t is None else t.numpy() for t in parts])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_pad_sequence(side, batch_first):
    parts, found = [random(3, 2), random(1, 2), random(4, 2)], []
    for library in FRAMEWORKS:
        rnn = library.nn.utils.rnn
        made = rnn.pad_sequence([library.tensor(p) for p in parts], batch_first, 7.0, side)
        values = made.numpy().copy()  # PyTorch turns its argument around in place
        back = rnn.unpad_sequence(made, library.tensor([3, 1, 4]), batch_first)
        found.append([values, *(t.numpy() for t in back)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_whole_numbers_stay_whole():
    parts, found = [[1, 2, 3], [4]], []
    for library in FRAMEWORKS:
        rnn = library.nn.utils.rnn
        tensors = [library.tensor(part) for part in parts]
        packed = rnn.pack_sequence(tensors)
        made = (rnn.pad_sequence(tensors), rnn.pad_packed_sequence(packed, padding_value=7.9)[0])
        found.append([(str(t.dtype), t.tolist()) for t in (*made, packed.data)])
    assert found[0] == found[1]


def test_a_packed_sequence_converts_and_prints():
    p = rl.nn.utils.rnn.pack_sequence([rl.tensor([1.0, 2.0]), rl.tensor([3.0])])
    q = torch.nn.utils.rnn.pack_sequence([torch.tensor([1.0, 2.0]), torch.tensor([3.0])])
    assert repr(p) == repr(q)
    assert p.to(rl.float32) is p
    assert p.double().data.dtype is rl.float64
    assert isinstance(p.half(), rl.nn.utils.rnn.PackedSequence)


BAD_PACKS = [
    ([3, 5], True, "must be sorted in decreasing order"),
    ([5, 0], True, "has to be greater than 0"),
    ([5], True, r"equal to batch_size, but got 1 \(batch_size=2\)"),
]


@pytest.mark.parametrize("lengths, ordered, said", BAD_PACKS)
def test_lengths_that_do_not_fit(lengths, ordered, said):
    for library in FRAMEWORKS:
        pack = library.nn.utils.rnn.pack_padded_sequence
        with pytest.raises(RuntimeError, match=said):
            pack(library.zeros(5, 2, 3), lengths, enforce_sorted=ordered)


def test_a_length_above_the_steps_that_are_there():
    with pytest.raises(RuntimeError, match="no length above the 5 steps"):
        rl.nn.utils.rnn.pack_padded_sequence(rl.zeros(5, 2, 3), [6, 2])


# Cells ----------------------------------------------------------------------------------------

CELLS = ["RNNCell(3, 4)", "RNNCell(3, 4, False, 'relu')", "LSTMCell(3, 4)", "GRUCell(3, 4)",
         "GRUCell(3, 4, bias=False)", "LSTMCell(3, 4, False)"]  # fmt: skip


@pytest.mark.parametrize("text", CELLS)
def test_cells_are_pytorchs(text):
    ours, theirs = built(text)
    same_structure(ours, theirs)

    def joined(cell, library):
        class Joined(library.nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = cell

            def forward(self, x, *states):
                new = self.cell(x, *((states,) if len(states) == 2 else states))
                return library.cat(new) if isinstance(new, tuple) else new

        return Joined()

    pair = joined(ours, rl), joined(theirs, torch)
    count = 2 if "LSTM" in text else 1
    agree(*pair, random(2, 3))
    agree(*pair, random(2, 3), *(random(2, 4, seed=k) for k in range(count)))
    agree(*pair, random(3), *(random(4, seed=k) for k in range(count)), second=False)


# Bad inputs -----------------------------------------------------------------------------------

BAD_LAYERS = [
    "LSTM(3, 4, 0)", "LSTM(3, 0)", "LSTM(3, 4, dropout=2)", "LSTM(3, 4, dropout=True)",
    "LSTM(3, 4, proj_size=4)", "LSTM(3, 4, proj_size=-1)", "GRU(3, 4, proj_size=2)",
    "RNN(3, 4, proj_size=2)", "RNN(3, 4, nonlinearity='x')", "LSTM('3', 4)", "LSTM(3, 4.0)",
    "LSTM(3, 4, bias=3)",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_LAYERS)
def test_impossible_layers(text):
    said = []
    for library in FRAMEWORKS:
        with pytest.raises((ValueError, TypeError)) as caught:
            eval(text, vars(library.nn).copy())
        said.append((caught.type, str(caught.value)))
    assert said[0] == said[1]


BAD_INPUTS = [
    ("LSTM(3, 4)", "(f.zeros(5, 2, 4),)"),
    ("LSTM(3, 4)", "(f.zeros(5),)"),
    ("GRU(3, 4)", "(f.zeros(5, 2, 3, 1),)"),
    ("LSTM(3, 4)", "(f.zeros(5, 2, 3), (f.zeros(1, 3, 4), f.zeros(1, 3, 4)))"),
    ("LSTM(3, 4)", "(f.zeros(5, 2, 3), (f.zeros(1, 2, 4), f.zeros(1, 3, 4)))"),
    ("LSTM(3, 4)", "(f.zeros(5, 3), (f.zeros(1, 2, 4), f.zeros(1, 2, 4)))"),
    ("LSTM(3, 4)", "(f.zeros(5, 2, 3), (f.zeros(2, 4), f.zeros(2, 4)))"),
    ("GRU(3, 4)", "(f.zeros(5, 2, 3), f.zeros(1, 3, 4))"),
    ("GRU(3, 4)", "(f.zeros(5, 3), f.zeros(1, 2, 4))"),
    ("GRU(3, 4)", "(f.zeros(5, 2, 3), f.zeros(2, 4))"),
    ("GRU(3, 4)", "(f.zeros(0, 2, 3),)"),
    ("RNN(3, 4)", "(f.zeros(5, 2, 3).double(),)"),
    ("LSTMCell(3, 4)", "(f.zeros(2, 4),)"),
    ("LSTMCell(3, 4)", "(f.zeros(2, 3), (f.zeros(3, 4), f.zeros(3, 4)))"),
    ("LSTMCell(3, 4)", "(f.zeros(1, 2, 3),)"),
    ("GRUCell(3, 4)", "(f.zeros(2, 3), f.zeros(2, 5))"),
    ("RNNCell(3, 4, nonlinearity='x')", "(f.zeros(2, 3),)"),
]


@pytest.mark.parametrize("layer, inputs", BAD_INPUTS)
def test_inputs_that_do_not_fit(layer, inputs):
    said = []
    for f in FRAMEWORKS:
        module = eval(layer, vars(f.nn).copy())
        with pytest.raises((ValueError, RuntimeError)) as caught:
            module(*eval(inputs, {"f": f}))
        said.append(caught.value)
    ours, theirs = said
    assert isinstance(ours, ValueError) == isinstance(theirs, ValueError)
    assert str(theirs).split("\n")[0] in str(ours)
