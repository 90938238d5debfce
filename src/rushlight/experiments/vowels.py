"""Spoken vowels in WAV files, said by a synthesiser with many voices: which vowel is it?

A voice is a train of pulses at a pitch that falls a little, sent through resonances (formants)
whose frequencies tell the vowel and the length of the throat: Fant 1960, "Acoustic Theory of Speech
Production". The formants are the means of men's voices in Peterson & Barney 1952, "Control methods
used in a study of the vowels", table II, scaled for shorter throats.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import audio, nn
from rushlight.train.lightning import LightningDataModule
from rushlight.utils.data import DataLoader, Dataset

RATE, SECONDS = 8000, 0.4
# Hertz of the first three formants, by the word in which the vowel was said.
FORMANTS = {
    "heed": (270, 2290, 3010), "hid": (390, 1990, 2550), "head": (530, 1840, 2480),
    "had": (660, 1720, 2410), "hod": (730, 1090, 2440), "hood": (440, 1020, 2240),
    "who'd": (300, 870, 2240), "heard": (490, 1350, 1690),
}  # fmt: skip
# How wide the resonances are, in hertz.
WIDTHS = (60, 90, 150)


def spoken(vowel: str, random: np.random.Generator) -> np.ndarray:
    """One vowel by a random voice, with some noise: float32 (samples) within -1 and 1."""
    time = np.arange(int(RATE * SECONDS)) / RATE
    throat = random.uniform(0.95, 1.25)
    pitch = 110 * throat**3 * random.uniform(0.8, 1.2) * (1 - 0.25 * time / SECONDS)
    phase = np.cumsum(pitch) / RATE
    sound = rl.from_numpy(np.diff(np.floor(phase), prepend=0.0))
    for hertz, width in zip(FORMANTS[vowel], WIDTHS):
        centre = hertz * throat * random.normal(1, 0.03)
        radius = math.exp(-math.pi * width / RATE)
        turn = 2 * radius * math.cos(2 * math.pi * min(centre, 0.48 * RATE) / RATE)
        gain = rl.tensor([1 - turn + radius**2, 0.0, 0.0], dtype=rl.float64)
        poles = rl.tensor([1.0, -turn, radius**2], dtype=rl.float64)
        sound = audio.functional.lfilter(sound, poles, gain, clamp=False)
    voice = sound.numpy() * np.hanning(len(time)) ** 0.3
    voice = voice / np.abs(voice).max() + random.normal(0, 0.03, len(time))
    return (0.6 * voice / np.abs(voice).max()).astype(np.float32)


def write_vowels(folder: Path, count: int, seed: int) -> None:
    """Writes ``count`` WAV files as ``folder/WORD/NUMBER.wav``, the same for the same seed."""
    words = list(FORMANTS)
    for number in range(count):
        word = words[number % len(words)]
        path = folder / word / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        voice = spoken(word, np.random.default_rng((seed, number)))
        audio.save(path, rl.from_numpy(voice)[None], RATE, encoding="PCM_S", bits_per_sample=16)


class Recordings(Dataset[tuple[rl.Tensor, int]]):
    """WAV files in a folder for each class: a sample is (1, samples) float32 and a label."""

    def __init__(self, folder: Path) -> None:
        self.classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
        self.files = [
            (path, label)
            for label, name in enumerate(self.classes)
            for path in sorted((folder / name).glob("*.wav"))
        ]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[rl.Tensor, int]:
        path, label = self.files[index]
        sound, _ = audio.load(path)
        return sound, label


class Vowels(LightningDataModule):
    """Recordings that are written at the first run: a folder each to learn, validate and test.

    Args:
        folder: where they are, or will be written.
        count: how many to learn from; a quarter more of them validates and another quarter tests.
        batch_size: of training.
        workers: ``num_workers`` of the loaders.
        seed: what decides every voice.
    """

    def __init__(
        self, folder: str | Path = "data/vowels", count: int = 640, batch_size: int = 32,
        workers: int = 0, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.folder, self.count, self.seed = Path(folder), count, seed
        self.batch_size, self.workers = batch_size, workers

    def prepare_data(self) -> None:
        sizes = {"train": self.count, "validation": self.count // 4, "test": self.count // 4}
        for part, (name, size) in enumerate(sizes.items()):
            done = self.folder / name / f"{size} of seed {self.seed}"
            if not done.exists():
                write_vowels(self.folder / name, size, 3 * self.seed + part)
                done.touch()

    def setup(self, stage: str) -> None:
        self.train = Recordings(self.folder / "train")
        self.validation = Recordings(self.folder / "validation")
        self.test = Recordings(self.folder / "test")

    def _loader(self, part: Recordings, shuffle: bool = False) -> DataLoader[Any]:
        return DataLoader(part, self.batch_size, shuffle=shuffle, num_workers=self.workers)

    def train_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.train, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.validation)

    def test_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.test)

    predict_dataloader = test_dataloader


class MelNet(nn.Module):
    """A spectrogram in mels and decibels, and convolutions over it.

    Shape:
        input (N, 1, samples); output (N, classes).
    """

    def __init__(self, classes: int, mels: int = 40, channels: int = 16) -> None:
        super().__init__()
        self.mel = audio.transforms.MelSpectrogram(RATE, n_fft=256, hop_length=128, n_mels=mels)
        self.decibels = audio.transforms.AmplitudeToDB(top_db=60)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(1),
            nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(channels, 2 * channels, 3, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d((mels // 4, 1)), nn.Flatten(),
            nn.Linear(2 * channels * (mels // 4), classes),
        )  # fmt: skip

    def forward(self, sound: rl.Tensor) -> rl.Tensor:
        return self.layers(self.decibels(self.mel(sound)))
