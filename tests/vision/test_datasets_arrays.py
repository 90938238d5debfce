"""Data sets kept as arrays, read by torchvision and by us, from the same files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import miniatures as mini
import numpy as np
import pytest
import scipy.io

import rushlight as rl
from home import DEAD, Home
from peers import torchvision
from rushlight.fetch import FormatError
from rushlight.vision import datasets
from rushlight.vision.datasets.batches import read_batch
from rushlight.vision.datasets.matlab import read_mat

theirs = torchvision.datasets


def array(value: Any) -> np.ndarray:
    return value.numpy() if hasattr(value, "numpy") else np.asarray(value)


def same_items(our: Any, their: Any) -> None:
    assert len(our) == len(their) > 0
    for i in (0, len(our) - 1):
        (image, target), (other, wanted) = our[i], their[i]
        assert image.mode == other.mode and image.size == other.size
        assert np.array_equal(np.asarray(image), np.asarray(other))
        assert target == wanted and type(target) is type(wanted)


def same(our: Any, their: Any, *attributes: str) -> None:
    """The same items, attributes and text."""
    same_items(our, their)
    for name in attributes:
        a, b = getattr(our, name), getattr(their, name)
        if isinstance(b, list | dict | str):
            assert a == b, name
        else:
            assert str(a.dtype) == str(b.dtype), name
            assert np.array_equal(array(a), array(b)), name
    assert repr(our) == repr(their)


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as one:
        yield one


# MNIST and its relatives.


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
@pytest.mark.parametrize("train", [True, False])
def test_mnist(tmp_path: Path, name: str, train: bool) -> None:
    mini.write(tmp_path / name / "raw", mini.mnist_files())
    our, their = (getattr(one, name)(tmp_path, train) for one in (datasets, theirs))
    same(our, their, "data", "targets", "classes", "class_to_idx", "raw_folder", "mirrors")
    assert our.resources == their.resources and our.train is train
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert our.train_labels is our.targets and our.test_data is our.data
    assert "train_labels has been renamed targets" in str(caught[0].message)


def test_transforms_of_a_data_set(tmp_path: Path) -> None:
    mini.write(tmp_path / "MNIST" / "raw", mini.mnist_files())
    options = {"transform": np.asarray, "target_transform": lambda target: target + 100}
    our, their = (one.MNIST(str(tmp_path), **options) for one in (datasets, theirs))
    assert our[3][1] == their[3][1] == 103 and np.array_equal(our[3][0], their[3][0])
    assert repr(our).splitlines()[:4] == repr(their).splitlines()[:4]
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform"):
        datasets.VisionDataset("x", transforms=lambda a, b: (a, b), transform=lambda a: a)
    base = datasets.VisionDataset("~/x", transforms=lambda a, b: (a, b))
    assert base.root == theirs.VisionDataset("~/x").root and base.transform is None
    with pytest.raises(NotImplementedError):
        base[0]


def test_a_subset_by_hand(tmp_path: Path) -> None:
    """People cut data sets by their attributes, with tensors and with lists."""
    mini.write(tmp_path / "MNIST" / "raw", mini.mnist_files())
    our = datasets.MNIST(tmp_path)
    our.data, our.targets = our.data[our.targets < 3], our.targets[our.targets < 3].tolist()
    assert len(our) == 5 and our[4][1] == 1
    our.targets[4] = 2
    assert our[4][1] == 2
    changed = datasets.MNIST(tmp_path)
    target = changed[1][1]
    changed.data[1] = 7
    changed.targets.add_(1)
    assert np.asarray(changed[1][0]).max() == 7 and changed[1][1] == target + 1
    again = pickle.loads(pickle.dumps(changed))
    assert again[1][1] == target + 1 and np.asarray(again[1][0]).max() == 7


@pytest.mark.parametrize("split", datasets.EMNIST.splits)
def test_emnist(tmp_path: Path, split: str) -> None:
    files = mini.mnist_files()
    named = {
        f"emnist-{split}-{part}-{rest}": files[f"{start}-{rest}"]
        for part, start in (("train", "train"), ("test", "t10k"))
        for rest in ("images-idx3-ubyte", "labels-idx1-ubyte")
    }
    mini.write(tmp_path / "EMNIST" / "raw", named)
    for train in (True, False):
        our, their = (one.EMNIST(tmp_path, split, train=train) for one in (datasets, theirs))
        same(our, their, "data", "targets", "classes", "class_to_idx")
    with pytest.raises(ValueError, match="Unknown value 'small' for argument split"):
        datasets.EMNIST(tmp_path, "small")


@pytest.mark.parametrize("what", ["train", "test", "test10k", "test50k", "nist"])
@pytest.mark.parametrize("compat", [True, False])
def test_qmnist(tmp_path: Path, what: str, compat: bool) -> None:
    start = {"train": "qmnist-train", "nist": "xnist"}.get(what, "qmnist-test")
    count = 10_003 if what.startswith("test") else 4
    labels = np.arange(count * 8, dtype=np.int32).reshape(count, 8)
    files = {
        f"{start}-images-idx3-ubyte": mini.idx(mini.noise(count, 2, 3)),
        f"{start}-labels-idx2-int": mini.idx(labels),
    }
    mini.write(tmp_path / "QMNIST" / "raw", files)
    our, their = (one.QMNIST(tmp_path, what, compat) for one in (datasets, theirs))
    assert repr(our) == repr(their)
    assert np.array_equal(our.data.numpy(), their.data.numpy())
    assert np.array_equal(our.targets.numpy(), their.targets.numpy())
    (image, target), (other, wanted) = our[2], their[2]
    assert np.array_equal(np.asarray(image), np.asarray(other))
    assert np.array_equal(array(target), array(wanted)) and isinstance(target, int) is compat


def test_files_of_older_releases_are_read(tmp_path: Path) -> None:
    data, targets = rl.zeros(3, 28, 28, dtype=rl.uint8), rl.arange(3)
    folder = tmp_path / "MNIST" / "processed"
    folder.mkdir(parents=True)
    for name in ("training.pt", "test.pt"):
        rl.save((data, targets), folder / name)
    same(datasets.MNIST(tmp_path), theirs.MNIST(tmp_path), "data", "targets")


def test_mnist_is_downloaded(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    files = mini.mnist_files()
    home.files = dict(mini.packed(files))
    resources = [(name, mini.md5(data)) for name, data in home.files.items()]
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [DEAD, home.address])
    for _ in range(2):
        assert len(datasets.MNIST(tmp_path, download=True)) == 12
    assert sorted(home.asked) == sorted(home.files)
    raw = tmp_path / "MNIST" / "raw"
    assert sorted(path.name for path in raw.iterdir()) == sorted([*files, *home.files])
    (raw / "train-images-idx3-ubyte").unlink()  # its archive is there
    assert len(datasets.MNIST(tmp_path, download=True)) == 12 and len(home.asked) == 4


def test_emnist_and_qmnist_are_downloaded(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = mini.mnist_files()
    inner = {
        f"gzip/emnist-digits-train-{rest}.gz": gzip.compress(files[f"train-{rest}"])
        for rest in ("images-idx3-ubyte", "labels-idx1-ubyte")
    }
    home.files["gzip.zip"] = mini.zipped(inner)
    monkeypatch.setattr(datasets.EMNIST, "url", home.address + "gzip.zip")
    monkeypatch.setattr(datasets.EMNIST, "md5", mini.md5(home.files["gzip.zip"]))
    assert len(datasets.EMNIST(tmp_path, "digits", download=True)) == 12
    assert not (tmp_path / "EMNIST" / "raw" / "gzip").exists()
    home.files["x-images.xz"] = lzma.compress(mini.idx(mini.noise(3, 4, 4)))
    home.files["x-labels.xz"] = lzma.compress(mini.idx(np.zeros((3, 8), np.int32)))
    pairs = [(home.address + name, mini.md5(home.files[name])) for name in home.files][1:]
    monkeypatch.setattr(datasets.QMNIST, "resources", {"nist": pairs})
    assert len(datasets.QMNIST(tmp_path, "nist", download=True)) == 3


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match=r"Dataset not found.*train-images.*download=True"):
        datasets.MNIST(tmp_path)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [DEAD])
    with pytest.raises(RuntimeError, match=f"put it from {DEAD}train-images.* into the folder "):
        datasets.MNIST(tmp_path, download=True)


@pytest.mark.parametrize(
    "name, data, words",
    [
        ("train-images-idx3-ubyte", b"", "is not an IDX file"),
        ("train-images-idx3-ubyte", b"text, not numbers", "is not an IDX file"),
        ("train-images-idx3-ubyte", mini.idx(mini.noise(3, 28, 28))[:-1], "and holds 2351"),
        ("train-images-idx3-ubyte", mini.idx(mini.noise(3, 28)), "of 3 dimensions, and holds"),
        ("train-images-idx3-ubyte", mini.idx(np.zeros((3, 28, 28), np.int16)), "holds int16"),
        ("train-images-idx3-ubyte", mini.idx(mini.noise(3, 28, 28)), "3 images and .* 12 labels"),
        ("train-labels-idx1-ubyte", mini.idx(mini.noise(13)), "12 images and .* 13 labels"),
        ("train-labels-idx1-ubyte", gzip.compress(b"x")[:-1], "not a whole gzip"),
    ],
)
def test_damaged_mnist(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    mini.write(tmp_path / "MNIST" / "raw", {**mini.mnist_files(), name: data})
    with pytest.raises(RuntimeError, match=f"Dataset corrupted: .*{words}") as caught:
        datasets.MNIST(tmp_path)
    assert "\n" not in str(caught.value)


# CIFAR.


def with_checksums(monkeypatch: pytest.MonkeyPatch, name: str, files: dict[str, bytes]) -> None:
    """Lets torchvision and us expect these files."""
    sums = {path.partition("/")[2]: mini.md5(data) for path, data in files.items()}
    for home in (datasets, theirs):
        kind = getattr(home, name)
        for part in ("train_list", "test_list"):
            names = [one for one, _ in getattr(kind, part)]
            monkeypatch.setattr(kind, part, [[one, sums[one]] for one in names])
        if hasattr(kind, "meta"):
            meta = {**kind.meta, "md5": sums[kind.meta["filename"]]}
            monkeypatch.setattr(kind, "meta", meta)


CIFAR = {"CIFAR10": mini.cifar10_files, "CIFAR100": mini.cifar100_files}


@pytest.mark.parametrize("name", CIFAR)
@pytest.mark.parametrize("train", [True, False])
def test_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, train: bool) -> None:
    files = CIFAR[name]()
    mini.write(tmp_path, files)
    for attribute in ("url", "filename", "tgz_md5", "base_folder", "train_list", "meta"):
        assert getattr(getattr(datasets, name), attribute) == getattr(
            getattr(theirs, name), attribute
        )
    with_checksums(monkeypatch, name, files)
    our, their = (getattr(one, name)(tmp_path, train) for one in (datasets, theirs))
    same(our, their, "data", "targets", "classes", "class_to_idx")


def test_cifar_is_downloaded(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    files = mini.cifar10_files()
    with_checksums(monkeypatch, "CIFAR10", files)
    home.files["cifar-10-python.tar.gz"] = archive = mini.tar(files)
    monkeypatch.setattr(datasets.CIFAR10, "url", home.address + "cifar-10-python.tar.gz")
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", mini.md5(archive))
    for _ in range(2):
        assert len(datasets.CIFAR10(tmp_path, download=True)) == 20
    assert len(home.asked) == 1
    (tmp_path / "cifar-10-batches-py" / "data_batch_2").write_bytes(b"")
    with pytest.raises(RuntimeError, match=r"damaged, or another file, is .*data_batch_2\)"):
        datasets.CIFAR10(tmp_path)
    assert len(datasets.CIFAR10(tmp_path, download=True)) == 20  # from the archive again


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("run!",))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_batches_of_any_protocol(tmp_path: Path, protocol: int) -> None:
    batch = {"data": mini.noise(2, 3), "labels": [1, 2], "x": np.asfortranarray(mini.noise(3, 4))}
    (tmp_path / "b").write_bytes(pickle.dumps(batch, protocol))
    found = read_batch(tmp_path / "b")
    assert found["labels"] == [1, 2] and found["data"].dtype == np.uint8
    assert np.array_equal(found["data"], batch["data"]) and np.array_equal(found["x"], batch["x"])


def test_a_batch_as_python_2_wrote_it(tmp_path: Path) -> None:
    """CIFAR's own files: text of bytes, and NumPy's old names."""
    pixels = mini.noise(2, 3)
    raw = pixels.tobytes()
    data = (
        b"\x80\x02}(U\x04dataq\x01cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        b"K\x00\x85U\x01b\x87R(K\x01K\x02K\x03\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U"
        + bytes([len(raw)]) + raw + b"tbU\x06labels](K\x01K\x02eu."
    )  # fmt: skip
    (tmp_path / "b").write_bytes(data)
    found, wanted = read_batch(tmp_path / "b"), pickle.loads(data, encoding="latin1")
    assert found["labels"] == wanted["labels"] == [1, 2]
    assert np.array_equal(found["data"], wanted["data"]) and np.array_equal(found["data"], pixels)


@pytest.mark.parametrize(
    "value, words",
    [
        (Harm(), "print was not an allowed global|builtins"),
        ({"data": Harm()}, "not an allowed global"),
        ([1, 2], "holds a list, not a batch"),
        ({"data": np.zeros(3, object)}, "not of bytes|not an allowed"),
        ({"data": np.zeros(3)}, "the array is of f8, not of bytes"),
        ({"data": np.float64(3.0)}, "not an allowed global"),
        ({"data": Path("x")}, "not an allowed global"),
    ],
)
def test_a_batch_runs_nothing(
    tmp_path: Path, value: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").write_bytes(pickle.dumps(value, 2))
    with pytest.raises(FormatError, match=words):
        read_batch(tmp_path / "b")
    assert "run!" not in capsys.readouterr().out


def test_batches_that_are_not_whole(tmp_path: Path) -> None:
    whole = pickle.dumps({"data": mini.noise(4, 5), "labels": [0]}, 2)
    for cut in range(len(whole) - 1):
        (tmp_path / "b").write_bytes(whole[:cut])
        with pytest.raises(FormatError, match="cannot be read"):
            read_batch(tmp_path / "b")


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("data_batch_3", {"labels": [1]}, "data_batch_3 has no data"),
        ("data_batch_3", {"data": mini.noise(2, 3072)}, "has no labels or fine_labels"),
        ("data_batch_3", {"data": mini.noise(2, 3072), "labels": [1]}, "1 labels for pixels of"),
        ("data_batch_3", {"data": mini.noise(1, 9), "labels": [1]}, "1 labels for pixels of"),
        ("batches.meta", {"x": []}, "batches.meta has no label_names"),
        ("data_batch_3", Harm(), "cannot be read"),
    ],
)
def test_damaged_cifar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Any, words: str
) -> None:
    files = mini.cifar10_files() | {f"cifar-10-batches-py/{name}": pickle.dumps(value, 2)}
    mini.write(tmp_path, files)
    with_checksums(monkeypatch, "CIFAR10", files)
    with pytest.raises(RuntimeError, match=f"Dataset corrupted: .*{words}"):
        datasets.CIFAR10(tmp_path)


# SVHN, and MATLAB's files.


def mat(**arrays: Any) -> bytes:
    out = io.BytesIO()
    scipy.io.savemat(out, arrays, do_compression=True)
    return out.getvalue()


@pytest.mark.parametrize("split", ["train", "test", "extra"])
def test_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str) -> None:
    labels = np.array([[1], [10], [9], [10]], np.uint8)
    data = mat(X=mini.noise(32, 32, 3, 4), y=labels)
    (tmp_path / f"{split}_32x32.mat").write_bytes(data)
    assert datasets.SVHN.split_list == theirs.SVHN.split_list
    facts = [*theirs.SVHN.split_list[split][:2], mini.md5(data)]
    for home in (datasets, theirs):
        monkeypatch.setitem(home.SVHN.split_list, split, facts)
    our, their = datasets.SVHN(tmp_path, split), theirs.SVHN(tmp_path, split)
    same(our, their, "data", "labels")
    assert our.labels.tolist() == [1, 0, 9, 0]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_mat_files(tmp_path: Path, compressed: bool, dtype: str) -> None:
    arrays = {
        "a": np.arange(24).reshape(2, 3, 4).astype(dtype),
        "longer_name": np.array([[3]], dtype),
        "none": np.zeros((0, 3), dtype),
        "cells": np.array([np.zeros(2), np.ones(3)], object),
        "complex": np.ones(2, complex),
    }
    scipy.io.savemat(tmp_path / "x.mat", arrays, do_compression=compressed)
    found, wanted = read_mat(tmp_path / "x.mat"), scipy.io.loadmat(tmp_path / "x.mat")
    assert sorted(found) == ["a", "longer_name", "none"]
    for name, value in found.items():
        assert value.dtype == wanted[name].dtype and np.array_equal(value, wanted[name])


@pytest.mark.parametrize("compressed", [True, False])
def test_structures_and_text_in_mat_files(tmp_path: Path, compressed: bool) -> None:
    kind = [("number", "O"), ("words", "O"), ("inner", "O")]
    rows = np.zeros((3, 1), kind)
    for i in range(3):
        rows[i, 0] = (np.array([[i]], np.int16), f"häuser {i}" if i else "", {"x": np.ones((2, 2))})
    given = {"rows": rows, "text": "some words", "none": np.zeros((0, 1), kind)}
    scipy.io.savemat(tmp_path / "x.mat", given, do_compression=compressed)
    found = read_mat(tmp_path / "x.mat")
    assert found["text"] == "some words" and found["none"] == []
    assert [row["number"].item() for row in found["rows"]] == [0, 1, 2]
    assert [row["words"] for row in found["rows"]] == ["", "häuser 1", "häuser 2"]
    assert all(row["inner"][0]["x"].shape == (2, 2) for row in found["rows"])


def test_damaged_mat_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mat(X=mini.noise(4, 4))
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM"
    for data in (b"", b"text", whole[:150], whole[:-4], whole[:128] + b"\xff" * 99, header):
        (tmp_path / "x.mat").write_bytes(data)
        with pytest.raises(FormatError, match="is no whole"):
            read_mat(tmp_path / "x.mat")
    for arrays in ({"X": mini.noise(2, 2)}, {"X": mini.noise(32, 32, 3, 2), "y": mini.noise(3)}):
        (tmp_path / "train_32x32.mat").write_bytes(mat(**arrays))
        facts = ["", "train_32x32.mat", mini.md5(mat(**arrays))]
        monkeypatch.setitem(datasets.SVHN.split_list, "train", facts)
        with pytest.raises(RuntimeError, match=r"Dataset corrupted: .* has no images X"):
            datasets.SVHN(tmp_path)


# STL10 and USPS.


def stl_files() -> dict[str, bytes]:
    files = {
        "train_X.bin": mini.noise(4, 3 * 96 * 96),
        "train_y.bin": np.array([1, 10, 3, 4], np.uint8),
        "unlabeled_X.bin": mini.noise(2, 3 * 96 * 96),
        "test_X.bin": mini.noise(1, 3 * 96 * 96),
        "test_y.bin": np.array([7], np.uint8),
    }
    named = {f"stl10_binary/{name}": data.tobytes() for name, data in files.items()}
    named["stl10_binary/fold_indices.txt"] = b"0 2 \n1 3 \n" + b"0 \n" * 8
    named["stl10_binary/class_names.txt"] = b"airplane\nbird\n"
    return named


@pytest.mark.parametrize("split", datasets.STL10.splits)
@pytest.mark.parametrize("folds", [None, 1])
def test_stl10(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str, folds: int | None
) -> None:
    files = stl_files()
    mini.write(tmp_path, files)
    with_checksums(monkeypatch, "STL10", files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs reads text with NumPy's old function
        our, their = (one.STL10(tmp_path, split, folds) for one in (datasets, theirs))
    same(our, their, "data", "labels", "classes")


def test_stl10_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"range \[0, 10\), but got 10"):
        datasets.STL10(tmp_path, folds=10)
    with pytest.raises(ValueError, match="Expected type None or int"):
        datasets.STL10(tmp_path, folds="1")
    for name, data, words in (
        ("train_X.bin", b"x" * 100, "is not whole images"),
        ("train_y.bin", b"\1\2", "4 images and 2 labels"),
    ):
        files = stl_files() | {f"stl10_binary/{name}": data}
        mini.write(tmp_path, files)
        with_checksums(monkeypatch, "STL10", files)
        with pytest.raises(RuntimeError, match=words):
            datasets.STL10(tmp_path)


def test_usps(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(-1, 1, (3, 256)).round(3)
    lines = [
        f"{label + 1} " + " ".join(f"{i}:{value}" for i, value in enumerate(row, 1)) + " "
        for label, row in zip((9, 0, 4), values)
    ]
    (tmp_path / "usps.bz2").write_bytes(bz2.compress("\n".join(lines).encode()))
    same(datasets.USPS(tmp_path), theirs.USPS(tmp_path), "data", "targets")
    with pytest.raises(RuntimeError, match="Dataset not found"):
        datasets.USPS(tmp_path, train=False)
    for data in (b"text", bz2.compress(b"1 1:2 2:3")[:-3], bz2.compress(b"1 1:2 2:3")):
        (tmp_path / "usps.bz2").write_bytes(data)
        with pytest.raises(RuntimeError, match="Dataset corrupted"):
            datasets.USPS(tmp_path)


# Random data.


@pytest.mark.parametrize("shape, mode", [((3, 5, 7), "RGB"), ((1, 4, 4), "L")])
def test_fake_data(shape: tuple[int, int, int], mode: str) -> None:
    our = datasets.FakeData(4, shape, 3)
    their = theirs.FakeData(4, shape, 3)
    state = rl.get_rng_state()
    images = [our[i] for i in range(4)]
    assert np.array_equal(state.numpy(), rl.get_rng_state().numpy())
    for i, (image, target) in enumerate(images):
        again = datasets.FakeData(9, shape, 3, random_offset=i)[0]
        assert np.array_equal(np.asarray(image), np.asarray(again[0])) and again[1] == target
        assert image.mode == mode == their[i][0].mode and image.size == their[i][0].size
        assert type(target) is type(their[i][1]) is int and 0 <= target < 3
    assert not np.array_equal(np.asarray(images[0][0]), np.asarray(images[1][0]))
    with pytest.raises(IndexError, match="FakeData index out of range"):
        our[4]
    assert repr(our) == repr(their) and [len(our), sum(1 for _ in our)] == [4, 4]
