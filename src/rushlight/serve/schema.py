"""The protocol's messages, as the OpenAPI page shows them. Requests are read by ``body``."""

from __future__ import annotations

from typing import Any

from rushlight.base.extras import load

pydantic: Any = load("pydantic", "serve", "the server")
BaseModel, Field = pydantic.BaseModel, pydantic.Field


class Problem(BaseModel):
    """Why a request got no result."""

    error: str


class Live(BaseModel):
    """Whether the process is alive."""

    live: bool


class Ready(BaseModel):
    """Whether requests are answered."""

    ready: bool


class ModelReady(BaseModel):
    """Whether one model answers requests."""

    name: str
    ready: bool


class ServerMetadata(BaseModel):
    """The server and the extensions of the protocol that it has."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(BaseModel):
    """An input or an output; -1 stands for a size that varies."""

    name: str
    datatype: str = Field(examples=["FP32"])
    shape: list[int] = Field(examples=[[-1, 784]])
    parameters: dict[str, Any] | None = None


class ModelMetadata(BaseModel):
    """What a model takes and gives. ``parameters`` says whether its requests are batched."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, Any]


class RequestInput(BaseModel):
    """A tensor: ``data`` flat or nested, or ``binary_data_size`` among the parameters."""

    name: str
    shape: list[int] = Field(examples=[[1, 4]])
    datatype: str = Field(examples=["FP32"])
    data: list[Any] | None = Field(None, examples=[[0.1, 0.2, 0.3, 0.4]])
    parameters: dict[str, Any] | None = None


class RequestOutput(BaseModel):
    """An output that is wanted; ``binary_data`` among the parameters asks for bytes."""

    name: str
    parameters: dict[str, Any] | None = None


class InferenceRequest(BaseModel):
    """Inputs for a model, and by choice the outputs wanted and a name for the request."""

    id: str | None = None
    inputs: list[RequestInput]
    outputs: list[RequestOutput] | None = None
    parameters: dict[str, Any] | None = None


class ResponseOutput(BaseModel):
    """A tensor of the answer, its elements row after row."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None


class InferenceResponse(BaseModel):
    """The outputs of a model."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[ResponseOutput]


class IndexRequest(BaseModel):
    """Which versions to list."""

    ready: bool = False


class IndexEntry(BaseModel):
    """A version, its state (``READY``, ``LOADING`` or ``UNAVAILABLE``), and why."""

    name: str
    version: str
    state: str
    reason: str
