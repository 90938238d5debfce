"""Autocast regions: how they nest, what else follows the lists, and training in them."""

import threading
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier

BOTH = pytest.mark.parametrize("lib", [rl, torch], ids=["rushlight", "torch"])


def said(lib: Any, dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def agree(program: Any) -> Any:
    """What a program returns in both libraries, which must be the same."""
    mine, theirs = program(rl), program(torch)
    assert repr(mine) == repr(theirs)
    return mine


def test_regions_nest_and_end() -> None:
    def program(lib: Any) -> list[Any]:
        a, seen = lib.ones(2, 2), []
        with lib.autocast("cpu"):
            seen.append((a @ a).dtype)
            with lib.autocast("cpu", enabled=False):
                seen.append((a @ a).dtype)
                with lib.autocast("cpu", dtype=lib.float16):
                    seen += [(a @ a).dtype, lib.get_autocast_dtype("cpu")]
            seen += [(a @ a).dtype, lib.is_autocast_enabled("cpu"), lib.is_autocast_enabled()]
        return [*seen, (a @ a).dtype, lib.is_autocast_enabled("cpu")]

    agree(program)


def test_a_region_ends_when_its_block_raises() -> None:
    with pytest.raises(KeyError), rl.autocast("cpu"):
        raise KeyError
    assert not rl.is_autocast_enabled("cpu") and (rl.ones(2, 2) @ rl.ones(2, 2)).dtype is rl.float32


def test_decorates_functions() -> None:
    def program(lib: Any) -> list[Any]:
        @lib.autocast("cpu")
        def once(x: Any) -> Any:
            """Multiplies."""
            return (x @ x).dtype

        a = lib.ones(2, 2)
        return [once(a), once(x=a), once.__doc__, once.__name__, (a @ a).dtype]

    agree(program)


def test_a_region_can_be_entered_again_inside_of_itself() -> None:
    region = rl.autocast("cpu")
    with region:
        with region:
            pass
        assert rl.is_autocast_enabled("cpu")
    assert not rl.is_autocast_enabled("cpu")


def test_the_mode_is_of_its_thread() -> None:
    seen = []
    with rl.autocast("cpu"):
        thread = threading.Thread(target=lambda: seen.append(rl.is_autocast_enabled("cpu")))
        thread.start()
        thread.join()
    assert seen == [False]


@pytest.mark.parametrize(
    "call",
    [
        lambda lib: lib.autocast("gpu"),
        lambda lib: lib.autocast(lib.device("cpu")),
        lambda lib: lib.autocast("meta"),
        lambda lib: lib.autocast("meta", lib.bfloat16),
        lambda lib: lib.autocast("cpu")(3),
        lambda lib: lib.is_autocast_enabled("gpu"),
        lambda lib: lib.amp.is_autocast_available("gpu"),
        lambda lib: lib.amp.custom_fwd(device_type=3),
    ],
)
def test_refuses_what_pytorch_refuses(call: Any) -> None:
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type):
        call(rl)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_a_type_that_is_not_lower_turns_the_region_off(dtype: str) -> None:
    def program(lib: Any) -> list[Any]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with lib.autocast("cpu", dtype=getattr(lib, dtype)):
                found = (lib.ones(2, 2) @ lib.ones(2, 2)).dtype
        return [found, [str(w.message) for w in caught]]

    agree(program)


def test_settings_without_a_region() -> None:
    def program(lib: Any) -> list[Any]:
        a = lib.ones(2, 2)
        lib.set_autocast_dtype("cpu", lib.float16)
        lib.set_autocast_enabled("cpu", True)
        seen = [(a @ a).dtype, lib.is_autocast_enabled("cpu")]
        lib.set_autocast_enabled("cpu", False)
        lib.set_autocast_dtype("cpu", lib.bfloat16)
        lib.set_autocast_enabled(True)
        seen += [lib.is_autocast_enabled(), lib.get_autocast_dtype("cuda"), (a @ a).dtype]
        lib.set_autocast_enabled(False)
        lib.set_autocast_cache_enabled(False)
        seen.append(lib.is_autocast_cache_enabled())
        lib.set_autocast_cache_enabled(True)
        return [*seen, lib.is_autocast_cache_enabled()]

    agree(program)


