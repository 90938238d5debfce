"""``rushlight serve``: models over HTTP."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rushlight.serve.models import read as read_file
from rushlight.serve.places import Place, place
from rushlight.serve.settings import Settings
from rushlight.train.place import BEST_CHECKPOINT, CONFIG, LAST_CHECKPOINT

TOKEN = "RUSHLIGHT_SERVE_TOKEN"
MIB = 1 << 20
MISUSED = 2
_ABOUT = """\
Serves models by the Open Inference Protocol v2. A MODEL is a saved program, an ONNX file, the
folder of a run, or a folder NAME/VERSION/model.* in which versions come and go while the server
runs. NAME=MODEL gives it another name. http://127.0.0.1:8000/ is a page to try them on, and
http://127.0.0.1:8000/docs shows the protocol.
"""


def main(argv: Sequence[str]) -> int:
    """Serves until it is stopped; returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        from rushlight.serve.server import serve

        places = _places(arguments.models)
        settings = _settings(arguments)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        parser.exit(MISUSED, f"rushlight serve: {error}\n")
    if not settings.token and not _here_only(arguments.host):
        print(
            f"rushlight serve: anybody who reaches {arguments.host} may ask; --token-file or"
            f" {TOKEN} asks for a token",
            file=sys.stderr,
        )
    import rushlight as rl
    from rushlight.serve.journal import Journal

    # A program is compiled the first time that it is met: the same request, the same bits.
    rl.use_deterministic_algorithms(True)
    return serve(
        places, settings, host=arguments.host, port=arguments.port, grace=arguments.grace,
        journal=Journal(requests=not arguments.no_access_log),
    )  # fmt: skip


def is_run(path: Path) -> bool:
    """Whether a folder is one that training has left."""
    return any((path / name).exists() for name in (CONFIG, BEST_CHECKPOINT, LAST_CHECKPOINT))


def read(path: Path) -> Any:
    """The model in a file, or the network of a run with its best weights."""
    if not path.is_dir():
        return read_file(path)
    from .model import model_of  # what `rushlight export` makes of a run is what is served

    options = argparse.Namespace(source=path, checkpoint="best", quantize=None, step="infer")
    return model_of(options).program


def _places(words: Sequence[str]) -> list[Place]:
    places = [place(word, read, is_run) for word in words]
    names = [one.name for one in places if hasattr(one, "name")]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two models are called {name!r}; give one a name, as in NAME=MODEL")
    return places


def _settings(arguments: argparse.Namespace) -> Settings:
    here = _here_only(arguments.host)
    own = {"127.0.0.1", "localhost", "[::1]", arguments.host} if here else set()
    names = {name.lower() for name in (*own, *arguments.allow_host)}
    return Settings(
        max_batch=arguments.max_batch,
        max_delay=arguments.max_delay_ms / 1e3,
        max_queue=arguments.max_queue,
        max_body=round(arguments.max_body_mib * MIB),
        max_held=max(256, round(16 * arguments.max_body_mib)) * MIB,
        max_elements=arguments.max_elements,
        poll=arguments.poll,
        token=_token(arguments.token_file),
        hosts=tuple(sorted(names)),
    )


def _token(file: Path | None) -> str:
    """From a file or the environment: whoever lists processes can read a command line."""
    token = os.environ.get(TOKEN, "") if file is None else file.read_text(encoding="utf-8").strip()
    if file is not None and not token:
        raise ValueError(f"{file} has no token in it")
    if not (token.isascii() and token.isprintable()):
        raise ValueError("a token is made of plain characters without spaces at its ends")
    return token


def _here_only(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog="rushlight serve",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("models", nargs="+", metavar="MODEL", help="PATH or NAME=PATH")
    add("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that clients may know the server by, such as that of a proxy before it;"
        " a server at 127.0.0.1 is known by the names of this machine alone",
    )
    add("--port", type=int, default=8000, help="0 takes a free one (default: %(default)s)")
    add(
        "--max-batch",
        type=int,
        default=defaults.max_batch,
        metavar="ROWS",
        help="rows computed together; 1 computes every request by itself (default: %(default)s)",
    )
    add(
        "--max-delay-ms",
        type=float,
        default=defaults.max_delay * 1e3,
        metavar="MS",
        help="time that a request may wait for others (default: %(default)g)",
    )
    add(
        "--max-queue",
        type=int,
        default=defaults.max_queue,
        metavar="N",
        help="requests that may wait for a model; more are told 429 (default: %(default)s)",
    )
    add(
        "--max-body-mib",
        type=float,
        default=defaults.max_body / MIB,
        metavar="MIB",
        help="largest body; larger ones are told 413 (default: %(default)g)",
    )
    add(
        "--max-elements",
        type=int,
        default=defaults.max_elements,
        metavar="N",
        help="largest input tensor (default: %(default)s)",
    )
    add(
        "--poll",
        type=float,
        default=defaults.poll,
        metavar="SECONDS",
        help="between looks for new versions; 0 looks once (default: %(default)g)",
    )
    add(
        "--grace",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="time to finish requests when stopped (default: %(default)g)",
    )
    add(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"ask for the token in this file; else for that in {TOKEN}, if set",
    )
    add("--no-access-log", action="store_true", help="no line for each request")
    return parser  # fmt: skip
