"""Readers of published texts on miniatures of them, downloads included, and the shipped novel."""

import hashlib
import io
import tarfile
import zipfile

import pytest

import rushlight as rl
from home import Home
from rushlight.text import datasets
from rushlight.text.datasets import (
    AG_NEWS,
    IMDB,
    SST2,
    Characters,
    Multi30k,
    PennTreebank,
    PrideAndPrejudice,
    WikiText2,
    WikiText103,
    published,
)
from rushlight.utils.data import DataLoader


def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data.encode())
            archive.addfile(info, io.BytesIO(data.encode()))
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


NEWS = '"3","Wall St. ""Bears""","Short-sellers, \\$ again"\n"1","Ünion","x"\n'
TOKENS = " \n = Title = \n \n It <unk> on \u2028 here . \n"
SENTENCES = 'text\tlabel\na gem \t1\nso "bad" , really\t0\n'
CAPTIONS = tar({"train.de": "Zwei Männer.\nEin Hund.\n", "train.en": "Two men.\nA dog.\n"})


@pytest.fixture
def home(monkeypatch):
    """Serves miniatures in the place of the published files."""
    server = Home({
        "train.csv": NEWS.encode(), "test.csv": NEWS.encode(),
        "aclImdb_v1.tar.gz": tar({
            "aclImdb/README": "about", "aclImdb/train/unsup/0_0.txt": "no opinion",
            **{f"aclImdb/{split}/{kind}/{k}_7.txt": f"{split} {kind} {k}"
               for split in ("train", "test") for kind in ("pos", "neg") for k in range(2)},
        }),
        "wikitext-2-v1.zip": zipped({f"wikitext-2/wiki.{s}.tokens": TOKENS
                                     for s in ("train", "valid", "test")}),
        "wikitext-103-v1.zip": zipped({"wikitext-103/wiki.test.tokens": TOKENS}),
        "SST-2.zip": zipped({
            "SST-2/train.tsv": SENTENCES.replace("text", "sentence"),
            "SST-2/test.tsv": "index\tsentence\n0\tgood ?\n",
        }),
        "ptb.valid.txt": b" consumers may <unk> \n no it was n't \n",
        "training.tar.gz": CAPTIONS,
    })  # fmt: skip
    for name in ("NEWS", "REVIEWS", "WIKI", "TREEBANK", "BANK", "CAPTIONS"):
        address = getattr(published, name)
        monkeypatch.setattr(published, name, server.address + address.rpartition("/")[2])
    # The checksums are those of the published files, so miniatures are known by none.
    unchecked = published.fetch.download
    monkeypatch.setattr(
        published.fetch, "download",
        lambda url, folder, name=None, **checksum: unchecked(url, folder, name, progress=False),
    )  # fmt: skip
    yield server
    server.server.shutdown()
    server.server.server_close()


def test_news(home, tmp_path):
    train, test = AG_NEWS(tmp_path)
    wanted = [(3, 'Wall St. "Bears" Short-sellers, \\$ again'), (1, "Ünion x")]
    assert list(train) == list(test) == wanted and list(train) == wanted
    assert len(train) == 2 and train[1] == wanted[1]
    assert (tmp_path / "datasets" / "AG_NEWS" / "train.csv").exists()
    assert list(AG_NEWS(root=str(tmp_path), split="test")) == wanted
    assert home.asked == ["train.csv", "test.csv"]  # once each
    (one,) = AG_NEWS(tmp_path, split=("train",))
    batches = list(DataLoader(one, batch_size=2))
    assert batches[0][0].tolist() == [3, 1] and batches[0][1][1] == "Ünion x"
    with pytest.raises(ValueError, match="has the splits"):
        AG_NEWS(tmp_path, "valid")


def test_reviews(home, tmp_path):
    train, test = IMDB(tmp_path)
    assert list(train) == [(1, "train neg 0"), (1, "train neg 1"), (2, "train pos 0"),
                           (2, "train pos 1")]  # fmt: skip
    assert list(test)[0] == (1, "test neg 0") and home.asked == ["aclImdb_v1.tar.gz"]