def test_types_that_take_no_part() -> None:
    def program(lib: Any) -> list[Any]:
        a = lib.ones(2, 2)
        with lib.autocast("cpu"):
            return [
                (a.double() @ a.double()).dtype,
                (a.long() @ a.long()).dtype,
                lib.cat([a.double(), a.bfloat16()]).dtype,
                lib.prod(a.int()).dtype,
                lib.nn.functional.mse_loss(a.double(), a.double()).dtype,
                lib.nn.functional.mse_loss(a.half(), a.bfloat16()).dtype,
            ]

    agree(program)


@BOTH
def test_a_third_type_has_no_widest(lib: Any) -> None:
    a = lib.ones(2, 2)
    with lib.autocast("cpu"), pytest.raises(RuntimeError, match="Unexpected floating ScalarType"):
        lib.cat([a.half(), a.bfloat16()])


def test_out_and_in_place_are_left_alone() -> None:
    def program(lib: Any) -> list[Any]:
        a = lib.full((2, 2), 1.001)
        with lib.autocast("cpu"):
            out = lib.mm(a, a, out=lib.empty(2, 2))
            changed = a.clone().addmm_(a, a)
            joined = lib.cat([a, a], out=lib.empty(4, 2))
        return [[str(x.dtype), round(x.sum().item(), 4)] for x in (out, changed, joined)]

    agree(program)


def layers(lib: Any) -> dict[str, Any]:
    nn, x = lib.nn, lib.ones(2, 4, 6)
    return {
        "lstm": lambda: nn.LSTM(6, 3)(x), "gru": lambda: nn.GRU(6, 3)(x),
        "rnn": lambda: nn.RNN(6, 3)(x), "lstm of half": lambda: nn.LSTM(6, 3)(x.bfloat16()),
        "gru of half": lambda: nn.GRU(6, 3)(x.bfloat16()), "cell": lambda: nn.LSTMCell(6, 3)(x[0]),
        "gru cell": lambda: nn.GRUCell(6, 3)(x[0]), "rnn cell": lambda: nn.RNNCell(6, 3)(x[0]),
        "attention": lambda: nn.MultiheadAttention(6, 2)(x, x, x),
        "mixed": lambda: nn.functional.scaled_dot_product_attention(x, x.bfloat16(), x),
        "encoder": lambda: nn.TransformerEncoderLayer(6, 2, 8)(x),
        "layer norm": lambda: nn.LayerNorm(6)(x.bfloat16()),
        "batch norm": lambda: nn.BatchNorm1d(4)(x.bfloat16()),
        "group norm": lambda: nn.GroupNorm(2, 4)(x.bfloat16()),
        "softmax": lambda: x.bfloat16().softmax(-1), "gelu": lambda: nn.functional.gelu(x),
        "einsum": lambda: lib.einsum("bij,bkj->bik", x, x), "mv": lambda: lib.mv(x[0], x[0, 0]),
        "vector": lambda: x @ x[0, 0], "dot": lambda: lib.dot(x[0, 0], x[0, 0]),
        "addmv": lambda: lib.addmv(x[0, :, 0], x[0], x[0, 0]),
        "power": lambda: lib.linalg.matrix_power(x[:, :, :4], 3),
        "pinv": lambda: lib.linalg.pinv(x[0]),
        "pool with indices": lambda: lib.nn.functional.max_pool3d(
            lib.ones(1, 1, 2, 2, 2).bfloat16(), 2, return_indices=True
        ),
        "conv_tbc": lambda: lib.conv_tbc(x, lib.ones(2, 6, 3), lib.ones(3)),
        "inverse": lambda: lib.inverse(lib.eye(2).bfloat16()),
        "orgqr": lambda: lib.orgqr(lib.ones(2, 2).bfloat16(), lib.ones(2).bfloat16()),
        **{
            f"{mode} {dims}": lambda mode=mode, dims=dims: nn.functional.pad(
                lib.ones((1,) + (2,) * (dims + 1)).bfloat16(), (1, 1) * dims, mode
            )
            for mode in ("reflect", "replicate", "circular", "constant")
            for dims in (1, 2, 3)
        },
    }  # fmt: skip


