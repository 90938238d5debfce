"""Where memory lives and work runs."""

from __future__ import annotations

from .errors import ArgTypeError, DeviceError

_KINDS = ("cpu", "cuda", "meta", "mps", "xpu", "hip")


class device:
    """A device, ``device("cpu")`` or ``device("cuda", 0)``; equal ones compare equal.

    Raises:
        RuntimeError: the string names no device.

    Example:
        >>> import rushlight as rl
        >>> rl.device("cpu")
        device(type='cpu')
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: str | device, index: int | None = None) -> None:
        if isinstance(type, device):
            index = type.index
            type = type.type
        if not isinstance(type, str):
            raise ArgTypeError("device", f"expected a device's name, but got {type!r}")
        kind, colon, number = type.partition(":")
        if kind not in _KINDS:
            raise DeviceError(
                "device",
                f"Expected one of {', '.join(_KINDS)} device type at start of device string:"
                f" {type}",
                hint='Did you mean "cuda"?' if kind == "gpu" else "",
            )
        if colon and not number.isdigit():
            raise DeviceError(
                "device",
                f"Invalid device string: {type!r}",
                rule="After the colon stands a number, as in cuda:0.",
            )
        self.type = kind
        self.index = int(number) if colon else index

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, device)
            and (self.type, self.index) == (other.type, other.index)
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[object, ...]:
        return (device, (self.type, self.index))

    def __enter__(self) -> device:
        """Tensors in the block are made on this device.

        Raises:
            RuntimeError: it cannot be used.
        """
        resolve(self)
        return self

    def __exit__(self, *error: object) -> None:
        """There is one device, so nothing has to be put back."""


CPU = device("cpu")


def resolve(place: str | int | device | None) -> device:
    """The device a user asked for; ``None`` is the CPU.

    Raises:
        RuntimeError: this build cannot use that device.
    """
    if place is None or place is CPU:
        return CPU
    if isinstance(place, int):
        place = device("cuda", place)
    found = device(place)
    if found.type != "cpu":
        raise DeviceError(
            "device",
            f"{found} is not available: rushlight runs on the CPU",
            hint='Use device="cpu", or choose with rushlight.cuda.is_available().',
        )
    return CPU