def test_wikipedia(home, tmp_path):
    for data in WikiText2(tmp_path):
        assert list(data) == [" \n", " = Title = \n", " \n", " It <unk> on \u2028 here . \n"]
    assert home.asked == ["wikitext-2-v1.zip"]
    assert len(WikiText103(tmp_path, "test")) == 4


def test_judged_sentences(home, tmp_path):
    assert list(SST2(tmp_path, "train")) == [("a gem", 1), ('so "bad" , really', 0)]
    assert list(SST2(tmp_path, "test")) == [("good ?",)]


def test_penn_treebank(home, tmp_path):
    assert list(PennTreebank(tmp_path, "valid")) == ["consumers may <unk>", "no it was n't"]


def test_captions(home, tmp_path):
    pairs = [("Zwei Männer.", "Two men."), ("Ein Hund.", "A dog.")]
    assert list(Multi30k(tmp_path, "train")) == pairs
    turned = Multi30k(tmp_path, split="train", language_pair=("en", "de"))
    assert list(turned) == [(b, a) for a, b in pairs]
    assert home.asked == ["training.tar.gz"]
    with pytest.raises(ValueError, match="language_pair must be"):
        Multi30k(tmp_path, "train", language_pair=("de", "fr"))


def test_without_network(tmp_path, monkeypatch):
    monkeypatch.setattr(published, "NEWS", "http://127.0.0.1:9/")
    with pytest.raises(RuntimeError, match=r"train\.csv.*AG_NEWS"):
        AG_NEWS(tmp_path, "train")


def test_the_default_folder(home, tmp_path, monkeypatch):
    monkeypatch.setenv("RUSHLIGHT_HOME", str(tmp_path))
    PennTreebank(split="valid")
    assert (tmp_path / "text" / "datasets" / "PennTreebank" / "ptb.valid.txt").exists()


@pytest.mark.parametrize("checksum", [*published.NEWS_MD5.values(), *published.BANK_MD5.values(),
    *(one[1] for one in published.CAPTION_FILES.values())])  # fmt: skip
def test_checksums_are_whole(checksum):
    assert len(checksum) in (32, 64) and int(checksum, 16)


def test_characters():
    data = Characters("hello world", 4)
    assert data.symbols == " dehlorw" and len(data) == 7
    x, y = data[0]
    assert data.decode(x) == "hell" and data.decode(y) == "ello" and x.dtype == rl.int64
    assert data.decode(data[6][1]) == data.decode(data[-1][1]) == "orld"
    assert len(Characters("hello world", 4, step=4)) == 2
    assert data.decode(data.encode("lord")) == "lord"
    for index in (7, -8):
        with pytest.raises(IndexError):
            data[index]
    for bad in ({"length": 11}, {"length": 0}, {"length": 2, "step": 0},
                {"length": 2, "symbols": "helo"}):  # fmt: skip
        with pytest.raises(ValueError):
            Characters("hello world", **bad)


def test_the_novel_is_whole():
    whole = PrideAndPrejudice("all").text
    assert len(whole) == 684768 and len(set(whole)) == 75 and whole.isascii()
    assert hashlib.sha256(whole.encode()).hexdigest() == (
        "dfc684d4f857fa938268f9ab9c5567b64bd0691251eca959644adeabe6287a4d"
    )
    assert "gutenberg" not in whole.lower()
    parts = [PrideAndPrejudice(split, length=8) for split in ("train", "valid", "test")]
    assert "".join(part.text for part in parts) == whole
    assert len({part.symbols for part in parts}) == 1
    with pytest.raises(ValueError, match="split must be"):
        PrideAndPrejudice("nonsense")


def test_a_small_gpt_learns_from_the_novel():
    from rushlight.text.models import GPT, GPTConfig

    rl.manual_seed(0)
    data = PrideAndPrejudice("train", length=32, step=32)
    model = GPT(GPTConfig(vocab_size=75, n_positions=32, n_embd=48, n_layer=1, n_head=4,
                          resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0))  # fmt: skip
    optimizer = rl.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _, (x, y) in zip(range(100), DataLoader(data, 32, shuffle=True), strict=False):
        optimizer.zero_grad()
        loss = rl.nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 4.2 and losses[-1] < 2.8  # 3.1 by frequencies alone
    assert datasets.PrideAndPrejudice is PrideAndPrejudice