@pytest.mark.parametrize("name", layers(rl))
def test_layers_and_functions_have_pytorchs_types(name: str) -> None:
    def types(found: Any) -> Any:
        if isinstance(found, (tuple, list)):
            return [types(x) for x in found]
        return said(rl, found.dtype)

    def program(lib: Any) -> Any:
        with lib.autocast("cpu"):
            return types(layers(lib)[name]())

    agree(program)


@BOTH
def test_a_parameter_is_converted_once(lib: Any) -> None:
    """Its gradients are then added in the lower type, where a small one is lost beside a large."""

    def gradient(**options: Any) -> float:
        w = lib.ones(1, 1, requires_grad=True)
        with lib.autocast("cpu", **options):
            y = lib.full((1, 1), 256.0) @ w + (lib.ones(1, 1) @ w).float()
        y.sum().backward()
        assert str(w.grad.dtype) == "torch.float32"
        return float(w.grad)

    assert gradient() == 256.0
    assert gradient(cache_enabled=False) == 257.0


def test_a_conversion_without_gradients_is_not_used_with_them() -> None:
    w = rl.ones(1, 1, requires_grad=True)
    with rl.autocast("cpu"):
        with rl.no_grad():
            kept = rl.ones(1, 1) @ w
        y = rl.ones(1, 1) @ w
    y.sum().backward()
    assert w.grad is not None and kept.item() == 1.0


def test_a_written_parameter_is_converted_again() -> None:
    w = rl.ones(1, 1, requires_grad=True)
    with rl.autocast("cpu"):
        first = rl.ones(1, 1) @ w
        with rl.no_grad():
            w.mul_(3)
        second = rl.ones(1, 1) @ w
    assert (first.item(), second.item()) == (1.0, 3.0)


class Net:
    """A product of its own gradient rule, in both libraries."""

    @staticmethod
    def function(lib: Any, cast_inputs: Any = None) -> Any:
        seen: list[str] = []

        class Product(lib.autograd.Function):
            @staticmethod
            @lib.amp.custom_fwd(device_type="cpu", cast_inputs=cast_inputs)
            def forward(ctx: Any, a: Any, b: Any) -> Any:
                ctx.save_for_backward(a, b)
                y = a @ b
                seen.extend([said(lib, y.dtype), lib.is_autocast_enabled("cpu")])
                return y

            @staticmethod
            @lib.amp.custom_bwd(device_type="cpu")
            def backward(ctx: Any, g: Any) -> Any:
                a, b = ctx.saved_tensors
                ga = g @ b.mT
                seen.extend([said(lib, ga.dtype), lib.is_autocast_enabled("cpu")])
                return ga, a.mT @ g

        return Product, seen


@pytest.mark.parametrize("cast", [None, "float32", "bfloat16"])
@pytest.mark.parametrize("inside", [True, False])
def test_functions_run_in_the_region_of_their_forward(cast: str | None, inside: bool) -> None:
    def program(lib: Any) -> Any:
        function, seen = Net.function(lib, cast and getattr(lib, cast))
        a = lib.ones(2, 2, requires_grad=True)
        with lib.autocast("cpu", enabled=inside):
            y = function.apply(a, a)
        y.sum().backward()
        return [*seen, said(lib, y.dtype), said(lib, a.grad.dtype)]

    agree(program)


def test_backward_in_a_region_runs_rules_as_they_were_recorded() -> None:
    a = rl.full((2, 2), 1.001, requires_grad=True)
    y = (a @ a).sum()
    with rl.autocast("cpu"):
        y.backward()
    assert a.grad.dtype is rl.float32
    np.testing.assert_allclose(a.grad.numpy(), np.full((2, 2), 4.004), rtol=1e-6)


def mlp(lib: Any) -> Any:
    nn = lib.nn
    return nn.Sequential(nn.Linear(12, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 4))


