"""Data sets kept as files, read by torchvision and by us, from the same folders."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import miniatures as mini
import numpy as np
import pytest
import scipy.io

from home import DEAD, Home
from peers import torchvision
from rushlight.vision import datasets

theirs = torchvision.datasets
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # theirs leaves files open


def same_picture(our: Any, their: Any) -> None:
    assert our.mode == their.mode and our.size == their.size
    assert np.array_equal(np.asarray(our), np.asarray(their))


def same_target(our: Any, their: Any) -> None:
    if hasattr(their, "mode"):
        same_picture(our, their)
    elif isinstance(their, np.ndarray):
        assert our.dtype == their.dtype and np.array_equal(our, their)
    elif isinstance(their, tuple):
        assert len(our) == len(their)
        for one, other in zip(our, their):
            same_target(one, other)
    else:
        assert our == their and type(our) is type(their)


def same(our: Any, their: Any, *attributes: str) -> None:
    assert len(our) == len(their) > 0 and repr(our) == repr(their)
    for i in range(len(our)):
        same_picture(our[i][0], their[i][0])
        same_target(our[i][1], their[i][1])
    for name in attributes:
        assert getattr(our, name) == getattr(their, name), name


# Folders.


def some_folders(root: Path) -> Path:
    files = {
        "dog/b.PNG": mini.picture(), "dog/a.jpg": mini.picture("jpg"),
        "dog/more/c.png": mini.picture(mode="P"), "dog/notes.txt": b"text",
        "cat/z.png": mini.picture(mode="L"), "ant/e.webp": mini.picture("webp", mode="RGBA"),
        "beside.png": mini.picture(),
    }  # fmt: skip
    return mini.write(root, files)


def test_image_folder(tmp_path: Path) -> None:
    some_folders(tmp_path)
    for root in (tmp_path, str(tmp_path)):
        our, their = datasets.ImageFolder(root), theirs.ImageFolder(root)
        same(our, their, "classes", "class_to_idx", "samples", "imgs", "targets", "extensions")
    with pytest.raises(IndexError):
        our[99]


def test_image_folder_with_a_check_of_ones_own(tmp_path: Path) -> None:
    some_folders(tmp_path)
    options: dict[str, Any] = {
        "is_valid_file": lambda path: path.endswith((".txt", ".jpg")),
        "loader": lambda path: Path(path).name,
        "transform": str.upper,
        "target_transform": lambda target: -target,
    }
    with pytest.raises(FileNotFoundError, match="no valid file for the classes ant, cat"):
        datasets.ImageFolder(tmp_path, **options)
    our, their = (one.ImageFolder(tmp_path, allow_empty=True, **options)
                  for one in (datasets, theirs))  # fmt: skip
    assert [our[i] for i in range(2)] == [their[i] for i in range(2)]
    assert our.samples == their.samples and our.classes == their.classes


def test_folders_of_ones_own_kind(tmp_path: Path) -> None:
    some_folders(tmp_path)

    def kind(base: Any) -> Any:
        class Chosen(base.DatasetFolder):  # type: ignore[misc]
            def find_classes(self, directory: Any) -> Any:
                return ["dog"], {"dog": 7}

        return Chosen(tmp_path, lambda path: path, (".jpg", ".png"))

    our, their = kind(datasets), kind(theirs)
    assert [our[i] for i in range(len(our))] == [their[i] for i in range(len(their))]
    assert our.targets == [7, 7, 7]


MISTAKES: list[Callable[[Any, Path], Any]] = [
    lambda d, p: d.folder.make_dataset(p, extensions=".png"),
    lambda d, p: d.folder.make_dataset(p, {"dog": 0, "cow": 1}, (".png", ".jpg")),
    lambda d, p: d.folder.make_dataset(p, {}, ".png"),
    lambda d, p: d.folder.make_dataset(p),
    lambda d, p: d.folder.make_dataset(p, extensions=".png", is_valid_file=bool),
    lambda d, p: d.folder.find_classes(p / "cat"),
    lambda d, p: d.folder.find_classes(p / "none"),
    lambda d, p: d.DatasetFolder.make_dataset(p, None, (".png",)),
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_with_folders(tmp_path: Path, mistake: Callable[[Any, Path], Any]) -> None:
    some_folders(tmp_path)
    with pytest.raises(Exception) as wanted:
        mistake(theirs, tmp_path)
    with pytest.raises(wanted.type) as found:
        mistake(datasets, tmp_path)
    assert str(found.value) == str(wanted.value)


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    whole = mini.picture("png", (64, 64))
    mini.write(tmp_path, {"a/0.png": b"", "a/1.png": b"text", "a/2.png": whole[:2000]})
    folder = datasets.ImageFolder(tmp_path)
    for i in range(3):
        with pytest.raises(OSError, match=rf"a/{i}.png is damaged or no image") as caught:
            folder[i]
        assert "\n" not in str(caught.value)
    (tmp_path / "a" / "0.png").unlink()
    with pytest.raises(FileNotFoundError):
        folder[0]


# VOC and COCO.


def same_voc(our: Any, their: Any, *attributes: str) -> None:
    same(our, their, "images", "targets", *attributes)


@pytest.mark.parametrize("year", [str(year) for year in range(2007, 2013)])
def test_voc(tmp_path: Path, year: str) -> None:
    facts = theirs.voc.DATASET_YEAR_DICT[year]
    ours = datasets.voc.DATASET_YEAR_DICT[year]
    for key in ("url", "md5", "base_dir"):
        assert ours[key] == facts[key]
    sets = ("train", "val", "test") if year == "2007" else ("train", "val")
    mini.write(tmp_path, mini.voc_files(facts["base_dir"], sets))
    for part in sets:
        options: Any = {"year": year, "image_set": part}
        same_voc(*(one.VOCSegmentation(tmp_path, **options) for one in (datasets, theirs)), "masks")
        same_voc(
            *(one.VOCDetection(tmp_path, **options) for one in (datasets, theirs)), "annotations"
        )
    with pytest.raises(ValueError, match="Unknown value 'all' for argument image_set"):
        datasets.VOCDetection(tmp_path, year, "all")
    both = datasets.VOCSegmentation(tmp_path, year, transforms=lambda a, b: (b, a))
    assert both[0][0].mode == "P"


def test_voc_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = mini.tar(mini.voc_files("VOCdevkit/VOC2012"), "w")
    with Home({"VOCtrainval_11-May-2012.tar": archive}) as home:
        facts = datasets.voc.DATASET_YEAR_DICT["2012"]
        changed = {"url": home.address + facts["filename"], "md5": mini.md5(archive)}
        monkeypatch.setitem(datasets.voc.DATASET_YEAR_DICT, "2012", facts | changed)
        for _ in range(2):
            assert len(datasets.VOCDetection(tmp_path, download=True)) == 3
        assert len(home.asked) == 1
    (tmp_path / "VOCdevkit/VOC2012/Annotations/train_0.xml").write_text("<annotation><x>")
    with pytest.raises(RuntimeError, match=r"Dataset corrupted: .*train_0.xml is damaged"):
        datasets.VOCDetection(tmp_path)[0]
    with pytest.raises(RuntimeError, match=r"Dataset not found .*VOC2011.*train.txt"):
        datasets.VOCDetection(tmp_path, "2011")


def test_coco(tmp_path: Path) -> None:
    root, listed = mini.write_coco(tmp_path)
    facts = mini.coco_file()
    found = datasets.CocoDetection(root, listed)
    assert len(found) == 3 and found.ids == [3, 5, 9]
    by_image = {i: [a for a in facts["annotations"] if a["image_id"] == i] for i in found.ids}
    for i, id in enumerate(found.ids):
        image, target = found[i]
        assert image.mode == "RGB" and image.size == (7, 5) and target == by_image[id]
    captions = datasets.CocoCaptions(root, listed, target_transform=len)
    assert [captions[i][1] for i in range(3)] == [2, 0, 1]
    assert datasets.CocoCaptions(root, listed)[0][1] == ["words 0", "words 2"]
    with pytest.raises(ValueError, match="Index must be of type integer, got"):
        found[1.0]
    both = datasets.CocoDetection(root, listed, transforms=lambda a, b: (b, a))
    assert isinstance(both[0][0], list)
    assert (
        repr(found)
        == f"Dataset CocoDetection\n    Number of datapoints: 3\n    Root location: {root}"
    )


def test_questions_to_coco(tmp_path: Path) -> None:
    coco = datasets.CocoDetection(*mini.write_coco(tmp_path)).coco
    assert coco.getAnnIds() == [100, 101, 102] and coco.getAnnIds(3) == [100, 102]
    assert coco.getAnnIds([3, 9], catIds=1) == [102, 101] and coco.getAnnIds(5) == []
    assert coco.getAnnIds(iscrowd=True) == [101] and coco.getAnnIds(areaRng=[7, 9]) == []
    assert coco.getCatIds() == [1, 18] and coco.getCatIds("dog") == [18]
    assert coco.getCatIds(supNms=["animal"], catIds=[1, 18]) == [18]
    assert sorted(coco.getImgIds()) == [3, 5, 9] and sorted(coco.getImgIds(catIds=1)) == [3, 9]
    assert coco.getImgIds(catIds=[1, 18]) == [3] and coco.getImgIds(imgIds=[3, 5], catIds=1) == [3]
    assert [cat["name"] for cat in coco.loadCats([18, 1])] == ["dog", "person"]
    assert coco.loadImgs(9)[0]["file_name"] == "9.jpg" and coco.loadAnns(101)[0]["image_id"] == 9


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"images": [{}]}', '{"images": 3}'])
def test_damaged_coco(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(RuntimeError, match=r"is damaged or no file of COCO's"):
        datasets.CocoDetection(tmp_path, str(tmp_path / "x.json"))


# The others: the same folders, unpacked by hand and from archives.


def mat(**arrays: Any) -> bytes:
    out = io.BytesIO()
    scipy.io.savemat(out, arrays)
    return out.getvalue()


def food() -> dict[str, bytes]:
    listed = {"ramen": ["ramen/1", "ramen/2"], "apple_pie": ["apple_pie/7"]}
    files = {f"images/{stem}.jpg": mini.picture("jpg") for one in listed.values() for stem in one}
    files |= {f"meta/{part}.json": json.dumps(listed).encode() for part in ("train", "test")}
    return {f"food-101/{name}": data for name, data in files.items()}


def textures() -> dict[str, bytes]:
    files = {f"images/{name}/{name}_1.jpg": mini.picture("jpg") for name in ("dotted", "banded")}
    for part in ("train1", "val1", "test10"):
        files[f"labels/{part}.txt"] = b"dotted/dotted_1.jpg\nbanded/banded_1.jpg\n"
    return {f"dtd/{name}": data for name, data in files.items()}


def signs() -> dict[str, bytes]:
    files = {f"Training/0000{i % 2}/{i}.ppm": mini.picture("ppm") for i in range(3)}
    files |= {f"Final_Test/Images/{i}.ppm": mini.picture("ppm") for i in range(2)}
    files = {f"GTSRB/{name}": data for name, data in files.items()}
    return files | {"GT-final_test.csv": b"Filename;Width;ClassId\n1.ppm;7;42\n0.ppm;7;3\n"}


def pets() -> dict[str, bytes]:
    rows = [("Abyssinian_1", 1, 1), ("pit_bull_12", 3, 2), ("beagle_3", 2, 2)]
    listed = "".join(f"{stem} {kind} {binary} 1\n" for stem, kind, binary in rows).encode()
    files = {f"images/{stem}.jpg": mini.picture("jpg") for stem, *_ in rows}
    files |= {f"annotations/trimaps/{stem}.png": mini.picture(mode="L") for stem, *_ in rows}
    return files | {f"annotations/{part}.txt": listed for part in ("trainval", "test")}


def flowers() -> dict[str, bytes]:
    files = {f"jpg/image_{i:05d}.jpg": mini.picture("jpg") for i in range(1, 6)}
    files["imagelabels.mat"] = mat(labels=np.array([[102, 1, 5, 7, 9]], np.uint8))
    files["setid.mat"] = mat(
        trnid=np.array([[2, 5]], np.uint16), valid=np.array([[1, 4]], np.uint16),
        tstid=np.array([[3, 1]], np.uint16),
    )  # fmt: skip
    return files


def caltech101() -> dict[str, bytes]:
    files = {}
    for name, folder in (("Faces", "Faces_2"), ("ant", "ant")):
        for i in (1, 2):
            files[f"101_ObjectCategories/{name}/image_{i:04d}.jpg"] = picture = mini.picture("jpg")
            outline = mat(obj_contour=np.random.default_rng(i).standard_normal((2, 4)))
            files[f"Annotations/{folder}/annotation_{i:04d}.mat"] = outline
    return files | {"101_ObjectCategories/BACKGROUND_Google/image_0001.jpg": picture}


def caltech256() -> dict[str, bytes]:
    files = {
        f"{kind:03d}.{name}/{kind:03d}_{i:04d}.jpg": mini.picture("jpg", mode=mode)
        for kind, name in ((1, "ak47"), (2, "flag"))
        for i, mode in ((1, "RGB"), (2, "L"))
    }
    files["002.flag/RENAME2"] = b"not an image"
    return {f"256_ObjectCategories/{name}": data for name, data in files.items()}


def nette() -> dict[str, bytes]:
    parts = [(part, wnid) for part in ("train", "val") for wnid in ("n02102040", "n01440764")]
    files = {f"{part}/{wnid}/{wnid}_1.jpeg": mini.picture("jpg") for part, wnid in parts}
    return files | {"val/n02102040/notes.txt": b"text"}


def europe() -> dict[str, bytes]:
    return {f"2750/{kind}/{kind}_1.jpg": mini.picture("jpg") for kind in ("River", "Forest")}


Case = tuple[str, Callable[[], dict[str, bytes]], str, dict[str, Any], tuple[str, ...]]
CASES: list[Case] = [
    ("Food101", food, ".", {}, ("classes", "class_to_idx", "_labels", "_image_files")),
    ("Food101", food, ".", {"split": "test"}, ("classes",)),
    ("DTD", textures, "dtd", {}, ("classes", "class_to_idx", "_labels", "_image_files")),
    ("DTD", textures, "dtd", {"split": "test", "partition": 10}, ()),
    ("GTSRB", signs, "gtsrb", {}, ("_samples",)),
    ("GTSRB", signs, "gtsrb", {"split": "test"}, ("_samples",)),
    ("OxfordIIITPet", pets, "oxford-iiit-pet", {},
     ("classes", "class_to_idx", "bin_classes", "bin_class_to_idx")),
    ("OxfordIIITPet", pets, "oxford-iiit-pet", {"target_types": "segmentation"}, ()),
    ("OxfordIIITPet", pets, "oxford-iiit-pet", {"split": "test", "target_types": []}, ()),
    ("OxfordIIITPet", pets, "oxford-iiit-pet",
     {"target_types": ["category", "binary-category", "segmentation"]}, ()),
    ("Flowers102", flowers, "flowers-102", {}, ("classes", "_labels", "_image_files")),
    ("Flowers102", flowers, "flowers-102", {"split": "val"}, ("_labels",)),
    ("Flowers102", flowers, "flowers-102", {"split": "test"}, ("_labels",)),
    ("Caltech101", caltech101, "caltech101", {}, ("categories", "y", "index")),
    ("Caltech101", caltech101, "caltech101", {"target_type": "annotation"},
     ("annotation_categories",)),
    ("Caltech101", caltech101, "caltech101", {"target_type": ["category", "annotation"]}, ()),
    ("Caltech256", caltech256, "caltech256", {}, ("categories", "y", "index")),
    ("Imagenette", nette, "imagenette2", {},
     ("classes", "class_to_idx", "wnids", "wnid_to_idx", "_samples", "_ARCHIVES")),
    ("Imagenette", nette, "imagenette2-320", {"split": "val", "size": "320px"}, ("_samples",)),
    ("EuroSAT", europe, "eurosat", {}, ("classes", "class_to_idx", "samples", "targets")),
]  # fmt: skip


@pytest.mark.parametrize("name, make, place, options, attributes", CASES)
def test_listed_sets(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    make: Callable[[], dict[str, bytes]],
    place: str,
    options: dict[str, Any],
    attributes: tuple[str, ...],
) -> None:
    files = make()
    mini.write(tmp_path / place, files)
    if name == "Flowers102":
        sums = {
            key: (file, mini.md5(files[file]) if file in files else md5)
            for key, (file, md5) in theirs.Flowers102._file_dict.items()
        }
        assert datasets.Flowers102._file_dict == theirs.Flowers102._file_dict
        for home in (datasets, theirs):
            monkeypatch.setattr(home.Flowers102, "_file_dict", sums)
    same(*(getattr(one, name)(tmp_path, **options) for one in (datasets, theirs)), *attributes)


PARTS: dict[str, Any] = {
    "Food101": ("_URL", "_MD5"), "DTD": ("_URL", "_MD5"), "OxfordIIITPet": ("_RESOURCES",),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_addresses_and_checksums(name: str) -> None:
    for part in PARTS[name]:
        assert getattr(getattr(datasets, name), part) == getattr(getattr(theirs, name), part)


def test_other_addresses_are_those_in_torchvision_s_source() -> None:
    folder = Path(theirs.__file__).parent
    for file, kind in (
        ("eurosat", "EuroSAT"),
        ("caltech", "Caltech101"),
        ("caltech", "Caltech256"),
    ):
        text = (folder / f"{file}.py").read_text()
        assert getattr(datasets, kind)._URL in text and getattr(datasets, kind)._MD5 in text
    text = (folder / "gtsrb.py").read_text()
    for archives in datasets.GTSRB._ARCHIVES.values():
        for url, md5 in archives:
            assert url.rpartition("/")[2] in text and url.rpartition("/")[0] in text and md5 in text


# ImageNet, whose archives nobody may hand on.


def imagenet(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The three archives, with three classes, one of which has children."""
    kind = [(name, "O") for name in ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children")]
    rows = [(1, "n01", "tench, Tinca tinca", "a fish", 0), (2, "n02", "church", "a house", 0),
            (3, "n03", "thing", "anything", 2)]  # fmt: skip
    synsets = np.zeros((3, 1), kind)
    for i, (number, *texts, children) in enumerate(rows):
        synsets[i, 0] = (np.array([[number]]), *texts, np.array([[children]]))
    kit = {"meta.mat": mat(synsets=synsets), "ILSVRC2012_validation_ground_truth.txt": b"2\n1\n2\n"}
    inner = {
        f"{wnid}.tar": mini.tar({f"{wnid}_{i}.JPEG": mini.picture("jpg") for i in range(2)}, "w")
        for wnid in ("n01", "n02")
    }
    images = {f"ILSVRC2012_val_{i:08d}.JPEG": mini.picture("jpg") for i in (1, 2, 3)}
    files = {
        "ILSVRC2012_img_train.tar": mini.tar(inner, "w"),
        "ILSVRC2012_img_val.tar": mini.tar(images, "w"),
        "ILSVRC2012_devkit_t12.tar.gz": mini.tar(
            {f"ILSVRC2012_devkit_t12/data/{name}": data for name, data in kit.items()}
        ),
    }
    assert datasets.imagenet.ARCHIVE_META == theirs.imagenet.ARCHIVE_META
    for home in (datasets, theirs):
        for key, (name, _) in home.imagenet.ARCHIVE_META.items():
            monkeypatch.setitem(home.imagenet.ARCHIVE_META, key, (name, mini.md5(files[name])))
    return files


NAMED = ("classes", "class_to_idx", "wnids", "wnid_to_idx", "targets", "split")


@pytest.mark.parametrize("split", ["train", "val"])
def test_imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str) -> None:
    files = imagenet(monkeypatch)
    ours, other = mini.write(tmp_path / "ours", files), mini.write(tmp_path / "theirs", files)
    our, their = datasets.ImageNet(ours, split), theirs.ImageNet(other, split)
    for _ in range(2):
        assert len(our) == len(their) and repr(our).splitlines()[3] == repr(their).splitlines()[3]
        for name in NAMED:
            assert getattr(our, name) == getattr(their, name), name
        for i in range(len(our)):
            same_picture(our[i][0], their[i][0])
        # Either reads what the other unpacked.
        our, their = datasets.ImageNet(str(other), split), theirs.ImageNet(str(ours), split)
    assert not list(ours.glob(".*"))


