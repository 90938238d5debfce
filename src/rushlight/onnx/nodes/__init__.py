"""ONNX's operators as calls of rushlight's public operations, a file per family."""

from . import (
    activation,
    attention,
    control,
    convolution,
    image,
    indexing,
    logic,
    loss,
    mathematics,
    movement,
    normalization,
    picture,
    pooling,
    quantized,
    random,
    recurrent,
    reduction,
    sequence,
    shape,
    signal,
    text,
    training,
)  # fmt: skip
from .registry import Here, call, find, node, operators

__all__ = [
    "Here", "activation", "attention", "call", "control", "convolution", "find", "image",
    "indexing", "logic", "loss", "mathematics", "movement", "node", "normalization",
    "operators", "picture", "pooling", "quantized", "random", "recurrent", "reduction",
    "sequence", "shape", "signal", "text", "training",
]  # fmt: skip
