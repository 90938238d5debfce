"""GPT and BERT against computations written out in PyTorch, and in Hugging Face's folders."""

import json
import math

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier
from rushlight.text.models import BERT, GPT, BERTConfig, GPTConfig, Sampling

SMALL = {"vocab_size": 23, "n_positions": 16, "n_embd": 12, "n_layer": 2, "n_head": 3}
BERT_SMALL = {
    "vocab_size": 23, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3,
    "intermediate_size": 20, "max_position_embeddings": 16,
}  # fmt: skip


@pytest.fixture(autouse=True)
def uncompiled():
    """What runs once need not be compiled."""
    with tier.only("reference"):
        yield


def gpt(**kwargs):
    rl.manual_seed(0)
    return GPT(GPTConfig(**{**SMALL, **kwargs})).eval()


def drawn(model, seed=0, scale=0.3):
    """Random weights of a size at which everything matters."""
    rng = np.random.default_rng(seed)
    with rl.no_grad():
        for parameter in model.parameters():
            parameter.copy_(rl.tensor(rng.normal(0, scale, parameter.shape).astype("f4")))
    return model


def theirs(model):
    return {name: torch.tensor(value.numpy()) for name, value in model.state_dict().items()}


def heads_of(x, heads):
    B, T, D = x.shape
    return x.reshape(B, T, heads, D // heads).transpose(1, 2)


def attended(q, k, v, mask):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return (scores.masked_fill(~mask, -torch.inf).softmax(-1) @ v).transpose(1, 2).flatten(2)


def gpt_by_hand(w, ids, config):
    def layer(x, name):
        return x @ w[f"{name}.weight"].t() + w[f"{name}.bias"]

    def norm(x, name):
        return torch.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], 1e-5)

    T = ids.shape[1]
    causal = torch.ones(T, T, dtype=torch.bool).tril()
    x = w["wte.weight"][ids] + w["wpe.weight"][:T]
    for k in range(config.n_layer):
        q, key, v = (heads_of(part, config.n_head) for part in
                     layer(norm(x, f"h.{k}.ln_1"), f"h.{k}.attn.c_attn").chunk(3, -1))  # fmt: skip
        x = x + layer(attended(q, key, v, causal), f"h.{k}.attn.c_proj")
        inner = layer(norm(x, f"h.{k}.ln_2"), f"h.{k}.mlp.c_fc")
        inner = (
            0.5 * inner * (1 + torch.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)))
        )
        x = x + layer(inner, f"h.{k}.mlp.c_proj")
    return norm(x, "ln_f") @ w["lm_head.weight"].t()


@pytest.mark.parametrize("tied", [True, False])
def test_gpt_is_what_the_paper_says(tied):
    model = drawn(gpt(tie_word_embeddings=tied))
    ids = np.random.default_rng(1).integers(0, 23, (2, 9))
    wanted = gpt_by_hand(theirs(model), torch.tensor(ids), model.config)
    np.testing.assert_allclose(
        model(rl.tensor(ids)).detach().numpy(), wanted.numpy(), rtol=1e-4, atol=1e-4
    )
    shared = model.lm_head.weight is model.wte.weight
    assert shared == tied


def test_gpts_gradients():
    model = drawn(gpt())
    ids = np.random.default_rng(1).integers(0, 23, (2, 9))
    weights = {name: value.requires_grad_() for name, value in theirs(model).items()}
    weights["lm_head.weight"] = weights["wte.weight"]
    logits = gpt_by_hand(weights, torch.tensor(ids), model.config)
    torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1),
                                      torch.tensor(ids[:, 1:]).flatten()).backward()  # fmt: skip
    ours = model(rl.tensor(ids))
    rl.nn.functional.cross_entropy(
        ours[:, :-1].flatten(0, 1), rl.tensor(ids[:, 1:]).flatten()
    ).backward()
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(
            parameter.grad.numpy(), weights[name].grad.numpy(), rtol=1e-3, atol=2e-5, err_msg=name
        )


