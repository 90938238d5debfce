"""A request that is not answered with a result, and why."""

from __future__ import annotations


class Refused(Exception):
    """What a client did wrong, or what keeps this server from answering now.

    Args:
        status: the HTTP status.
        message: a sentence for the client.
        reason: one word for the metrics, out of a fixed few.
        retry_after: seconds after which another try has a chance; 0 for never.
    """

    def __init__(
        self, status: int, message: str, reason: str = "malformed", retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """What HTTP says beside the status."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return headers


def malformed(message: str) -> Refused:
    """A request whose form or numbers are not what the model takes."""
    return Refused(400, message)


def shortened(text: object, most: int = 80) -> str:
    """A client's own words as a message can quote them: one short line of plain characters."""
    quoted = ascii(text)
    return quoted if len(quoted) <= most else quoted[: most - 4] + "...'"
