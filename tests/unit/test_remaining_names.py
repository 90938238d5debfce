"""Functions and methods that PyTorch keeps for older or traced programs."""

import warnings

import numpy as np
import pytest
import torch
from both import same

import rushlight as rl

X = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)


def agree(call):
    """Both libraries' results as nested lists, or the kinds of refusal."""

    def plain(T):
        try:
            return listed(call(T, T.tensor(X)))
        except Exception as error:
            return next(
                k for k in (IndexError, RuntimeError, TypeError, ValueError) if isinstance(error, k)
            )

    ours, theirs = plain(rl), plain(torch)
    if isinstance(ours, list):
        assert str(ours[0]) == str(theirs[0])
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6) if not isinstance(
                a, str
            ) else None
    else:
        assert ours == theirs


def listed(result):
    several = result if isinstance(result, (tuple, list)) else (result,)
    found = []
    for x in several:
        if isinstance(x, (rl.Tensor, torch.Tensor)):
            found += [str(x.dtype), np.array(x.shape), x.detach().numpy()]
        else:
            found.append(x)
    return found


VIEWS = {
    "alias_copy": lambda T, x: T.alias_copy(x),
    "as_strided": lambda T, x: T.as_strided_copy(x, (2, 2), (1, 2), 1),
    "detach": lambda T, x: T.detach_copy(x),
    "diagonal": lambda T, x: T.diagonal_copy(x, 1, 0, 1),
    "expand": lambda T, x: T.expand_copy(x[:, :1], (4, 5, 2)),
    "narrow": lambda T, x: T.narrow_copy(x, 1, 1, 2),
    "permute": lambda T, x: T.permute_copy(x, (2, 0, 1)),
    "select": lambda T, x: T.select_copy(x, 1, -1),
    "slice": lambda T, x: T.slice_copy(x, 1, 0, 3, 2),
    "slice all": lambda T, x: T.slice_copy(x, -1),
    "split": lambda T, x: T.split_copy(x, 3),
    "split sizes": lambda T, x: T.split_with_sizes_copy(x, [1, 3]),
    "squeeze": lambda T, x: T.squeeze_copy(x[:1], 0),
    "t": lambda T, x: T.t_copy(x[0]),
    "transpose": lambda T, x: T.transpose_copy(x, 0, 1),
    "unbind": lambda T, x: T.unbind_copy(x, 1),
    "unfold": lambda T, x: T.unfold_copy(x, 0, 2, 1),
    "unsqueeze": lambda T, x: T.unsqueeze_copy(x, 1),
    "view": lambda T, x: T.view_copy(x, (2, 12)),
    "view as complex": lambda T, x: T.view_as_complex_copy(x),
    "view as real": lambda T, x: T.view_as_real_copy(T.view_as_complex(x)),
    "unsafe split": lambda T, x: T.unsafe_split_with_sizes(x, [1, 3]),
    "wrong view": lambda T, x: T.view_copy(x, (5,)),
    "wrong select": lambda T, x: T.select_copy(x, 1, 9),
}


@pytest.mark.parametrize("name", VIEWS)
def test_copies_of_views(name):
    agree(VIEWS[name])


def test_copies_have_memory_of_their_own():
    for T in (rl, torch):
        x = T.zeros(4)
        y = T.view_copy(x, (2, 2))
        y += 1
        assert x.tolist() == [0] * 4
        out = T.empty(2, 2)
        assert T.view_copy(y.flatten(), (2, 2), out=out) is out and out.sum() == 4
        x = T.ones(4, requires_grad=True)
        T.unbind_copy(x * 2)[1].backward()
        assert x.grad.tolist() == [0, 2, 0, 0]