@pytest.mark.parametrize("prompt, count", [(1, 9), (5, 3), (16, 0), (3, 0)])
def test_what_is_remembered_changes_nothing(prompt, count):
    model = drawn(gpt())
    ids = rl.tensor(np.random.default_rng(1).integers(0, 23, (2, prompt)))
    text = ids
    for _ in range(count):
        text = rl.cat([text, model(text)[:, -1:].argmax(-1)], 1)
    made = model.generate(ids, count, temperature=0)
    assert made.tolist() == text.tolist()


def test_generation_in_the_compiled_tier():
    model, ids = drawn(gpt()), rl.tensor([[3, 4]])
    found = []
    for which in ("reference", "compiled"):
        with tier.only(which):
            found.append(model.generate(ids, 6, temperature=0).tolist())
    assert found[0] == found[1]


def test_sampling():
    logits = rl.tensor([[0.0, 3.0, 2.0, 1.0]]).expand(400, 4)
    rl.manual_seed(0)
    seen = lambda **kwargs: set(Sampling(**kwargs).draw(logits).reshape(-1).tolist())
    assert seen() == {0, 1, 2, 3}
    assert seen(top_k=2) == {1, 2} and seen(top_k=9) == {0, 1, 2, 3}
    assert seen(temperature=0) == {1}
    assert seen(temperature=0.05) == {1}
    chances = np.exp([3, 2, 1, 0]) / np.exp([3, 2, 1, 0]).sum()
    assert seen(top_p=float(chances[0]) - 0.01) == {1}
    assert seen(top_p=float(chances[0]) + 0.01) == {1, 2}
    assert seen(top_p=0.9999999) == {0, 1, 2, 3}
    kept = Sampling(top_p=0.7).allowed(logits)[0].tolist()
    assert kept == [-math.inf, 3.0, 2.0, -math.inf]
    one = Sampling(generator=rl.Generator().manual_seed(5)).draw(logits)
    other = Sampling(generator=rl.Generator().manual_seed(5)).draw(logits)
    assert one.tolist() == other.tolist()
    for bad in ({"temperature": -1.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}):
        with pytest.raises(ValueError):
            Sampling(**bad)


def test_texts_end():
    model = drawn(gpt())
    ids = rl.tensor([[1, 2], [3, 4]])
    text = model.generate(ids, 10, temperature=0)
    end = int(text[0, 4])
    ended = model.generate(ids, 10, temperature=0, eos=end)
    first = text[0, 2:].tolist().index(end)
    assert ended[0, : first + 3].tolist() == text[0, : first + 3].tolist()
    assert set(ended[0, first + 2 :].tolist()) == {end}
    alone = model.generate(ids[:1], 10, temperature=0, eos=end)
    assert alone.shape == (1, first + 3)  # nothing more to be said
    model.config.eos_token_id = end
    assert model.generate(ids[:1], 10, temperature=0).shape == (1, first + 3)
    assert model.generate(ids[:1], 10, temperature=0, eos=-1).shape == (1, 12)


def test_bad_generation():
    model = gpt()
    for ids, count in ((rl.zeros(1, 0, dtype=rl.int64), 3), (rl.zeros(1, 4).long(), 13),
                       (rl.zeros(1, 4).long(), -1)):  # fmt: skip
        with pytest.raises(ValueError):
            model.generate(ids, count)
    with pytest.raises(ValueError, match="17 tokens and the model 16 positions"):
        model(rl.zeros(1, 17).long())
    with pytest.raises(ValueError, match="no multiple"):
        GPTConfig(n_embd=10, n_head=3)
    with pytest.raises(ValueError, match="activation must be"):
        gpt(activation_function="nonsense")
    training = gpt().train()
    training.generate(rl.zeros(1, 1).long(), 2)
    assert training.training  # as before


def test_first_weights():
    model = GPT(GPTConfig(**{**SMALL, "n_embd": 48, "n_layer": 8}))
    assert abs(float(model.wte.weight.std()) - 0.02) < 2e-3
    assert abs(float(model.h[3].mlp.c_proj.weight.std()) - 0.02 / 4) < 5e-4
    assert float(model.h[0].attn.c_attn.bias.abs().max()) == 0


