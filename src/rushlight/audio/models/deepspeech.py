"""Deep Speech: features of sound to letters through a recurrent layer."""

from __future__ import annotations

from rushlight import Tensor, nn
from rushlight.nn import functional as F


class FullyConnected(nn.Module):
    """A layer whose results are held between 0 and ``relu_max_clip``."""

    def __init__(
        self, n_feature: int, n_hidden: int, dropout: float, relu_max_clip: int = 20
    ) -> None:
        super().__init__()
        self.fc = nn.Linear(n_feature, n_hidden)
        self.relu_max_clip, self.dropout = relu_max_clip, dropout

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(self.fc(x).clamp(0, self.relu_max_clip), self.dropout, self.training)


class DeepSpeech(nn.Module):
    """Logarithms of probabilities of letters over time.

    Args:
        n_feature: features of each step.
        n_hidden: width inside.
        n_class: letters.
    Shape:
        (N, 1, time, n_feature) to (N, time, n_class).
    Reference:
        Hannun et al. 2014, "Deep Speech: scaling up end-to-end speech recognition",
        arXiv:1412.5567, section 2.
    """

    def __init__(
        self, n_feature: int, n_hidden: int = 2048, n_class: int = 40, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.n_hidden = n_hidden
        self.fc1 = FullyConnected(n_feature, n_hidden, dropout)
        self.fc2 = FullyConnected(n_hidden, n_hidden, dropout)
        self.fc3 = FullyConnected(n_hidden, n_hidden, dropout)
        self.bi_rnn = nn.RNN(n_hidden, n_hidden, nonlinearity="relu", bidirectional=True)
        self.fc4 = FullyConnected(n_hidden, n_hidden, dropout)
        self.out = nn.Linear(n_hidden, n_class)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc3(self.fc2(self.fc1(x))).squeeze(1)
        there, back = self.bi_rnn(x.transpose(0, 1))[0].split(self.n_hidden, -1)
        return F.log_softmax(self.out(self.fc4(there + back)).transpose(0, 1), dim=2)
