"""Reading data: DataLoader beside PyTorch's, from memory and from a folder of PNG files.

    python -m benchmarks loading

Each framework has a process of its own, and they take turns. A round is a pass over the data,
every batch made whole; *first batch* is the time from ``iter(loader)`` to the first one. Images go
through RandomResizedCrop, RandomHorizontalFlip, ToTensor and Normalize, as for training.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .process import ROOT

ROUNDS = 5
SAMPLES, BATCH = 20_000, 64
IMAGES, CLASSES, SIDE, CROP, IMAGE_BATCH = 384, 4, 256, 112, 32
FRAMEWORKS = ("rushlight", "torch")
CASES = [(data, workers) for data in ("memory", "png") for workers in (0, 2)]


def main() -> None:
    """Measures, and prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        draw_images(Path(folder))
        processes = {name: _start(name, folder) for name in FRAMEWORKS}
        figures: dict[tuple[str, str, int], list[list[float]]] = {}
        for _ in range(ROUNDS):
            for case in CASES:
                for name, process in processes.items():
                    figures.setdefault((name, *case), []).append(_ask(process, case))
        for process in processes.values():
            process.stdin.close()
    print(f"{'data':8s} {'workers':>7s} {'':12s} {'rushlight':>12s} {'PyTorch':>12s} {'ratio':>6s}")
    for data, workers in CASES:
        ours, theirs = (
            [statistics.median(column) for column in zip(*figures[name, data, workers])]
            for name in FRAMEWORKS
        )
        rates = f"{ours[0]:,.0f}", f"{theirs[0]:,.0f}"
        _row(data, workers, "samples/s", *rates, ours[0] / theirs[0])
        _row(
            data, workers, "first batch", f"{ours[1] * 1e3:.2f} ms", f"{theirs[1] * 1e3:.2f} ms",
            theirs[1] / ours[1],
        )  # fmt: skip


def _row(data: str, workers: int, what: str, ours: str, theirs: str, ratio: float) -> None:
    print(f"{data:8s} {workers:7d} {what:12s} {ours:>12s} {theirs:>12s} {ratio:6.2f}")


def draw_images(folder: Path) -> None:
    """Writes PNG files of random blobs, a folder for each class."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for index in range(IMAGES):
        place = folder / f"class{index % CLASSES}"
        place.mkdir(exist_ok=True)
        blobs = Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8))
        blobs.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(place / f"{index}.png")


def _start(name: str, folder: str) -> Any:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.loading", name, folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def _ask(process: Any, case: tuple[str, int]) -> list[float]:
    print(json.dumps(case), file=process.stdin, flush=True)
    return list(json.loads(process.stdout.readline()))


# In the measured process ------------------------------------------------------------------------


def answer(name: str, folder: str) -> None:
    """Measures what it is asked for, until nobody asks."""
    if name == "torch":
        import torch as library

        sys.path.insert(0, str(ROOT / "tests"))
        from peers import torchvision as vision
    else:
        import rushlight as library
        from rushlight import vision
    x, y = library.randn(SAMPLES, 1, 28, 28), library.randint(0, 10, (SAMPLES,))
    whole = getattr(library, "realize", lambda *tensors: None)
    whole(x, y)
    t = vision.transforms
    steps = [
        t.RandomResizedCrop(CROP), t.RandomHorizontalFlip(), t.ToTensor(),
        t.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]  # fmt: skip
    sets = {
        "memory": (library.utils.data.TensorDataset(x, y), BATCH),
        "png": (vision.datasets.ImageFolder(folder, t.Compose(steps)), IMAGE_BATCH),
    }
    for line in sys.stdin:
        data, workers = json.loads(line)
        dataset, batch = sets[data]
        loader = library.utils.data.DataLoader(
            dataset, batch_size=batch, shuffle=True, num_workers=workers
        )
        print(json.dumps(_measured(loader, len(dataset), whole)), flush=True)


def _measured(loader: Any, samples: int, whole: Any) -> list[float]:
    """Samples a second over a pass, and seconds to the first batch."""
    start = time.perf_counter()
    batches = iter(loader)
    whole(*next(batches))
    first = time.perf_counter() - start
    for batch in batches:
        whole(*batch)
    return [samples / (time.perf_counter() - start), first]


if __name__ == "__main__":
    answer(*sys.argv[1:])