def test_gpt_folders(tmp_path):
    model = drawn(gpt())
    model.save_pretrained(tmp_path / "a")
    again = GPT.from_pretrained(tmp_path / "a")
    ids = rl.tensor([[1, 5, 2]])
    assert rl.allclose(again(ids), model(ids)) and not again.training
    weights = rl.load_safetensors(tmp_path / "a" / "model.safetensors")
    assert weights["transformer.h.0.attn.c_attn.weight"].shape == (12, 36)  # (in, out)
    assert "lm_head.weight" not in weights
    config = json.loads((tmp_path / "a" / "config.json").read_text())
    assert config["model_type"] == "gpt2" and config["n_embd"] == 12


def rewritten(folder, change):
    """A folder with the weights of another, changed."""
    weights = rl.load_safetensors(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    return change(weights)


def test_gpt2s_own_file_has_no_prefix_and_masks_among_the_weights(tmp_path):
    model = drawn(gpt())
    model.save_pretrained(tmp_path)
    rewritten(tmp_path, lambda weights: rl.save_safetensors(
        {name.removeprefix("transformer."): value for name, value in weights.items()}
        | {"h.0.attn.bias": rl.ones(1, 1, 16, 16)}, tmp_path / "model.safetensors"))  # fmt: skip
    ids = rl.tensor([[1, 5, 2]])
    assert rl.allclose(GPT.from_pretrained(tmp_path)(ids), model(ids))


def test_parts_and_pickled_files(tmp_path):
    model = drawn(gpt())
    ids = rl.tensor([[1, 5, 2]])
    model.save_pretrained(tmp_path)

    def parts(weights):
        names, index = sorted(weights), {}
        for k in range(2):
            file = f"model-0000{k + 1}-of-00002.safetensors"
            rl.save_safetensors({name: weights[name] for name in names[k::2]}, tmp_path / file)
            index |= dict.fromkeys(names[k::2], file)
        text = json.dumps({"metadata": {}, "weight_map": index})
        (tmp_path / "model.safetensors.index.json").write_text(text)

    rewritten(tmp_path, parts)
    assert rl.allclose(GPT.from_pretrained(tmp_path)(ids), model(ids))
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="lacks model-00002-of-00002"):
        GPT.from_pretrained(tmp_path)

    model.save_pretrained(tmp_path / "b")
    rewritten(tmp_path / "b", lambda weights: torch.save(
        {name: torch.tensor(value.numpy()) for name, value in weights.items()},
        tmp_path / "b" / "pytorch_model.bin"))  # fmt: skip
    assert rl.allclose(GPT.from_pretrained(tmp_path / "b")(ids), model(ids))


def test_folders_of_nothing_and_of_others(tmp_path):
    with pytest.raises(FileNotFoundError, match="no config"):
        GPT.from_pretrained(tmp_path)
    gpt().save_pretrained(tmp_path)
    weights = rl.load_safetensors(tmp_path / "model.safetensors")
    less = {name: value for name, value in weights.items() if "ln_f" not in name}
    rl.save_safetensors(less, tmp_path / "model.safetensors")
    with pytest.raises(RuntimeError, match=r"lacks 2 weights: ln_f\.weight, ln_f\.bias"):
        GPT.from_pretrained(tmp_path)
    rl.save_safetensors(weights | {"transformer.ln_f.bias": rl.zeros(5)},
                        tmp_path / "model.safetensors")  # fmt: skip
    with pytest.raises(RuntimeError, match="size mismatch"):
        GPT.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no weights"):
        GPT.from_pretrained(tmp_path)


def bert(**kwargs):
    rl.manual_seed(0)
    return BERT(BERTConfig(**{**BERT_SMALL, **kwargs})).eval()


def bert_by_hand(w, ids, mask, segments, config):
    def layer(x, name):
        return x @ w[f"{name}.weight"].t() + w[f"{name}.bias"]

    def norm(x, name):
        return torch.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], 1e-12)

    e = "embeddings"
    x = w[f"{e}.word_embeddings.weight"][ids] + w[f"{e}.token_type_embeddings.weight"][segments]
    x = norm(x + w[f"{e}.position_embeddings.weight"][: ids.shape[1]], f"{e}.LayerNorm")
    for k in range(config.num_hidden_layers):
        a, o = f"encoder.layer.{k}.attention", f"encoder.layer.{k}.output"
        q, key, v = (heads_of(layer(x, f"{a}.self.{name}"), config.num_attention_heads)
                     for name in ("query", "key", "value"))  # fmt: skip
        y = layer(attended(q, key, v, mask[:, None, None]), f"{a}.output.dense")
        x = norm(x + y, f"{a}.output.LayerNorm")
        inner = layer(x, f"encoder.layer.{k}.intermediate.dense")
        inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
        x = norm(x + layer(inner, f"{o}.dense"), f"{o}.LayerNorm")
    return x, layer(x[:, 0], "pooler.dense").tanh()


