"""``rushlight.utils.model_zoo``: PyTorch's older name for loading weights from an address."""

from rushlight.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
