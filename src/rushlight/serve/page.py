"""The page to try models on: one answer that loads nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from .routes import Response

_FOLDER = Path(__file__).parent / "static"
# Nothing from anywhere else, and no script but the page's own.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self';"
    " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add(app: Any) -> None:
    """Adds the page at ``/``."""

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return Response(
            whole(), headers={"Content-Type": "text/html", "Content-Security-Policy": POLICY}
        )


@cache
def whole() -> str:
    """The page with its style and its script inside."""
    text = (_FOLDER / "index.html").read_text(encoding="utf-8")
    for name, tag in (("page.css", "style"), ("canvas.js", "script"), ("page.js", "script")):
        inside = (_FOLDER / name).read_text(encoding="utf-8")
        text = text.replace(f"<!-- {name} -->", f"<{tag}>\n{inside}</{tag}>")
    return text