def test_bert_is_what_the_paper_says():
    model = drawn(bert())
    rng = np.random.default_rng(1)
    ids, segments = rng.integers(0, 23, (2, 9)), rng.integers(0, 2, (2, 9))
    mask = np.arange(9) < np.array([[9], [5]])
    wanted = bert_by_hand(theirs(model), torch.tensor(ids), torch.tensor(mask),
                          torch.tensor(segments), model.config)  # fmt: skip
    found = model(rl.tensor(ids), rl.tensor(mask), rl.tensor(segments))
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.numpy(), rtol=1e-4, atol=1e-5)
    numbers = model(rl.tensor(ids), rl.tensor(mask.astype("i8")), rl.tensor(segments))
    assert rl.equal(numbers.text, found.text)
    plain = model(rl.tensor(ids))
    zeros = bert_by_hand(theirs(model), torch.tensor(ids), torch.ones(2, 9, dtype=torch.bool),
                         torch.zeros(2, 9, dtype=torch.long), model.config)  # fmt: skip
    np.testing.assert_allclose(plain.text.detach().numpy(), zeros[1].numpy(), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="17 tokens"):
        model(rl.zeros(1, 17).long())


def test_bert_folders(tmp_path):
    model = drawn(bert())
    ids = rl.tensor([[1, 5, 2]])
    model.save_pretrained(tmp_path)
    assert rl.allclose(BERT.from_pretrained(tmp_path)(ids).text, model(ids).text)

    def older(weights):
        names = {name: "bert." + name.replace("LayerNorm.weight", "LayerNorm.gamma")
                 .replace("LayerNorm.bias", "LayerNorm.beta") for name in weights}  # fmt: skip
        changed = {names[name]: value for name, value in weights.items() if "pooler" not in name}
        rl.save_safetensors(changed, tmp_path / "model.safetensors")

    rewritten(tmp_path, older)
    again = BERT.from_pretrained(tmp_path)
    assert rl.allclose(again(ids).tokens, model(ids).tokens)


def test_padding_is_zero_at_first():
    assert float(bert().embeddings.word_embeddings.weight[0].abs().max()) == 0


@pytest.mark.slow
def test_against_transformers(tmp_path):
    pytest.importorskip("peers")  # before transformers, which looks for torchvision
    pytest.importorskip("transformers")
    from transformers import BertModel, GPT2LMHeadModel

    ids = [[1, 5, 2, 7]]
    model = drawn(gpt())
    model.save_pretrained(tmp_path / "gpt")
    other = GPT2LMHeadModel.from_pretrained(tmp_path / "gpt").eval()
    with torch.no_grad():
        wanted = other(torch.tensor(ids)).logits.numpy()
        text = other.generate(torch.tensor(ids), max_new_tokens=6, do_sample=False).tolist()
    np.testing.assert_allclose(model(rl.tensor(ids)).detach().numpy(), wanted, rtol=1e-4, atol=1e-4)
    assert model.generate(rl.tensor(ids), 6, temperature=0).tolist() == text
    other.save_pretrained(tmp_path / "gpt2")
    again = GPT.from_pretrained(tmp_path / "gpt2")
    assert rl.allclose(again(rl.tensor(ids)), model(rl.tensor(ids)))

    encoder = drawn(bert())
    encoder.save_pretrained(tmp_path / "bert")
    other = BertModel.from_pretrained(tmp_path / "bert").eval()
    with torch.no_grad():
        wanted = other(torch.tensor(ids))
    found = encoder(rl.tensor(ids))
    for one, two in zip(found, (wanted.last_hidden_state, wanted.pooler_output), strict=True):
        np.testing.assert_allclose(one.detach().numpy(), two.numpy(), rtol=1e-4, atol=1e-5)