OLDER = {
    "apply": lambda T, x: x.apply_(lambda v: v * 2),
    "apply to whole numbers": lambda T, x: T.arange(4).apply_(lambda v: v + 1),
    "apply to part": lambda T, x: (x[0].apply_(lambda v: 1.0), x),
    "map": lambda T, x: x.map_(T.ones(3, 2), lambda a, b: a + b),
    "map2": lambda T, x: x.map2_(T.ones_like(x), x * 2, lambda a, b, c: a + b * c),
    "diagonal": lambda T, x: T.zeros(3, 4).fill_diagonal_(2.0),
    "tall diagonal": lambda T, x: T.zeros(7, 2).fill_diagonal_(2.0, wrap=True),
    "tall diagonal once": lambda T, x: T.zeros(7, 2).fill_diagonal_(2.0),
    "short wrap": lambda T, x: T.zeros(3, 2).fill_diagonal_(2.0, wrap=True),
    "cube": lambda T, x: T.zeros(3, 3, 3).fill_diagonal_(1),
    "no cube": lambda T, x: T.zeros(3, 3, 2).fill_diagonal_(1),
    "vector": lambda T, x: T.zeros(3).fill_diagonal_(1),
    "order": lambda T, x: x.dim_order(),
    "order of a view": lambda T, x: x.permute(2, 0, 1).dim_order(),
    "new": lambda T, x: [x.new(2, 3).shape == (2, 3), x.new([1, 2]), x.new().shape == (0,)],
    "dense": lambda T, x: x.to_dense(),
    "shared": lambda T, x: [x.is_shared(), x.is_distributed(), T.get_device(x)],
    "narrowed": lambda T, x: x.narrow_copy(0, 1, 2),
    "range": lambda T, x: T.range(0, 1, 0.25),
    "range of one": lambda T, x: T.range(1, 4),
    "range down": lambda T, x: T.range(3, 0, -1.5),
    "range of int": lambda T, x: T.range(0, 5, 2, dtype=T.int64),
    "range that misses": lambda T, x: T.range(3, 0),
    "range without steps": lambda T, x: T.range(3, 4, 0),
}


