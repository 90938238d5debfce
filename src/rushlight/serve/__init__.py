"""Serving models over HTTP: the Open Inference Protocol v2.

``rushlight serve MODEL`` is :func:`rushlight.cli.serve.main`, which calls :func:`serve`.
:func:`application` is the same as an ASGI application, for another server or for a test.

Example:
    >>> import rushlight as rl
    >>> app = rl.serve.application({"model": program})  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .settings import Settings

__all__ = ["Settings", "application", "serve"]


def application(models: Mapping[str, Any], settings: Settings | None = None) -> Any:
    """An ASGI application that serves models which are loaded already.

    Args:
        models: by name: what :func:`rushlight.export.load` gives, or anything with ``inputs``,
            ``outputs`` and a call.
        settings: limits and the batch.

    Raises:
        ValueError: a model cannot be served; the message says why.
    """
    from .app import create
    from .journal import Journal
    from .metrics import Metrics
    from .places import Given
    from .repository import Repository

    settings, metrics, journal = settings or Settings(), Metrics(), Journal(requests=False)
    places = [Given(name, model) for name, model in models.items()]
    repository = Repository(places, settings, metrics, journal)
    repository.look(settled=True)
    repository.looked.set()
    broken = [row for row in repository.index() if row["state"] != "READY"]
    if broken:
        raise ValueError(f"{broken[0]['name']} cannot be served: {broken[0]['reason']}")
    app = create(repository, settings, metrics, journal)
    app.state.repository = repository
    return app


def __getattr__(name: str) -> Any:
    """``serve`` needs the server's libraries, and loads when it is asked for."""
    if name == "serve":
        from .server import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
