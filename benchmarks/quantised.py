"""ResNet-18 of bytes beside ResNet-18 of float32.

    python -m benchmarks quantised

Static int8, calibrated on random images, for one image and for batches. Both models take turns; a
figure is the shortest call, so that other work on the machine counts least.
"""

from __future__ import annotations

import time
from typing import Any

import rushlight as rl
from rushlight.quantization import quantize_for_export
from rushlight.vision.models import resnet18

BATCHES = (1, 16, 32)
ROUNDS, SECONDS = 4, 2.0


def main() -> None:
    """Measures, and prints the table."""
    rl.manual_seed(0)
    model = resnet18().eval()
    small, report = quantize_for_export(model, [rl.randn(4, 3, 224, 224)], "static")
    print(report)
    print(f"{'batch':>6s} {'float32':>12s} {'int8':>12s} {'ratio':>6s}")
    for batch in BATCHES:
        images = rl.randn(batch, 3, 224, 224)
        rl.realize(images)
        calls: dict[str, list[float]] = {"float32": [], "int8": []}
        for _ in range(ROUNDS):
            for name, each in (("float32", model), ("int8", small)):
                calls[name] += _calls(each, images)
        old, new = min(calls["float32"]), min(calls["int8"])
        print(f"{batch:6d} {old * 1e3:9.2f} ms {new * 1e3:9.2f} ms {old / new:6.2f}")


def _calls(model: Any, images: Any) -> list[float]:
    """How long calls take, for some seconds; the first three compile."""
    found: list[float] = []
    stop = time.perf_counter() + SECONDS / ROUNDS
    with rl.no_grad():
        for _ in range(3):
            rl.realize(model(images))
        while time.perf_counter() < stop or len(found) < 2:
            start = time.perf_counter()
            rl.realize(model(images))
            found.append(time.perf_counter() - start)
    return found


if __name__ == "__main__":
    main()
