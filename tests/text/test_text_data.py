"""Vocabularies, tokenisers, transforms and batches, by what torchtext's documentation says."""

import json
import math
import pickle
import sys
from collections import Counter, OrderedDict

import pytest

import rushlight as rl
from rushlight import text
from rushlight.text import functional as F
from rushlight.text import tokenizers
from rushlight.text import transforms as T
from rushlight.text.data import (
    BucketBatchSampler,
    PadCollate,
    bleu_score,
    custom_replace,
    get_tokenizer,
    ngrams_iterator,
    to_map_style_dataset,
)
from rushlight.text.vocab import Vocab, build_vocab_from_iterator, vocab
from rushlight.utils.data import DataLoader


def test_vocab_of_counts():
    counts = OrderedDict([("hello", 4), ("world", 3), ("rare", 1), ("<unk>", 9)])
    v = vocab(counts, min_freq=2, specials=["<unk>", "<pad>"])
    assert v.get_itos() == ["<unk>", "<pad>", "hello", "world"]
    assert v.get_stoi() == {"<unk>": 0, "<pad>": 1, "hello": 2, "world": 3}
    last = vocab(counts, specials=["<unk>"], special_first=False)
    assert last.get_itos() == ["hello", "world", "rare", "<unk>"]
    assert len(v) == 4 and "hello" in v and "rare" not in v and v["world"] == 3


def test_vocab_of_texts():
    texts = [["b", "a", "c"], ["a", "c", "<unk>"], ["a"]]
    v = build_vocab_from_iterator(texts, specials=["<unk>"])
    assert v.get_itos() == ["<unk>", "a", "c", "b"]  # by frequency, then by the alphabet
    assert build_vocab_from_iterator(texts, min_freq=2).get_itos() == ["a", "c"]
    few = build_vocab_from_iterator(texts, specials=["<unk>", "<pad>"], max_tokens=3)
    assert few.get_itos() == ["<unk>", "<pad>", "a"]
    assert build_vocab_from_iterator([]).get_itos() == []
    with pytest.raises(ValueError, match="max_tokens"):
        build_vocab_from_iterator(texts, specials=["<unk>"], max_tokens=1)


def test_words_that_are_not_there():
    v = Vocab(["a", "b"])
    with pytest.raises(RuntimeError, match="Token c not found and default index is not set"):
        v["c"]
    assert v.get_default_index() is None
    v.set_default_index(1)
    assert v(["a", "c"]) == v.lookup_indices(["a", "c"]) == [0, 1] and v["c"] == 1
    v.set_default_index(None)
    with pytest.raises(RuntimeError):
        v(["c"])


def test_vocab_grows():
    v = Vocab(["a", "b"])
    v.insert_token("c", 0)
    v.append_token("d")
    assert v.get_itos() == ["c", "a", "b", "d"] and v["b"] == 2
    assert v.lookup_tokens([3, 0]) == ["d", "c"] and v.lookup_token(1) == "a"
    for call in (lambda: v.insert_token("a", 0), lambda: v.append_token("a")):
        with pytest.raises(RuntimeError, match="already exists in the Vocab with index: 1"):
            call()
    for call in (lambda: v.insert_token("e", 5), lambda: v.lookup_token(4),
                 lambda: v.lookup_token(-1)):  # fmt: skip
        with pytest.raises(RuntimeError, match="is out of bounds for vocab of size 4"):
            call()
    with pytest.raises(RuntimeError, match="already exists"):
        Vocab(["a", "a"])
    again = pickle.loads(pickle.dumps(v))
    assert again.get_itos() == v.get_itos() and again["d"] == 3


def test_basic_english():
    words = get_tokenizer("basic_english")
    assert words("You can now install TorchText using pip!") == [
        "you", "can", "now", "install", "torchtext", "using", "pip", "!",
    ]  # fmt: skip
    assert words('Don\'t "stop" (now); go: on... <br /> yes, a.b?\t\n') == [
        "don", "'", "t", "stop", "(", "now", ")", "go", "on", ".", ".", ".", "yes", ",", "a", ".",
        "b", "?",
    ]  # fmt: skip
    assert words("") == []
    with pytest.raises(ValueError, match="only available for"):
        get_tokenizer("basic_english", "de")


def test_other_tokenizers():
    assert get_tokenizer(None)("A b,c") == ["A", "b,c"]
    assert get_tokenizer(list)("ab") == ["a", "b"]
    with pytest.raises(ValueError, match="valid choices"):
        get_tokenizer("nonsense")


