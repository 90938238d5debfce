"""Video, which rushlight neither reads nor writes: names of older releases of torchvision."""

from __future__ import annotations

from typing import Any, NoReturn


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"{name} is not there: rushlight reads and writes no video; PyAV (pip install av) does, "
        "and rushlight.from_numpy takes its frames"
    )


def read_video(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: use PyAV."""
    _refuse("read_video")


def read_video_timestamps(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: use PyAV."""
    _refuse("read_video_timestamps")


def write_video(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: use PyAV."""
    _refuse("write_video")


class VideoReader:
    """Refused: use PyAV."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse("VideoReader")
