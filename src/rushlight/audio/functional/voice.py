"""Where somebody begins to speak.

The power of the cepstrum, where voices have their pitch, is measured in overlapping windows with a
running estimate of the noise taken off. Its smoothed course triggers; then one looks back for where
the rise began. As sox's effect of the same name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from rushlight import Tensor

QUIET = 21.0  # the logarithm of the power that counts as nothing, as in sox


def vad(
    waveform: Tensor, sample_rate: int, trigger_level: float = 7.0, trigger_time: float = 0.25,
    search_time: float = 1.0, allowed_gap: float = 0.25, pre_trigger_time: float = 0.0,
    boot_time: float = 0.35, noise_up_time: float = 0.1, noise_down_time: float = 0.01,
    noise_reduction_amount: float = 1.35, measure_freq: float = 20.0,
    measure_duration: float | None = None, measure_smooth_time: float = 0.4,
    hp_filter_freq: float = 50.0, lp_filter_freq: float = 6000.0, hp_lifter_freq: float = 150.0,
    lp_lifter_freq: float = 2000.0,
) -> Tensor:  # fmt: skip
    """A recording from where somebody begins to speak.

    Args:
        trigger_level: how loud, as a logarithm above quiet, is speech.
        trigger_time: seconds over which that is smoothed.
        search_time, allowed_gap: how far to look back for the beginning, and over what pauses.
        pre_trigger_time: seconds to keep before it.
        boot_time: seconds in the beginning that count as noise.
        noise_up_time, noise_down_time, noise_reduction_amount: how the estimate of noise follows
            rising and falling power, and how much of it is taken off.
        measure_freq, measure_duration, measure_smooth_time: how often to measure, over what time
            (twice the period by default), and how smooth.
        hp_filter_freq, lp_filter_freq, hp_lifter_freq, lp_lifter_freq: the bands of the spectrum
            and of the cepstrum in Hz.
    Shape:
        waveform (channel, time) or (time,); output the same with less time, empty without speech.
    """
    duration = 2.0 / measure_freq if measure_duration is None else measure_duration
    period, span = int(sample_rate / measure_freq + 0.5), int(sample_rate * duration + 0.5)
    history = math.ceil(search_time * measure_freq)
    kept = int(pre_trigger_time * sample_rate + 0.5)

    def smooth(time: float) -> float:
        return math.exp(-1.0 / (time * measure_freq))

    size = 16
    while size < span:
        size *= 2
    start = max(int(hp_filter_freq / sample_rate * size + 0.5), 1)
    end = min(int(lp_filter_freq / sample_rate * size + 0.5), size // 2)
    first = math.ceil(sample_rate * 0.5 / lp_lifter_freq)
    last = min(math.floor(sample_rate * 0.5 / hp_lifter_freq), size // 4)
    if last <= first:
        raise ValueError(
            "Expected cepstrum_start to be smaller than cepstrum_end."
            f"Found: cepstrum_start: {first}, cepstrum_end: {last}."
        )
    meter = Meter(
        span, size, slice(start, end), slice(first, last), smooth(measure_smooth_time),
        smooth(noise_up_time), smooth(noise_down_time), noise_reduction_amount,
        int(boot_time * measure_freq - 0.5),
    )  # fmt: skip
    signals = waveform.detach().numpy().reshape(-1, waveform.shape[-1])
    gap = int(allowed_gap * measure_freq + 0.5)
    found = _beginning(signals, meter, period, history, gap, trigger_level, smooth(trigger_time))
    if found is None:
        return waveform[..., :kept] if waveform.shape[-1] >= kept else waveform
    end_of_measure, flushed = found
    behind = kept + history * period + span - flushed * period
    return waveform[..., max(end_of_measure - behind, 0) :]


@dataclass
class Meter:
    """Measures how much a window sounds like a voice.

    Attributes:
        span, size: samples of a window, and of its transform.
        band, quefrency: the bins of spectrum and cepstrum that count.
        steady, up, down: how slowly the spectrum and the noise follow.
        reduction: how much of the noise is taken off.
        boot: measures that count as noise.
    """

    span: int
    size: int
    band: slice
    quefrency: slice
    steady: float
    up: float
    down: float
    reduction: float
    boot: int
    state: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.window = _hann(self.span)
        self.lifter = _hann(self.band.stop - self.band.start)

    def measure(self, channel: int, samples: np.ndarray, count: int) -> float:
        """The measure of a channel's window; ``count`` came before."""
        spectrum, noise = self.state.get(channel, (0.0, 0.0))
        booting = count <= self.boot
        now = np.abs(np.fft.rfft(samples * self.window, self.size))[self.band]
        slow = count / (1.0 + count) if booting else self.steady
        spectrum = spectrum * slow + now * (1 - slow)
        power = spectrum**2
        follow = 0.0 if booting else np.where(power > noise, self.up, self.down)
        noise = noise * follow + power * (1 - follow)
        self.state[channel] = spectrum, noise
        voice = np.zeros(self.size // 2)
        clean = np.sqrt(np.maximum(0, power - self.reduction * noise))
        voice[self.band] = clean * self.lifter
        cepstrum = np.abs(np.fft.rfft(voice))[self.quefrency]
        total = float(np.sum(cepstrum**2)) / len(cepstrum)
        return max(0.0, QUIET + math.log(total)) if total > 0 else 0.0


def _hann(size: int) -> np.ndarray:
    """Hann's window for a transform, of energy 1.5 whatever its size."""
    return 2 / math.sqrt(size) * (0.5 - 0.5 * np.cos(2 * math.pi * np.arange(size) / size))


def _beginning(
    signals: np.ndarray, meter: Meter, period: int, history: int, gap: int, level: float,
    steady: float,
) -> tuple[int, int] | None:  # fmt: skip
    """Where the measure ended that triggered, and how many measures lie before the rise began."""
    measures = np.zeros((len(signals), history))
    means = np.zeros(len(signals))
    for count, end in enumerate(range(meter.span, signals.shape[1], period)):
        triggered, back = False, 0
        for channel, signal in enumerate(signals):
            now = meter.measure(channel, signal[end - meter.span : end], count)
            measures[channel, count % history] = now
            means[channel] = means[channel] * steady + now * (1 - steady)
            triggered = triggered or means[channel] >= level
            if triggered:
                newest_first = np.roll(measures[channel][::-1], count % history + 1)
                back = max(back, _rise(newest_first, level, gap))
        if triggered:
            return end, history - min(back, history)
    return None


def _rise(measures: np.ndarray, level: float, gap: int) -> int:
    """How many measures, the newest first, belong to what triggered."""
    n = len(measures)
    loud = silent = n
    for j, measure in enumerate(measures):
        if measure >= level and j <= loud + gap:
            silent = loud = j
        elif measure == 0 and loud >= silent:
            silent = j
    return min(n - 1, silent)
