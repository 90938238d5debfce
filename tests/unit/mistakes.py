"""Mistakes that beginners make: what each does, and words of the rule or the way out it is told.

Each program takes the framework, so that PyTorch can be asked for its exception.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np

Mistakes = dict[str, tuple[Any, str]]

SHAPES: Mistakes = {
    "linear": (lambda t: t.nn.Linear(784, 10)(t.zeros(32, 28)), "here 28 and 784"),
    "no flatten": (lambda t: t.nn.Linear(784, 10)(t.zeros(32, 1, 28, 28)), r"input.flatten\(1\)"),
    "conv channels": (lambda t: t.nn.Conv2d(3, 8, 3)(t.zeros(4, 1, 28, 28)), "dimension 1"),
    "channels last": (lambda t: t.nn.Conv2d(3, 8, 3)(t.zeros(4, 28, 28, 3)), r"permute\(0, 3, 1"),
    "conv rank": (lambda t: t.nn.Conv2d(1, 8, 3)(t.zeros(28, 28)), r"input.unsqueeze\(0\)"),
    "conv1d rank": (lambda t: t.nn.Conv1d(3, 8, 3)(t.zeros(4, 3, 28, 28)), r"\(N, C, L\)"),
    "conv kernel": (lambda t: t.nn.Conv2d(1, 8, 5)(t.zeros(4, 1, 3, 3)), "smaller kernel"),
    "batchnorm": (lambda t: t.nn.BatchNorm2d(8)(t.zeros(4, 3, 5, 5)), "3 channels in dimension 1"),
    "batchnorm rank": (lambda t: t.nn.BatchNorm1d(8)(t.zeros(4, 8, 5, 5)), r"\(N, C\) or \(N"),
    "batch of one": (lambda t: t.nn.BatchNorm1d(8)(t.zeros(1, 8)), "drop_last=True"),
    "layernorm": (lambda t: t.nn.LayerNorm(10)(t.zeros(4, 8)), r"shape \[\*, 10\]"),
    "pooled away": (lambda t: t.nn.MaxPool2d(4)(t.zeros(1, 1, 2, 2)), "fewer poolings"),
    "lstm": (lambda t: t.nn.LSTM(5, 3)(t.zeros(2, 4, 6)), r"\(2, 4, 6\)"),
    "matmul": (lambda t: t.zeros(32, 784) @ t.zeros(10, 784), "Did you mean b.mT"),
    "matmul batch": (lambda t: t.zeros(2, 3, 4) @ t.zeros(5, 4, 3), "equal or hold a 1"),
    "matrix times vector": (lambda t: t.zeros(3, 4) @ t.zeros(3), "4 columns"),
    "mm": (lambda t: t.mm(t.zeros(2, 3, 4), t.zeros(4, 3)), r"\(2, 3, 4\)"),
    "bmm": (lambda t: t.bmm(t.zeros(2, 3, 4), t.zeros(3, 4, 3)), r"batch2 is \(3, 4, 3\)"),
    "broadcast": (lambda t: t.zeros(3, 4) + t.zeros(3), r"b.unsqueeze\(1\)"),
    "cat": (lambda t: t.cat([t.zeros(2, 3), t.zeros(2, 4)]), r"tensor 1 is \(2, 4\)"),
    "cat ranks": (lambda t: t.cat([t.zeros(2, 3), t.zeros(3)]), r"tensor 1 is \(3,\)"),
    "cat numbers": (lambda t: t.cat([t.tensor(1.0), t.tensor(2.0)]), "torch.stack"),
    "stack": (lambda t: t.stack([t.zeros(2), t.zeros(3)]), "equal size"),
    "view": (lambda t: t.zeros(2, 3).view(4, 2), "6 elements"),
    "view transposed": (lambda t: t.zeros(2, 3).t().view(6), "Use .reshape"),
    "reshape": (lambda t: t.zeros(2, 3).reshape(-1, 4), "6 elements"),
    "expand": (lambda t: t.zeros(2, 3).expand(2, 4), r"Target sizes: \[2, 4\]"),
    "mse": (lambda t: t.nn.functional.mse_loss(t.zeros(8, 3), t.zeros(8, 4)), "hold a 1"),
    "loss batch": (lambda t: loss(t, t.zeros(8, 10), t.zeros(7).long()), r"target is \(7,\)"),
    "loss column": (lambda t: loss(t, t.zeros(8, 10), t.zeros(8, 1).long()), r"squeeze\(1\)"),
    "bce column": (lambda t: bce(t, t.zeros(8, 1), t.zeros(8)), r"target.unsqueeze\(-1\)"),
    "in place": (lambda t: t.zeros(3).add_(t.zeros(2, 3)), "keeps the shape"),
    "copy_": (lambda t: t.zeros(3).copy_(t.zeros(4)), "hold a 1"),
    "ragged": (lambda t: t.tensor([[1, 2], [3]]), "length 2 at dim 1"),
    "split": (lambda t: t.zeros(5).split([2, 2]), "sum exactly to 5"),
}  # fmt: skip

DTYPES: Mistakes = {
    "float labels": (lambda t: loss(t, t.zeros(8, 10), t.zeros(8)), r"target.long\(\)"),
    "one-hot integers": (lambda t: loss(t, t.zeros(8, 10), t.zeros(8, 10).long()), r"argmax\(1\)"),
    "matmul": (lambda t: t.zeros(2, 3) @ t.zeros(3, 4).double(), r"b.to\(a.dtype\)"),
    "linear": (lambda t: t.nn.Linear(3, 4)(t.zeros(2, 3).double()), r"input.to\(torch.float32\)"),
    "linear of bytes": (lambda t: t.nn.Linear(3, 4)(t.zeros(2, 3).byte()), "input is torch.uint8"),
    "conv": (lambda t: t.nn.Conv2d(1, 2, 3)(t.zeros(1, 1, 5, 5).double()), r"input.to\(torch"),
    "embedding": (lambda t: t.nn.Embedding(10, 4)(t.zeros(3)), r"indices.long\(\)"),
    "mean": (lambda t: t.tensor([1, 2, 3]).mean(), r"x.float\(\).mean\(\)"),
    "std": (lambda t: t.tensor([1, 2, 3]).std(), r"x.float\(\).std\(\)"),
    "softmax": (lambda t: t.tensor([1, 2, 3]).softmax(0), "dtype="),
    "and": (lambda t: t.zeros(2) & t.zeros(2), "It takes torch.bool"),
    "not": (lambda t: ~t.zeros(2), "torch.float32"),
    "bool minus": (lambda t: t.tensor([True]) - t.tensor([False]), "logical_xor"),
    "minus bool": (lambda t: -t.tensor([True]), r"logical_not\(\)"),
    "negative power": (lambda t: t.tensor([2]) ** -1, r"x.float\(\)"),
    "in place": (lambda t: t.tensor([1, 2]).add_(1.5), "keeps the dtype"),
    "where": (lambda t: t.where(t.zeros(2), t.zeros(2), t.zeros(2)), "condition != 0"),
    "gather": (lambda t: t.zeros(2, 3).gather(1, t.zeros(2, 1)), r"index.long\(\)"),
    "one_hot": (lambda t: t.nn.functional.one_hot(t.zeros(3)), r"x.long\(\)"),
    "bce": (lambda t: t.nn.BCELoss()(t.full((8,), 0.5), t.zeros(8).long()), r"target.to\(torch"),
    "rand": (lambda t: t.rand(3, dtype=t.int64), "'Long'"),
    "too large": (lambda t: t.tensor([300], dtype=t.uint8), "The value is 300"),
    "text": (lambda t: t.tensor(["a"]), "'str'"),
    "none": (lambda t: t.tensor([1.0, None]), "NoneType"),
    "array": (lambda t: t.nn.Linear(2, 2)(np.zeros((1, 2))), r"torch.as_tensor\(array\)"),
    "list": (lambda t: t.nn.Linear(2, 2)([[1.0, 2.0]]), r"torch.tensor\(data\)"),
    "cat of tensors": (lambda t: t.cat(t.zeros(2), 0), r"cat\(\[a, b\]\)"),
    "from_numpy": (lambda t: t.from_numpy([1.0]), "expected np.ndarray"),
    "zeros": (lambda t: t.zeros(2.0), "must be tuple of ints"),
}  # fmt: skip

INDICES: Mistakes = {
    "index": (lambda t: t.zeros(3)[3], r"The tensor is \(3,\)"),
    "negative": (lambda t: t.zeros(3)[-4], r"The tensor is \(3,\)"),
    "column": (lambda t: t.zeros(3, 4)[:, 4], r"The tensor is \(3, 4\)"),
    "select": (lambda t: t.zeros(2, 3).select(1, 3), "Places go from -3 to 2"),
    "too many": (lambda t: t.zeros(3)[0, 0], "2 dimensions are indexed"),
    "0-d": (lambda t: t.tensor(1.0)[0], r"tensor.item\(\)"),
    "float": (lambda t: t.zeros(3)[1.5], "only integers, slices"),
    "float tensor": (lambda t: t.zeros(3)[t.tensor([0.0])], "torch.float32"),
    "mask": (lambda t: t.zeros(3)[t.tensor([True, False])], r"mask \[2\]"),
    "backwards": (lambda t: t.zeros(3)[::-1], "greater than zero"),
    "list": (lambda t: t.zeros(3)[[0, 5]], "Places go from -3 to 2"),
    "sum": (lambda t: t.zeros(2, 3).sum(2), "The tensor has 2 dimensions"),
    "softmax": (lambda t: t.zeros(2, 3).softmax(2), "The tensor has 2 dimensions"),
    "squeeze": (lambda t: t.zeros(1).squeeze(3), "The tensor has 1 dimension"),
    "transpose": (lambda t: t.zeros(2, 3).transpose(1, 2), r"\[-2, 1\]"),
    "permute": (lambda t: t.zeros(2, 3).permute(0, 0), "duplicate dims"),
    "topk": (lambda t: t.zeros(3).topk(5), "dimension 0 has 3"),
    "empty": (lambda t: t.zeros(0).max(), "Specify the reduction dim"),
    "known label": (lambda t: loss(t, t.zeros(2, 3), t.tensor([0, 3])), "from 0 to 2"),
    "known word": (lambda t: t.nn.Embedding(10, 4)(t.tensor([3, 10])), "from 0 to 9"),
}  # fmt: skip

GRADIENTS: Mistakes = {
    "no scalar": (lambda t: (grad(t) * 2).backward(), r"loss.mean\(\)"),
    "no gradient": (lambda t: t.ones(()).backward(), "Nothing it was computed from"),
    "integers": (lambda t: t.tensor([1, 2], requires_grad=True), "dtype=torch.float32"),
    "integer weights": (lambda t: t.nn.Parameter(t.tensor([1])), "requires_grad=False"),
    "leaf in place": (lambda t: grad(t).add_(1), "no_grad"),
    "leaf's view": (lambda t: grad(t)[:2].zero_(), "no_grad"),
    "numpy": (lambda t: grad(t).numpy(), "detach"),
    "asarray": (lambda t: np.asarray(grad(t) * 2), "detach"),
    "unused": (lambda t: t.autograd.grad(grad(t).sum(), grad(t)), "allow_unused=True"),
    "switched off": (lambda t: (grad(t) * 2).requires_grad_(False), r"detach\(\)"),
    "wrong gradient": (lambda t: (grad(t) * 2).backward(t.ones(4)), r"Size\(\[4\]\)"),
    "deepcopy": (lambda t: copy.deepcopy(grad(t) * 2), r"detach\(\).clone\(\)"),
    "partial": (lambda t: functools.partial(t.add, t.zeros(2))(t.zeros(3)), "hold a 1"),
    "sorted": (lambda t: sorted([1, 2], key=lambda n: t.zeros(3).item()), r"x.sum\(\)"),
}  # fmt: skip

NUMBERS: Mistakes = {
    "item": (lambda t: t.ones(3).item(), r"x.tolist\(\)"),
    "float": (lambda t: float(t.ones(3)), r"x.tolist\(\)"),
    "int": (lambda t: int(t.ones(2, 2)), r"This tensor is \(2, 2\)"),
    "if": (lambda t: 1 if t.ones(3) > 0 else 0, r"\.any\(\) or \.all\(\)"),
    "bool of nothing": (lambda t: bool(t.zeros(0)), r"\.any\(\) or \.all\(\)"),
    "range": (lambda t: range(t.tensor(1.5)), "only integer tensors"),
    "len": (lambda t: len(t.tensor(1.0)), "0-d tensor"),
    "device": (lambda t: t.zeros(2, device="gpu"), 'Did you mean "cuda"'),
    "no device": (lambda t: t.zeros(2).to("nowhere"), "Expected one of cpu, cuda"),
    "device number": (lambda t: t.zeros(2, device="cuda:x"), "cuda:0"),
}  # fmt: skip


def later(t: Any, *values: float) -> Any:
    """Whole numbers that nobody has computed yet."""
    return t.tensor(values).long() + 1


# What only the values tell: each is recorded on the line before the one that looks.
COMPUTED: Mistakes = {
    "label": (lambda t: loss(t, t.zeros(2, 3), later(t, 0, 2)), "from 0 to 2"),
    "nll": (lambda t: t.nn.functional.nll_loss(t.zeros(1, 3), later(t, 4)), "from 0 to 2"),
    "negative label": (lambda t: loss(t, t.zeros(1, 3), later(t, -3)), "from 0 to 2"),
    "word": (lambda t: t.nn.Embedding(10, 4)(later(t, 3, 9)), "from 0 to 9"),
    "negative word": (lambda t: t.nn.Embedding(10, 4)(later(t, -2)), "from 0 to 9"),
    "index": (lambda t: t.zeros(3)[later(t, 1, 2)], "from -3 to 2"),
    "gather": (lambda t: t.zeros(2, 3).gather(1, later(t, 2).view(1, 1)), "from 0 to 2"),
    "scatter": (lambda t: t.zeros(2, 3).scatter(1, later(t, 2).view(1, 1), 1.0), "from 0 to 2"),
    "select": (lambda t: t.zeros(3).index_select(0, later(t, 2)), "from 0 to 2"),
    "probability": (lambda t: t.nn.BCELoss()(later(t, 1) * 1.0, t.ones(1)), "from 2 to 2"),
    "bernoulli": (lambda t: t.bernoulli(later(t, 1) * 0.75), "from 1.5 to 1.5"),
    "weights": (lambda t: t.multinomial(later(t, -3, 1) * 1.0, 1), "from -2 to 2"),
    "division": (lambda t: t.tensor([1]) // later(t, -1), "integer 0"),
}  # fmt: skip


def grad(t: Any) -> Any:
    return t.ones(3, requires_grad=True)


def loss(t: Any, scores: Any, target: Any) -> Any:
    return t.nn.functional.cross_entropy(scores, target)


def bce(t: Any, scores: Any, target: Any) -> Any:
    return t.nn.functional.binary_cross_entropy_with_logits(scores, target)