@pytest.mark.parametrize("name", OLDER)
def test_older_functions(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        agree(OLDER[name])


def test_files(tmp_path):
    path = str(tmp_path / "numbers")
    X.tofile(path)
    agree(lambda T, x: T.from_file(path, size=5))
    agree(lambda T, x: T.from_file(path, size=3, dtype=T.int32))
    x = rl.from_file(path, shared=True, size=4)
    x[0] = 7.0
    assert rl.from_file(path, size=1).tolist() == [7.0]
    with pytest.raises(RuntimeError):
        rl.from_file(path, size=1000)
    with pytest.raises(RuntimeError):
        rl.from_file(str(tmp_path / "none"), size=1)


NORMS = {
    "layer": lambda T, x: T.native_layer_norm(x, (3, 2), T.ones(3, 2) * 2, T.ones(3, 2), 1e-5),
    "layer plain": lambda T, x: T.native_layer_norm(x, [2], None, None, 1e-3),
    "group": lambda T, x: T.native_group_norm(x.reshape(2, 4, 3), None, None, 2, 4, 3, 2, 1e-5),
    "batch": lambda T, x: T.native_batch_norm(
        x, T.ones(3) * 2, T.ones(3), T.zeros(3), T.ones(3), True, 0.1, 1e-5
    ),
    "batch for evaluation": lambda T, x: T.native_batch_norm(
        x, None, None, T.zeros(3) + 0.5, T.ones(3) * 2, False, 0.1, 1e-5
    ),
    "no dropout": lambda T, x: T.native_dropout(x, 0.5, False),
    "all dropout": lambda T, x: T.native_dropout(x, 1.0, True),
    "except first": lambda T, x: T.norm_except_dim(x),
    "except last": lambda T, x: T.norm_except_dim(x, 2, 2),
    "except none": lambda T, x: T.norm_except_dim(x, 2, -1),
    "renorm": lambda T, x: T.embedding_renorm_(x[0], T.tensor([0, 2, 2]), 0.5, 2.0),
    "bags": lambda T, x: T.embedding_bag(x[0], T.tensor([0, 1, 1, 2]), T.tensor([0, 2, 2]), mode=1)[
        0
    ],
    "bags of sums": lambda T, x: T.embedding_bag(
        x[0], T.tensor([0, 1, 1, 2]), T.tensor([0, 2, 4]), False, 0, False, T.ones(4) * 2, True
    )[0],
    "bags of maxima": lambda T, x: T.embedding_bag(
        x[0], T.tensor([0, 1, 1, 2]), T.tensor([0, 2]), mode=2
    )[0],
}


@pytest.mark.parametrize("name", NORMS)
def test_native_functions(name):
    agree(NORMS[name])


def test_dropouts():
    rl.manual_seed(0)
    y, kept = rl.native_dropout(rl.ones(2000), 0.25, True)
    assert 0.7 < kept.double().mean() < 0.8
    np.testing.assert_allclose(y.numpy(), kept.numpy() / np.float32(0.75))
    for name in ("alpha_dropout_", "feature_alpha_dropout_", "feature_dropout_"):
        x = rl.ones(3, 4, 5)
        assert getattr(rl, name)(x, 0.5, True) is x and (x != 1).any()
        assert (getattr(rl, name)(rl.ones(3, 4, 5), 0.5, False) == 1).all()


def weights(T, gates, biases=True, layers=2, both=True, projected=False):
    numbers = np.random.default_rng(1)
    found = []
    for layer in range(layers):
        for _ in range(1 + both):
            wide = 2 if not layer else (3 if not projected else 2) * (1 + both)
            shapes = [(gates * 3, wide), (gates * 3, 2 if projected else 3)]
            shapes += [(gates * 3,)] * 2 * biases + [(2, 3)] * projected
            found += [T.tensor(numbers.normal(size=s).astype(np.float32)) for s in shapes]
    return found


def states(T, layers, width=3, batch=3):
    return T.tensor(np.random.default_rng(2).normal(size=(layers, batch, width)).astype(np.float32))


SEQUENCES = {
    "lstm": lambda T, x: T.lstm(
        x, [states(T, 4), states(T, 4)], weights(T, 4), True, 2, 0.0, False, True, False
    ),
    "lstm of projections": lambda T, x: T.lstm(
        x, [states(T, 1, 2), states(T, 1)], weights(T, 4, True, 1, False, True), True, 1, 0.0, True,
        False, False,
    ),
    "gru": lambda T, x: T.gru(x, states(T, 4), weights(T, 3), True, 2, 0.0, True, True, False),
    "gru by batch": lambda T, x: T.gru(
        x, states(T, 1, 3, 4), weights(T, 3, False, 1, False), False, 1, 0.0, True, False, True
    ),
    "tanh": lambda T, x: T.rnn_tanh(
        x, states(T, 1), weights(T, 1, True, 1, False), True, 1, 0.0, True, False, False
    ),
    "relu": lambda T, x: T.rnn_relu(
        x, states(T, 1), weights(T, 1, True, 1, False), True, 1, 0.0, True, False, False
    ),
    "packed gru": lambda T, x: T.gru(
        x.reshape(12, 2)[:6], T.tensor([3, 2, 1]), states(T, 4), weights(T, 3), True, 2, 0.0, False,
        True,
    ),
    "packed lstm": lambda T, x: T.lstm(
        x.reshape(12, 2)[:6], T.tensor([3, 2, 1]), [states(T, 4), states(T, 4)], weights(T, 4),
        True, 2, 0.0, False, True,
    ),
    "tanh cell": lambda T, x: T.rnn_tanh_cell(
        x[0], states(T, 1)[0], *weights(T, 1, True, 1, False)
    ),
    "relu cell": lambda T, x: T.rnn_relu_cell(
        x[0], states(T, 1)[0], *weights(T, 1, False, 1, False)
    ),
    "gru cell": lambda T, x: T.gru_cell(x[0], states(T, 1)[0], *weights(T, 3, True, 1, False)),
    "lstm cell": lambda T, x: T.lstm_cell(
        x[0], [states(T, 1)[0], states(T, 1)[0] * 2], *weights(T, 4, True, 1, False)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEQUENCES)
def test_recurrent_functions(name):
    agree(SEQUENCES[name])


def test_recurrent_functions_draw_nothing_and_pass_gradients():
    rl.manual_seed(0)
    state = rl.get_rng_state()
    params = [w.requires_grad_() for w in weights(rl, 3, True, 1, False)]
    y, _ = rl.gru(rl.tensor(X), states(rl, 1), params, True, 1, 0.0, True, False, False)
    y.sum().backward()
    assert all(w.grad is not None and bool((w.grad != 0).any()) for w in params)
    assert rl.equal(rl.get_rng_state(), state)


def test_gradients_of_convolutions():
    for rank in (1, 2, 3):
        x, w = (2, 4, *(6,) * rank), (6, 2, *(3,) * rank)
        options = {"stride": 2, "padding": 1, "groups": 2}

        def gradients(T, rank=rank, x=x, w=w, options=options):
            numbers = np.random.default_rng(3)
            a, b = (T.tensor(numbers.normal(size=s).astype(np.float32)) for s in (x, w))
            g = T.tensor(numbers.normal(size=(2, 6, *(3,) * rank)).astype(np.float32))
            G = T.nn.grad
            yield getattr(G, f"conv{rank}d_input")(x, b, g, **options)
            yield getattr(G, f"conv{rank}d_weight")(a, w, g, **options)

        for ours, theirs in zip(gradients(rl), gradients(torch), strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-5)


def test_arithmetic_on_sizes():
    for call in (
        lambda T: T.sym_int(2.7), lambda T: T.sym_int(-2.7), lambda T: T.sym_float(2),
        lambda T: T.sym_max(1, 2.0), lambda T: T.sym_max(3, 2.0), lambda T: T.sym_min(1, 2.0),
        lambda T: T.sym_not(False), lambda T: T.sym_ite(False, 1, 2), lambda T: T.sym_sum([1, 2]),
        lambda T: T.sym_sqrt(2),
    ):  # fmt: skip
        assert repr(call(rl)) == repr(call(torch))
    x = rl.tensor([1.0, -1.0])
    assert rl.cond(x.sum() == 0, lambda x: x * 2, lambda x: x * 3, (x,)).tolist() == [2, -2]
    assert rl.cond(False, lambda x: x * 2, lambda x: x * 3, [x]).tolist() == [3, -3]
    with pytest.raises(RuntimeError):
        rl.cond(x, lambda: x, lambda: x)


def test_devices():
    for T in (rl, torch):
        T.set_default_device("cpu")
        assert T.get_default_device() == T.device("cpu")
        with T.device("cpu") as device:
            assert T.ones(2).device == device
        T.set_default_device(None)
    with pytest.raises(RuntimeError), rl.device("cuda"):
        pass
    with pytest.raises(RuntimeError):
        rl.set_default_device("cuda")


def test_switches():
    for mode in (0, "default", 1, "warn", 2, "error", 3, "loud", None, -1):
        for T in (rl, torch):
            T.use_deterministic_algorithms(False)
        same(lambda T, mode=mode: T.set_deterministic_debug_mode(mode))
        assert rl.get_deterministic_debug_mode() == torch.get_deterministic_debug_mode()
        assert (
            rl.are_deterministic_algorithms_enabled()
            == torch.are_deterministic_algorithms_enabled()
        )
    for T in (rl, torch):
        T.use_deterministic_algorithms(False)
        T.set_warn_always(True)
        assert T.is_warn_always_enabled()
        T.set_warn_always(False)


def test_generators():
    for call in (
        lambda T: T.Generator().get_offset(), lambda T: T.Generator().set_offset(4),
        lambda T: T.Generator().graphsafe_get_state(),
        lambda T: T.Generator().graphsafe_set_state(T.Generator()),
        lambda T: str(T.Generator().device), lambda T: T.Generator().initial_seed(),
        lambda T: T.Generator("cpu").manual_seed(5).clone_state().initial_seed(),
    ):  # fmt: skip
        same(call)
    names = [name for name in dir(torch.Generator) if not name.startswith("_")]
    assert [name for name in names if not hasattr(rl.Generator(), name)] == []


@pytest.mark.filterwarnings("ignore")
def test_tools():
    hook = rl.utils.hooks.unserializable_hook(lambda grad: None)
    x = rl.ones(2, requires_grad=True)
    x.register_hook(hook)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rl.utils.hooks.warn_if_has_hooks(x)
    assert torch.from_dlpack(rl.utils.dlpack.to_dlpack(rl.ones(2))).tolist() == [1, 1]
    assert rl.utils.dlpack.from_dlpack(torch.ones(2)).tolist() == [1, 1]
    assert rl.utils.deterministic.fill_uninitialized_memory


def test_a_choice_of_attention():
    from rushlight.nn.attention import SDPBackend, sdpa_kernel

    theirs = torch.nn.attention.SDPBackend.__members__
    assert {name: one.value for name, one in SDPBackend.__members__.items()} == {
        name: int(one) for name, one in theirs.items()
    }
    for given in (SDPBackend.MATH, [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
        with sdpa_kernel(given):
            assert rl.nn.functional.scaled_dot_product_attention(*[rl.ones(1, 2, 3)] * 3).sum() == 6
    with pytest.raises(AssertionError, match="must be an instance of SDPBackend"), sdpa_kernel(3):
        pass


def test_batch_norm_without_running_statistics():
    for T in (rl, torch):
        model = T.nn.Sequential(T.nn.Linear(2, 2), T.nn.BatchNorm1d(2), T.nn.InstanceNorm1d(2))
        assert T.func.replace_all_batch_norm_modules_(model) is model
        assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
        assert not model[1].track_running_stats and (model.eval()[1](T.ones(3, 2)) == 0).all()


def test_generators_of_threads():
    from rushlight.tensor.generator import drawing_from

    assert rl.thread_safe_generator() is None and torch.thread_safe_generator() is None
    generator = rl.Generator()
    with drawing_from(generator):
        assert rl.random.thread_safe_generator() is generator
