"""Where PyTorch keeps ``default_collate`` and its table, and where programs look for them."""

from rushlight.utils.data._utils import collate

__all__ = ["collate"]
