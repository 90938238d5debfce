"""Wav2Letter: convolutions from a wave or its features to letters."""

from __future__ import annotations

from rushlight import Tensor, nn
from rushlight.nn import functional as F


class Wav2Letter(nn.Module):
    """Logarithms of probabilities of letters over time, for :class:`rushlight.nn.CTCLoss`.

    Args:
        num_classes: letters.
        input_type: ``"waveform"``, ``"power_spectrum"`` or ``"mfcc"``.
        num_features: channels of the input.
    Shape:
        (N, num_features, time) to (N, num_classes, steps).
    Reference:
        Collobert, Puhrsch & Synnaeve 2016, "Wav2Letter: an end-to-end ConvNet-based speech
        recognition system", arXiv:1609.03193, figure 1.
    """

    def __init__(
        self, num_classes: int = 40, input_type: str = "waveform", num_features: int = 1
    ) -> None:
        super().__init__()
        if input_type not in ("waveform", "power_spectrum", "mfcc"):
            raise ValueError(f"input_type must be waveform, power_spectrum or mfcc: {input_type!r}")
        wave = input_type == "waveform"
        sizes = [
            (250 if wave else num_features, 250, 48, 2, 23),
            *[(250, 250, 7, 1, 3)] * 7,
            (250, 2000, 32, 1, 16),
            (2000, 2000, 1, 1, 0),
            (2000, num_classes, 1, 1, 0),
        ]
        self.acoustic_model = _layers(*sizes)
        if wave:
            ears = _layers((num_features, 250, 250, 160, 45))
            self.acoustic_model = nn.Sequential(ears, self.acoustic_model)

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(self.acoustic_model(x), dim=1)


def _layers(*sizes: tuple[int, int, int, int, int]) -> nn.Sequential:
    """Convolutions by (in, out, window, stride, padding), each with a ReLU behind it."""
    modules = []
    for given, made, window, stride, padding in sizes:
        modules += [nn.Conv1d(given, made, window, stride, padding), nn.ReLU()]
    return nn.Sequential(*modules)
