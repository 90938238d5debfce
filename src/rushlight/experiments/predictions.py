"""What a classifier makes of the test part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

import rushlight as rl
from rushlight.train.figures import image_png

from .classifier import Classifier

if TYPE_CHECKING:
    from .run import Experiment


@dataclass(frozen=True)
class Predictions:
    """The classes that were read, in the order of the test part.

    Shape:
        labels, predicted (N,) int64; confidence (N,), the probability given to ``predicted``.
    """

    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    classes: list[str]
    data: Any

    @classmethod
    def of(cls, experiment: Experiment) -> Self | None:
        """Those of an experiment's task; None when it is no classifier."""
        if not isinstance(experiment.task, Classifier):
            return None
        loader = experiment.data.test_dataloader()
        scores, labels = [], []
        experiment.task.eval()
        with rl.no_grad():
            for x, y in loader:
                scores.append(experiment.task(x).softmax(dim=1))
                labels.append(y)
        best, predicted = rl.cat(scores).max(dim=1)
        count = scores[0].shape[1]
        names = getattr(loader.dataset, "classes", None) or getattr(experiment.data, "classes", [])
        classes = [str(name) for name in names] if len(names) == count else _numbers(count)
        return cls(rl.cat(labels).numpy(), predicted.numpy(), best.numpy(), classes, loader.dataset)

    def named(self, label: int) -> str:
        """A class's name."""
        return self.classes[int(label)]

    @property
    def right(self) -> int:
        """How many were read rightly."""
        return int((self.labels == self.predicted).sum())

    def surest_mistakes(self) -> np.ndarray:
        """The indices of what was read wrongly, the surest first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def picture(self, index: int) -> bytes | None:
        """A sample as a PNG where it is an image of one or three channels."""
        sample = rl.as_tensor(self.data[index][0])
        if sample.ndim != 3 or sample.shape[0] not in (1, 3):
            return None
        low, high = sample.min().item(), sample.max().item()
        return image_png(((sample - low) / (high - low or 1)).numpy(), 1)


def _numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95% interval of a share, which unlike the simple one stays sensible near 0 and 1.

    Reference:
        E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    Example:
        >>> wilson(350, 355)
        (0.967..., 0.993...)
    """
    z = 1.959964  # the normal distribution's 97.5% point
    share = right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = z / (1 + z * z / count)
    half = spread * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return max(centre - half, 0.0), min(centre + half, 1.0)
