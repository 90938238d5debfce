"""Attention of several heads and Transformers against PyTorch's, beside what its database has."""

import copy
import warnings

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier

FRAMEWORKS = (rl, torch)


@pytest.fixture(autouse=True)
def by_references():
    """Kernels of so many small graphs would take long to make."""
    with tier.only("reference" if tier.chosen() == "auto" else tier.chosen()):
        yield


def pair(make, dtype="float64"):
    """The same module in both frameworks, with the same parameters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = (make(f).to(getattr(f, dtype)) for f in FRAMEWORKS)
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    random = np.random.default_rng(8)
    for module, f in ((ours, rl), (theirs, torch)):
        random = np.random.default_rng(8)
        with f.no_grad():
            for param in module.parameters():
                param.copy_(f.tensor(random.standard_normal(param.shape) * 0.4))
    return ours, theirs


def array(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def compare(modules, inputs, kwargs=lambda f: {}, relative=1e-9):
    """Values, gradients of inputs and of parameters."""
    results = []
    for f, module in zip(FRAMEWORKS, modules, strict=True):
        tensors = [None if x is None else f.tensor(x).requires_grad_() for x in inputs]
        out = module(*tensors, **kwargs(f))
        outputs = [x for x in (out if isinstance(out, tuple) else (out,)) if x is not None]
        module.zero_grad()
        weights = [f.cos(f.arange(x.numel(), dtype=x.dtype)).reshape(x.shape) for x in outputs]
        sum((x * w).sum() for x, w in zip(outputs, weights, strict=True)).backward()
        leaves = [*(x for x in tensors if x is not None), *module.parameters()]
        grads = [x.grad for x in leaves]
        results.append([None if x is None else x.detach().numpy() for x in (*outputs, *grads)])
    assert len(results[0]) == len(results[1])
    for place, (mine, other) in enumerate(zip(*results, strict=True)):
        assert (mine is None) == (other is None), place
        if mine is not None:
            assert mine.shape == other.shape
            np.testing.assert_allclose(mine, other, rtol=relative, atol=relative, err_msg=place)


KINDS = [
    {},
    {"bias": False, "batch_first": True},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 5, "vdim": 3, "batch_first": True},
    {"kdim": 6, "add_bias_kv": True, "bias": False},
    {"add_zero_attn": True, "batch_first": True},
]


def masks(f, kind, padding, *, batch=2, heads=2, queries=4, keys=3):
    """The masks of one kind as arguments."""
    given = {}
    hidden = (np.arange(queries)[:, None] + np.arange(keys)) % 3 == 2
    if kind == "bool":
        given["attn_mask"] = f.tensor(hidden)
    elif kind == "float":
        given["attn_mask"] = f.tensor(array(queries, keys, seed=3))
    elif kind == "heads":
        given["attn_mask"] = f.tensor(array(batch * heads, queries, keys, seed=4))
    if padding:
        padded = np.zeros((batch, keys), bool)
        padded[1, -1] = True
        given["key_padding_mask"] = f.tensor(padded)
    return given


@pytest.mark.parametrize("options", KINDS, ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("mask", [None, "bool", "float", "heads"])
@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("weights", [True, False])
def test_attention_equals_torch(options, mask, padding, weights):
    modules = pair(lambda f: f.nn.MultiheadAttention(6, 2, **options))
    sizes = 6, options.get("kdim", 6), options.get("vdim", 6)
    shapes = [(4, 2, sizes[0]), (3, 2, sizes[1]), (3, 2, sizes[2])]
    if options.get("batch_first"):
        shapes = [(n, length, size) for length, n, size in shapes]
    inputs = [array(*shape, seed=i) for i, shape in enumerate(shapes)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # masks of two kinds
        compare(modules, inputs, lambda f: {**masks(f, mask, padding), "need_weights": weights})


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("average", [True, False])
def test_self_attention_without_a_batch(batch_first, average):
    modules = pair(lambda f: f.nn.MultiheadAttention(6, 3, batch_first=batch_first))

    def called(f):
        return {"average_attn_weights": average, "attn_mask": f.ones(4, 4).triu(1).bool()}

    class Self:
        def __init__(self, module):
            self.module = module
            self.parameters, self.zero_grad = module.parameters, module.zero_grad

        def __call__(self, x, **kwargs):
            return self.module(x, x, x, **kwargs)

    compare([Self(module) for module in modules], [array(4, 6)], called)


def test_attention_that_is_told_to_be_causal():
    modules = pair(lambda f: f.nn.MultiheadAttention(6, 2, batch_first=True))
    inputs = [array(2, 4, 6, seed=i) for i in range(3)]

    def called(f):
        mask = f.nn.Transformer.generate_square_subsequent_mask(4, dtype=f.float64)
        return {"is_causal": True, "need_weights": False, "attn_mask": mask}

    compare(modules, inputs, called)
    for f, module in zip(FRAMEWORKS, modules, strict=True):
        x = f.zeros(2, 4, 6, dtype=f.float64)
        with pytest.raises(RuntimeError, match="Need attn_mask if specifying the is_causal hint"):
            module(x, x, x, is_causal=True)


def test_the_function_with_fixed_keys_and_values():
    results = []
    for f in FRAMEWORKS:
        q, kv = f.tensor(array(4, 2, 6)), f.tensor(array(3, 2, 6, seed=1))
        k, v = f.tensor(array(4, 5, 3, seed=2)), f.tensor(array(4, 5, 3, seed=3))
        weight, bias = f.tensor(array(18, 6, seed=4)), f.tensor(array(18, seed=5))
        out, weights = f.nn.functional.multi_head_attention_forward(
            q, kv, kv, 6, 2, weight, bias, None, None, False, 0.5, f.tensor(array(6, 6, seed=6)),
            None, training=False, static_k=k, static_v=v,
        )  # fmt: skip
        results.append((out.numpy(), weights.numpy()))
    for mine, other in zip(*results, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10)


def test_dropout_of_weights_keeps_the_mean():
    rl.manual_seed(1)
    module = rl.nn.MultiheadAttention(4, 2, dropout=0.5)
    x = rl.ones(50, 30, 4)
    _, weights = module(x, x, x)
    assert weights.mean().item() == pytest.approx(1 / 50, rel=0.05)
    assert (weights == 0).any().item()
    _, weights = module.eval()(x, x, x)
    np.testing.assert_allclose(weights.detach().numpy(), 1 / 50, rtol=1e-5)


LAYERS = [
    {"norm_first": True, "activation": "gelu"},
    {"batch_first": True, "bias": False},
    {"layer_norm_eps": 0.1, "activation": "tanh"},
]


def options_in(f, options):
    named = {"tanh": f.tanh}
    return {k: named.get(v, v) if isinstance(v, str) else v for k, v in options.items()}


@pytest.mark.parametrize("options", LAYERS, ids=lambda options: "-".join(options))
@pytest.mark.parametrize("height", [1, 2])
def test_stacks_equal_torch(options, height):
    first = options.get("batch_first")

    def encoder(f):
        layer = f.nn.TransformerEncoderLayer(6, 2, 7, 0.0, **options_in(f, options))
        return f.nn.TransformerEncoder(layer, height, f.nn.LayerNorm(6))

    def decoder(f):
        layer = f.nn.TransformerDecoderLayer(6, 2, 7, 0.0, **options_in(f, options))
        return f.nn.TransformerDecoder(layer, height)

    shape = (2, 4, 6) if first else (4, 2, 6)
    memory = (2, 3, 6) if first else (3, 2, 6)
    padded = np.array([[False, False, False, True], [False, False, True, True]])
    compare(pair(encoder), [array(*shape)], lambda f: {"src_key_padding_mask": f.tensor(padded)})

    def called(f):
        ahead = f.ones(4, 4).triu(1).bool()
        return {"tgt_mask": ahead, "tgt_key_padding_mask": f.tensor(padded)}

    compare(pair(decoder), [array(*shape), array(*memory, seed=1)], called)


def test_a_whole_transformer():
    made = pair(lambda f: f.nn.Transformer(6, 2, 1, 2, 7, dropout=0.0))
    inputs = [array(4, 2, 6), array(3, 2, 6, seed=1)]
    mask = rl.nn.Transformer.generate_square_subsequent_mask(3)
    assert mask.tolist() == torch.nn.Transformer.generate_square_subsequent_mask(3).tolist()

    def called(f):
        mask = f.nn.Transformer.generate_square_subsequent_mask(3, dtype=f.float64)
        return {"tgt_mask": mask, "tgt_is_causal": True}

    compare(made, inputs, called)
    copies = [copy.deepcopy(module) for module in made]
    compare(copies, inputs)


@pytest.mark.parametrize("left_aligned", [True, False])
def test_evaluation_leaves_padding_out_where_torch_does(left_aligned):
    def encoder(f):
        layer = f.nn.TransformerEncoderLayer(6, 2, 7, batch_first=True)
        return f.nn.TransformerEncoder(layer, 2)

    padded = np.array([[False, False, True], [False, True, True]])
    padded = padded if left_aligned else padded[:, ::-1].copy()
    results = []
    for f, module in zip(FRAMEWORKS, pair(encoder), strict=True):
        with f.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mask = f.tensor(padded)
            results.append(module.eval()(f.tensor(array(2, 3, 6)), src_key_padding_mask=mask))
    np.testing.assert_allclose(results[0].numpy(), results[1].numpy(), atol=1e-9)
    assert (results[0][1, 2 if left_aligned else 0] == 0).all().item() == left_aligned


def attention(f, query=(4, 2, 6), key=None, value=None, **kwargs):
    key = query if key is None else key
    value = key if value is None else value
    return f.nn.MultiheadAttention(6, 2)(f.zeros(query), f.zeros(key), f.zeros(value), **kwargs)


MISTAKES = [
    lambda f: f.nn.MultiheadAttention(0, 1),
    lambda f: f.nn.MultiheadAttention(6, 4),
    lambda f: attention(f, (2,)),
    lambda f: attention(f, (4, 2, 6), (4, 6)),
    lambda f: attention(f, (4, 6), (4, 2, 6)),
    lambda f: attention(f, (4, 2, 6), (3, 2, 6), (5, 2, 6)),
    lambda f: attention(f, key_padding_mask=f.zeros(4, dtype=f.bool)),
    lambda f: attention(f, attn_mask=f.zeros(4, dtype=f.bool)),
    lambda f: attention(f, attn_mask=f.zeros(4, 5)),
    lambda f: attention(f, attn_mask=f.zeros(3, 4, 4)),
    lambda f: attention(f, attn_mask=f.zeros(4, 4, dtype=f.int64)),
    lambda f: attention(f, (4, 6), attn_mask=f.zeros(3, 4, 4)),
    lambda f: f.nn.TransformerEncoderLayer(6, 2, activation="other"),
    lambda f: f.nn.Transformer(6, 2, 1, 1)(f.zeros(4, 2, 6), f.zeros(4, 3, 6)),
    lambda f: f.nn.Transformer(6, 2, 1, 1)(f.zeros(4, 2, 5), f.zeros(4, 2, 6)),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_raise_as_in_torch(number):
    found = []
    for f in FRAMEWORKS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Exception) as caught:
                MISTAKES[number](f)
        found.append(caught.value)
    ours, theirs = found
    assert isinstance(ours, type(theirs))
    assert str(theirs).strip() in str(ours)


def test_the_warning_about_nested_tensors():
    messages = []
    for f in FRAMEWORKS:
        layer = f.nn.TransformerEncoderLayer(6, 2, norm_first=True)
        with pytest.warns(UserWarning, match="enable_nested_tensor is True") as caught:
            f.nn.TransformerEncoder(layer, 1)
        messages.append(str(caught[0].message))
    assert messages[0] == messages[1]
