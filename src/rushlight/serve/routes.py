"""The addresses of the protocol. What they say of themselves is the OpenAPI page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight.base.extras import load
from rushlight.version import __version__

from . import schema
from .asking import Asking
from .body import json_object
from .metrics import Metrics
from .refused import Refused
from .repository import Repository, Served
from .settings import Settings

fastapi: Any = load("fastapi", "serve", "the server")
Request, Response = fastapi.Request, fastapi.Response

EXTENSIONS = ["binary_tensor_data", "model_repository"]
NAMED = "/v2/models/{name}"
VERSIONED = NAMED + "/versions/{version}"


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    about = {
        400: "Not a request that can be answered.",
        401: "A token is wanted.",
        404: "There is no such model.",
        408: "The body did not arrive in time.",
        413: "The body is too large.",
        422: "The model does not take these values, or JSON cannot say its answer.",
        429: "Too many requests are waiting; Retry-After says when to try again.",
        503: "The model is not ready.",
    }
    return {status: {"model": schema.Problem, "description": about[status]} for status in statuses}


_BODY = {
    "requestBody": {
        "required": True,
        "description": "JSON; or JSON and then the bytes of tensors, in which case the header"
        " Inference-Header-Content-Length has the length of the JSON.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/InferenceRequest"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def add(app: Any, repository: Repository, settings: Settings, metrics: Metrics) -> None:
    """Adds every address to an application."""
    _inference(app, Asking(repository, settings, metrics))  # looked at first: it is asked most
    _health(app, repository)
    _models(app, repository)
    _repository(app, repository)

    @app.get("/metrics", tags=["watching"], response_class=fastapi.responses.PlainTextResponse)
    async def metrics_text() -> Response:
        """Counters and histograms in Prometheus's text form."""
        text, kind = metrics.text()
        return Response(text, headers={"Content-Type": kind})


def _health(app: Any, repository: Repository) -> None:
    @app.get("/v2/health/live", tags=["health"], response_model=schema.Live)
    async def server_live() -> Any:
        """The process is alive. Needs no token."""
        return {"live": True}

    @app.get(
        "/v2/health/ready",
        tags=["health"],
        response_model=schema.Ready,
        responses={400: {"model": schema.Ready, "description": "Not ready."}},
    )
    async def server_ready(response: Response) -> Any:
        """Models are loaded and the server is not stopping: 200, else 400. Needs no token."""
        response.status_code = 200 if repository.ready else 400
        return {"ready": repository.ready}

    async def ready(response: Response, name: str, version: str | None = None) -> Any:
        answers = repository.is_ready(name, version)
        response.status_code = 200 if answers else 400
        return {"name": name, "ready": answers}

    said = {
        "tags": ["health"],
        "response_model": schema.ModelReady,
        "responses": {
            400: {"model": schema.ModelReady, "description": "Not ready."},
            **_problems(404),
        },
    }

    @app.get(NAMED + "/ready", **said)
    async def model_ready(response: Response, name: str) -> Any:
        """The newest version of the model answers requests: 200, else 400."""
        return await ready(response, name)

    @app.get(VERSIONED + "/ready", **said)
    async def model_version_ready(response: Response, name: str, version: str) -> Any:
        """This version of the model answers requests: 200, else 400."""
        return await ready(response, name, version)


def _models(app: Any, repository: Repository) -> None:
    @app.get("/v2", tags=["models"], response_model=schema.ServerMetadata)
    async def server_metadata() -> Any:
        """The server's name, version and extensions."""
        return {"name": "rushlight", "version": __version__, "extensions": EXTENSIONS}

    def metadata(served: Served) -> Any:
        return described(served, repository.versions(served.name))

    said = {
        "tags": ["models"],
        "response_model": schema.ModelMetadata,
        "response_model_exclude_none": True,
        "responses": _problems(404, 503),
    }

    @app.get(NAMED, **said)
    async def model_metadata(name: str) -> Any:
        """Inputs and outputs of the newest version, and whether requests are batched."""
        return metadata(repository.find(name))

    @app.get(VERSIONED, **said)
    async def model_version_metadata(name: str, version: str) -> Any:
        """Inputs and outputs of one version, and whether requests are batched."""
        return metadata(repository.find(name, version))

    said = {
        "tags": ["models"],
        "response_model": schema.InferenceRequest,
        "response_model_exclude_none": True,
        "responses": _problems(404, 503),
    }

    @app.get(NAMED + "/example", **said)
    async def model_example(name: str) -> Any:
        """A request that the newest version takes: the input that it was exported with."""
        return example(repository.find(name))

    @app.get(VERSIONED + "/example", **said)
    async def model_version_example(name: str, version: str) -> Any:
        """A request that this version takes: the input that it was exported with."""
        return example(repository.find(name, version))


