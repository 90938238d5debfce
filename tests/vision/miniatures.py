"""Small data sets in the layouts of the published ones, made of noise."""

import gzip
import hashlib
import io
import json
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

RANDOM = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, shape, np.uint8)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def idx(array: np.ndarray) -> bytes:
    kinds = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}
    head = bytes([0, 0, kinds[array.dtype.name], array.ndim])
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return head + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def mnist_files(train: int = 12, test: int = 5) -> dict[str, bytes]:
    """The four files, unpacked."""
    files = {}
    for start, count in (("train", train), ("t10k", test)):
        files[f"{start}-images-idx3-ubyte"] = idx(noise(count, 28, 28))
        files[f"{start}-labels-idx1-ubyte"] = idx((np.arange(count) % 10).astype(np.uint8))
    return files


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def packed(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(data) for name, data in files.items()}


def tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _pickled(value: Any) -> bytes:
    return pickle.dumps(value, protocol=2)  # as CIFAR's files are


def cifar_batch(count: int, labels: str = "labels", classes: int = 10) -> bytes:
    return _pickled(
        {
            "batch_label": "a batch",
            labels: [i % classes for i in range(count)],
            "data": noise(count, 3072),
            "filenames": [f"{i}.png" for i in range(count)],
        }
    )


def cifar10_files(count: int = 4) -> dict[str, bytes]:
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    files = {name: cifar_batch(count) for name in names}
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "x"]
    files["batches.meta"] = _pickled({"label_names": names, "num_vis": 3072})
    return {f"cifar-10-batches-py/{name}": data for name, data in files.items()}


def cifar100_files(count: int = 6) -> dict[str, bytes]:
    files = {name: cifar_batch(count, "fine_labels", 100) for name in ("train", "test")}
    files["meta"] = _pickled({"fine_label_names": [f"class {i}" for i in range(100)]})
    return {f"cifar-100-python/{name}": data for name, data in files.items()}


def picture(kind: str = "png", size: tuple[int, int] = (7, 5), mode: str = "RGB") -> bytes:
    """An encoded image of ``size`` (width, height)."""
    width, height = size
    channels = {"RGB": (3,), "L": (), "P": (), "RGBA": (4,)}[mode]
    image = Image.fromarray(noise(height, width, *channels))
    if mode == "P":
        image = image.convert("P")
    out = io.BytesIO()
    image.save(out, {"jpg": "JPEG", "ppm": "PPM"}.get(kind, kind.upper()))
    return out.getvalue()


VOC_XML = """<annotation><folder>VOC2012</folder><filename>a.jpg</filename>
<size><width>7</width><height>5</height><depth>3</depth></size><segmented>0</segmented>
{objects}</annotation>"""
VOC_OBJECT = """<object><name>{name}</name><pose>Left</pose><bndbox><xmax>6</xmax><xmin>1</xmin>
<ymax>4</ymax><ymin>2</ymin></bndbox>{parts}</object>"""


def voc_files(base: str, sets: tuple[str, ...] = ("train", "val")) -> dict[str, bytes]:
    files = {}
    for name in sets:
        stems = [f"{name}_{i}" for i in range(3)]
        text = "\n".join(stems).encode() + b"\n"
        for task in ("Main", "Segmentation"):
            files[f"ImageSets/{task}/{name}.txt"] = text
        for count, stem in enumerate(stems, 1):
            files[f"JPEGImages/{stem}.jpg"] = picture("jpg")
            files[f"SegmentationClass/{stem}.png"] = picture("png", mode="P")
            parts = "<part><name>head</name></part>" * (count - 1)
            objects = VOC_OBJECT.format(name="dog", parts=parts) * count
            files[f"Annotations/{stem}.xml"] = VOC_XML.format(objects=objects).encode()
    return {f"{base}/{name}": data for name, data in files.items()}


def coco_file() -> dict[str, Any]:
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 5, "width": 7} for i in (9, 3, 5)]
    annotations = [
        {"id": 100 + i, "image_id": image, "category_id": kind, "bbox": [1, 1, 3, 2], "area": 6.0,
         "iscrowd": i % 2, "segmentation": [[1, 1, 4, 1, 4, 3, 1, 3]], "caption": f"words {i}"}
        for i, (image, kind) in enumerate([(3, 18), (9, 1), (3, 1)])
    ]  # fmt: skip
    categories = [
        {"id": 1, "name": "person", "supercategory": "person"},
        {"id": 18, "name": "dog", "supercategory": "animal"},
    ]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(folder: Path) -> tuple[Path, str]:
    facts = coco_file()
    write(folder, {one["file_name"]: picture("jpg") for one in facts["images"]})
    path = folder / "instances.json"
    path.write_text(json.dumps(facts))
    return folder, str(path)
