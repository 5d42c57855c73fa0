"""The frame of every page: its head, its styles and scripts, the colour switch. No content."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from surgery.pages.html import Child, Html, el


def page(
    title: str,
    subject: str,
    body: Child,
    *,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
) -> str:
    """A whole page, its styles and scripts inside.

    Its policy lets nothing be fetched and no script run but its own, which it knows by digest.

    Args:
        subject: what kind of page it is, beside the name at the top.
        styles, scripts: files of this package that it needs beside the frame's own.
    """
    code = Html("".join(_file(name) for name in ("frame.js", *scripts)))
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {_digest(code)}"
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        el("link", rel="icon", href="data:,"),
        el("title", title),
        el("style", Html("".join(_file(name) for name in ("frame.css", *styles)))),
    )
    content = [_top(subject), el("main", body), el("script", code)]
    return f"<!doctype html>\n{el('html', head, el('body', content), lang='en')}\n"


def _top(subject: str) -> Html:
    name = el("div", "surgery", el("span", subject), cls="mark")
    return el("header", name, el("button", type="button", cls="theme", hidden=True), cls="bar-top")


def _file(name: str) -> str:
    return files("surgery.pages").joinpath(name).read_text("utf-8")


def _digest(code: str) -> str:
    """A source of a content security policy (CSP level 2): the script with this SHA-256."""
    digest = hashlib.sha256(code.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