def test_imagenet_without_its_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match=r"The archive ILSVRC2012_devkit.* is not present"):
        datasets.ImageNet(tmp_path)
    with pytest.raises(RuntimeError, match=r"The meta file meta.bin is not present"):
        datasets.imagenet.load_meta_file(tmp_path)
    mini.write(tmp_path, imagenet(monkeypatch))
    wrong = mini.tar({"ILSVRC2012_devkit_t12/data/meta.mat": mat(synsets=np.ones(2))})
    name = "ILSVRC2012_devkit_t12.tar.gz"
    (tmp_path / name).write_bytes(wrong)
    monkeypatch.setitem(datasets.imagenet.ARCHIVE_META, "devkit", (name, mini.md5(wrong)))
    with pytest.raises(RuntimeError, match="is not the development kit"):
        datasets.ImageNet(tmp_path)


def archives() -> list[tuple[str, dict[str, Any], Callable[[str], dict[str, Any]], int]]:
    """Sets, their archives by name, what to change in the class for an address, their length."""
    food_tar, dtd_tar, euro = mini.tar(food()), mini.tar(textures()), mini.zipped(europe())
    inner = {"caltech-101/101_ObjectCategories.tar.gz": mini.tar(caltech101())}
    nested, big = mini.zipped(inner), mini.tar(caltech256(), "w")
    pet = {
        f"{part}.tar.gz": mini.tar({n: d for n, d in pets().items() if n.startswith(part)})
        for part in ("images", "annotations")
    }
    one = lambda name, data: lambda home: {"_URL": home + name, "_MD5": mini.md5(data)}
    return [
        ("Food101", {"f.tar.gz": food_tar}, one("f.tar.gz", food_tar), 3),
        ("DTD", {"d.tar.gz": dtd_tar}, one("d.tar.gz", dtd_tar), 2),
        ("EuroSAT", {"e.zip": euro}, one("e.zip", euro), 2),
        ("Caltech101", {"c.zip": nested}, one("c.zip", nested), 4),
        ("Caltech256", {"c.tar": big}, one("c.tar", big), 4),
        ("OxfordIIITPet", pet, lambda home: {
            "_RESOURCES": tuple((home + name, mini.md5(data)) for name, data in pet.items())}, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("case", archives(), ids=lambda case: case[0])
def test_archives_are_downloaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Any
) -> None:
    name, files, changes, length = case
    kind = getattr(datasets, name)
    with pytest.raises(RuntimeError, match="Dataset not found"):
        kind(tmp_path)
    with Home(files) as home:
        for attribute, value in changes(home.address).items():
            monkeypatch.setattr(kind, attribute, value)
        for _ in range(2):
            assert len(kind(tmp_path, download=True)) == length
        assert len(home.asked) == len(files)
    for attribute, value in changes(DEAD).items():
        monkeypatch.setattr(kind, attribute, value)
    with pytest.raises(RuntimeError, match=r"could not download .* put it from"):
        kind(tmp_path / "other", download=True)


def test_signs_and_flowers_are_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign, flower = signs(), flowers()
    mats = {name: data for name, data in flower.items() if name.endswith(".mat")}
    images = mini.tar({name: data for name, data in flower.items() if name.endswith(".jpg")})
    test = {name: data for name, data in sign.items() if "Test" in name}
    truth = {"GT-final_test.csv": sign["GT-final_test.csv"]}
    files = {"i.zip": mini.zipped(test), "t.zip": mini.zipped(truth), "102.tgz": images, **mats}
    with Home(files) as home:
        pairs = tuple((home.address + name, mini.md5(files[name])) for name in ("i.zip", "t.zip"))
        monkeypatch.setitem(datasets.GTSRB._ARCHIVES, "test", pairs)
        assert len(datasets.GTSRB(tmp_path, "test", download=True)) == 2
        monkeypatch.setattr(datasets.Flowers102, "_download_url_prefix", home.address)
        names = {"image": "102.tgz", "label": "imagelabels.mat", "setid": "setid.mat"}
        sums = {key: (name, mini.md5(files[name])) for key, name in names.items()}
        monkeypatch.setattr(datasets.Flowers102, "_file_dict", sums)
        for _ in range(2):
            assert len(datasets.Flowers102(tmp_path, download=True)) == 2
        assert len(home.asked) == 5


def test_mistakes_of_listed_sets(tmp_path: Path) -> None:
    for partition in (0, 11, "1"):
        with pytest.raises(ValueError, match="Parameter 'partition' should be an integer with"):
            datasets.DTD(tmp_path, partition=partition)
    for kind, options in ((datasets.Food101, {"split": "val"}), (datasets.GTSRB, {"split": 3}),
                          (datasets.OxfordIIITPet, {"target_types": ["breed"]}),
                          (datasets.Caltech101, {"target_type": "x"})):  # fmt: skip
        with pytest.raises(ValueError, match=r"Unknown value|Expected type str for argument"):
            kind(tmp_path, **options)


def test_names_that_scripts_import() -> None:
    for name in ("calculate_md5", "check_md5", "check_integrity", "download_url", "list_dir",
                 "extract_archive", "download_and_extract_archive", "list_files",
                 "verify_str_arg"):  # fmt: skip
        assert callable(getattr(datasets.utils, name)) and hasattr(theirs.utils, name)
    for name in ("IMG_EXTENSIONS",):
        assert getattr(datasets.folder, name) == getattr(theirs.folder, name)


def test_the_tools_of_scripts(tmp_path: Path) -> None:
    with Home({"a.zip": mini.zipped({"x.txt": b"1", "d/y.txt": b"2"})}) as home:
        url, data = home.address + "a.zip", home.files["a.zip"]
        assert data is not None
        datasets.utils.download_and_extract_archive(
            url, str(tmp_path / "one"), tmp_path / "two", md5=mini.md5(data), remove_finished=True
        )
        assert not list((tmp_path / "one").iterdir())
        datasets.utils.download_url(url, tmp_path / "three", "b.zip", mini.md5(data))
        with pytest.raises(RuntimeError, match="invalid hash value"):
            datasets.utils.download_url(url, tmp_path / "four", md5="00")
    two = str(tmp_path / "two")
    for ours, their in ((datasets.utils, theirs.utils),):
        for prefix in (False, True):
            assert ours.list_dir(two, prefix) == their.list_dir(two, prefix)
            assert ours.list_files(two, ".txt", prefix) == their.list_files(two, ".txt", prefix)
        path = tmp_path / "three" / "b.zip"
        assert ours.calculate_md5(path) == their.calculate_md5(path) == mini.md5(data)
        assert ours.check_md5(path, mini.md5(data)) and not ours.check_integrity(path, "00")
        assert ours.extract_archive(str(path)) == str(tmp_path / "three")
        for value, options in ((3, ()), (3, ("x",)), ("a", ("x", ("b", "c")))):
            with pytest.raises(ValueError) as wanted:
                their.verify_str_arg(value, *options)
            with pytest.raises(ValueError) as found:
                ours.verify_str_arg(value, *options)
            assert str(found.value) == str(wanted.value)
