"""``rushlight.cuda``: what a program asks about CUDA devices, answered for a build without them.

Questions have true answers, and what would do nothing does nothing. Everything else is refused.
"""

from __future__ import annotations

from rushlight.base.device import device, resolve

from . import amp as amp

Place = device | str | int | None


def is_available() -> bool:
    """Whether tensors can be on a CUDA device.

    Example:
        >>> import rushlight as rl
        >>> rl.device("cuda" if rl.cuda.is_available() else "cpu")
        device(type='cpu')
    """
    return False


def is_initialized() -> bool:
    """Whether a CUDA device has been used."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the CUDA device computes in bfloat16."""
    return False


def device_count() -> int:
    """The number of CUDA devices."""
    return 0


def get_arch_list() -> list[str]:
    """The kinds of CUDA devices that there is code for."""
    return []


def manual_seed(seed: int) -> None:
    """Seeds the current CUDA device's generator, of which there is none."""


def manual_seed_all(seed: int) -> None:
    """Seeds the generators of all CUDA devices, of which there are none."""


def seed() -> None:
    """Seeds the current CUDA device's generator with a number drawn anew."""


def seed_all() -> None:
    """Seeds the generators of all CUDA devices with a number drawn anew."""


def empty_cache() -> None:
    """Gives memory back that is kept for later tensors on CUDA devices."""


def memory_allocated(device: Place = None) -> int:
    """The bytes that tensors have on a CUDA device."""
    return 0


def max_memory_allocated(device: Place = None) -> int:
    """The most bytes that tensors have had on a CUDA device."""
    return 0


def memory_reserved(device: Place = None) -> int:
    """The bytes that are kept for tensors on a CUDA device."""
    return 0


def max_memory_reserved(device: Place = None) -> int:
    """The most bytes that have been kept for tensors on a CUDA device."""
    return 0


def current_device() -> int:
    """The number of the CUDA device in use.

    Raises:
        RuntimeError: there is none.
    """
    return resolve("cuda").index or 0


def set_device(device: Place) -> None:
    """Chooses the CUDA device to use.

    Raises:
        RuntimeError: there is none.
    """
    resolve("cuda")


def synchronize(device: Place = None) -> None:
    """Waits until a CUDA device has done its work.

    Raises:
        RuntimeError: there is none.
    """
    resolve("cuda")


def get_device_name(device: Place = None) -> str:
    """What a CUDA device is called.

    Raises:
        RuntimeError: there is none.
    """
    return str(resolve("cuda"))