def test_ngrams_and_replacements():
    tokens = ["here", "we", "are"]
    assert list(ngrams_iterator(tokens, 2)) == ["here", "we", "are", "here we", "we are"]
    assert list(ngrams_iterator(tokens, 9))[-1] == "here we are"
    assert list(ngrams_iterator([], 3)) == []
    lines = custom_replace([(r"S", "s"), (r"\s+", " ")])(["test     cuStom   replace", "SS"])
    assert list(lines) == ["test custom replace", "ss"]


def test_bleu():
    candidates = [["My", "full", "pytorch", "test"], ["Another", "Sentence"]]
    references = [[["My", "full", "pytorch", "test"], ["Completely", "Different"]],
                  [["No", "Match"]]]  # fmt: skip
    assert abs(bleu_score(candidates, references) - (2 / 3 * 3 / 4) ** 0.25) < 1e-12
    assert bleu_score([["a"]], [[["b"]]], 1, [1.0]) == 0.0
    short = bleu_score([["a", "b"]], [[["a", "b", "c"]]], 2, [0.5, 0.5])
    assert abs(short - math.exp(-0.5)) < 1e-12
    with pytest.raises(ValueError, match="weights"):
        bleu_score(candidates, references, 2)
    with pytest.raises(ValueError, match="length of candidate"):
        bleu_score(candidates, references[:1])


def test_both_styles():
    data = to_map_style_dataset(iter([(1, "a"), (2, "b")]))
    assert len(data) == 2 and data[1] == (2, "b")
    assert [texts for _, texts in DataLoader(data, batch_size=2)] == [("a", "b")]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_buckets(shuffle, drop_last):
    rl.manual_seed(0)
    lengths = [(k * 37) % 101 for k in range(107)]
    sampler = BucketBatchSampler(lengths, 10, shuffle, pool=4, drop_last=drop_last)
    batches = list(sampler)
    seen = [k for batch in batches for k in batch]
    assert len(batches) == len(sampler) == (10 if drop_last else 11)
    assert len(seen) == len(set(seen)) == (100 if drop_last else 107)
    spread = [max(lengths[k] for k in b) - min(lengths[k] for k in b) for b in batches]
    assert sum(spread) / len(spread) < (11 if not shuffle else 45)  # 90 by chance
    assert (list(sampler) == batches) != shuffle
    loader = DataLoader(list(range(107)), batch_sampler=sampler, collate_fn=list)
    assert sorted(len(batch) for batch in loader)[-1] == 10


def test_buckets_by_a_generator():
    orders = [list(BucketBatchSampler(range(50), 4, generator=rl.Generator().manual_seed(3)))
              for _ in range(2)]  # fmt: skip
    assert orders[0] == orders[1]
    assert list(BucketBatchSampler([], 4)) == []
    for bad in ({"batch_size": 0}, {"batch_size": 2, "pool": 0}):
        with pytest.raises(ValueError, match="must be positive"):
            BucketBatchSampler([1], **bad)


def test_collating():
    v = Vocab(["<pad>", "a", "b"])
    collate = PadCollate(lambda line: v(line.split()), padding_value=0)
    labels, texts, lengths = collate([(1, "a b a"), (0, "b")])
    assert labels.tolist() == [1, 0] and texts.tolist() == [[1, 2, 1], [2, 0, 0]]
    assert lengths.tolist() == [3, 1] and texts.dtype == rl.int64
    packed = rl.nn.utils.rnn.pack_padded_sequence(texts, lengths, batch_first=True)
    assert packed.data.tolist() == [1, 2, 2, 1]
    texts, lengths = PadCollate(batch_first=False, padding_value=9, longest=2)([[1, 2, 3], [4]])
    assert texts.tolist() == [[1, 4], [2, 9]] and lengths.tolist() == [2, 1]
    assert PadCollate()([[]])[1].tolist() == [0]


def test_transforms():
    v = Vocab(["<pad>", "a", "b"])
    pipeline = T.Sequential(T.VocabTransform(v), T.Truncate(3), T.AddToken(7), T.AddToken(8, False),
                            T.ToTensor(padding_value=0), T.PadTransform(6, 5))  # fmt: skip
    assert pipeline([["a", "b", "b", "a"], ["b"]]).tolist() == [
        [7, 1, 2, 2, 8, 5], [7, 2, 8, 0, 0, 5],
    ]  # fmt: skip
    assert pipeline(["a"]).tolist() == [7, 1, 8, 5, 5, 5]
    assert T.PadTransform(2, 0)(rl.ones(3)).tolist() == [1, 1, 1]
    assert T.StrToIntTransform()([["1", "2"], ["3"]]) == [[1, 2], [3]]
    assert T.StrToIntTransform()(["4"]) == [4]
    assert T.ToTensor(dtype=rl.float32)([1, 2]).dtype == rl.float32
    assert F.add_token([], 3) == [3] and F.truncate([], 3) == []
    with pytest.raises(TypeError, match="not supported"):
        F.truncate("abc", 2)