class Block:
    """A small GPT's step: an embedding, a causal attention layer, logits that share its weight."""

    def __new__(cls, lib: Any) -> Any:
        nn, F = lib.nn, lib.nn.functional

        class GPT(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.embed = nn.Embedding(11, 16)
                self.norm = nn.LayerNorm(16)
                self.qkv = nn.Linear(16, 48)
                self.out = nn.Linear(16, 16)

            def forward(self, tokens: Any) -> Any:
                x = self.embed(tokens)
                B, T, C = x.shape
                q, k, v = self.qkv(self.norm(x)).view(B, T, 3, 2, C // 2).permute(2, 3, 0, 1, 4)
                y = F.scaled_dot_product_attention(
                    q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1), is_causal=True
                )
                x = x + self.out(y.transpose(1, 2).reshape(B, T, C))
                return F.linear(x, self.embed.weight)

        return GPT()


def trained(lib: Any, make: Any, x: Any, target: Any, steps: int = 8) -> list[float]:
    """The losses of a model that begins with the same parameters in both libraries."""
    model = make(lib)
    draw = np.random.default_rng(0)
    with lib.no_grad():
        for p in model.parameters():
            p.copy_(lib.from_numpy(draw.normal(0, 0.3, tuple(p.shape)).astype(np.float32)))
    optimizer = lib.optim.AdamW(model.parameters(), lr=0.02)
    x, target = lib.from_numpy(x), lib.from_numpy(target)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with lib.autocast("cpu"):
            y = model(x)
            assert said(lib, y.dtype) == "bfloat16"
            loss = lib.nn.functional.cross_entropy(y.flatten(0, -2), target.flatten())
        assert said(lib, loss.dtype) == "float32"
        loss.backward()
        assert {said(lib, p.grad.dtype) for p in model.parameters()} == {"float32"}
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("kind", ["reference", "compiled"])
@pytest.mark.parametrize("name", ["mlp", "gpt"])
def test_trains_as_pytorch(name: str, kind: str) -> None:
    draw = np.random.default_rng(1)
    if name == "mlp":
        x = draw.normal(size=(8, 12)).astype(np.float32)
        make, target = mlp, draw.integers(0, 4, 8)
    else:
        x = draw.integers(0, 11, (2, 6))
        make, target = Block, draw.integers(0, 11, (2, 6))
    before = tier.choose(kind)
    try:
        mine = trained(rl, make, x, target)
    finally:
        tier.choose(before)
    theirs = trained(torch, make, x, target)
    assert mine[-1] < 0.7 * mine[0]
    np.testing.assert_allclose(mine, theirs, rtol=0.03)


def test_replays_know_the_mode() -> None:
    w = rl.ones(2, 2)
    product = rl.compile(lambda x: x @ w)
    x = rl.ones(2, 2)
    seen = [product(x).dtype, product(x).dtype]
    with rl.autocast("cpu"):
        seen += [product(x).dtype, product(x).dtype]
        with rl.autocast("cpu", dtype=rl.float16):
            seen.append(product(x).dtype)
    seen.append(product(x).dtype)
    expected = [rl.float32] * 2 + [rl.bfloat16] * 2 + [rl.float16, rl.float32]
    assert seen == expected


def test_examples_of_a_batch_are_converted_once() -> None:
    def program(lib: Any) -> Any:
        a = lib.ones(3, 2, 2)
        with lib.autocast("cpu"):
            y = lib.func.vmap(lambda m: m @ m + 1)(a)
        return said(lib, y.dtype), y.tolist()

    agree(program)


def test_the_older_names_of_the_processor() -> None:
    with pytest.warns(FutureWarning), rl.cpu.amp.autocast():
        assert (rl.ones(2, 2) @ rl.ones(2, 2)).dtype is rl.bfloat16
    with pytest.warns(DeprecationWarning):
        assert not rl.is_autocast_cpu_enabled()
    with pytest.warns(FutureWarning):
        assert rl.cpu.amp.GradScaler(8.0).get_scale() == 8.0


def test_the_older_names_of_devices_that_are_not_there() -> None:
    def program(lib: Any) -> Any:
        older = lib.cuda.amp
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scaler = older.GradScaler()
            with older.autocast(), older.autocast(dtype=lib.bfloat16):
                kind = (lib.ones(2, 2) @ lib.ones(2, 2)).dtype
            kept = older.custom_bwd(older.custom_fwd(cast_inputs=lib.float32)(len)) is not None
        kinds = sorted({w.category.__name__ for w in caught})
        return [kind, scaler.is_enabled(), scaler.scale(3), kept, kinds]

    agree(program)
