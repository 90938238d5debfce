"""Generator: a stream of random numbers and the place reached in it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rushlight.base.device import resolve
from rushlight.base.dtypes import int64, uint8
from rushlight.base.errors import ArgTypeError, ArgValueError, MissingError, OperationError
from rushlight.graph.node import Node, number
from rushlight.ops import philox

from .creation import Place, tensor
from .look import array_of
from .tensor import Tensor

# PyTorch's own default seed.
_DEFAULT_SEED = 67280421310721
_STATE_BYTES = 16
# Seeds and offsets are 64 bits that nobody does arithmetic on; int64 holds them.
_BITS = int64


class Generator:
    """A stream of random numbers: a seed, and how far the stream has been used.

    Recording a draw moves the generator on; the numbers themselves are a function of the seed and
    the place in the stream and are made when somebody looks.

    Args:
        device: where to draw; there is the CPU.
    Raises:
        RuntimeError: there is no such device.
    Example:
        >>> import rushlight as rl
        >>> g = rl.Generator().manual_seed(1)
        >>> a = rl.rand(2, generator=g)
        >>> bool((rl.rand(2, generator=g.manual_seed(1)) == a).all())
        True
    """

    def __init__(self, device: Place = "cpu") -> None:
        self.device = resolve(device)
        self._seed = _DEFAULT_SEED
        self._offset = 0
        self._lock = threading.Lock()

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream of ``seed`` from its beginning; a negative one counts from 2^64 down.

        Raises:
            RuntimeError: the seed is no integer.
            ValueError: it is not from -2^63 to 2^64 - 1.
        """
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise OperationError(
                "manual_seed", f"manual_seed expected a long, but got {type(seed).__name__}"
            )
        if not -(2**63) <= seed < 2**64:
            raise ArgValueError(
                "manual_seed",
                "Overflow when unpacking long long",
                rule=f"A seed is from -2^63 to 2^64 - 1, not {seed}.",
            )
        with self._lock:
            self._seed, self._offset = int(seed) % 2**64, 0
        return self

    def initial_seed(self) -> int:
        """The seed."""
        return self._seed

    def seed(self) -> int:
        """Takes a seed from the operating system, and returns it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def get_state(self) -> Tensor:
        """Seed and place in the stream, as a tensor of bytes."""
        with self._lock:
            state = np.array([self._seed, self._offset], np.uint64)
        return tensor(state.view(np.uint8))

    def set_state(self, new_state: Tensor) -> Generator:
        """Goes to where :meth:`get_state` was called.

        Raises:
            TypeError: no byte tensor.
            RuntimeError: of another length.
        """
        if not isinstance(new_state, Tensor):
            kind = type(new_state).__name__
            raise ArgTypeError("set_state", f"expected a torch.ByteTensor, but got {kind}")
        if new_state.dtype is not uint8:
            raise ArgTypeError("set_state", "RNG state must be a torch.ByteTensor")
        if new_state.shape != (_STATE_BYTES,):
            raise OperationError(
                "set_state",
                f"Expected a CPUGeneratorImplState of size {_STATE_BYTES} but found the input RNG"
                f" state size to be {new_state.shape.numel()}",
                hint="Take a state from get_state(); PyTorch's own have another meaning.",
            )
        words = np.ascontiguousarray(array_of(new_state)).view(np.uint64)
        with self._lock:
            self._seed, self._offset = int(words[0]), int(words[1])
        return self

    def clone_state(self) -> Generator:
        """Another generator at the same place of the same stream."""
        with self._lock:
            return _restored(self._seed, self._offset)

    def get_offset(self) -> int:
        """The place in the stream of a device's generator.

        Raises:
            RuntimeError: always; :meth:`get_state` has the CPU's.
        """
        raise OperationError("get_offset", "CPU Generator does not use offset")

    def set_offset(self, offset: int) -> Generator:
        """Sets the place in the stream of a device's generator.

        Raises:
            RuntimeError: always; :meth:`set_state` sets the CPU's.
        """
        raise OperationError("set_offset", "CPU Generator does not use offset")

    def graphsafe_get_state(self) -> Generator:
        """The state of a device's generator while a graph of its work is captured.

        Raises:
            NotImplementedError: always.
        """
        raise MissingError(
            "graphsafe_get_state", "graphsafe_get_state is not supported in this Generator"
        )

    def graphsafe_set_state(self, state: Generator) -> Generator:
        """Sets what :meth:`graphsafe_get_state` gives.

        Raises:
            NotImplementedError: always.
        """
        raise MissingError(
            "graphsafe_set_state", "graphsafe_set_state is not supported in this Generator"
        )

    def word(self) -> int:
        """The next 64 bits of the stream, drawn at once: for what seeds other streams."""
        with self._lock:
            seed, offset = self._seed, self._offset
            self._offset = (offset + 1) % 2**64
        return philox.word(seed, offset)

    def take(self, blocks: int) -> tuple[Node, Node]:
        """Seed and offset of the next ``blocks`` blocks of the stream, which are used up."""
        with self._lock:
            seed, offset = self._seed, self._offset
            self._offset = (offset + blocks) % 2**64
        return number(seed, _BITS), number(offset, _BITS)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._seed, self._offset)


def _restored(seed: int, offset: int) -> Generator:
    generator = Generator()
    generator._seed, generator._offset = seed, offset
    return generator


default_generator = Generator()


class _StandIn(threading.local):
    """What stands in for the default generator, thread by thread."""

    generator: Generator | None = None


_stand_in = _StandIn()


@contextmanager
def drawing_from(generator: Generator) -> Iterator[None]:
    """Lets another generator be the default one of this thread."""
    before, _stand_in.generator = _stand_in.generator, generator
    try:
        yield
    finally:
        _stand_in.generator = before


def thread_safe_generator() -> Generator | None:
    """What stands in for the default generator in this thread, as in a loader's; None for itself.

    Example:
        >>> import rushlight as rl
        >>> x = rl.rand(2, generator=rl.random.thread_safe_generator())
    """
    return _stand_in.generator


def standard() -> Generator:
    """The default generator, or what stands in for it in this thread."""
    return _stand_in.generator or default_generator


def chosen(generator: Generator | None, function: str) -> Generator:
    """The generator that a user gave, or the default one.

    Raises:
        TypeError: it is no generator.
    """
    if generator is None:
        return standard()
    if isinstance(generator, Generator):
        return generator
    kind = type(generator).__name__
    raise ArgTypeError(
        function, f"{function}(): argument 'generator' must be torch.Generator, not {kind}"
    )


def manual_seed(seed: int) -> Generator:
    """Seeds the default generator, and returns it.

    Args:
        seed: from -2^63 to 2^64 - 1; whatever ``int`` makes a number of.
    Raises:
        ValueError: it is out of that range.
    Example:
        >>> import rushlight as rl
        >>> rl.manual_seed(0).initial_seed()
        0
    """
    return standard().manual_seed(int(seed))


def seed() -> int:
    """Seeds the default generator from the operating system, and returns the seed."""
    return standard().seed()


def initial_seed() -> int:
    """The default generator's seed."""
    return standard().initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state.

    Example:
        >>> import rushlight as rl
        >>> state = rl.get_rng_state()
        >>> a = rl.rand(2)
        >>> rl.set_rng_state(state)
        >>> rl.equal(rl.rand(2), a)
        True
    """
    return standard().get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Sets the default generator's state.

    Raises:
        TypeError: ``new_state`` is no tensor of bytes.
        RuntimeError: it is not of a state's length.
    """
    standard().set_state(new_state)
