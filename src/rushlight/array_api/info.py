"""What the namespace says of itself."""

from __future__ import annotations

from typing import Any

import rushlight as rl

from .promotion import KINDS


class ArrayNamespaceInfo:
    """Capabilities, devices and types, under the standard's names.

    Example:
        >>> import rushlight.array_api as xp
        >>> xp.__array_namespace_info__().default_dtypes()["indexing"]
        torch.int64
    """

    def capabilities(self) -> dict[str, Any]:
        """Shapes may depend on values, masks index, and there may be 64 dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """Where arrays are made."""
        return rl.empty(0).device

    def devices(self) -> list[Any]:
        """Where arrays can be."""
        return [rl.device("cpu")]

    def default_dtypes(self, *, device: Any = None) -> dict[str, rl.dtype]:
        """The types of arrays that no type is said for."""
        real = rl.get_default_dtype()
        complex_ = rl.complex128 if real is rl.float64 else rl.complex64
        return {
            "real floating": real,
            "complex floating": complex_,
            "integral": rl.int64,
            "indexing": rl.int64,
        }

    def dtypes(
        self, *, device: Any = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, rl.dtype]:
        """The standard's types that there are, by name.

        Args:
            kind: as for :func:`isdtype`; all when None.
        """
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        found = [dtype for each in kinds for dtype in KINDS[each]]
        return {str(dtype).removeprefix("torch."): dtype for dtype in dict.fromkeys(found)}


def __array_namespace_info__() -> ArrayNamespaceInfo:
    """What the namespace says of itself."""
    return ArrayNamespaceInfo()
