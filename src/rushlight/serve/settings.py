"""What a server may be told: limits, the batch, the token."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The settings of one server.

    Args:
        max_batch: most rows that are computed together, and that one request may have.
        max_delay: seconds that a request may wait for others to join its batch.
        max_queue: most requests that may wait for one version of a model; more are told to come
            again (429).
        max_body: most bytes of a request's body; more are refused (413).
        max_elements: most elements of one input tensor.
        max_held: most bytes of bodies that are read or waiting at the same time, of all requests.
        body_timeout: seconds in which a body must have arrived (408).
        poll: seconds between two looks at the folders of models; 0 looks once.
        token: what ``Authorization: Bearer`` must say; empty when nobody is asked.
        hosts: names that a client may know this server by; empty for any. A server that only this
            machine can reach has its own names here, so that no web page can get at it by a
            name that its author points here.
    """

    max_batch: int = 32
    max_delay: float = 0.002
    max_queue: int = 256
    max_body: int = 16 << 20
    max_elements: int = 1 << 22
    max_held: int = 256 << 20
    body_timeout: float = 30.0
    poll: float = 1.0
    token: str = ""
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_batch", "max_queue", "max_body", "max_elements", "max_held"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("max_delay", "body_timeout", "poll"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a time in seconds, not {getattr(self, name)}")
