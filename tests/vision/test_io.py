"""Image files to tensors and back, compared with Pillow (theirs needs compiled codecs)."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import miniatures as mini
import numpy as np
import pytest
from PIL import Image

import rushlight as rl
from peers import torchvision
from rushlight.vision import io as vio

Mode = vio.ImageReadMode


def data_of(image: Image.Image, kind: str, **options: Any) -> rl.Tensor:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return rl.tensor(list(out.getvalue()), dtype=rl.uint8)


def planes(image: Image.Image) -> np.ndarray:
    pixels = np.array(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def opened(data: rl.Tensor) -> Image.Image:
    return Image.open(io.BytesIO(bytes(data.tolist())))


RGB = Image.fromarray(mini.noise(5, 7, 3))
KINDS = {
    "L": Image.fromarray(mini.noise(5, 7)),
    "RGB": RGB,
    "RGBA": Image.fromarray(mini.noise(5, 7, 4)),
    "LA": Image.fromarray(mini.noise(5, 7, 4)).convert("LA"),
    "P": RGB.convert("P"),
    "1": RGB.convert("1"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["UNCHANGED", "GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA", "rgba"])
def test_png(kind: str, mode: str) -> None:
    data = data_of(KINDS[kind], "PNG")
    wanted = {"GRAY": "L", "GRAY_ALPHA": "LA", "RGB": "RGB", "RGB_ALPHA": "RGBA", "rgba": "RGBA"}
    image = opened(data)
    image = image.convert(wanted[mode]) if mode in wanted else image
    image = image.convert("L") if image.mode == "1" else image
    for found in (vio.decode_png(data, mode), vio.decode_image(data, Mode[mode.upper()])):
        assert found.dtype == rl.uint8 and np.array_equal(found.numpy(), planes(image))


@pytest.mark.parametrize("kind", ["L", "RGB"])
def test_jpeg(kind: str) -> None:
    data = data_of(KINDS[kind], "JPEG")
    assert np.array_equal(vio.decode_jpeg(data).numpy(), planes(opened(data)))
    rgb = vio.decode_image(data, "RGB").numpy()
    assert np.array_equal(rgb, planes(opened(data).convert("RGB")))
    gray = opened(data)
    gray.draft("L", gray.size)
    assert np.array_equal(vio.decode_jpeg(data, Mode.GRAY).numpy(), planes(gray.convert("L")))
    both = vio.decode_jpeg([data, data], device="cpu")
    assert isinstance(both, list) and np.array_equal(both[1].numpy(), planes(opened(data)))
    for mode in ("RGBA", "GRAY_ALPHA"):
        with pytest.raises(RuntimeError, match="mode is not supported for JPEG"):
            vio.decode_jpeg(data, mode)


def test_other_formats() -> None:
    data = data_of(KINDS["RGBA"], "WEBP", lossless=True)
    assert np.array_equal(vio.decode_webp(data).numpy(), planes(opened(data)))
    assert vio.decode_image(data, "RGB").shape == (3, 5, 7)
    frames = [Image.fromarray(mini.noise(5, 7)) for _ in range(3)]
    one, three = (
        data_of(frames[0], "GIF"),
        data_of(frames[0], "GIF", save_all=True, append_images=frames[1:]),
    )
    assert np.array_equal(vio.decode_gif(one).numpy(), planes(frames[0].convert("RGB")))
    for found in (vio.decode_gif(three), vio.decode_image(three)):
        assert np.array_equal(found.numpy(), np.stack([planes(f.convert("RGB")) for f in frames]))
    avif = data_of(RGB, "AVIF", quality=100)
    assert np.array_equal(vio.decode_avif(avif).numpy(), planes(opened(avif)))
    with pytest.raises(RuntimeError, match="does not read HEIC"):
        vio.decode_heic(data)


def test_orientation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 95})):
        data = data_of(RGB, kind, exif=exif, **options)
        turned = planes(opened(data).transpose(Image.Transpose.ROTATE_270))
        assert vio.decode_image(data).shape == (3, 5, 7)
        assert np.array_equal(vio.decode_image(data, apply_exif_orientation=True).numpy(), turned)


@pytest.mark.parametrize("channels", [1, 3])
def test_encoding(tmp_path: Path, channels: int) -> None:
    pixels = mini.noise(channels, 9, 8)
    image = rl.tensor(pixels)
    for level in (0, 6, 9):
        assert np.array_equal(vio.decode_png(vio.encode_png(image, level)).numpy(), pixels)
    vio.write_png(image, tmp_path / "a.png")
    assert np.array_equal(vio.read_image(str(tmp_path / "a.png")).numpy(), pixels)
    assert np.array_equal(vio.decode_image(tmp_path / "a.png").numpy(), pixels)
    vio.write_jpeg(image, str(tmp_path / "a.jpg"), quality=30)
    out = io.BytesIO()
    pil = Image.fromarray(pixels[0] if channels == 1 else pixels.transpose(1, 2, 0))
    pil.save(out, "JPEG", quality=30)
    assert (tmp_path / "a.jpg").read_bytes() == out.getvalue()
    several = vio.encode_jpeg([image, image], 30)
    assert bytes(several[1].tolist()) == out.getvalue()


def test_files(tmp_path: Path) -> None:
    data = rl.arange(200, dtype=rl.uint8)
    vio.write_file(tmp_path / "f", data)
    assert vio.read_file(str(tmp_path / "f")).tolist() == list(range(200))
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(RuntimeError, match="Expected a non empty file"):
        vio.read_file(tmp_path / "empty")
    with pytest.raises(RuntimeError, match="No such file or directory: "):
        vio.read_file(tmp_path / "none")
    with pytest.raises(RuntimeError, match="No such file or directory"):
        vio.write_file(tmp_path / "none" / "f", data)


MISTAKES = [
    (lambda: vio.decode_image(rl.zeros(4)), RuntimeError, "should be uint8"),
    (lambda: vio.decode_image(rl.zeros(2, 2, dtype=rl.uint8)), RuntimeError, "1-dimensional"),
    (lambda: vio.decode_image(rl.zeros(0, dtype=rl.uint8)), RuntimeError, "non-empty"),
    (lambda: vio.decode_image(rl.zeros(99, dtype=rl.uint8)), RuntimeError, "damaged or no JPEG or"),
    (lambda: vio.decode_png(data_of(RGB, "JPEG")), RuntimeError, "no PNG image"),
    (lambda: vio.decode_png(data_of(RGB, "PNG")[:60]), RuntimeError, "damaged or no PNG"),
    (lambda: vio.decode_jpeg(data_of(RGB, "JPEG")[:300]), RuntimeError, "damaged or no JPEG"),
    (lambda: vio.decode_image(data_of(RGB, "BMP")), RuntimeError, "damaged or no"),
    (lambda: vio.decode_png(data_of(Image.new("I;16", (2, 2)), "PNG")), RuntimeError, "16 bits"),
    (lambda: vio.decode_jpeg([]), ValueError, "at least one element"),
    (lambda: vio.decode_jpeg([3]), ValueError, "must be tensors"),
    (lambda: vio.encode_png(rl.zeros(3, 2, 2)), RuntimeError, "dtype should be uint8"),
    (lambda: vio.encode_png(rl.zeros(2, 2, dtype=rl.uint8)), RuntimeError, "3-dimensional"),
    (lambda: vio.encode_png(rl.zeros(3, 0, 2, dtype=rl.uint8)), RuntimeError, "non-empty"),
    (lambda: vio.encode_jpeg(rl.zeros(4, 2, 2, dtype=rl.uint8)), RuntimeError, "1 or 3, got: 4"),
    (lambda: vio.encode_png(rl.zeros(3, 2, 2, dtype=rl.uint8), 10), RuntimeError, "0 and 9"),
    (lambda: vio.encode_jpeg(rl.zeros(3, 2, 2, dtype=rl.uint8), 0), ValueError, "1 and 100"),
    (lambda: vio.write_jpeg(rl.zeros(3, 2, 2, dtype=rl.uint8), "x", 101), ValueError, "1 and 100"),
    (lambda: vio.encode_jpeg([]), ValueError, "at least one input tensor"),
    (lambda: vio.decode_image(data_of(RGB, "PNG"), "BGR"), KeyError, "BGR"),
    (lambda: vio.read_video("x.mp4"), NotImplementedError, "no video"),
    (lambda: vio.read_video_timestamps("x.mp4"), NotImplementedError, "no video"),
    (lambda: vio.write_video("x.mp4"), NotImplementedError, "no video"),
    (lambda: vio.VideoReader("x.mp4"), NotImplementedError, "no video"),
]


@pytest.mark.parametrize("mistake, kind, words", MISTAKES)
def test_mistakes(mistake: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        mistake()


def test_every_cut_is_refused() -> None:
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        whole = data_of(RGB, kind)
        for cut in range(1, len(whole) - 16, 23):
            with pytest.raises(RuntimeError, match="damaged or no"):
                vio.decode_image(whole[:cut])


def test_names() -> None:
    assert set(torchvision.io.__all__) <= set(vio.__all__)
    assert [(one.name, one.value) for one in Mode] == [
        (one.name, one.value) for one in torchvision.io.ImageReadMode
    ]


def test_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    data = data_of(RGB, "PNG")
    for name in ("PIL", "PIL.Image"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ModuleNotFoundError, match=r'needs Pillow.* pip install "rushlight\[vision\]"'
    ):
        vio.decode_image(data)


def test_pillow_is_imported_when_the_first_image_is() -> None:
    code = """
import sys
from rushlight.vision import datasets, io, ops, utils
assert not {"PIL", "rich", "scipy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
