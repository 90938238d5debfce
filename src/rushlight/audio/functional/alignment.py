"""Which frame says which token: the most probable alignment of a CTC model's results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import rushlight as rl
from rushlight import Tensor


def forced_align(
    log_probs: Tensor, targets: Tensor, input_lengths: Tensor | None = None,
    target_lengths: Tensor | None = None, blank: int = 0,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The most probable way to say ``targets``.

    Args:
        log_probs: (1, T, classes), logarithms of probabilities.
        targets: (1, L), without blanks.
        input_lengths, target_lengths: (1,), what counts of both; all by default.
    Returns:
        The class of each frame (1, T), and its logarithm of probability (1, T).
    Raises:
        ValueError: a target that is blank or no class, or more of them than frames.
    Reference:
        Graves et al. 2006, "Connectionist temporal classification", with the maximum for the sum.
    """
    if log_probs.ndim != 3 or targets.ndim != 2 or len(log_probs) != 1 or len(targets) != 1:
        raise ValueError("forced_align takes one sequence: (1, T, classes) and (1, L)")
    T = log_probs.shape[1] if input_lengths is None else int(input_lengths[0])
    L = targets.shape[1] if target_lengths is None else int(target_lengths[0])
    words, logs = targets[0, :L].numpy(), log_probs[0, :T].detach().numpy()
    if blank in words:
        raise ValueError(f"targets Tensor shouldn't contain blank index. Found {targets}.")
    if L and words.max() >= logs.shape[1]:
        raise ValueError("targets values must be less than the CTC dimension")
    states = np.full(2 * L + 1, blank)
    states[1::2] = words
    if L + np.sum(words[1:] == words[:-1]) > T:
        raise ValueError("targets length is too long for CTC: there are more targets than frames")
    path = rl.from_numpy(states[_best_path(logs[:, states].astype(np.float64), states)])
    return path[None], log_probs[0, :T].gather(1, path[:, None])[None, :, 0]


def _best_path(logs: np.ndarray, states: np.ndarray) -> np.ndarray:
    """The state of each frame (T,) of the best path through ``logs`` (T, states)."""
    T, S = logs.shape
    skips = np.zeros(S, bool)
    skips[3::2] = states[3::2] != states[1:-2:2]  # from token to token, past the blank
    score, came = np.full(S, -np.inf), np.zeros((T, S), np.int64)
    score[:2] = logs[0, :2]
    for t in range(1, T):
        one = np.concatenate([[-np.inf], score[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf] * 2, score[:-2]])[:S], -np.inf)
        came[t] = np.argmax([score, one, two], 0)
        score = np.choose(came[t], [score, one, two]) + logs[t]
    state = S - 1 if S == 1 or score[-1] > score[-2] else S - 2
    path = np.empty(T, np.int64)
    for t in range(T - 1, -1, -1):
        path[t] = state
        state -= came[t, state]
    return path


@dataclass
class TokenSpan:
    """A token and the frames ``start`` to ``end`` (exclusive) that say it."""

    token: int
    start: int
    end: int
    score: float

    def __len__(self) -> int:
        return self.end - self.start


def merge_tokens(tokens: Tensor, scores: Tensor, blank: int = 0) -> list[TokenSpan]:
    """The runs of equal tokens in an alignment, without blanks, each with its mean score.

    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> F.merge_tokens(rl.tensor([0, 2, 2, 0]), rl.tensor([0.0, 0.5, 0.7, 0.0]))
        [TokenSpan(token=2, start=1, end=3, score=0.6000000238418579)]
    """
    if tokens.ndim != 1 or scores.ndim != 1:
        raise ValueError("`tokens` and `scores` must be 1D Tensor.")
    if len(tokens) != len(scores):
        raise ValueError("`tokens` and `scores` must be the same length.")
    values = tokens.tolist()
    edges = [k for k in range(len(values)) if k == 0 or values[k] != values[k - 1]]
    return [
        TokenSpan(values[start], start, end, scores[start:end].mean().item())
        for start, end in zip(edges, [*edges[1:], len(values)], strict=True)
        if values[start] != blank
    ]
