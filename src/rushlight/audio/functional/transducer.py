"""The loss of transducers, which say at each step of a sound a word or that they listen on."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F


class _Held(rl.autograd.Function):
    """Its input, with a gradient held within ``[-limit, limit]``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, limit: float) -> Tensor:
        ctx.limit = limit
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        return g.clamp(-ctx.limit, ctx.limit), None


def rnnt_loss(
    logits: Tensor, targets: Tensor, logit_lengths: Tensor, target_lengths: Tensor,
    blank: int = -1, clamp: float = -1, reduction: str = "mean",
    fused_log_softmax: bool = True,
) -> Tensor:  # fmt: skip
    r"""The negative logarithm of the probability of the targets over all their alignments.

    Args:
        blank: the class for listening on; -1 is the last.
        clamp: if positive, gradients of the logits are held within ``[-clamp, clamp]``.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.
        fused_log_softmax: False when the logits are logarithms of probabilities already.
    Shape:
        logits (N, T, U + 1, classes); targets (N, U); both lengths (N,); output (N,) or ().
    Reference:
        Graves 2012, "Sequence transduction with recurrent neural networks", arXiv:1211.3711,
        equations 16 and 18.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> one = rl.tensor([1], dtype=rl.int32)
        >>> F.rnnt_loss(rl.zeros(1, 1, 2, 2), rl.zeros(1, 1, dtype=rl.int32), one, one)
        tensor(1.3863)
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError('reduction should be one of "none", "mean", or "sum"')
    N, T, U, _ = logits.shape
    if targets.shape != (N, U - 1):
        raise ValueError(f"targets must be {(N, U - 1)} for these logits, got {targets.shape}")
    if clamp > 0:
        logits = _Held.apply(logits, float(clamp))
    logs = F.log_softmax(logits, -1) if fused_log_softmax else logits
    listen = logs[..., blank]  # (N, T, U)
    chosen = targets.long()[:, None, :, None].expand(N, T, U - 1, 1)
    say = logs[:, :, :-1].gather(-1, chosen)[..., 0]  # (N, T, U - 1)
    costs = -_total(listen, say, logit_lengths.long(), target_lengths.long())
    return costs if reduction == "none" else getattr(costs, reduction)()


def _total(listen: Tensor, say: Tensor, times: Tensor, words: Tensor) -> Tensor:
    """The logarithm of the sum over all paths.

    With S[u] the sum of what is said up to u, a row of alphas is S + logcumsumexp(alphas of the
    row before and listening - S), so only time is a loop.
    """
    said = F.pad(say.cumsum(-1), (1, 0))  # (N, T, U)
    alphas = [said[:, 0]]
    for t in range(1, listen.shape[1]):
        arriving = alphas[-1] + listen[:, t - 1] - said[:, t]
        alphas.append(said[:, t] + arriving.logcumsumexp(-1))
    ends = rl.stack(alphas, 1) + listen
    sample = rl.arange(len(times))
    return ends[sample, times - 1, words]
