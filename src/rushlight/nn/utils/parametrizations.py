"""Ready-made parametrizations: orthogonal weights, and weights of a given length or norm."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight.autograd.mode import no_grad
from rushlight.nn import functional as F
from rushlight.nn.module import Module
from rushlight.tensor.tensor import Tensor

from . import parametrize
from .spectral_norm import as_matrix, output_dim
from .weight_norm import lengths, with_lengths

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

_MAPS = ("matrix_exp", "cayley", "householder")


class _Orthogonal(Module):
    """A matrix with orthogonal columns, or rows, made of one without any condition."""

    base: Tensor | None

    def __init__(
        self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True
    ) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Any:
        wide = X.shape[-2] < X.shape[-1]
        if wide:
            X = X.mT
        if self.orthogonal_map == "householder":
            made = _reflected(X)
        else:
            made = self._rotated(X)
        if "base" in self._buffers:
            made = self.base @ made
        return made.mT if wide else made

    def _rotated(self, X: Tensor) -> Tensor:
        """By a skew-symmetric matrix's exponential, or by Cayley's map."""
        rows, columns = X.shape[-2:]
        lower = X.tril()
        if rows != columns:
            lower = F.pad(lower, (0, rows - columns))
        skew = lower - lower.mH
        if self.orthogonal_map == "matrix_exp":
            made = rl.linalg.matrix_exp(skew)
        else:
            one = rl.eye(rows, dtype=skew.dtype)
            made = rl.linalg.solve(one - 0.5 * skew, one + 0.5 * skew)
        return made[..., :columns]

    @no_grad()
    def right_inverse(self, Q: Tensor) -> Tensor:
        """What the matrix is made of, so that it becomes ``Q`` or the orthogonal matrix next to it.

        Raises:
            ValueError: another shape.
            NotImplementedError: without ``use_trivialization`` only reflections can be undone.
        """
        if self.shape != Q.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}."
                f" Got a tensor of shape {Q.shape}."
            )
        wide = Q.shape[-2] < Q.shape[-1]
        tall = Q.mT if wide else Q
        if "base" not in self._buffers:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley"
                    " parametrizations when use_trivialization=False."
                )
            made = _reflectors(tall)
            return made.mT if wide else made
        rows, columns = tall.shape[-2:]
        if rows != columns:
            more = rl.randn(*tall.shape[:-2], rows, rows - columns, dtype=tall.dtype)
            self.base = _orthogonal_near(rl.cat([tall, more], -1))
        else:
            self.base = tall.clone() if _is_orthogonal(tall) else _orthogonal_near(tall)
        # Minus one on the diagonal makes the identity of the reflections, too.
        return -rl.eye(*Q.shape[-2:], dtype=Q.dtype).expand(Q.shape)


def _reflected(X: Tensor) -> Tensor:
    """The product of Householder reflections whose vectors are below the diagonal."""
    below = X.tril(-1)
    scale = 2.0 / (1.0 + (below * below).sum(-2))
    signs = X.diagonal(dim1=-2, dim2=-1).detach().to(rl.int32)
    made: Tensor = rl.linalg.householder_product(below, scale) * signs.unsqueeze(-2)
    return made


def _reflectors(Q: Tensor) -> Tensor:
    """Reflections whose product is ``Q``, with the signs of its columns on the diagonal."""
    below, scale = rl.geqrf(Q)
    diagonal = below.diagonal(dim1=-2, dim2=-1)
    signs = diagonal.sign() * rl.where(scale == 0.0, -1.0, 1.0).to(Q.dtype)
    rows, columns = below.shape[-2:]
    change = F.pad(rl.diag_embed(diagonal - signs), (0, 0, 0, rows - columns))
    made: Tensor = below - change
    return made


def _is_orthogonal(Q: Tensor) -> bool:
    rows, columns = Q.shape[-2:]
    eps = 10.0 * rows * rl.finfo(Q.dtype).eps
    return bool(rl.allclose(Q.mH @ Q, rl.eye(columns, dtype=Q.dtype), atol=eps))


def _orthogonal_near(A: Tensor) -> Tensor:
    """The orthogonal factor of a matrix, with the signs that make the other's diagonal positive."""
    reflections, scale = rl.geqrf(A)
    signs = reflections.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
    made: Tensor = rl.linalg.householder_product(reflections, scale) * signs
    return made


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
    use_trivialization: bool = True,
) -> Module:  # fmt: skip
    """Keeps a weight orthogonal: its columns, or its rows if it is wide, are orthonormal.

    Args:
        name: the parameter's name.
        orthogonal_map: how: ``"matrix_exp"``, the default for square ones, ``"cayley"`` or
            ``"householder"``, the default for others.
        use_trivialization: go on from an orthogonal matrix that stays where it is.
    Raises:
        ValueError: there is no such tensor, it has fewer than two dimensions, or the map is
            unknown.
    Reference:
        Lezcano-Casado & Martinez-Rubio 2019, arXiv:1901.08428.
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.utils.parametrizations.orthogonal(rl.nn.Linear(4, 3))
        >>> product = layer.weight @ layer.weight.mT
        >>> bool(rl.allclose(product, rl.eye(3), atol=1e-5))
        True
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1] or weight.is_complex()
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder".'
            f" Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    """A weight of lengths and directions."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Any:
        return with_lengths(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The lengths of a weight, and the weight, which is its direction."""
        return lengths(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    r"""Trains the length and the direction of a weight apart: :math:`w = g \, v / |v|`.

    State dictionaries of the older ``nn.utils.weight_norm`` can be loaded.

    Args:
        name: the parameter's name.
        dim: the dimension along which lengths are apart; None for one length.
    Reference:
        Salimans & Kingma 2016, arXiv:1602.07868.
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.utils.parametrizations.weight_norm(rl.nn.Linear(4, 3))
        >>> layer.parametrizations.weight.original0.shape
        torch.Size([3, 1])
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        old = [f"{prefix}{name}_{part}" for part in "gv"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """A weight over its largest singular value."""

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        rank = weight.ndim
        if not -rank <= dim < rank:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{rank}, {rank - 1}]"
                f" but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got"
                f" n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % rank
        self.eps = eps
        if rank > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight, self.dim).detach()
            rows, columns = matrix.shape
            u, v = matrix.new_empty(rows).normal_(0, 1), matrix.new_empty(columns).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._power_method(matrix, 15)

    @no_grad()
    def _power_method(self, matrix: Tensor, turns: int) -> None:
        """Turns two vectors towards the singular vectors of the largest singular value."""
        for _ in range(turns):
            self._u.copy_(F.normalize(rl.mv(matrix, self._v), dim=0, eps=self.eps))
            self._v.copy_(F.normalize(rl.mv(matrix.mH, self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Any:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # Later calls change the vectors; gradients of this one keep theirs.
        return weight / rl.vdot(self._u.clone(), rl.mv(matrix, self._v.clone()))

    def right_inverse(self, value: Tensor) -> Tensor:
        """Assigned weights are taken as they are."""
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Module:  # fmt: skip
    """Divides a weight by its largest singular value, which each look in training tells better.

    Args:
        name: the parameter's name.
        n_power_iterations: how many steps of the power iteration a look does.
        eps: the smallest length that vectors are divided by.
        dim: the dimension that is the matrix's rows; by default that of the output.
    Raises:
        ValueError: there is no such tensor, or no step is asked for.
        IndexError: there is no such dimension.
    Reference:
        Miyato et al. 2018, Algorithm 1, arXiv:1802.05957.
    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.utils.parametrizations.spectral_norm(rl.nn.Linear(8, 8)).eval()
        >>> abs(rl.linalg.svdvals(layer.weight)[0].item() - 1) < 0.2
        True
    """
    weight = _tensor_of(module, name)
    made = _SpectralNorm(weight, n_power_iterations, output_dim(module, dim), eps)
    return parametrize.register_parametrization(module, name, made)


def _tensor_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight
