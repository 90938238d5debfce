"""The process: sockets, signals, and a stop that finishes what was taken."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from rushlight.base.extras import load

from .app import create
from .journal import Journal
from .metrics import Metrics
from .places import Place
from .repository import Repository
from .settings import Settings
from .wire import Wire

SWITCH = 0.0005  # seconds; see `serve`
BACKLOG = 2048
LAST = 2.0  # seconds for the batch in hand when all clients have gone


def serve(
    places: Sequence[Place],
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    grace: float = 30.0,
    journal: Journal | None = None,
) -> int:
    """Serves models until it is told to stop; returns the exit status.

    SIGTERM and Ctrl-C stop it: no more connections are taken, what was taken is answered, for
    ``grace`` seconds at most. A second Ctrl-C does not wait.

    Args:
        places: where the models lie.
        settings: limits and the batch.
        host: address to listen at.
        port: its port; 0 takes a free one, which the log tells.
        grace: seconds that the requests in hand may take.
        journal: the log; standard error by default.
    """
    journal = journal or Journal()
    metrics = Metrics()
    repository = Repository(places, settings, metrics, journal)
    server = _server(create(repository, settings, metrics, journal), host, port, grace)
    # Threads of models give way to the loop, and it to them, ten times as often as Python would:
    # else a batch that is ready waits for up to 5 ms while requests are read.
    sys.setswitchinterval(SWITCH)
    # uvicorn raises the signal that stopped it again when it is done; it is answered by then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    repository.watch()
    threading.Thread(
        target=_announce, args=(repository, server, journal), name="serve start", daemon=True
    ).start()
    server.run()
    finished = repository.stop(LAST)  # requests had their time: what is left is nobody's
    journal.write("stopped", finished=finished)
    return 0 if server.started and repository.found_all and finished else 1


def _server(app: Any, host: str, port: int, grace: float) -> Any:
    uvicorn = load("uvicorn", "serve", "the server")
    return uvicorn.Server(
        uvicorn.Config(
            app, host=host, port=port, http=Wire, lifespan="off", log_level="error",
            access_log=False, server_header=False, proxy_headers=False, backlog=BACKLOG,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=max(1, round(grace)),
        )
    )  # fmt: skip


def _announce(repository: Repository, server: Any, journal: Journal) -> None:
    """Says where the server listens once it answers, or ends it when it never will."""
    repository.looked.wait()
    if not repository.found_all:
        journal.write("stopping", reason="a model that was named cannot be loaded")
        server.should_exit = True
        return
    # What is there now stays. A full collection would look through all of it again and again, and
    # stop every request for as long as that takes: 50 ms.
    gc.collect()
    gc.freeze()
    while not server.started and not server.should_exit:
        threading.Event().wait(0.01)
    for listening in getattr(server, "servers", []):
        for socket in listening.sockets:
            host, port = socket.getsockname()[:2]
            host = f"[{host}]" if ":" in host else host
            event = "ready" if repository.ready else "listening"  # a shelf may be empty yet
            journal.write(event, address=f"http://{host}:{port}", models=repository.names())