def described(served: Served, versions: Sequence[str]) -> dict[str, Any]:
    """The metadata of one version."""
    signature = served.signature
    inputs = [port.metadata() for port in signature.inputs]
    for told, array in zip(inputs, served.example):
        if array.size and array.dtype.kind in "fu" and array.min() < array.max():
            told["parameters"] = {"low": float(array.min()), "high": float(array.max())}
    batching: dict[str, Any] = {"batched": not signature.apart}
    if signature.apart:
        batching["reason"] = signature.apart
    else:
        batching["max_batch"] = served.line.most
    return {
        "name": served.name,
        "versions": list(versions),
        "platform": "rushlight",
        "inputs": inputs,
        "outputs": [port.metadata() for port in signature.outputs],
        "parameters": batching,
    }


def example(served: Served) -> dict[str, Any]:
    """A request with the input that is known to work, one row of it where rows are batched."""
    inputs = []
    for port, array in zip(served.signature.inputs, served.example):
        one = array if served.signature.apart else array[:1]
        shape, data = list(one.shape), one.ravel().tolist()
        inputs.append({"name": port.name, "shape": shape, "datatype": port.datatype, "data": data})
    return {"inputs": inputs}


class Straight(fastapi.routing.APIRoute):  # type: ignore[misc]
    """A route whose function is given the request as it is.

    What FastAPI does for parameters and bodies takes longer than many a model; here the body is
    read by :mod:`.body`, and only the documentation is FastAPI's.
    """

    def get_route_handler(self) -> Any:
        """What is called with a request."""
        endpoint = self.endpoint

        async def handler(request: Any) -> Any:
            return await endpoint(request, **request.path_params)

        return handler


def _inference(app: Any, asking: Asking) -> None:
    router = fastapi.APIRouter(route_class=Straight)
    said = {
        "tags": ["inference"],
        "response_model": schema.InferenceResponse,
        "responses": _problems(400, 401, 404, 408, 413, 422, 429, 503),
        "openapi_extra": _BODY,
    }

    @router.post(NAMED + "/infer", **said)
    async def model_infer(request: Request, name: str) -> Any:
        """Asks the newest version of a model."""
        body, headers = await asking.infer(request, name)
        return Response(body, headers=headers)

    @router.post(VERSIONED + "/infer", **said)
    async def model_version_infer(request: Request, name: str, version: str) -> Any:
        """Asks one version of a model."""
        body, headers = await asking.infer(request, name, version)
        return Response(body, headers=headers)

    app.include_router(router)


def _repository(app: Any, repository: Repository) -> None:
    to_thread = load("starlette.concurrency", "serve", "the server").run_in_threadpool
    said = {"tags": ["repository"]}
    least = Settings(max_body=1 << 16)

    async def options(request: Request) -> dict[str, Any]:
        from .intake import Intake

        with Intake(least).body(request.headers) as body:
            data = await body.read(request.receive)
        return json_object(data) if data.strip() else {}

    @app.post(
        "/v2/repository/index",
        response_model=list[schema.IndexEntry],
        responses=_problems(400),
        openapi_extra={
            "requestBody": {
                "content": {"application/json": {"schema": schema.IndexRequest.model_json_schema()}}
            }
        },
        **said,
    )
    async def repository_index(request: Request) -> Any:
        """Every version that is known, or with ``{"ready": true}`` those that answer."""
        ready = (await options(request)).get("ready", False)
        if not isinstance(ready, bool):
            raise Refused(400, "'ready' must be true or false")
        return await to_thread(repository.index, ready)

    @app.post("/v2/repository/models/{name}/load", responses=_problems(400, 404), **said)
    async def repository_load(request: Request, name: str) -> dict[str, Any]:
        """Loads a model that was unloaded, or looks again at one that could not be loaded."""
        await options(request)
        await to_thread(repository.load, name)
        return {}

    @app.post("/v2/repository/models/{name}/unload", responses=_problems(404), **said)
    async def repository_unload(request: Request, name: str) -> dict[str, Any]:
        """Serves a model no more; what it has taken is finished."""
        await options(request)
        await to_thread(repository.unload, name)
        return {}
