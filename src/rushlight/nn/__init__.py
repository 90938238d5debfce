"""Layers, losses and everything else that networks are made of, under PyTorch's names."""

from __future__ import annotations

from . import init
from .containers import ModuleDict, ModuleList, Sequential
from .identity import Identity
from .module import Module
from .parameter import Buffer, Parameter
from .parameter_containers import ParameterDict, ParameterList
