"""Several microphones made one that listens in a direction.

Reference:
    Souden, Benesty & Affes 2009, "On optimal frequency-domain multichannel linear filtering for
    noise reduction", for the filters.
"""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor

Channel = int | Tensor


def psd(
    specgram: Tensor, mask: Tensor | None = None, normalize: bool = True, eps: float = 1e-10
) -> Tensor:
    """The channels' cross power in each frequency, summed over time.

    Args:
        mask: (*, frequency, time), how much each point counts.
        normalize: by the mask's sum.
    Shape:
        specgram (*, channel, frequency, time) complex; output (*, frequency, channel, channel).
    """
    x = specgram.transpose(-3, -2)  # (*, frequency, channel, time)
    if mask is None:
        return x @ x.conj().transpose(-1, -2)
    if mask.shape[:-1] != x.shape[:-2] or mask.shape[-1] != x.shape[-1]:
        raise ValueError(
            "The dimensions of mask except the channel dimension should be the same as specgram."
            f"Found {mask.shape} for mask and {x.shape} for specgram."
        )
    if normalize:
        mask = mask / (mask.sum(-1, keepdim=True) + eps)
    return (x * mask[..., None, :]) @ x.conj().transpose(-1, -2)


def _trace(matrix: Tensor) -> Tensor:
    return matrix.diagonal(0, -2, -1).sum(-1)


def _loaded(matrix: Tensor, amount: float, eps: float = 1e-8) -> Tensor:
    """A little of the trace added to the diagonal, so that it can be inverted."""
    more = _trace(matrix).real[..., None, None] * amount + eps
    return matrix + more * rl.eye(matrix.shape[-1], dtype=matrix.dtype)


def _check_powers(psd_s: Tensor, psd_n: Tensor) -> None:
    if psd_s.ndim < 3 or psd_n.ndim < 3:
        raise ValueError(
            "Expected at least 3D Tensor (..., freq, channel, channel) for psd_s and psd_n."
            f" Found {psd_s.shape} for psd_s and {psd_n.shape} for psd_n."
        )
    if not (psd_s.is_complex() and psd_n.is_complex()):
        raise TypeError(
            "The type of psd_s and psd_n must be complex."
            f" Found {psd_s.dtype} for psd_s and {psd_n.dtype} for psd_n."
        )
    if psd_s.shape != psd_n.shape:
        raise ValueError(
            "The dimensions of psd_s and psd_n should be the same."
            f" Found {psd_s.shape} and {psd_n.shape}."
        )
    if psd_s.shape[-1] != psd_s.shape[-2]:
        raise ValueError(
            f"The last two dimensions of psd_s should be the same. Found {psd_s.shape}."
        )


def _of_channel(rows: Tensor, channel: Channel) -> Tensor:
    """The column of one channel, or a mixture of them: (..., frequency, c, c) to (..., c)."""
    if isinstance(channel, int):
        return rows[..., channel]
    if not isinstance(channel, Tensor):
        raise TypeError(
            f'Expected "int" or "Tensor" for reference_channel. Found: {type(channel)}.'
        )
    return (rows * channel.to(rows.dtype)[..., None, None, :]).sum(-1)


def mvdr_weights_souden(
    psd_s: Tensor, psd_n: Tensor, reference_channel: Channel, diagonal_loading: bool = True,
    diag_eps: float = 1e-7, eps: float = 1e-8,
) -> Tensor:  # fmt: skip
    """The filter that changes speech least and leaves least noise, from both cross powers.

    Args:
        reference_channel: an index, or weights of the channels (*, channel).
    Shape:
        psd_s and psd_n (*, frequency, channel, channel); output (*, frequency, channel).
    """
    _check_powers(psd_s, psd_n)
    noise = _loaded(psd_n, diag_eps) if diagonal_loading else psd_n
    ratio = rl.linalg.solve(noise, psd_s)
    return _of_channel(ratio / (_trace(ratio)[..., None, None] + eps), reference_channel)


