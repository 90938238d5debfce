"""PyTorch's own domain libraries, to compare with: ``from peers import torchvision, torchaudio``.

Their wheels hold compiled operations made for PyTorch's CUDA build, which do not load into the CPU
build that the tests use. Everything written in Python works without them: models, transforms,
filters, drawing. What does not (``nms``, ``roi_align``, image codecs) has to be compared with a
computation written out in the test.
"""

import contextlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch


@contextlib.contextmanager
def without_compiled_parts() -> Iterator[None]:
    register = torch.library.register_fake

    def register_fake(name: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        if name.startswith("torchvision::"):  # there is no such operation to describe
            return lambda fake: fake
        return register(name, *args, **kwargs)

    with (
        mock.patch.object(torch.library, "register_fake", register_fake),
        mock.patch.object(torch.ops, "load_library", side_effect=OSError("not loaded here")),
    ):
        yield


def torchaudio_without_extension() -> None:
    """torchaudio refuses to start when its library is there and does not load."""
    extension = types.ModuleType("torchaudio._extension")
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = False  # type: ignore[attr-defined]
    extension.fail_if_no_align = lambda function: function  # type: ignore[attr-defined]
    sys.modules.setdefault("torchaudio._extension", extension)


with without_compiled_parts():
    import torchvision
torchaudio_without_extension()
import torchaudio  # noqa: E402

__all__ = ["torchaudio", "torchvision"]
