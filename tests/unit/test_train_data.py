"""The data sets of ``rushlight train``: the digits in the package, and the downloaded ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from home import DEAD, Home
from rushlight.fetch import FormatError, read_idx, transfer
from rushlight.train import datasets, fetch, sources
from rushlight.train.faults import RunFault
from rushlight.train.formats import read_cifar


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes())


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


# The digits.


def test_digits_have_the_repository_s_counts_and_values() -> None:
    data = datasets.load("digits")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1262, 180, 355]
    whole = np.concatenate([part.images for part in (data.train, data.validation, data.test)])
    assert whole.shape == (1797, 1, 8, 8) and whole.dtype == np.uint8
    assert whole.min() == 0 and whole.max() == data.levels == 16
    labels = np.concatenate([p.labels for p in (data.train, data.validation, data.test)])
    # The counts of each digit in the repository's description of optdigits.tes.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert labels.dtype == np.int64


def test_digits_file_is_the_one_that_was_checked() -> None:
    folder = Path(datasets.__file__).parent / "digits"
    stored = np.load(folder / "digits.npz", allow_pickle=False)
    digest = hashlib.sha256(stored["images"].tobytes() + stored["labels"].tobytes()).hexdigest()
    assert digest == ("87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826")
    text = (folder / "README.md").read_text(encoding="utf-8")
    for word in ("Alpaydin", "Kaynak", "archive.ics.uci.edu/dataset/80", "CC BY 4.0"):
        assert word in text
    for count in ("355 scans", "180 scans", "1,262 scans"):
        assert count in text


def test_every_digit_is_in_every_part_in_its_share() -> None:
    data = datasets.load("digits")
    for part, share in ((data.test, 0.2), (data.validation, 0.1), (data.train, 0.7)):
        of_each = np.bincount(part.labels, minlength=10)
        whole = np.array([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
        assert np.abs(of_each / whole - share).max() < 0.01


def test_rank_in_class_counts_equal_labels_before() -> None:
    assert datasets.rank_in_class(np.array([7, 1, 7, 7, 1])).tolist() == [0, 0, 1, 2, 1]
    assert datasets.rank_in_class(np.array([], np.int64)).tolist() == []


# File formats.


@pytest.mark.parametrize("shape", [(3, 28, 28), (5,), (0,), (0, 28, 28), (2, 1, 1)], ids=str)
def test_idx_round_trip(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = pixels(*shape)
    (tmp_path / "f.gz").write_bytes(idx(array))
    read = read_idx(tmp_path / "f.gz")
    assert read.shape == shape and np.array_equal(read, array)


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "not an IDX|not a whole gzip"),
        (b"plain text", "not a whole gzip"),
        (idx(pixels(3, 4, 4))[:-9], "not a whole gzip"),
        (gzip.compress(b""), "not an IDX"),
        (gzip.compress(b"\0\0"), "not an IDX"),
        (gzip.compress(b"\0\0\x0a\x01\0\0\0\1\0\0\0\0"), "not an IDX file"),
        (gzip.compress(b"\1\0\x08\x01\0\0\0\1\0"), "not an IDX"),
        (gzip.compress(b"\0\0\x08\x03\0\0\0\1"), "ends inside its header"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\5abc"), "says 5 = 5 bytes and holds 3"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\2abc"), "says 2 = 2 bytes and holds 3"),
        (gzip.compress(b"\0\0\x08\x04" + b"\xff" * 16 + b"a"), "and holds 1"),
    ],
)
def test_idx_refuses_what_is_not_whole(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "f.gz"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=words):
        read_idx(path)


def cifar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def records(count: int, labels: int = 10) -> bytes:
    body = pixels(count, 3073)
    body[:, 0] = np.arange(count) % labels
    return body.tobytes()


CIFAR = {name: records(20) for name in (*datasets.CIFAR_TRAIN, *datasets.CIFAR_TEST)}


def test_cifar_reads_labels_and_planes(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    path.write_bytes(cifar(CIFAR))
    images, labels = read_cifar(path, datasets.CIFAR_TRAIN)
    assert images.shape == (100, 3, 32, 32) and labels.shape == (100,)
    expected = np.frombuffer(records(20), np.uint8).reshape(20, 3073)
    assert np.array_equal(images[20:40].reshape(20, -1), expected[:, 1:])
    assert labels[:20].tolist() == list(range(10)) * 2


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "not a whole tar.gz"),
        (b"text", "not a whole tar.gz"),
        (cifar(CIFAR)[:5000], "not a whole tar.gz"),
        (cifar({}), "has no file cifar-10-batches-bin/data_batch_1.bin"),
        (cifar({datasets.CIFAR_TRAIN[0]: b"x" * 3072}), "not whole records"),
        (cifar({name: records(11, labels=11) for name in CIFAR}), "label 10"),
    ],
)
def test_cifar_refuses_what_is_not_whole(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "c.tar.gz"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=words):
        read_cifar(path, datasets.CIFAR_TRAIN)


# Downloads.

FILES = {
    "train-images-idx3-ubyte.gz": idx(pixels(40, 28, 28)),
    "train-labels-idx1-ubyte.gz": idx(np.arange(40) % 4),
    "t10k-images-idx3-ubyte.gz": idx(pixels(8, 28, 28)),
    "t10k-labels-idx1-ubyte.gz": idx(np.arange(8) % 4),
}


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(transfer, "FIRST_PAUSE_SECONDS", 0.001)
    with Home(FILES) as one:
        yield one


@pytest.fixture
def source(home: Home, monkeypatch: pytest.MonkeyPatch) -> sources.Source:
    files = tuple(
        sources.RemoteFile(name, len(data), hashlib.sha256(data).hexdigest())
        for name, data in FILES.items()
    )
    small = replace(sources.MNIST, homes=(home.address,), files=files)
    monkeypatch.setitem(sources.SOURCES, "mnist", small)
    return small


def test_mnist_downloads_once_and_splits(
    tmp_path: Path, home: Home, source: sources.Source
) -> None:
    data = datasets.load("mnist", str(tmp_path / "new" / "folder"))
    assert [len(p) for p in (data.train, data.validation, data.test)] == [36, 4, 8]
    assert data.train.images.shape == (36, 1, 28, 28) and data.train.labels.dtype == np.int64
    assert sorted(home.asked) == sorted(FILES)
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == sorted(FILES)
    datasets.load("mnist", str(tmp_path / "new" / "folder"))
    assert len(home.asked) == 4


def test_the_cache_folder_is_the_user_s(
    tmp_path: Path, source: sources.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    datasets.load("mnist", None)
    assert (tmp_path / "rushlight" / "data" / "mnist" / "t10k-labels-idx1-ubyte.gz").exists()


def test_another_home_answers_when_the_first_does_not(
    tmp_path: Path, home: Home, source: sources.Source
) -> None:
    fetch.fetch(replace(source, homes=(DEAD, home.address)), tmp_path)
    assert sorted(home.asked) == sorted(FILES)


NAME = "train-images-idx3-ubyte.gz"


@pytest.mark.parametrize(
    "answer, lie, words",
    [
        (None, 0, "Not Found"),
        (b"", 0, "0 bytes came"),
        (FILES[NAME][:-1], 0, "bytes came where"),
        (FILES[NAME][:-1], 1, "the connection ended after"),
        (FILES[NAME] + b"x", 0, "bytes came where"),
        (bytes(len(FILES[NAME])), 0, "invalid hash value"),
    ],
)
def test_a_wrong_answer_leaves_nothing_and_says_what_to_do(
    tmp_path: Path, home: Home, source: sources.Source, answer: bytes, lie: int, words: str
) -> None:
    home.files[NAME] = answer
    home.lie_about_length = lie
    with pytest.raises(RunFault, match=words) as caught:
        fetch.fetch(source, tmp_path)
    # What a server sent before it hung up is continued the next time.
    assert [path.name for path in tmp_path.iterdir()] == [f".{NAME}.part"] * lie
    sentence = str(caught.value)
    assert "\n" not in sentence and caught.value.code == 2
    for needed in (*FILES, home.address, str(tmp_path), "MNIST"):
        assert needed in sentence


def test_offline_names_only_the_files_that_are_missing(
    tmp_path: Path, source: sources.Source
) -> None:
    names = list(FILES)
    for name in names[:3]:
        (tmp_path / name).write_bytes(FILES[name])
    with pytest.raises(RunFault) as caught:
        fetch.fetch(replace(source, homes=(DEAD,)), tmp_path)
    assert names[3] in str(caught.value) and names[0] not in str(caught.value)


def test_files_put_there_by_hand_are_used_without_a_network(
    tmp_path: Path, home: Home, source: sources.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sources.SOURCES, "mnist", replace(source, homes=(DEAD,)))
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    assert len(datasets.load("mnist", str(tmp_path)).test) == 8
    assert home.asked == []


def test_a_file_put_there_by_hand_is_checked(tmp_path: Path, source: sources.Source) -> None:
    (tmp_path / NAME).write_bytes(FILES[NAME][:-1] + b"?")
    with pytest.raises(RunFault, match=r"damaged.*delete it"):
        fetch.fetch(source, tmp_path)
    assert (tmp_path / NAME).exists()  # it may be the only copy of something


def test_a_full_disk_is_told_as_one(
    tmp_path: Path, source: sources.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer.os, "fsync", full)
    with pytest.raises(RunFault, match="the disk is full"):
        fetch.fetch(source, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path, source: sources.Source) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFault, match="could not write"):
        fetch.fetch(source, tmp_path / "file" / "inside")


def test_images_and_labels_must_belong_together(
    tmp_path: Path, home: Home, source: sources.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = idx(np.arange(7))
    home.files["t10k-labels-idx1-ubyte.gz"] = short
    one = sources.RemoteFile(
        "t10k-labels-idx1-ubyte.gz", len(short), hashlib.sha256(short).hexdigest()
    )
    wrong = replace(source, files=(*source.files[:3], one))
    monkeypatch.setitem(sources.SOURCES, "mnist", wrong)
    with pytest.raises(RunFault, match="do not belong together"):
        datasets.load("mnist", str(tmp_path))


def test_cifar_loads_from_its_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = cifar(CIFAR)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(data)
    one = sources.RemoteFile("cifar-10-binary.tar.gz", len(data), hashlib.sha256(data).hexdigest())
    small = replace(sources.CIFAR10, homes=(DEAD,), files=(one,))
    monkeypatch.setitem(sources.SOURCES, "cifar10", small)
    loaded = datasets.load("cifar10", str(tmp_path))
    assert loaded.train.images.shape == (90, 3, 32, 32) and len(loaded.classes) == 10
    assert [len(loaded.validation), len(loaded.test)] == [10, 20]


@pytest.mark.parametrize("name", sources.SOURCES)
def test_published_checksums_are_whole(name: str) -> None:
    source = sources.SOURCES[name]
    for file in source.files:
        assert len(file.sha256) == 64 and int(file.sha256, 16) and file.size > 0
    assert all(home.endswith("/") for home in source.homes) and len(source.classes) == 10
