"""The few pieces of HTML that pages are made of. Every piece of text from outside is escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from importlib.resources import files


def page(title: str, body: Iterable[str]) -> str:
    """A whole page that needs nothing besides itself."""
    style = (files(__package__) / "page.css").read_text(encoding="utf-8")
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{style}</style>",
            *body,
            "</html>\n",
        )
    )


def picture(data: bytes, kind: str, alt: str) -> str:
    """An image whose bytes are in the page. ``kind`` is ``png`` or ``svg+xml``."""
    code = b64encode(data).decode()
    return f'<img src="data:image/{kind};base64,{code}" alt="{escape(alt)}">'


def figure(data: bytes, kind: str, alt: str, caption: str = "", style: str = "") -> str:
    """An image with a line of text below."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="{style}">{picture(data, kind, alt)}{below}</figure>'


def tiles(values: Iterable[tuple[str, str]]) -> str:
    """Large figures with what they are, the first one marked as what matters most."""
    cells = [
        f'<div class="tile{"" if i else " main"}"><b>{escape(value)}</b>'
        f"<span>{escape(name)}</span></div>"
        for i, (name, value) in enumerate(values)
    ]
    return f'<div class="tiles">{"".join(cells)}</div>'


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], best: int = -1) -> str:
    """A table of text, which scrolls by itself on a narrow screen; row ``best`` is marked."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = [
        f"<tr{' class=best' if i == best else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for i, row in enumerate(rows)
    ]
    return f'<div class="scroll"><table><tr>{top}</tr>\n{"".join(lines)}</table></div>'


def code(text: str) -> str:
    """Text to be copied as it stands."""
    return f"<pre>{escape(text)}</pre>"


def heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, style: str = "") -> str:
    return f'<p class="{style}">{escape(text)}</p>' if style else f"<p>{escape(text)}</p>"