def mvdr_weights_rtf(
    rtf: Tensor, psd_n: Tensor, reference_channel: Channel | None = None,
    diagonal_loading: bool = True, diag_eps: float = 1e-7, eps: float = 1e-8,
) -> Tensor:  # fmt: skip
    """The same from the relative transfer function of the speech.

    Shape:
        rtf (*, frequency, channel); psd_n (*, frequency, channel, channel); output as rtf.
    """
    if rtf.ndim < 2:
        raise ValueError(
            f"Expected at least 2D Tensor (..., freq, channel) for rtf. Found {rtf.shape}."
        )
    if psd_n.ndim < 3 or rtf.shape != psd_n.shape[:-1] or psd_n.shape[-1] != psd_n.shape[-2]:
        raise ValueError(
            "Expected psd_n (..., freq, channel, channel) for this rtf."
            f" Found {rtf.shape} for rtf and {psd_n.shape} for psd_n."
        )
    if not (rtf.is_complex() and psd_n.is_complex()):
        raise TypeError(
            f"The type of rtf and psd_n must be complex. Found {rtf.dtype} and {psd_n.dtype}."
        )
    noise = _loaded(psd_n, diag_eps) if diagonal_loading else psd_n
    direction = rl.linalg.solve(noise, rtf[..., None])[..., 0]
    power = (rtf.conj() * direction).sum(-1, keepdim=True).real + eps
    weights = direction / power
    if reference_channel is None:
        return weights
    return weights * _of_channel(rtf.conj()[..., None, :], reference_channel)


def rtf_evd(psd_s: Tensor) -> Tensor:
    """The relative transfer function as the first eigenvector of the speech's cross power."""
    if not psd_s.is_complex():
        raise TypeError(f"The type of psd_s must be complex. Found {psd_s.dtype}.")
    if psd_s.shape[-1] != psd_s.shape[-2]:
        raise ValueError(
            f"The last two dimensions of psd_s should be the same. Found {psd_s.shape}."
        )
    return rl.linalg.eigh(psd_s).eigenvectors[..., -1]


def rtf_power(
    psd_s: Tensor, psd_n: Tensor, reference_channel: Channel, n_iter: int = 3,
    diagonal_loading: bool = True, diag_eps: float = 1e-7,
) -> Tensor:  # fmt: skip
    """The relative transfer function by the power method, ``n_iter`` steps."""
    _check_powers(psd_s, psd_n)
    if n_iter <= 0:
        raise ValueError("The number of iteration must be greater than 0.")
    noise = _loaded(psd_n, diag_eps) if diagonal_loading else psd_n
    ratio = rl.linalg.solve(noise, psd_s)
    rtf = _of_channel(ratio, reference_channel)[..., None]
    for _ in range(n_iter - 2):
        rtf = ratio @ rtf
    return ((psd_s if n_iter > 1 else noise) @ rtf)[..., 0]


def apply_beamforming(beamform_weights: Tensor, specgram: Tensor) -> Tensor:
    """One spectrogram of all channels': weights (*, frequency, channel).

    Shape:
        specgram (*, channel, frequency, time) complex; output (*, frequency, time).
    """
    if beamform_weights.shape[:-2] != specgram.shape[:-3]:
        raise ValueError(
            "The dimensions except the last two dimensions of beamform_weights should be the same"
            " as the dimensions except the last three dimensions of specgram."
            f" Found {beamform_weights.shape} for beamform_weights and {specgram.shape} for"
            " specgram."
        )
    if not (beamform_weights.is_complex() and specgram.is_complex()):
        raise TypeError(
            "The type of beamform_weights and specgram must be complex. Found"
            f" {beamform_weights.dtype} and {specgram.dtype}."
        )
    return (beamform_weights.conj().transpose(-1, -2)[..., None] * specgram).sum(-3)
