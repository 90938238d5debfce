"""Writing an object as a pickle that PyTorch reads: its own names for tensors, storages aside."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from types import ModuleType
from typing import Any, BinaryIO

from rushlight.base.device import device
from rushlight.base.errors import ArgTypeError
from rushlight.nn.parameter import Parameter
from rushlight.tensor.size import Size
from rushlight.tensor.tensor import Tensor

from . import names, rebuild
from .exchange import StorageIndex
from .storage import STORAGE_TYPES, Storage

Reduced = tuple[Any, ...]


def checkpoint_pickler(pickle_module: ModuleType) -> type[Any]:
    """A pickler for checkpoints on top of ``pickle_module``'s.

    Raises:
        TypeError: the module's Pickler is not built on Python's own in Python, which alone can
            write a name that does not exist here.
    """
    base = pickle._Pickler if pickle_module is pickle else pickle_module.Pickler
    if not issubclass(base, pickle._Pickler):
        raise ArgTypeError(
            "save",
            f"pickle_module {pickle_module.__name__} cannot write PyTorch's names: its Pickler is"
            " not built on pickle._Pickler",
        )

    class CheckpointPickler(_TorchNames, base):  # type: ignore[misc, valid-type]
        """Ours first, the module's for everything else."""

    return CheckpointPickler


class _TorchNames(pickle._Pickler):
    """Writes tensors, dtypes, devices and sizes as PyTorch does.

    Attributes:
        storages: what to write beside the pickle, by key.
    """

    def __init__(self, file: BinaryIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: dict[str, Storage] = {}
        self._index = StorageIndex()
        self._keys: dict[int, str] = {}

    def persistent_id(self, thing: Any) -> Any:
        if not isinstance(thing, Storage):
            return None
        key = self._keys.setdefault(id(thing), str(len(self._keys)))
        self.storages[key] = thing
        kind = STORAGE_TYPES[thing.dtype]
        return ("storage", kind, key, thing.location, thing.count)

    def reducer_override(self, thing: Any) -> Any:
        if names.torch_name(thing) is not None:
            return names.torch_name(thing)[1]  # a string means: written by name, see save_global
        if isinstance(thing, Parameter):
            return self._reduce_parameter(thing)
        if isinstance(thing, Tensor):
            return self._reduce_tensor(thing)
        if isinstance(thing, Size):
            return Size, (tuple(thing),)
        if isinstance(thing, device):
            return device, (thing.type,) if thing.index is None else (thing.type, thing.index)
        return NotImplemented

    def save_global(self, thing: Any, name: str | None = None) -> None:
        known = names.torch_name(thing)
        if known is None:
            super().save_global(thing, name)
            return
        self.write(pickle.GLOBAL + "{}\n{}\n".format(*known).encode())
        self.memoize(thing)

    def _reduce_tensor(self, tensor: Tensor) -> Reduced:
        view = self._index.view_of(tensor)
        arguments = (
            view.storage, view.offset, view.shape, view.strides, tensor.requires_grad,
            OrderedDict(),
        )  # fmt: skip
        attributes = _attributes(tensor)
        if type(tensor) is Tensor and not attributes:
            return rebuild.tensor_v2, arguments
        return rebuild.from_type, (rebuild.tensor_v2, type(tensor), arguments, attributes)

    def _reduce_parameter(self, parameter: Parameter) -> Reduced:
        arguments = (parameter.detach(), parameter.requires_grad, OrderedDict())
        attributes = _attributes(parameter)
        if attributes:
            return rebuild.parameter_with_state, (*arguments, attributes)
        return rebuild.parameter, arguments


def _attributes(tensor: Tensor) -> dict[str, Any]:
    """What the user has set on a tensor; a name that Tensor itself has is not the user's."""
    return {name: held for name, held in vars(tensor).items() if not hasattr(Tensor, name)}
