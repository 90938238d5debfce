"""M5: a small network that reads waves directly."""

from __future__ import annotations

from rushlight import Tensor, nn
from rushlight.nn import functional as F


class M5(nn.Module):
    """Four convolutions over a wave, the first with windows of 10 ms, then a mean over time.

    Args:
        n_input: channels of the wave.
        n_output: classes.
        stride: of the first convolution.
        n_channel: its channels; the last two have twice as many.
    Shape:
        (N, n_input, time) to (N, n_output), logarithms of probabilities. With a stride of 16 a
        wave has at least 6,848 samples.
    Reference:
        Dai et al. 2016, "Very deep convolutional neural networks for raw waveforms",
        arXiv:1610.00087, table 1, with the channels of PyTorch's speech command tutorial.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio.models import M5
        >>> M5(n_output=3)(rl.zeros(2, 1, 8000)).shape
        torch.Size([2, 3])
    """

    def __init__(
        self, n_input: int = 1, n_output: int = 35, stride: int = 16, n_channel: int = 32
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(n_input, n_channel, kernel_size=80, stride=stride)
        self.conv2 = nn.Conv1d(n_channel, n_channel, kernel_size=3)
        self.conv3 = nn.Conv1d(n_channel, 2 * n_channel, kernel_size=3)
        self.conv4 = nn.Conv1d(2 * n_channel, 2 * n_channel, kernel_size=3)
        self.bn1, self.bn2 = nn.BatchNorm1d(n_channel), nn.BatchNorm1d(n_channel)
        self.bn3, self.bn4 = nn.BatchNorm1d(2 * n_channel), nn.BatchNorm1d(2 * n_channel)
        self.pool = nn.MaxPool1d(4)
        self.fc1 = nn.Linear(2 * n_channel, n_output)

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in ((self.conv1, self.bn1), (self.conv2, self.bn2),
                           (self.conv3, self.bn3), (self.conv4, self.bn4)):  # fmt: skip
            x = self.pool(F.relu(norm(conv(x))))
        return F.log_softmax(self.fc1(x.mean(-1)), dim=-1)