def test_labels(tmp_path):
    (tmp_path / "labels.txt").write_text("b\na\n")
    by_file = T.LabelToIndex(label_path=tmp_path / "labels.txt")
    assert by_file("a") == 1 and by_file(["a", "b"]) == [1, 0]
    ordered = T.LabelToIndex(["b", "a"], sort_names=True)
    assert ordered.label_names == ["a", "b"] and ordered("a") == 0
    with pytest.raises(ValueError, match="not both"):
        T.LabelToIndex()


TEXTS = ["the lowest of the low", "lower and lower", "the newest and the widest"] * 4


def test_trained_byte_pairs(tmp_path):
    tokenizer = tokenizers.train_byte_pairs(TEXTS, 290, ["<|endoftext|>"])
    for line in ("the lowest", "naïve ☃ \n x"):
        ids = tokenizer.encode(line).ids
        assert tokenizer.decode(ids) == line and max(ids) < tokenizer.get_vocab_size() <= 290
    assert len(tokenizer.encode("the lowest").ids) < len("the lowest")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = tokenizers.from_folder(tmp_path)
    assert again.encode("the lowest").ids == tokenizer.encode("the lowest").ids


def gpt2_files(folder):
    tokenizer = tokenizers.train_byte_pairs(TEXTS, 290, ["<|endoftext|>"])
    whole = json.loads(tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(whole["vocab"]))
    merges = "\n".join(" ".join(pair) for pair in whole["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    return tokenizer


def test_gpt2s_tokens(tmp_path):
    tokenizer = gpt2_files(tmp_path)
    line = "the lowest, Hello"
    ids = tokenizer.encode(line).ids
    assert tokenizers.from_folder(tmp_path).encode(line).ids == ids
    by_number = T.GPT2BPETokenizer(tmp_path / "vocab.json", tmp_path / "merges.txt")
    assert by_number(line) == [str(k) for k in ids] and by_number.decode(by_number(line)) == line
    assert by_number([line, "a"])[0] == by_number(line)
    names = T.GPT2BPETokenizer(tmp_path / "vocab.json", tmp_path / "merges.txt", True)
    assert "".join(names(line)) == line.replace(" ", "Ġ")
    assert names.add_special_tokens({"pad_token": "<pad>", "more": ["<a>", "<|endoftext|>"]}) == 2
    assert names("a<pad>b") == ["a", "<pad>", "b"]
    assert T.Sequential(by_number, T.StrToIntTransform(), T.ToTensor())(line).tolist() == ids


def test_berts_tokens(tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "low", "##est", "##er", ",", "é", "e"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", "utf-8")
    names = T.BERTTokenizer(tmp_path / "vocab.txt", return_tokens=True)
    assert names("The LOWEST, é strange") == ["the", "low", "##est", ",", "e", "[UNK]"]
    assert names(["lower", ""]) == [["low", "##er"], []]
    assert T.BERTTokenizer(tmp_path / "vocab.txt")("lower") == ["5", "7"]
    kept = T.BERTTokenizer(tmp_path / "vocab.txt", strip_accents=False, return_tokens=True)
    assert kept("é") == ["é"]
    case = T.BERTTokenizer(tmp_path / "vocab.txt", do_lower_case=False, return_tokens=True)
    assert case("The [SEP] low") == ["[UNK]", "[SEP]", "low"]
    whole = tokenizers.from_folder(tmp_path)
    assert whole.encode("the low").tokens == ["[CLS]", "the", "low", "[SEP]"]
    assert whole.decode(whole.encode("the lowest").ids) == "the lowest"


def test_folders_without_tokenizer(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"has no tokeniser: neither tokenizer\.json"):
        tokenizers.from_folder(tmp_path)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ImportError, match=r"needs tokenizers.*rushlight\[text\]"):
        tokenizers.train_byte_pairs(["a"], 300)


def test_parts_load_when_asked_for():
    assert "vocab" in dir(text) and text.vocab.Vocab is Vocab
    with pytest.raises(AttributeError, match="nonsense"):
        text.nonsense
    assert Counter(dir(text))["datasets"] == 1
