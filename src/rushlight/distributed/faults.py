"""What goes wrong between processes. All are ``RuntimeError``, as PyTorch's."""

from __future__ import annotations


class DistError(RuntimeError):
    """Ranks disagree, or one is gone."""


class DistBackendError(DistError):
    """MPI cannot do what is asked."""


class DistNetworkError(DistError):
    """A rank cannot be reached."""


class DistStoreError(DistError):
    """A store does not answer, or not in time."""
