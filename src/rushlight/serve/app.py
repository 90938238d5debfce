"""The HTTP application: the Open Inference Protocol v2, metrics, and the page to try models on."""

from __future__ import annotations

from typing import Any

from rushlight.base.extras import load
from rushlight.version import __version__

from . import page, routes
from .gate import Gate
from .journal import Journal
from .metrics import Metrics
from .refused import Refused
from .repository import Repository
from .settings import Settings

ABOUT = """\
Models over HTTP, by the [Open Inference Protocol v2](https://github.com/kserve/open-inference-protocol).
Tensors are JSON numbers, or bytes behind the JSON (the binary tensor data extension). Requests that
arrive together are computed together. An error is `{"error": "a sentence"}`.
"""
TAGS = [
    {"name": "health", "description": "Whether the server lives, and whether it answers."},
    {"name": "models", "description": "What the models take and give."},
    {"name": "inference", "description": "Asking a model."},
    {"name": "repository", "description": "Which models there are, and which are served."},
    {"name": "watching", "description": "Figures for Prometheus."},
]


def create(repository: Repository, settings: Settings, metrics: Metrics, journal: Journal) -> Any:
    """The FastAPI application that serves a repository."""
    fastapi = load("fastapi", "serve", "the server")
    app = fastapi.FastAPI(
        title="rushlight", summary="Models, served", description=ABOUT, version=__version__,
        openapi_tags=TAGS, redirect_slashes=False,
    )  # fmt: skip
    app.add_middleware(Gate, settings=settings, journal=journal)
    _say_errors(app)
    routes.add(app, repository, settings, metrics)
    page.add(app)
    return app


def _say_errors(app: Any) -> None:
    """Answers every error in the protocol's form."""
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    async def refused(request: Any, error: Refused) -> Any:
        request.scope["told"]["reason"] = error.reason
        return JSONResponse({"error": error.message}, error.status, error.headers)

    async def unknown(request: Any, error: HTTPException) -> Any:
        sentence = {404: "there is nothing at this address; see /docs"}.get(error.status_code)
        return JSONResponse(
            {"error": sentence or str(error.detail)}, error.status_code, error.headers
        )

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, unknown)
